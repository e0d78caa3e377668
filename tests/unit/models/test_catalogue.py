"""The catalogue's records hold together."""

import re

import numpy as np
import pytest

from facerec.errors import ModelNotFoundError
from facerec.inference import ModelTask
from facerec.models.catalogue import CATALOGUE, DEFAULT_NAMES, embedding_space, find

SHA256 = re.compile(r"[0-9a-f]{64}")
ENTRIES = pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.name)


def test_names_are_unique_and_hold_the_defaults() -> None:
    names = [entry.name for entry in CATALOGUE]
    assert len(set(names)) == len(names) == 4
    assert {find(name).task for name in DEFAULT_NAMES} == set(ModelTask)


@ENTRIES
def test_weights_are_pinned_by_version_and_two_hashes(entry) -> None:
    assert SHA256.fullmatch(entry.weights.archive_sha256)
    assert SHA256.fullmatch(entry.weights.member_sha256)
    assert re.fullmatch(r"\d+(\.\d+)+", entry.weights.version)


@ENTRIES
def test_card_names_licence_training_data_and_source(entry) -> None:
    assert entry.license.removesuffix("-1.0") in entry.card
    for subject in ("Trained on:", "Licence:", "Weights:", "Input:"):
        assert subject in entry.card, subject
    assert max(len(line) for line in entry.card.splitlines()) <= 100


def test_sface_card_says_that_its_training_data_is_not_named() -> None:
    assert "not named by the publishers" in find("sface").card


@ENTRIES
def test_embedders_have_a_space_and_a_chip_and_detectors_neither(entry) -> None:
    if entry.task is ModelTask.DETECTOR:
        assert (entry.embedding_space, entry.alignment, entry.embedding_size) == ("", None, 0)
        return
    pattern = rf"{entry.name}-{entry.weights.member_sha256[:12]}-p\d+(-c\d+)?"
    assert re.fullmatch(pattern, entry.embedding_space)
    points = np.array(entry.alignment.landmarks_px)
    assert points.shape == (5, 2)
    assert (points > 0).all() and (points < entry.alignment.chip_size_px).all()
    # Right eye, left eye, nose, right and left corner of the mouth, as they lie in a picture.
    assert points[0, 0] < points[2, 0] < points[1, 0]
    assert points[3, 0] < points[4, 0]
    assert points[:2, 1].max() < points[2, 1] < points[3:, 1].min()


def test_a_space_changes_with_its_weights_and_its_preprocessing() -> None:
    preprocessing = find("sface").preprocessing
    later = type(preprocessing)(2, *list(vars(preprocessing).values())[1:])
    spaces = {
        embedding_space("sface", "a" * 64, preprocessing),
        embedding_space("sface", "b" * 64, preprocessing),
        embedding_space("sface", "a" * 64, later),
        embedding_space("other", "a" * 64, preprocessing),
        embedding_space("sface", "a" * 64, preprocessing, 1),
        embedding_space("sface", "a" * 64, preprocessing, 2),
    }
    assert len(spaces) == 6


@ENTRIES
def test_a_centre_is_of_the_version_that_the_space_names(entry) -> None:
    assert entry.embedding_space.endswith(f"-c{entry.centre_version}") == bool(entry.centre_version)
    if not entry.centre_version:
        assert entry.centre is None
        return
    assert entry.centre.version == entry.centre_version
    assert len(entry.centre.vector) == entry.embedding_size
    # A mean of unit vectors lies inside the sphere; one near zero would change nothing.
    assert 0.1 < np.linalg.norm(entry.centre.vector) < 0.9
    assert "1156 people" in entry.centre.provenance


@pytest.mark.parametrize(
    ("name", "hint"), [("sfase", "did you mean sface?"), ("zzz", "there are: yunet")]
)
def test_an_unknown_name_gets_a_hint(name: str, hint: str) -> None:
    with pytest.raises(ModelNotFoundError, match=re.escape(hint)):
        find(name)
