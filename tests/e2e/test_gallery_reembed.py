"""Taking another network into use, on real photographs, as an operator types it."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from facerec.analysis.embedding import centred
from facerec.gallery.gallery import Gallery
from facerec.gallery.profile import NewTemplate
from facerec.inference import ModelTask
from facerec.models.store import ModelStore
from tests.e2e.conftest import Facerec
from tests.integration.gallery.test_gallery import unit


@pytest.fixture
def old(own_home: Path, pictures: dict[str, Path]) -> str:
    """A home of an older network: one with a kept picture, one without, one of another network.

    Returns the space that the present network's differs from by its centre alone.
    """
    space = ModelStore(own_home / "models").require("sface", ModelTask.EMBEDDER).embedding_space
    plain = space.rpartition("-c")[0]
    picture = pictures["obama-2012"].read_bytes()
    with Gallery.open(own_home / "gallery.db") as gallery:
        kept = NewTemplate(
            *(unit(1, 128), "other-1", 0.9, "obama.jpg"),
            content_sha256=hashlib.sha256(picture).hexdigest(),
            image=picture,
        )
        gallery.enrol("A", [kept], profile_id="kept")
        gallery.enrol("B", [NewTemplate(unit(2, 128), plain, 0.8, "b.jpg")], profile_id="plain")
        gallery.enrol("C", [NewTemplate(unit(3, 128), "other-1", 0.8, "c.jpg")], profile_id="none")
    return plain


def test_reembed_switch_and_roll_back(
    facerec: Facerec,
    own_home: Path,
    old: str,
    pictures: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    manifest = ModelStore(own_home / "models").require("sface", ModelTask.EMBEDDER)
    space = manifest.embedding_space
    done = facerec("gallery", "reembed", "--to", "sface", "--json")
    assert done.code == 0, done.err
    assert done.record == {"embedding_space": space, "made": 2, "enrol_anew": ["none"]}
    again = facerec("gallery", "reembed", "--to", "sface")
    assert "0 profile(s) have templates" in again.out
    assert "none has no kept picture: enrol anew" in again.out
    # The other picture of the same person finds what was made of the kept one.
    (face,) = facerec("identify", pictures["obama-2010"], "--json").record["faces"]
    assert face["profile_id"] == "kept"
    with Gallery.open(own_home / "gallery.db") as gallery:
        (moved,) = gallery.references("plain", space)
        assert manifest.centre is not None
        assert np.allclose(moved, centred(unit(2, 128)[None], manifest.centre)[0], atol=1e-6)
        assert gallery.templates("plain")[1].source == "b.jpg"
    assert facerec("gallery", "roll-back", "--to", "sface", "--json").record["changed"] == 2
    assert json.loads(facerec("gallery", "spaces", "--json").out) == [
        {"embedding_space": "other-1", "profiles": 2},
        {"embedding_space": old, "profiles": 1},
    ]
    assert facerec("gallery", "reembed", "--to", "sface", "--json").record["made"] == 2
    monkeypatch.setenv("FACEREC_ANALYSIS__EMBEDDER", "dlib-resnet")
    done = facerec("gallery", "switch", "--to", "sface", "--json")
    assert "the setting analysis.embedder is dlib-resnet: set it to the network" in done.err
    switched = done.record
    assert (switched["changed"], switched["enrol_anew"]) == (2, ["none"])
    with Gallery.open(own_home / "gallery.db") as gallery:
        assert gallery.reembedder.people_by_space() == {"other-1": 1, space: 2}


def test_a_network_that_is_not_there(facerec: Facerec) -> None:
    done = facerec("gallery", "reembed", "--to", "nonsense")
    assert done.code == 1
    assert "nonsense" in done.err
