"""A write returns the revision from which on every search, anywhere, goes by it."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import event

from facerec.errors import GalleryError, GalleryNotFoundError, ProfileNotFoundError
from facerec.gallery.gallery import Gallery
from facerec.gallery.life_cycle import ProfileChange
from facerec.gallery.profile import NewProfile, ProfileState
from facerec.gallery.storage import display_names
from tests.integration.gallery.test_gallery import SPACE, template, unit


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Gallery, Gallery]]:
    """The gallery that writes, and another open one of the same home."""
    with ExitStack() as opened:
        path = tmp_path / "gallery.db"
        writer = opened.enter_context(Gallery.open(path))
        writer.enrol("Stays", [template(900)], profile_id="stays")
        writer.enrol("Ada", [template(1)], profile_id="ada")
        reader = opened.enter_context(Gallery.open(path))
        reader.search(unit(1), embedding_space=SPACE)
        yield writer, reader


def best(gallery: Gallery, seed: int, revision: int) -> str:
    found = gallery.search(unit(seed), embedding_space=SPACE, min_revision=revision)
    assert found.revision >= revision
    return found.profile_ids[0] if found.similarities[0] > 0.999 else ""


WRITES: list[tuple[Callable[[Gallery], int], int, str]] = [
    (lambda g: g.enrol("New", [template(2)], profile_id="new").revision, 2, "new"),
    (lambda g: g.add_templates("ada", [template(3)]).revision, 3, "ada"),
    (lambda g: g.enrolling.add_templates("ada", [template(3)]), 3, "ada"),
    (lambda g: g.set_state("ada", ProfileState.SUSPENDED).revision, 1, ""),
    (lambda g: g.life_cycle.update("ada", ProfileChange(state=ProfileState.SUSPENDED)), 1, ""),
    (lambda g: g.life_cycle.erase("ada").revision, 1, ""),
]


@pytest.mark.parametrize(("write", "probe", "expected"), WRITES)
def test_what_was_written_is_seen_from_the_revision_returned(
    two: tuple[Gallery, Gallery], write: Callable[[Gallery], int], probe: int, expected: str
) -> None:
    writer, reader = two
    before = writer.revision
    revision = write(writer)
    assert revision == before + 1 == writer.revision
    assert best(reader, probe, revision) == expected
    assert best(writer, probe, revision) == expected
    with pytest.raises(GalleryError, match="has none"):
        reader.search(unit(1), embedding_space=SPACE, min_revision=revision + 1)


def test_a_consent_that_is_withdrawn_ends_matching_from_the_revision_returned(
    two: tuple[Gallery, Gallery],
) -> None:
    writer, reader = two
    given = writer.life_cycle.give_consent("ada", purpose="p", legal_basis="c", evidence="e")
    assert best(reader, 1, given) == "ada"
    withdrawn = writer.life_cycle.withdraw_consent("ada")
    assert withdrawn == given + 1
    assert best(reader, 1, withdrawn) == ""


def test_a_template_that_is_deleted_is_not_compared_with_from_the_revision_returned(
    two: tuple[Gallery, Gallery],
) -> None:
    writer, reader = two
    writer.add_templates("ada", [template(4)])
    first = writer.templates("ada")[0].template_id
    revision = writer.removals.delete_template("ada", first)
    assert best(reader, 1, revision) == ""
    assert best(reader, 4, revision) == "ada"


def test_a_receipt_is_the_same_when_it_is_read_again(two: tuple[Gallery, Gallery]) -> None:
    writer, reader = two
    receipt = writer.life_cycle.erase("ada")
    assert receipt.revision == writer.revision
    assert reader.life_cycle.receipts() == (receipt,)


def test_galleries_that_another_process_makes_and_deletes_are_known_at_once(
    two: tuple[Gallery, Gallery],
) -> None:
    writer, _ = two
    for gallery in two:
        gallery.require_galleries(["default"])
        with pytest.raises(GalleryNotFoundError, match="there are: default "):
            gallery.require_galleries(["default", "staff"])
    writer.create_gallery("staff")
    for gallery in two:
        gallery.require_galleries(["staff", "default"])
    writer.removals.delete_gallery("staff")
    for gallery in two:
        with pytest.raises(GalleryNotFoundError, match="'staff'"):
            gallery.require_galleries(["staff"])


def test_a_new_name_is_known_at_once_and_an_erased_one_is_forgotten(
    two: tuple[Gallery, Gallery],
) -> None:
    writer, _ = two
    for name in ("Ada", "Ada Lovelace", "Lady Lovelace"):
        writer.life_cycle.update("ada", ProfileChange(name=name))
        for gallery in (*two, *two):
            assert (gallery.names.of("ada"), gallery.names.of("stays")) == (name, "Stays")
    writer.life_cycle.erase("ada")
    for gallery in two:
        with pytest.raises(ProfileNotFoundError):
            gallery.names.of("ada")
        assert gallery.names.of("stays") == "Stays"
        assert "Lovelace" not in str(vars(gallery.names))


def test_names_are_read_once_and_not_kept_without_end(
    two: tuple[Gallery, Gallery], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(display_names, "_MOST", 3)
    writer, reader = two
    templates = [template(n) for n in range(10, 15)]
    people = [
        NewProfile(f"P {n}", [one], ["default"], profile_id=f"p{n}")
        for n, one in enumerate(templates)
    ]
    writer.enrol_many(people)
    asked: list[str] = []
    event.listen(
        reader.database._engine, "before_cursor_execute", lambda *given: asked.append(given[2])
    )
    for n in (0, 0, 1, 2, 3, 4, 4):
        assert reader.names.of(f"p{n}") == f"P {n}"
    assert sum("master_key_id" in question for question in asked) == 5


def test_who_was_changed_last_is_not_searched_for_among_all_changes(tmp_path: Path) -> None:
    """Every look at a profile asks for its version; in a large gallery that would be millions."""
    path = tmp_path / "gallery.db"
    with Gallery.open(path) as gallery:
        gallery.enrol("Ada", [template(1)], profile_id="ada")
    asked: list[str] = []
    with Gallery.open(path) as gallery:
        engine = gallery.database._engine
        event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
        gallery.life_cycle.version("ada")
    (question,) = [text for text in asked if "max(" in text]
    connection = sqlite3.connect(path)
    (step,) = connection.execute(f"EXPLAIN QUERY PLAN {question}", (1,)).fetchall()
    connection.close()
    assert step[-1].startswith("SEARCH change USING COVERING INDEX change_by_profile"), step
