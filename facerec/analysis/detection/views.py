"""Which parts of an image a detector looks at, and how large.

A detector finds faces of a certain span of sizes, so an image is looked at on several levels: one
fine enough for the smallest face that is wanted and, where a face could be too large for it,
coarser ones. A level of many pixels is cut into overlapping tiles, so that memory stays bounded.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from facerec.analysis.detection.placing import placed
from facerec.analysis.faces import Faces

__all__ = ["FaceSpan", "Level", "Tile", "plan_levels", "to_image"]

TILE_PX = 1024
"""Longest side of a tile: YuNet needs 40 MB for 1024x1024 pixels."""

TILE_OVERLAP_PX = 128
"""A third more than `COARSER_AFTER_TILES` times the smallest face, so that a face that a tile's
edge cuts is whole in the next tile or large enough for the next level."""

COARSER_AFTER_TILES = 4
COARSER = 8
"""How much smaller the next level is: its reach must begin below where this level's ends."""

MOST_ENLARGED_PIXELS = 32_000_000
"""No level is enlarged beyond this; 96 MB."""


@dataclass(frozen=True)
class FaceSpan:
    """The sides of faces, in pixels of the network's input, that a detector finds reliably."""

    smallest_px: float
    largest_px: float


@dataclass(frozen=True)
class Tile:
    """A rectangle of a level, in pixels of the level."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Level:
    """The whole image at one size.

    Attributes:
        scale: Pixels of the level for one of the image, the same in both directions.
        width: Width of the level in pixels.
        height: Height of the level in pixels.
        pixel_size_xy: Width and height of a pixel of the level, in pixels of the image: one over
            `scale`, but for the rounding of `width` and `height`.
        tiles: Rectangles that cover the level; one where it is small enough.
    """

    scale: float
    width: int
    height: int
    pixel_size_xy: tuple[float, float]
    tiles: tuple[Tile, ...]


@lru_cache(maxsize=64)
def plan_levels(
    width: int, height: int, *, min_face_px: float, span: FaceSpan
) -> tuple[Level, ...]:
    """Choose the levels that find every face from `min_face_px` to larger than the image.

    Remembered, since a camera's frames all have one size.

    Args:
        width: Width of the image, from 1.
        height: Height of the image, from 1.
        min_face_px: Smallest face side to find, in pixels of the image.
        span: What the detector finds.

    Returns:
        Levels, finest first. The finest enlarges the image to no more than `MOST_ENLARGED_PIXELS`.
    """
    enlargement = max(1.0, math.sqrt(MOST_ENLARGED_PIXELS / (width * height)))
    scale = min(span.smallest_px / min_face_px, enlargement)
    levels = [_level(width, height, scale)]
    while max(width, height) * scale > span.largest_px:
        scale /= COARSER_AFTER_TILES if len(levels[-1].tiles) > 1 else COARSER
        levels.append(_level(width, height, scale))
    return tuple(levels)


def to_image(faces: Faces, level: Level, tile: Tile) -> Faces:
    """Move faces from the pixels of a tile to the pixels of the image.

    Where a level has several tiles, faces that cross an edge inside the image are left out, and
    those larger than the overlap too, for they may be the visible part of a face that an edge cuts:
    they are whole in another tile or on a coarser level.
    """
    if len(level.tiles) > 1:
        faces = faces[_surely_whole(faces, level, tile)]
    width, height = level.pixel_size_xy
    return placed(
        faces,
        corner_xy=(tile.x * width, tile.y * height),
        pixel_size_xy=level.pixel_size_xy,
    )


def _surely_whole(faces: Faces, level: Level, tile: Tile) -> NDArray[np.bool_]:
    left, top, right, bottom = faces.boxes_xyxy_px.T
    inside = (
        ((left >= 0) | (tile.x == 0))
        & ((top >= 0) | (tile.y == 0))
        & ((right < tile.width) | (tile.x + tile.width == level.width))
        & ((bottom < tile.height) | (tile.y + tile.height == level.height))
    )
    small = (right - left) * (bottom - top) <= TILE_OVERLAP_PX**2
    return np.asarray(inside & small, np.bool_)


def _level(width: int, height: int, scale: float) -> Level:
    level_width, level_height = max(1, round(width * scale)), max(1, round(height * scale))
    columns, rows = _spans(level_width), _spans(level_height)
    return Level(
        scale,
        level_width,
        level_height,
        (width / level_width, height / level_height),
        tuple(
            Tile(x, y, tile_width, tile_height)
            for y, tile_height in rows
            for x, tile_width in columns
        ),
    )


def _spans(length: int) -> list[tuple[int, int]]:
    """Cover a side by equal spans (start, length) of at most `TILE_PX` that overlap enough."""
    # A quarter more than a tile is still looked at whole: two tiles would be more pixels.
    if length <= TILE_PX * 5 // 4:
        return [(0, length)]
    count = math.ceil((length - TILE_OVERLAP_PX) / (TILE_PX - TILE_OVERLAP_PX))
    last = length - TILE_PX
    return [(round(i * last / (count - 1)), TILE_PX) for i in range(count)]
