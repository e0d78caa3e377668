"""A write returns the revision from which on every search, anywhere, goes by it."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import event

from facerec.errors import GalleryError
from facerec.gallery.gallery import Gallery
from facerec.gallery.life_cycle import ProfileChange
from facerec.gallery.profile import ProfileState
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
