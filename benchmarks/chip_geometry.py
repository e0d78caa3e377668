"""Measures how large a face should lie on the embedder's chip, and how to interpolate.

    .venv/bin/python benchmarks/chip_geometry.py IMAGES PAIRS [--home HOME] [--templates FILE.npz]

IMAGES holds one folder of pictures a person; PAIRS is a pairs file of two folds whose people are
all different, as LFW's. Landmarks are found once a picture; each way of cutting gets the same ones,
and a chip and a mirrored chip by the second detector, as the system does it. The rates of either
fold alone are printed too, so that a choice made on one can be judged on the other. With
`--templates` the embeddings are kept in a file, and used again when it exists.
"""

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from facerec.analysis.alignment import similarity_transform
from facerec.analysis.cutting import cut_out
from facerec.analysis.detection import CenterFaceDetector
from facerec.analysis.embedding import NetworkEmbedder
from facerec.analysis.faces import Faces
from facerec.analysis.image_decoding import decode_image
from facerec.cli.evaluation_setup import TemplateMaker, evaluation_settings
from facerec.cli.progress import progress_over
from facerec.evaluation.metrics.comparisons import compare_all
from facerec.evaluation.metrics.rates import tar_at_far
from facerec.evaluation.pictures.face_table import FaceTable
from facerec.evaluation.pictures.folder import PeoplePictures, find_people
from facerec.evaluation.pictures.pairs_file import read_pairs
from facerec.evaluation.protocols.identification import identify_open_set
from facerec.inference.litert_session import LiteRtSession
from facerec.inference.manifest import Alignment
from facerec.models.store import LITERT_FILE, ModelStore


@dataclass(frozen=True)
class Cut:
    """A way to cut a chip: size of the face relative to the usual, and OpenCV's interpolation."""

    name: str
    scale: float = 1.0
    interpolation: int = cv2.INTER_LINEAR

    def chip(
        self, image: NDArray[np.uint8], landmarks: NDArray[np.float32], usual: Alignment
    ) -> NDArray[np.uint8]:
        side = usual.chip_size_px
        middle = (side - 1) / 2
        target = (np.array(usual.landmarks_px, np.float64) - middle) * self.scale + middle
        matrix = similarity_transform(landmarks, target)
        return cut_out(image, matrix, side, interpolation=self.interpolation)


CUTS = (
    Cut("as shipped (1.00, bilinear)"),
    Cut("scale .94", 0.94),
    Cut("scale .97", 0.97),
    Cut("scale 1.03", 1.03),
    Cut("scale 1.06", 1.06),
    Cut("bicubic", interpolation=cv2.INTER_CUBIC),
    Cut("Lanczos", interpolation=cv2.INTER_LANCZOS4),
)


def embeddings_by_cut(
    maker: TemplateMaker, pictures: PeoplePictures, table: FaceTable
) -> NDArray[np.float32]:
    """Return embeddings float32 (cuts, pictures, d); rows without a face hold zeros."""
    store = ModelStore(maker.settings.models_dir)
    second = CenterFaceDetector(LiteRtSession(store.file("centerface", LITERT_FILE), 1))
    session = LiteRtSession(store.file(maker.embedder.name, LITERT_FILE), 2)
    embedder = NetworkEmbedder(session, maker.embedder)
    made = np.zeros((len(CUTS), *table.embeddings.shape), np.float32)
    with progress_over(len(pictures), "Cutting and embedding") as advance:
        for row in np.flatnonzero(table.acquired):
            data = (pictures.root / pictures.paths[row]).read_bytes()
            image = decode_image(data, max_pixels=maker.settings.analysis.max_image_pixels)
            one = table[row : row + 1]
            face = Faces(one.boxes_xyxy_px, one.detection_scores, one.landmarks_px)
            again = second.landmarks(image, face)[0]
            first = one.landmarks_px[0]
            chips, others = (
                np.stack([cut.chip(image, landmarks, embedder.alignment) for cut in CUTS])
                for landmarks in (first, again)
            )
            answer = embedder.embed_assessed(chips, mirrored=True, mirror_of_bgr=others)
            made[:, row] = answer.vectors
            advance(1)
    return made


def rates(table: FaceTable, pictures: PeoplePictures) -> str:
    """Return TAR at FAR 1e-3 and 1e-4, then FNIR with 1 and 2 references (first / mean)."""
    comparisons = compare_all(table.embeddings, pictures.people, table.acquired)
    answers = tar_at_far(comparisons.mated, comparisons.non_mated, (1e-3, 1e-4))
    told = [" / ".join(f"{answer.rate:.4f}" for answer in answers)]
    for references in (1, 2):
        result = identify_open_set(table, pictures, references)
        at = [answer.at for answer in result.fnir_at_fpir].index(0.01)
        first = result.fnir_at_fpir[at].rate
        told.append(f"{first:.4f} / {np.append(result.draws[:, at], first).mean():.4f}")
    return " | ".join(told)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", type=Path)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--templates", type=Path)
    options = parser.parse_args()
    maker = TemplateMaker.of(evaluation_settings(options.home))
    pictures = find_people(options.images)
    table = maker.acquire(pictures)
    pairs = read_pairs(options.pairs, pictures)
    if options.templates is not None and options.templates.exists():
        made = np.load(options.templates)["embeddings"]
    else:
        made = embeddings_by_cut(maker, pictures, table)
        if options.templates is not None:
            np.savez(options.templates, embeddings=made)
    parts = {
        "both folds": np.arange(len(pictures)),
        "fold 1": pictures.rows_of(pairs.people_of_fold(0)),
        "fold 2": pictures.rows_of(pairs.people_of_fold(1)),
    }
    for part, rows in parts.items():
        print(f"{part}: TAR at 1e-3 / 1e-4 | FNIR 1 ref.: first / mean | 2 ref.: first / mean")
        for cut, embeddings in zip(CUTS, made, strict=True):
            own = replace(table, embeddings=embeddings)[rows]
            print(f"  {cut.name}: {rates(own, pictures.only(rows))}")


if __name__ == "__main__":
    main()
