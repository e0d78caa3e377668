"""Makes an operating point on one fold of people and judges it on the other, and the reverse.

    .venv/bin/python benchmarks/calibration_transfer.py IMAGES PAIRS [--home HOME]

PAIRS is a pairs file of two folds whose people are all different, as LFW's. FPIR is the mean over
all galleries of each size drawn from the judged people, with so many references each, everybody
else being a stranger.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facerec.cli.evaluation_setup import TemplateMaker, evaluation_settings
from facerec.decision.operating_point import OperatingPoint
from facerec.evaluation.calibration.calibrating import CalibrationSource, KnownFaces, calibrate
from facerec.evaluation.calibration.gallery_growth import expected_fpir, shown_by
from facerec.evaluation.calibration.known_faces import faces_of_table
from facerec.evaluation.metrics.bootstrap import Interval
from facerec.evaluation.metrics.comparisons import compare_all
from facerec.evaluation.metrics.open_set import ReferenceGallery
from facerec.evaluation.pictures.folder import find_people
from facerec.evaluation.pictures.pairs_file import read_pairs
from facerec.gallery.index.person_score import MAXIMUM, SHIPPED, PersonScore

FMRS = (1e-2, 1e-3, 1e-4)
SIZES = (
    (1, SHIPPED, (25, 50, 100, 200, 400)),
    (3, SHIPPED, (20, 40, 60, 80)),
    (3, MAXIMUM, (20, 40, 60, 80)),
)
"""References of each person, how they are scored by them, and people in the gallery."""
FPIR = 0.01


def judge(made_on: str, point: OperatingPoint, others: KnownFaces) -> None:
    rates = compare_all(others.embeddings, others.people).non_mated
    for fmr in FMRS:
        threshold = point.threshold_at_fmr(fmr)
        report(f"{made_on} FMR {fmr:g}", point.fmr_interval_at(threshold), rates.fmr_at(threshold))
    for references, score, sizes in SIZES:
        best = best_of(others, references, score)
        for size in (size for size in sizes if size < best.shape[1]):
            compared = size * references
            threshold = point.threshold_at_fpir(FPIR, size, compared)
            found = expected_fpir(best, np.array([threshold]), np.array([size]))[0, 0]
            rule = "the best template" if score == MAXIMUM else "the shipped score"
            what = f"{made_on} FPIR {FPIR:g}, {size} people, {references} reference(s), {rule}"
            interval = point.fpir_interval_at(threshold, compared)
            report(what, interval, float(found), shown_by(float(found), len(best)))


def best_of(faces: KnownFaces, references: int, score: PersonScore) -> NDArray[np.float32]:
    """Return the best score of everybody's first picture with each other person's references.

    Returns:
        float32 (people, enrolled people); one's own is -1, so that one is a stranger to all others.
    """
    order = np.argsort(faces.people, kind="stable")
    starts = np.unique(faces.people[order], return_index=True)[1]
    enrolled = np.flatnonzero(np.bincount(faces.people) >= references)
    rows = np.array([order[starts[person] :][:references] for person in enrolled])
    probes = faces.embeddings[order[starts]]
    gallery = ReferenceGallery(
        faces.embeddings[rows.ravel()], np.arange(len(enrolled)) * references, score
    )
    best = gallery.scores(probes)
    best[enrolled, np.arange(len(enrolled))] = -1
    return np.asarray(best, np.float32)


def report(
    what: str, interval: tuple[float, float], found: float, own: Interval | None = None
) -> None:
    """Print whether a rate lies in the stated interval, or could by what its own sample shows."""
    verdict = "inside" if interval[0] <= found <= interval[1] else "OUTSIDE"
    if verdict == "OUTSIDE" and own and own.low <= interval[1] and interval[0] <= own.high:
        verdict = f"outside, but so few strangers show only {own.low:.2e} to {own.high:.2e}"
    print(f"{what}: measured {found:.2e} in [{interval[0]:.2e}, {interval[1]:.2e}] {verdict}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", type=Path)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--home", type=Path)
    options = parser.parse_args()
    maker = TemplateMaker.of(evaluation_settings(options.home))
    pictures = find_people(options.images)
    pairs = read_pairs(options.pairs, pictures)
    table = maker.acquire(pictures)
    space = maker.embedder.embedding_space
    source = CalibrationSource("fold", "pictures", "", space, "", "", "", True, "", "")
    rows = [pictures.rows_of(pairs.people_of_fold(fold)) for fold in (0, 1)]
    folds = [faces_of_table(table[part], pictures.people[part]) for part in rows]
    for made, judged in ((0, 1), (1, 0)):
        judge(f"fold {made + 1} on {judged + 1}:", calibrate(folds[made], source), folds[judged])


if __name__ == "__main__":
    main()
