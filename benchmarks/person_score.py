"""Holds ways to score a person by several templates against each other.

    .venv/bin/python benchmarks/person_score.py IMAGES [--home HOME] [--draws 40]

IMAGES holds one folder of pictures a person. For each number of references, over the first
pictures of everybody and random draws of them: FNIR where FPIR is 1 % (set by the strangers of the
same draw), in how many draws it is lower and higher than with the maximum, and FPIR and FNIR at the
threshold that the operating point in use gives.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facerec.cli.evaluation_setup import TemplateMaker, evaluation_settings
from facerec.decision.operating_point import OperatingPoint
from facerec.evaluation.metrics.open_set import SearchScores, fnir_at_fpir, search_all
from facerec.evaluation.pictures.face_table import FaceTable
from facerec.evaluation.pictures.folder import PeoplePictures, find_people
from facerec.evaluation.protocols.identification import split_open_set
from facerec.gallery.index.person_score import MAXIMUM, SHIPPED, PersonScore

RULES = {
    "best template (maximum)": MAXIMUM,
    "best of templates and their mean": PersonScore(1, with_mean=True),
    "mean of the best two templates": PersonScore(2),
    "mean of the best two of templates and their mean": SHIPPED,
}
FPIR = 0.01


@dataclass(frozen=True)
class Draw:
    """One choice of references: FNIR at FPIR 1 %, and both rates at the stated threshold."""

    fnir: float
    stated_fpir: float
    stated_fnir: float


def judged(scores: SearchScores, point: OperatingPoint, references: int) -> Draw:
    """Return the rates of one search."""
    templates = scores.searched * references
    threshold = point.threshold_at_fpir(FPIR, scores.searched, templates)
    return Draw(
        fnir_at_fpir(scores, (FPIR,))[0].rate,
        scores.fpir_at(threshold),
        scores.fnir_at(threshold),
    )


def compare(
    table: FaceTable, pictures: PeoplePictures, point: OperatingPoint, references: int, draws: int
) -> None:
    """Print a line a rule."""
    found: dict[str, list[Draw]] = {name: [] for name in RULES}
    for seed in (None, *range(draws)):
        split = split_open_set(pictures.people, references, seed=seed)
        rows = (split.references, split.probes, split.strangers)
        for name, rule in RULES.items():
            scores = search_all(table.embeddings, pictures.people, table.acquired, *rows, rule)
            found[name].append(judged(scores, point, references))
    plain = np.array([draw.fnir for draw in found["best template (maximum)"]])
    print(
        f"{references} references: FNIR first / mean | lower : higher | at the threshold FPIR, FNIR"
    )
    for name, results in found.items():
        fnir = np.array([draw.fnir for draw in results])
        print(
            f"  {name}: {fnir[0]:.4f} / {fnir.mean():.4f} | "
            f"{(fnir < plain - 1e-9).sum()} : {(fnir > plain + 1e-9).sum()} | "
            f"{np.mean([draw.stated_fpir for draw in results]):.4f}, "
            f"{np.mean([draw.stated_fnir for draw in results]):.4f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", type=Path)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--draws", type=int, default=40)
    options = parser.parse_args()
    maker = TemplateMaker.of(evaluation_settings(options.home))
    pictures = find_people(options.images)
    table = maker.acquire(pictures)
    point = maker.point_in_use()
    if point is None:
        raise SystemExit("no operating point is known for this embedding space")
    for references in (2, 3, 5):
        compare(table, pictures, point, references, options.draws)


if __name__ == "__main__":
    main()
