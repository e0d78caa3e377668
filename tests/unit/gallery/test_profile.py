import numpy as np
import pytest
from numpy.typing import NDArray

from facerec.errors import ArrayError
from facerec.gallery.profile import NewTemplate


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
