"""Non-maximum suppression against a plain loop, and by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from facerec.analysis.detection.suppression import overlaps, suppress_overlaps


def overlap_of_two(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Written from the definition, one coordinate at a time."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0.0) * max(height, 0.0)
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
    return float(shared / union) if union > 0 else 0.0


def suppress_by_loop(
    boxes: NDArray[np.float32], scores: NDArray[np.float32], limit: float
) -> list[int]:
    kept: list[int] = []
    for i in sorted(range(len(scores)), key=lambda i: (-scores[i], i)):
        if all(overlap_of_two(boxes[i], boxes[j]) <= limit for j in kept):
            kept.append(i)
    return kept


# Whole numbers and limits that binary fractions hold exactly, so that ties are ties in both.
corners = arrays(np.float32, st.tuples(st.integers(0, 24), st.just(2)), elements=st.integers(0, 20))


@st.composite
def scored_boxes(draw: st.DrawFn) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    lower = draw(corners)
    sizes = draw(arrays(np.float32, lower.shape, elements=st.integers(0, 12)))
    scores = draw(arrays(np.float32, len(lower), elements=st.sampled_from([0.1, 0.5, 0.7, 0.9])))
    return np.concatenate([lower, lower + sizes], axis=1), scores


@settings(max_examples=200)
@given(scored_boxes(), st.sampled_from([0.0, 0.25, 0.3125, 0.5, 1.0]))
def test_equals_the_loop(
    data: tuple[NDArray[np.float32], NDArray[np.float32]], limit: float
) -> None:
    boxes, scores = data
    assert suppress_overlaps(boxes, scores, limit).tolist() == suppress_by_loop(
        boxes, scores, limit
    )


@given(scored_boxes())
def test_overlaps_equal_the_definition_both_ways(
    data: tuple[NDArray[np.float32], NDArray[np.float32]],
) -> None:
    boxes, _ = data
    expected = np.array([[overlap_of_two(a, b) for b in boxes] for a in boxes]).reshape(
        len(boxes), len(boxes)
    )
    np.testing.assert_allclose(overlaps(boxes, boxes), expected, atol=1e-6)
    np.testing.assert_array_equal(overlaps(boxes, boxes), overlaps(boxes, boxes).T)


@pytest.mark.parametrize(
    ("boxes", "scores", "kept"),
    [
        ([], [], []),
        ([[0, 0, 4, 4]], [0.5], [0]),
        # The same box twice: the better one stays; of equal ones the first.
        ([[0, 0, 4, 4], [0, 0, 4, 4]], [0.5, 0.9], [1]),
        ([[0, 0, 4, 4], [0, 0, 4, 4]], [0.5, 0.5], [0]),
        # Overlap of exactly 1/3: over the limit of .3.
        ([[0, 0, 4, 4], [2, 0, 6, 4]], [0.9, 0.5], [0]),
        # Side by side: they share an edge and no area.
        ([[0, 0, 4, 4], [4, 0, 8, 4]], [0.5, 0.9], [1, 0]),
        # The middle one overlaps both others, but is the worst, so both others stay.
        ([[0, 0, 4, 4], [2, 0, 6, 4], [4, 0, 8, 4]], [0.9, 0.5, 0.8], [0, 2]),
        # The first drops the second, so the second cannot drop the third.
        ([[0, 0, 4, 4], [2, 0, 6, 4], [4, 0, 8, 4]], [0.9, 0.8, 0.5], [0, 2]),
    ],
)
def test_by_hand(boxes: list[list[float]], scores: list[float], kept: list[int]) -> None:
    found = suppress_overlaps(
        np.array(boxes, np.float32).reshape(-1, 4), np.array(scores, np.float32), 0.3
    )
    assert found.tolist() == kept
