"""Makes an operating point on one fold of people and judges it on the other, and the reverse.

    .venv/bin/python benchmarks/calibration_transfer.py IMAGES PAIRS [--home HOME] [--splits N]
        [--seed SEED]

PAIRS is a pairs file of two folds whose people are all different, as LFW's. FPIR is the mean over
all galleries of each size drawn from the judged people, with so many references each, everybody
else being a stranger; or of one gallery drawn at random. With --splits it says instead how often
what is measured lies in the stated intervals, over N random halves of the people, each half made
on and judged on.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facerec.cli.evaluation_setup import TemplateMaker, evaluation_settings
from facerec.decision.operating_point import OperatingPoint
from facerec.evaluation.calibration.calibrating import CalibrationSource, KnownFaces, calibrate
from facerec.evaluation.calibration.foretelling import SearchTest, foretold_fmr, foretold_fpir
from facerec.evaluation.calibration.gallery_growth import expected_fpir
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


@dataclass(frozen=True)
class Judged:
    """A measured rate and what an operating point stated of it.

    Attributes:
        what: Which rate.
        measured: On the other people.
        of_rate: 95 % interval of the rate itself.
        of_test: What 95 % of such tests show.
    """

    what: str
    measured: float
    of_rate: Interval
    of_test: Interval


def judge(
    point: OperatingPoint, others: KnownFaces, random: np.random.Generator
) -> Iterator[Judged]:
    rates = compare_all(others.embeddings, others.people).non_mated
    for fmr in FMRS:
        threshold = point.threshold_at_fmr(fmr)
        yield Judged(
            f"FMR {fmr:g}",
            rates.fmr_at(threshold),
            Interval(*point.fmr_interval_at(threshold)),
            foretold_fmr(point, threshold, others.count),
        )
    for references, score, sizes in SIZES:
        best = best_of(others, references, score)
        for size in (size for size in sizes if size < best.shape[1]):
            rule = "the best template" if score == MAXIMUM else "the shipped score"
            what = f"FPIR {FPIR:g}, {size} people, {references} reference(s), {rule}"
            threshold = point.threshold_at_fpir(FPIR, size, size * references)
            stated = Interval(*point.fpir_interval_at(threshold, size * references))
            found = expected_fpir(best, np.array([threshold]), np.array([size]))[0, 0]
            alone = named_by_one(best, threshold, size, random)
            for kind, measured, strangers, people in (
                ("mean over galleries", float(found), len(best), best.shape[1]),
                ("one gallery", alone, len(best) - size, size),
            ):
                test = SearchTest(strangers, size, people)
                foretold = foretold_fpir(point, threshold, size * references, test)
                yield Judged(f"{what}, {kind}", measured, stated, foretold)


def named_by_one(
    best: NDArray[np.float32], threshold: float, size: int, random: np.random.Generator
) -> float:
    """Return the share of strangers that one gallery, drawn at random, names."""
    gallery = random.choice(best.shape[1], size, replace=False)
    strangers = (best[:, gallery] > -1).all(axis=1)  # everybody but the gallery's own people
    return float((best[np.ix_(strangers, gallery)].max(axis=1) >= threshold).mean())


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


def report(made_on: str, judged: Judged) -> None:
    """Print whether a rate lies in the stated intervals."""
    places = (
        f"{name} [{each.low:.2e}, {each.high:.2e}] "
        f"{'inside' if each.holds(judged.measured) else 'OUTSIDE'}"
        for name, each in (("rate", judged.of_rate), ("test", judged.of_test))
    )
    print(f"{made_on} {judged.what}: measured {judged.measured:.2e}; {'; '.join(places)}")


def cover(faces: KnownFaces, source: CalibrationSource, splits: int, seed: int) -> None:
    """Print how often stated intervals hold what is measured, over random halves of the people."""
    random = np.random.default_rng(seed)
    held: dict[str, list[tuple[bool, bool, bool]]] = defaultdict(list)
    for _ in range(splits):
        first = np.isin(faces.people, random.permutation(faces.count)[: faces.count // 2])
        halves = [part_of(faces, rows) for rows in (first, ~first)]
        for made, others in (halves, halves[::-1]):
            for each in judge(calibrate(made, source), others, random):
                held[each.what].append(
                    (
                        each.of_rate.holds(each.measured),
                        each.of_test.holds(each.measured),
                        each.measured > each.of_test.high,
                    )
                )
    for what, found in held.items():
        rate, test, above = np.sum(found, axis=0)
        print(
            f"{what}: {rate} inside the rate's interval, {test} inside the test's, {above} above "
            f"it, of {len(found)}"
        )


def part_of(faces: KnownFaces, rows: NDArray[np.bool_]) -> KnownFaces:
    people = np.unique(faces.people[rows], return_inverse=True)[1].astype(np.int32)
    return KnownFaces(faces.embeddings[rows], people, faces.quality[rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", type=Path)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--splits", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0, help="of the splits")
    options = parser.parse_args()
    maker = TemplateMaker.of(evaluation_settings(options.home))
    pictures = find_people(options.images)
    pairs = read_pairs(options.pairs, pictures)
    table = maker.acquire(pictures)
    space = maker.embedder.embedding_space
    source = CalibrationSource("fold", "pictures", "", space, "", "", "", True, "", "")
    if options.splits:
        cover(faces_of_table(table, pictures.people), source, options.splits, options.seed)
        return
    rows = [pictures.rows_of(pairs.people_of_fold(fold)) for fold in (0, 1)]
    folds = [faces_of_table(table[part], pictures.people[part]) for part in rows]
    random = np.random.default_rng(0)
    for made, judged in ((0, 1), (1, 0)):
        for each in judge(calibrate(folds[made], source), folds[judged], random):
            report(f"fold {made + 1} on {judged + 1}:", each)


if __name__ == "__main__":
    main()
