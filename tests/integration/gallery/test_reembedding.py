"""Kept pictures, and changing from one embedding space to another."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from facerec.errors import EmbeddingSpaceError, ProfileNotFoundError
from facerec.gallery.audit.event import AuditKind
from facerec.gallery.gallery import Gallery
from facerec.gallery.profile import NewTemplate
from tests.integration.gallery.conftest import Opener
from tests.integration.gallery.test_gallery import SPACE, template, unit

NEW = "sface-2"


def pictured(seed: int) -> NewTemplate:
    """A template with the file that it was made of."""
    file = f"file of picture {seed}".encode() * 50
    return replace(template(seed, content=hashlib.sha256(file).hexdigest()), image=file)


@pytest.fixture
def gallery(open_home: Opener) -> Iterator[Gallery]:
    """Ada with two kept pictures, Bob with one of two, Cyd with none."""
    with open_home() as opened:
        opened.enrol("Ada", [pictured(1), pictured(2)], profile_id="ada")
        opened.enrol("Bob", [pictured(3), template(4)], profile_id="bob")
        opened.enrol("Cyd", [template(5)], profile_id="cyd")
        yield opened


def kept(gallery: Gallery, profile_id: str) -> list[bytes]:
    return list(gallery.reembedder.source(profile_id).images.values())


def found(gallery: Gallery, seed: int, space: str) -> tuple[str, ...]:
    return gallery.search(unit(seed), embedding_space=space, k=9).profile_ids


def reembed(gallery: Gallery, profile_id: str) -> bool:
    """Make new templates from kept pictures as a network would that is not there."""
    pictures = kept(gallery, profile_id)
    new = [template(100 + int(p.split()[3][:1]), NEW, 24) for p in pictures]
    return bool(new) and gallery.reembedder.add(profile_id, new)


def test_pictures_are_kept_as_they_were(gallery: Gallery) -> None:
    assert kept(gallery, "ada") == [pictured(1).image, pictured(2).image]
    assert kept(gallery, "bob") == [pictured(3).image]
    assert kept(gallery, "cyd") == []
    gallery.add_templates("ada", [pictured(2), pictured(6)])  # one of them again
    assert kept(gallery, "ada") == [pictured(n).image for n in (1, 2, 6)]


def test_a_picture_goes_with_the_last_template_of_it(gallery: Gallery) -> None:
    first = gallery.templates("ada")[0]
    gallery.removals.delete_template("ada", first.template_id)
    assert kept(gallery, "ada") == [pictured(2).image]


def test_pictures_are_sealed_and_erased_with_the_person(tmp_path: Path) -> None:
    path = tmp_path / "home" / "gallery.db"
    with Gallery.open(path) as gallery:
        gallery.enrol("Ada", [pictured(1)], profile_id="ada")
        with gallery.database.reading() as connection:
            sealed = connection.exec_driver_sql("SELECT picture FROM image").scalar_one()
        assert b"file of picture" not in sealed
        gallery.life_cycle.erase("ada")
        with pytest.raises(ProfileNotFoundError):
            gallery.reembedder.source("ada")
    for file in path.parent.iterdir():
        content = file.read_bytes()
        assert sealed not in content and b"file of picture" not in content


def test_both_spaces_are_searched_until_the_switch(gallery: Gallery, open_home: Opener) -> None:
    people = gallery.reembedder
    assert people.people_by_space() == {SPACE: 3}
    assert people.spaces(NEW).waiting == ("ada", "bob", "cyd")
    with pytest.raises(EmbeddingSpaceError):
        found(gallery, 1, NEW)
    assert reembed(gallery, "ada")
    with open_home() as other:  # it was cut off; another process goes on
        assert other.reembedder.spaces(NEW).waiting == ("bob", "cyd")
        assert not reembed(other, "ada")  # who has some gets no second ones
        assert reembed(other, "bob")
        assert not reembed(other, "cyd")
    assert people.spaces(NEW).waiting == ("cyd",)
    assert people.people_by_space() == {SPACE: 3, NEW: 2}
    probe = template(101, NEW, 24).embedding
    assert gallery.search(probe, embedding_space=NEW).profile_ids[0] == "ada"
    assert found(gallery, 1, SPACE)[0] == "ada"
    assert people.keep_only(NEW) == 2
    assert people.people_by_space() == {SPACE: 1, NEW: 2}
    assert gallery.search(probe, embedding_space=NEW).profile_ids[0] == "ada"
    assert found(gallery, 5, SPACE) == ("cyd",)  # left as it was
    assert len(kept(gallery, "ada")) == 2  # for the next change
    (switched,) = [
        entry
        for entry in gallery.journal.read(limit=1000)
        if entry.event.kind is AuditKind.EMBEDDING_SPACE_SWITCHED
    ]
    assert switched.event.note == "switched to: 2 profile(s)"
    assert people.keep_only(NEW) == 0
    assert gallery.journal.verify().sound


def test_the_way_back(gallery: Gallery) -> None:
    before = [gallery.templates(who)[0].embedding.tobytes() for who in ("ada", "bob", "cyd")]
    reembed(gallery, "ada")
    reembed(gallery, "bob")
    assert gallery.reembedder.take_back(NEW) == 2
    assert gallery.reembedder.people_by_space() == {SPACE: 3}
    after = [gallery.templates(who)[0].embedding.tobytes() for who in ("ada", "bob", "cyd")]
    assert after == before
    assert found(gallery, 3, SPACE)[0] == "bob"
    # Nobody is left without templates by going back to where they have none.
    assert gallery.reembedder.take_back(SPACE) == 0
    assert gallery.reembedder.keep_only("nowhere") == 0
    assert gallery.reembedder.people_by_space() == {SPACE: 3}
