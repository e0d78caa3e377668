"""What a search answers while the index is behind the database, and who brings it up to date."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from facerec.errors import GalleryError
from facerec.gallery.gallery import Gallery
from facerec.gallery.life_cycle import ProfileChange
from facerec.gallery.profile import Candidates, NewProfile, ProfileState
from tests.integration.gallery.test_gallery import SPACE, template, unit


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "gallery.db"
    with Gallery.open(path) as gallery:
        people = [
            NewProfile("N", [template(n)], ["default"], profile_id=f"p{n}") for n in range(30)
        ]
        gallery.enrol_many(people)
    return path


@contextmanager
def both(
    path: Path, clock: Callable[[], datetime] | None = None
) -> Iterator[tuple[Gallery, Gallery]]:
    """One who searches, whose index is open, and one who writes and knows nothing of it."""
    with Gallery.open(path) as writer:
        with Gallery.open(path, clock=clock) if clock else Gallery.open(path) as reader:
            seen(reader, 0)
            yield reader, writer


def seen(gallery: Gallery, seed: int, min_revision: int = 0) -> Candidates:
    return gallery.search(unit(seed), embedding_space=SPACE, min_revision=min_revision)


def search_while_somebody_else_reads_changes(reader: Gallery, seed: int) -> list[Candidates]:
    """Search in a thread while the index is being brought up to date, which lasts until told."""
    answers: list[Candidates] = []
    with reader._keeper._publishing:
        thread = threading.Thread(target=lambda: answers.append(seen(reader, seed)))
        thread.start()
        thread.join(0.5)
        before = list(answers)
    thread.join()
    return before


def test_who_searches_does_not_wait_for_who_reads_changes(path: Path) -> None:
    with both(path) as (reader, writer):
        writer.enrol("N", [template(100)], profile_id="new")
        (answer,) = search_while_somebody_else_reads_changes(reader, 1)
        assert answer.profile_ids[0] == "p1"
        assert answer.revision < writer.revision
        assert seen(reader, 100).profile_ids[0] == "new"


@pytest.mark.parametrize("change", ["suspend", "erase", "move"])
def test_who_may_not_be_matched_any_more_is_never_named(path: Path, change: str) -> None:
    """Not even while the index still has them: the search waits for it."""
    with both(path) as (reader, writer):
        if change == "suspend":
            writer.set_state("p1", ProfileState.SUSPENDED)
        elif change == "erase":
            writer.life_cycle.erase("p1")
        else:
            writer.create_gallery("other")
            writer.add_to_galleries("p1", ["other"])
        assert search_while_somebody_else_reads_changes(reader, 1) == []
        found = seen(reader, 1)
        assert ("p1" in found.profile_ids) == (change == "move")
        assert found.revision == writer.revision


def test_who_expires_meanwhile_is_never_named(path: Path) -> None:
    moment = datetime(2030, 1, 1, tzinfo=UTC)
    with Gallery.open(path) as gallery:
        until = moment + timedelta(hours=1)
        gallery.enrol("N", [template(200)], profile_id="guest", valid_until=until)
    with both(path, lambda: moment) as (reader, _):
        assert seen(reader, 200).profile_ids[0] == "guest"
        moment += timedelta(hours=1)
        assert search_while_somebody_else_reads_changes(reader, 200) == []
        assert "guest" not in seen(reader, 200).profile_ids


def test_a_gallery_made_meanwhile_is_found(path: Path) -> None:
    with both(path) as (reader, writer):
        writer.create_gallery("visitors")
        found = reader.search(unit(1), embedding_space=SPACE, galleries=["visitors"])
        assert len(found) == 0


def test_a_revision_to_be_sure_of(path: Path) -> None:
    with both(path) as (reader, writer):
        writer.enrol_many([NewProfile("N", [template(n)], ["default"]) for n in range(100, 500)])
        found = seen(reader, 300, min_revision=writer.revision)
        assert found.searched == 430
        assert float(found.similarities[0]) == pytest.approx(1)
        with pytest.raises(GalleryError, match=f"none {writer.revision + 1} yet"):
            seen(reader, 1, min_revision=writer.revision + 1)


def test_many_changes_of_another_process_are_taken_in_meanwhile(path: Path) -> None:
    with both(path) as (reader, writer):
        writer.enrol_many([NewProfile("N", [template(n)], ["default"]) for n in range(100, 500)])
        assert seen(reader, 1).profile_ids[0] == "p1"
        for thread in list(reader._keeper._background.values()):
            thread.join()
        assert seen(reader, 1).searched == 430


def test_people_of_other_spaces_are_counted(path: Path) -> None:
    with Gallery.open(path) as gallery:
        assert seen(gallery, 1).elsewhere == 0
        gallery.enrol("N", [template(1, "dlib-1", 8)], profile_id="other")
        gallery.add_templates("p1", [template(1, "dlib-1", 8)])
        gallery.create_gallery("staff")
        gallery.add_to_galleries("other", ["staff"])
        here, there = seen(gallery, 1), gallery.search(unit(1, 8), embedding_space="dlib-1")
        assert (here.searched, here.elsewhere, here.templates) == (30, 1, 30)
        assert (there.searched, there.elsewhere, there.templates) == (2, 29, 2)
        every = gallery.search(unit(1), embedding_space=SPACE, galleries=["staff", "default"])
        assert (every.searched, every.elsewhere) == (30, 1)
        gallery.life_cycle.erase("other")
        assert seen(gallery, 1).elsewhere == 0


def test_large_parts_are_merged_while_people_are_searched_and_leave(tmp_path: Path) -> None:
    with Gallery.open(tmp_path / "gallery.db") as gallery:
        gallery.enrol("N", [template(0)], profile_id="first")
        problems: list[object] = []
        done = threading.Event()

        def read() -> None:
            revision = 0
            while not done.wait(0.005):
                found = seen(gallery, 0)
                if found.profile_ids[0] != "first" or found.revision < revision:
                    problems.append(found)
                revision = found.revision

        reader = threading.Thread(target=read)
        reader.start()
        for part in range(2):  # each of more rows than are merged at once
            people = [
                NewProfile("N", [template(10 * n + i) for i in range(6)], ["default"])
                for n in range(1 + 350 * part, 1 + 350 * (part + 1))
            ]
            suspended = gallery.enrol_many(people).profile_ids[0]
            gallery.set_state(suspended, ProfileState.SUSPENDED)
        done.set()
        reader.join()
        for thread in list(gallery._keeper._background.values()):
            thread.join()
        assert problems == []
        (index,) = gallery._keeper.current().indexes.values()
        assert index.to_merge() == ()
        assert max(len(segment) for segment in index._segments) > 4000
        every = gallery.search(unit(5), embedding_space=SPACE, k=10_000)
        assert len(every) == len(set(every.profile_ids)) == every.searched == 1 + 2 * 349
        assert np.all(np.diff(every.similarities) <= 0)


def test_between_commit_and_acknowledgement_others_are_answered_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They do not wait, and are not told half; a change of another process is not passed over."""
    path = tmp_path / "gallery.db"
    with Gallery.open(path) as gallery, Gallery.open(path) as elsewhere:
        gallery.enrol("N", [template(1)], profile_id="one")
        assert seen(gallery, 1).profile_ids == ("one",)
        committed, go_on = threading.Event(), threading.Event()
        catch_up = gallery._keeper._catch_up

        def late() -> None:
            committed.set()
            assert go_on.wait(30)
            catch_up()

        monkeypatch.setattr(gallery._keeper, "_catch_up", late)
        writer = threading.Thread(
            target=gallery.life_cycle.update,
            args=("one", ProfileChange(state=ProfileState.SUSPENDED)),
        )
        writer.start()
        assert committed.wait(30)
        before = seen(gallery, 1)
        assert (before.profile_ids, before.revision) == (("one",), 2)
        time.sleep(0.05)
        assert seen(gallery, 1).profile_ids == ("one",)  # not acknowledged: as if not made yet
        elsewhere.life_cycle.erase("one")
        time.sleep(0.05)
        assert seen(gallery, 1).profile_ids == ()  # another process's change counts
        go_on.set()
        writer.join()
        assert seen(gallery, 1).revision == elsewhere.revision == 4


def test_a_change_that_was_not_taken_in_is_noticed_while_another_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Gallery.open(tmp_path / "gallery.db") as gallery:
        gallery.enrol("N", [template(1)], profile_id="one")
        assert seen(gallery, 1).profile_ids == ("one",)
        current = gallery._keeper.current

        def fails() -> None:
            monkeypatch.setattr(gallery._keeper, "current", current)
            raise GalleryError("no space")

        monkeypatch.setattr(gallery._keeper, "current", fails)
        gallery.set_state("one", ProfileState.SUSPENDED)
        with gallery.database.writing():
            time.sleep(0.05)
            assert seen(gallery, 1).profile_ids == ()
