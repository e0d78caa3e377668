"""Makes an operating point on one fold of people and judges it on the other, and the reverse.

    .venv/bin/python benchmarks/calibration_transfer.py IMAGES PAIRS [--home HOME]

PAIRS is a pairs file of two folds whose people are all different, as LFW's. FPIR is the mean over
all galleries of each size drawn from the judged people, everybody else being a stranger.
"""

import argparse
from pathlib import Path

import numpy as np

from facerec.cli.evaluation_setup import TemplateMaker, evaluation_settings
from facerec.decision.operating_point import OperatingPoint
from facerec.evaluation.calibration.calibrating import CalibrationSource, KnownFaces, calibrate
from facerec.evaluation.calibration.gallery_growth import expected_fpir
from facerec.evaluation.calibration.known_faces import faces_of_table
from facerec.evaluation.metrics.comparisons import compare_all
from facerec.evaluation.pictures.folder import find_people
from facerec.evaluation.pictures.pairs_file import read_pairs

FMRS = (1e-2, 1e-3, 1e-4)
SIZES = (50, 100, 200, 400)
FPIR = 0.01


def judge(made_on: str, point: OperatingPoint, others: KnownFaces) -> None:
    rates = compare_all(others.embeddings, others.people).non_mated
    for fmr in FMRS:
        threshold = point.threshold_at_fmr(fmr)
        report(f"{made_on} FMR {fmr:g}", point.fmr_interval_at(threshold), rates.fmr_at(threshold))
    first = np.unique(others.people, return_index=True)[1]
    scores = others.embeddings[first] @ others.embeddings[first].T
    # Everybody is a stranger to the gallery of all others.
    best = scores[~np.eye(len(scores), dtype=bool)].reshape(len(scores), -1)
    for size in SIZES:
        threshold = point.threshold_at_fpir(FPIR, size)
        found = expected_fpir(best, np.array([threshold]), np.array([size]))[0, 0]
        interval = point.fpir_interval_at(threshold, size)
        report(f"{made_on} FPIR {FPIR:g}, {size} people", interval, float(found))


def report(what: str, interval: tuple[float, float], found: float) -> None:
    verdict = "inside" if interval[0] <= found <= interval[1] else "OUTSIDE"
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
