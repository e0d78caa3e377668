"""Fits the centre of an embedding space, and judges it on people that it was not fitted on.

    .venv/bin/python benchmarks/embedding_centre.py IMAGES PAIRS [--home HOME] [--write]

IMAGES holds one folder of pictures a person. PAIRS is a pairs file of two folds whose people are
all different, as LFW's: the centre of either fold is subtracted from the other's embeddings.
`--write` writes the centre of all of them, which facerec ships with.
"""

import argparse
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facerec.analysis.embedding import centred
from facerec.cli.evaluation_setup import TemplateMaker, evaluation_settings
from facerec.evaluation.metrics.comparisons import compare_all
from facerec.evaluation.metrics.rates import tar_at_far
from facerec.evaluation.pictures.face_table import FaceTable
from facerec.evaluation.pictures.folder import PeoplePictures, find_people
from facerec.evaluation.pictures.pairs_file import read_pairs
from facerec.evaluation.protocols.identification import identify_open_set
from facerec.inference import EmbeddingCentre
from facerec.models.catalogue import find
from facerec.models.embedding_centre import centre_file_name

CENTRES = Path(__file__).resolve().parents[1] / "facerec" / "models" / "embedding_centres"
RATES = (1e-3, 1e-4)
SHARE = 0.7
"""Share of the mean that is subtracted. All of it finds more at FMR 1e-3, but puts the most alike
strangers of both folds together nearer (docs/accuracy.md has .3, .5, .7 and 1)."""


def without(embeddings: NDArray[np.float32], centre: EmbeddingCentre | None) -> NDArray[np.float32]:
    """Undo `centred`: the unit vector u with ``u - c = t e`` for some t > 0; |c| < 1 allows one."""
    if centre is None:
        return embeddings
    c = np.array(centre.vector, np.float64)
    along = embeddings @ c
    length = np.sqrt(along**2 + 1 - c @ c) - along
    return np.asarray(c + length[:, None] * embeddings, np.float32)


def centre_of(embeddings: NDArray[np.float32], provenance: str) -> EmbeddingCentre:
    mean = SHARE * embeddings.mean(axis=0, dtype=np.float64)
    return EmbeddingCentre(1, tuple(round(float(value), 7) for value in mean), provenance)


def judge(what: str, table: FaceTable, pictures: PeoplePictures) -> None:
    """Print the error rates of one fold."""
    comparisons = compare_all(table.embeddings, pictures.people, table.acquired)
    accepted = [
        answer.rate for answer in tar_at_far(comparisons.mated, comparisons.non_mated, RATES)
    ]
    print(
        f"{what}: TAR " + ", ".join(f"{r:g}: {t:.4f}" for r, t in zip(RATES, accepted, strict=True))
    )
    for references in (1, 2):
        result = identify_open_set(table, pictures, references)
        first = next(answer.rate for answer in result.fnir_at_fpir if answer.at == 0.01)
        column = [answer.at for answer in result.fnir_at_fpir].index(0.01)
        mean = np.append(result.draws[:, column], first).mean()
        print(
            f"  {references} reference(s): FNIR at FPIR 1 % {first:.4f}, mean of draws {mean:.4f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", type=Path)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--write", action="store_true", help="write the file, too")
    options = parser.parse_args()
    maker = TemplateMaker.of(evaluation_settings(options.home))
    pictures = find_people(options.images)
    table = maker.acquire(pictures)
    plain = replace(table, embeddings=without(table.embeddings, maker.embedder.centre))
    pairs = read_pairs(options.pairs, pictures)
    folds = [pictures.rows_of(pairs.people_of_fold(fold)) for fold in (0, 1)]
    for name, own, other in (("fold 1", folds[0], folds[1]), ("fold 2", folds[1], folds[0])):
        part = plain[own]
        judge(f"{name} as it is", part, pictures.only(own))
        centre = centre_of(plain[other].embeddings[plain[other].acquired], "the other fold")
        moved = replace(part, embeddings=centred(part.embeddings, centre))
        judge(f"{name}, centre of the other fold subtracted", moved, pictures.only(own))
    if options.write:
        write(maker, plain, pictures)


def write(maker: TemplateMaker, plain: FaceTable, pictures: PeoplePictures) -> None:
    analysis = maker.settings.analysis
    words = (
        f"{SHARE:g} of the mean of {int(plain.acquired.sum())} unit-length embeddings of "
        f"{len(pictures.names)} people: Labeled Faces in the Wild, deep-funneled, folds 1 and 2 of "
        f"View 2; main face, "
        f"{analysis.detector}, second look {analysis.second_look or 'none'}, mirrored chip "
        f"{'yes' if analysis.mirrored_chip else 'no'}; {datetime.now(UTC).date().isoformat()}."
    )
    entry = find(maker.embedder.name)
    centre = centre_of(plain.embeddings[plain.acquired], words)
    path = CENTRES / centre_file_name(entry.name, entry.weights.member_sha256)
    record = {
        "version": entry.centre_version,
        "provenance": centre.provenance,
        "vector": centre.vector,
    }
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    print(f"wrote {path.name}")


if __name__ == "__main__":
    main()
