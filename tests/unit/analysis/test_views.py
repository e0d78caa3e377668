"""Levels and tiles: nothing that should be found can fall between two of them."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facerec.analysis.detection import centerface, yunet
from facerec.analysis.detection.views import (
    MOST_ENLARGED_PIXELS,
    TILE_OVERLAP_PX,
    TILE_PX,
    FaceSpan,
    Level,
    Tile,
    plan_levels,
    to_image,
)
from facerec.analysis.faces import Faces

SPANS = [yunet.SPAN, centerface.SPAN]


def shown_whole(level: Level, left: float, top: float, side: float) -> bool:
    """Whether a square of the image lies within one tile of the level."""
    x, y, side = left * level.scale, top * level.scale, side * level.scale
    return any(
        t.x <= x and t.y <= y and x + side <= t.x + t.width and y + side <= t.y + t.height
        for t in level.tiles
    )


@settings(max_examples=150)
@given(
    st.integers(1, 6000),
    st.integers(1, 6000),
    st.integers(8, 400),
    st.sampled_from(SPANS),
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_every_wanted_face_is_whole_somewhere_at_a_size_that_is_found(
    width: int,
    height: int,
    min_face_px: int,
    span: FaceSpan,
    size: float,
    across: float,
    down: float,
) -> None:
    levels = plan_levels(width, height, min_face_px=min_face_px, span=span)
    if levels[0].scale < span.smallest_px / min_face_px:  # enlarged no further
        return
    longest = min(width, height)
    if longest < min_face_px:
        return
    side = min_face_px * (longest / min_face_px) ** size
    left, top = across * (width - side), down * (height - side)
    # One pixel: the rounding of a level's size.
    assert any(
        span.smallest_px - 1
        <= side * level.scale
        <= (span.largest_px + 1 if len(level.tiles) == 1 else TILE_OVERLAP_PX)
        and shown_whole(level, left + 0.01, top + 0.01, side - 1 / level.scale)
        for level in levels
    )


@given(st.integers(1, 8000), st.integers(1, 8000), st.integers(8, 400))
def test_tiles_cover_their_level_and_stay_small(width: int, height: int, min_face_px: int) -> None:
    for level in plan_levels(width, height, min_face_px=min_face_px, span=yunet.SPAN):
        for extent, begin, length in (
            (level.width, "x", "width"),
            (level.height, "y", "height"),
        ):
            spans = sorted({(getattr(t, begin), getattr(t, length)) for t in level.tiles})
            assert spans[0][0] == 0
            assert sum(spans[-1]) == extent
            assert all(a + n >= b for (a, n), (b, _) in itertools.pairwise(spans))
            assert max(n for _, n in spans) <= TILE_PX * 1.25
        assert level.width * level.height <= max(MOST_ENLARGED_PIXELS * 1.01, width * height)


@pytest.mark.parametrize(
    ("width", "height", "min_face_px", "scales", "tiles"),
    [
        (1, 1, 24, [1.0], [1]),
        (250, 250, 24, [1.0], [1]),
        # A camera's frame: the coarse level is for faces that fill it.
        (640, 480, 24, [1.0, 1 / 8], [1, 1]),
        (640, 480, 48, [0.5], [1]),
        (1280, 720, 24, [1.0, 1 / 8], [1, 1]),
        (1920, 1080, 24, [1.0, 1 / 4, 1 / 32], [2, 1, 1]),
        (640, 480, 12, [2.0, 1 / 4], [1, 1]),
    ],
)
def test_levels_by_hand(
    width: int, height: int, min_face_px: int, scales: list[float], tiles: list[int]
) -> None:
    levels = plan_levels(width, height, min_face_px=min_face_px, span=yunet.SPAN)
    assert [level.scale for level in levels] == scales
    assert [len(level.tiles) for level in levels] == tiles


def one_face(left: float, top: float, right: float, bottom: float) -> Faces:
    box = np.array([[left, top, right, bottom]], np.float32)
    landmarks = np.repeat(box.reshape(1, 2, 2)[:, :1], 5, axis=1)
    return Faces(box, np.array([0.9], np.float32), landmarks)


def test_a_face_of_a_tile_comes_to_its_place_in_the_image() -> None:
    # Half size: pixel 0 of the level covers pixels 0 and 1 of the image, so its centre is at .5.
    level = Level(0.5, 100, 50, (2.0, 2.0), (Tile(0, 0, 60, 50), Tile(40, 0, 60, 50)))
    found = to_image(one_face(10, 5, 20, 15), level, level.tiles[1])
    np.testing.assert_allclose(found.boxes_xyxy_px, [[100.5, 10.5, 120.5, 30.5]])
    np.testing.assert_allclose(found.landmarks_px[0], [[100.5, 10.5]] * 5)


@pytest.mark.parametrize(
    ("box", "tile", "kept"),
    [
        ((-1, 5, 20, 15), 0, True),  # beyond the image: all that there is of it is here
        ((50, 5, 61, 15), 0, False),  # beyond the tile: the next one has it whole
        ((-1, 5, 20, 15), 1, False),
        ((50, 5, 61, 15), 1, True),
        ((10, 40, 20, 51), 1, True),
        ((5, 0, 55, 400), 0, False),  # larger than tiles overlap: perhaps only a part
    ],
)
def test_a_face_cut_by_an_inner_edge_is_left_to_the_next_tile(
    box: tuple[float, float, float, float], tile: int, kept: bool
) -> None:
    level = Level(1.0, 100, 50, (1.0, 1.0), (Tile(0, 0, 60, 50), Tile(40, 0, 60, 50)))
    assert len(to_image(one_face(*box), level, level.tiles[tile])) == int(kept)
