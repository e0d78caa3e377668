import numpy as np
import pytest
from numpy.typing import NDArray

from facerec.errors import ArrayError
from facerec.gallery.profile import Candidates, NewTemplate


def test_a_unit_vector_is_taken() -> None:
    embedding = np.array([0.6, 0.8], np.float32)
    assert NewTemplate(embedding, "space", 1.0, "camera").content_sha256 == ""


@pytest.mark.parametrize(
    ("embedding", "message"),
    [
        (np.array([0.6, 0.8]), "float32"),
        (np.array([[0.6, 0.8]], np.float32), "shape"),
        (np.array([0.6, 0.9], np.float32), "unit length"),
        (np.zeros(2, np.float32), "unit length"),
        (np.array([np.nan, 1], np.float32), "finite"),
        (np.array([np.inf, 1], np.float32), "finite"),
        (np.zeros(0, np.float32), "unit length"),
    ],
)
def test_what_is_no_embedding_is_refused(embedding: NDArray[np.float32], message: str) -> None:
    with pytest.raises(ArrayError, match=message):
        NewTemplate(embedding, "space", 1.0, "camera")


@pytest.mark.parametrize(
    ("scores", "margin"), [([], None), ([0.7], None), ([0.75, 0.5], 0.25), ([0.5, 0.5, 0.1], 0)]
)
def test_candidates_tell_the_lead_of_the_first(scores: list[float], margin: float | None) -> None:
    names = tuple(f"p{number}" for number in range(len(scores)))
    assert Candidates(names, np.array(scores, np.float32), 9, revision=1).margin == margin
