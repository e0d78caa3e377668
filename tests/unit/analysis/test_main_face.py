"""The face that a photograph of one person is about."""

import numpy as np
import pytest

from facerec.analysis.faces import Faces
from facerec.analysis.main_face import main_face


def squares(*rows: tuple[float, float, float]) -> Faces:
    """Centre x, centre y and side of each."""
    table = np.array(rows, np.float32).reshape(-1, 3)
    half = table[:, 2:] / 2
    boxes = np.concatenate([table[:, :2] - half, table[:, :2] + half], axis=1)
    n = len(table)
    return Faces(boxes, np.full(n, 0.9, np.float32), np.zeros((n, 5, 2), np.float32))


@pytest.mark.parametrize(
    ("rows", "chosen"),
    [
        ([], None),
        ([(10, 10, 8)], 0),
        # Equal places: the larger.
        ([(50, 50, 20), (50, 50, 40)], 1),
        # Equal sizes: the more central, whatever the order.
        ([(20, 50, 20), (55, 50, 20)], 1),
        ([(55, 50, 20), (20, 50, 20)], 0),
        # A little larger at the edge loses; much larger wins.
        ([(10, 50, 24), (50, 50, 20)], 1),
        ([(20, 50, 60), (50, 50, 20)], 0),
        # Beyond the corner counts for nothing, but is better than no face.
        ([(140, 140, 90), (50, 50, 5)], 1),
        ([(140, 140, 90)], 0),
    ],
)
def test_large_and_central(rows: list[tuple[float, float, float]], chosen: int | None) -> None:
    assert main_face(squares(*rows), (100, 100, 3)) == chosen
