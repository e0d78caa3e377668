"""Versions of profiles, single templates and empty galleries: against a real database."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from facerec.errors import (
    GalleryNotFoundError,
    GalleryStateError,
    ProfileChangedError,
    ProfileNotFoundError,
    TemplateNotFoundError,
)
from facerec.gallery.gallery import Gallery
from facerec.gallery.life_cycle import ProfileChange
from facerec.gallery.profile import NewTemplate

SPACE = "test-space"


def template(axis: int) -> NewTemplate:
    return NewTemplate(np.eye(8, dtype=np.float32)[axis], SPACE, 0.9, f"picture {axis}")


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[Gallery]:
    with Gallery.open(tmp_path / "gallery.db") as opened:
        yield opened


def test_every_change_and_no_sighting_raises_the_version(gallery: Gallery) -> None:
    life = gallery.life_cycle
    gallery.enrol("Ada", [template(0)], profile_id="ada")
    gallery.enrol("Bo", [template(1)], profile_id="bo")
    seen = [life.version("ada")]
    life.update("ada", ProfileChange(name="Ada L"))
    seen.append(life.version("ada"))
    gallery.add_templates("ada", [template(2)])
    seen.append(life.version("ada"))
    gallery.removals.delete_template("ada", gallery.templates("ada")[0].template_id)
    seen.append(life.version("ada"))
    assert seen == sorted(set(seen)) and seen[0] > 0
    life.record_seen(["ada"])
    life.update("bo", ProfileChange(name="Bo L"))
    assert life.version("ada") == seen[-1]
    with pytest.raises(ProfileNotFoundError):
        life.version("nobody")


def test_a_change_of_what_was_changed_meanwhile_is_refused_whole(gallery: Gallery) -> None:
    life = gallery.life_cycle
    gallery.enrol("Ada", [template(0)], profile_id="ada")
    version = life.version("ada")
    life.update("ada", ProfileChange(name="Ada L"), version)
    with pytest.raises(ProfileChangedError):
        life.update("ada", ProfileChange(name="Somebody"), version)
    with pytest.raises(ProfileChangedError):
        life.erase("ada", version=version)
    assert gallery.get("ada").name == "Ada L"
    receipt = life.erase("ada", version=life.version("ada"))
    assert life.receipt_of("ada") == receipt
    assert life.receipt_of("bo") is None


def test_a_deleted_template_is_found_no_more_here_and_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "gallery.db"
    # No snapshot but the one asked for: a new one might be written meanwhile.
    with Gallery.open(path) as gallery:
        gallery.enrol("Ada", [template(0), template(1)], profile_id="ada")
        gallery.save_snapshot()
        first = gallery.templates("ada")[0]
        gallery.removals.delete_template("ada", first.template_id)
        assert similarity(gallery, 0) == pytest.approx(0, abs=1e-3)
        assert similarity(gallery, 1) == pytest.approx(1, abs=1e-3)
        assert not path.with_name("gallery.db.index").exists()
        with pytest.raises(TemplateNotFoundError):
            gallery.removals.delete_template("ada", first.template_id)
        with pytest.raises(GalleryStateError, match="last"):
            gallery.removals.delete_template("ada", gallery.templates("ada")[0].template_id)
    with Gallery.open(path) as gallery:
        assert similarity(gallery, 0) == pytest.approx(0, abs=1e-3)


def test_nobody_deletes_anothers_template(gallery: Gallery) -> None:
    gallery.enrol("Ada", [template(0), template(1)], profile_id="ada")
    gallery.enrol("Bo", [template(2), template(3)], profile_id="bo")
    with pytest.raises(TemplateNotFoundError):
        gallery.removals.delete_template("bo", gallery.templates("ada")[0].template_id)
    assert len(gallery.templates("ada")) == 2


def test_only_empty_galleries_are_deleted(gallery: Gallery) -> None:
    gallery.create_gallery("staff")
    gallery.enrol("Ada", [template(0)], galleries=["staff"], profile_id="ada")
    for name in ("staff", "default"):
        with pytest.raises(GalleryStateError):
            gallery.removals.delete_gallery(name)
    gallery.life_cycle.erase("ada")
    gallery.removals.delete_gallery("staff")
    assert gallery.galleries() == ("default",)
    with pytest.raises(GalleryNotFoundError):
        gallery.removals.delete_gallery("staff")


def similarity(gallery: Gallery, axis: int) -> float:
    probe = np.eye(8, dtype=np.float32)[axis]
    return float(gallery.search(probe, embedding_space=SPACE).similarities[0])
