"""The faces of comparisons that went wrong, as small pictures."""

import cv2
import numpy as np
from numpy.typing import NDArray

from facerec.analysis.alignment import align
from facerec.analysis.image_decoding import read_image
from facerec.errors import ImageError
from facerec.evaluation.metrics.comparisons import Comparisons
from facerec.evaluation.pictures.face_table import FaceTable
from facerec.evaluation.pictures.folder import PeoplePictures
from facerec.evaluation.report.content import PicturePair
from facerec.inference import Alignment

__all__ = ["worst_pairs"]


def worst_pairs(
    comparisons: Comparisons,
    pictures: PeoplePictures,
    table: FaceTable,
    alignment: Alignment,
    *,
    max_pixels: int,
    each: int = 12,
) -> tuple[PicturePair, ...]:
    """Return the mated pairs of lowest and the non-mated pairs of highest similarity."""
    mated = comparisons.mated
    made = np.flatnonzero(np.isfinite(mated.scores))
    low = made[np.argsort(mated.scores[made], kind="stable")[:each]]
    chosen = [
        *(("mated", mated.pairs[row], float(mated.scores[row])) for row in low),
        *(
            ("non-mated", pair, float(score))
            for pair, score in zip(
                comparisons.non_mated.tail_pairs[:each],
                comparisons.non_mated.tail[:each],
                strict=True,
            )
        ),
    ]
    found = []
    for kind, pair, score in chosen:
        pngs = [_chip(pictures, table, int(row), alignment, max_pixels) for row in pair]
        names = " and ".join(pictures.paths[row] for row in pair)
        if pngs[0] and pngs[1]:
            found.append(
                PicturePair((pngs[0], pngs[1]), f"{kind}, similarity {score:.3f}: {names}")
            )
    return tuple(found)


def _chip(
    pictures: PeoplePictures, table: FaceTable, row: int, alignment: Alignment, max_pixels: int
) -> bytes:
    """Return the aligned face of a picture as PNG, nothing when it can no longer be read."""
    try:
        image = read_image(pictures.root / pictures.paths[row], max_pixels=max_pixels)
    except ImageError:
        return b""
    chip: NDArray[np.uint8] = align(image, table.landmarks_px[row : row + 1], alignment)[0]
    return bytes(cv2.imencode(".png", chip)[1])
