"""The audit journal on real files: what is entered, and what of a tampered one is found out."""

import multiprocessing
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from facerec.errors import GalleryError, ProfileExistsError, ProfileNotFoundError
from facerec.gallery.audit.event import Actor, AuditEvent, AuditKind
from facerec.gallery.audit.reading import AuditFilter
from facerec.gallery.audit.signing import SignedHead
from facerec.gallery.audit.verifying import FaultKind
from facerec.gallery.gallery import Gallery
from facerec.gallery.life_cycle import ProfileChange
from facerec.gallery.profile import ProfileState
from tests.integration.gallery.conftest import Opener
from tests.integration.gallery.test_gallery import SPACE, template

NORTH = Actor("certificate:north", "call-7")
DECIDED = AuditEvent(
    AuditKind.IDENTIFIED,
    outcome="identified",
    profile_id="ada",
    embedding_space=SPACE,
    revision=2,
    threshold=0.31,
    operating_point="factory",
    score=0.712345678,
    margin=0.4,
    place="main",
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "gallery.db"


@pytest.fixture
def gallery(open_home: Opener) -> Iterator[Gallery]:
    with open_home(actor=Actor("operator:eve")) as opened:
        yield opened


def kinds(gallery: Gallery) -> list[str]:
    return [entry.event.kind.value for entry in gallery.journal.read(limit=10_000)]


def test_every_change_is_entered_with_who_made_it(gallery: Gallery) -> None:
    gallery.create_gallery("staff")
    gallery.create_gallery("staff")  # changes nothing
    gallery.enrol("Ada", [template(1), template(2)], profile_id="ada", galleries=["staff"])
    gallery.by(NORTH).add_templates("ada", [template(3)])
    gallery.add_to_galleries("ada", ["default"])
    gallery.by(NORTH).set_state("ada", ProfileState.SUSPENDED)
    life = gallery.life_cycle
    life.update("ada", ProfileChange(name="Ada Byron", attributes={"room": "7"}))
    life.give_consent("ada", purpose="entry", legal_basis="contract", evidence="form 7")
    life.withdraw_consent("ada")
    gallery.removals.delete_template("ada", gallery.templates("ada")[0].template_id)
    gallery.rotate_master_key()
    receipt = life.erase("ada")
    gallery.removals.delete_gallery("staff")
    entries = gallery.journal.read()
    assert [entry.event.kind.value for entry in entries] == [
        *("home_created", "gallery_created", "profile_enrolled", "templates_added"),
        *("profile_updated", "profile_updated", "profile_updated", "consent_given"),
        *("consent_withdrawn", "template_deleted", "master_key_rotated", "profile_erased"),
        "gallery_deleted",
    ]
    assert [entry.actor for entry in entries[:6]] == [
        *("system", "operator:eve", "operator:eve", "certificate:north", "operator:eve"),
        "certificate:north",
    ]
    enrolled, added = entries[2:4]
    assert enrolled.event.embedding_space == SPACE
    assert (enrolled.event.place, enrolled.event.note) == ("staff", "2 template(s)")
    assert added.request_id == "call-7"
    assert entries[5].event.outcome == "suspended"
    assert entries[6].event.note == "name, attributes"
    # Each names the revision that it made.
    changed = [entry.event.revision for entry in entries if entry.event.revision]
    assert changed == list(range(2, gallery.revision + 1))
    assert entries[11].event.note == f"receipt {receipt.receipt_id}"
    assert gallery.journal.verify().sound


def test_what_fails_is_not_entered(gallery: Gallery) -> None:
    gallery.enrol("Ada", [template(1)], profile_id="ada")
    before = kinds(gallery)
    with pytest.raises(ProfileExistsError):
        gallery.enrol("Ada", [template(1)], profile_id="ada")
    with pytest.raises(GalleryError):
        gallery.life_cycle.withdraw_consent("ada")
    assert kinds(gallery) == before


def test_decisions_are_kept_as_they_were_told(path: Path) -> None:
    with Gallery.open(path) as gallery:
        gallery.enrol("Ada", [template(1)], profile_id="ada")
        gallery.by(NORTH).record_now(DECIDED)
        gallery.by(NORTH).record(*[DECIDED] * 3000)
        gallery.journal.flush()
        assert kinds(gallery).count("identified") == 3001
        gallery.record(AuditEvent(AuditKind.WATCHED, outcome="unknown"))
    with Gallery.open(path) as gallery:
        entries = gallery.journal.read(limit=10_000, name_people=True)
        first = next(e for e in entries if e.event.kind is AuditKind.IDENTIFIED)
        assert (first.actor, first.request_id) == ("certificate:north", "call-7")
        assert first.event.score == 0.7123  # too coarse to tell a template from
        assert first.event.profile_id == "ada"
        assert first.event.threshold == 0.31
        # Closing entered what was on its way, and that the recording ended.
        assert [e.event.kind.value for e in entries[-2:]] == ["watched", "recording_ended"]
        assert entries[-1].event.note == "3001 decision(s)"
        report = gallery.journal.verify()
        assert (report.sound, report.entries, report.open_recordings) == (True, 3006, ())
        assert report.heads == 2  # one of the first thousand, and the last


def test_filters(gallery: Gallery) -> None:
    gallery.enrol("Ada", [template(1)], profile_id="ada")
    gallery.enrol("Eve", [template(2)], profile_id="eve")
    gallery.by(NORTH).record_now(DECIDED, AuditEvent(AuditKind.IDENTIFIED, outcome="unknown"))
    journal = gallery.journal

    def numbers(**wanted: object) -> list[int]:
        return [entry.number for entry in journal.read(AuditFilter(**wanted))]  # type: ignore[arg-type]

    assert numbers() == [1, 2, 3, 4, 5]
    assert numbers(profile_id="ada") == [2, 4]
    assert numbers(kinds=(AuditKind.IDENTIFIED,)) == [4, 5]
    assert numbers(outcome="unknown") == [5]
    assert numbers(actor="certificate") == numbers(actor="certificate:north") == [4, 5]
    assert numbers(actor="cert") == numbers(actor="certificate_north") == []
    assert numbers(request_id="call-7", profile_id="ada") == [4]
    third = journal.read(after=2, limit=1)[0]
    assert third.number == 3
    assert numbers(since=third.recorded) == [3, 4, 5]
    assert numbers(until=third.recorded) == [1, 2]
    assert [entry.number for entry in journal.read(limit=2, newest=True)] == [4, 5]
    assert journal.last_number == 5
    with pytest.raises(ProfileNotFoundError):
        numbers(profile_id="nobody")


def test_erasure_keeps_the_chain_and_leaves_no_way_to_the_person(path: Path) -> None:
    with Gallery.open(path) as gallery:
        gallery.enrol("Ada", [template(1)], profile_id="ada-the-first")
        subject = gallery.journal.read()[-1].subject
        assert len(subject) == 32
        gallery.life_cycle.erase("ada-the-first")
        assert gallery.journal.verify().sound
        erased = gallery.journal.read(name_people=True)[-1]
        assert (erased.subject, erased.event.profile_id) == ("", None)
        # The same id again is another person to the journal.
        gallery.enrol("Ada", [template(1)], profile_id="ada-the-first")
        assert gallery.journal.read()[-1].subject not in ("", subject)
        gallery.life_cycle.erase("ada-the-first")
    for file in path.parent.iterdir():
        assert b"ada-the-first" not in file.read_bytes(), file
    # Nothing ties the revision of the enrolment to that of the erasure.
    connection = sqlite3.connect(path)
    people = connection.execute("SELECT profile FROM change ORDER BY revision").fetchall()
    connection.close()
    assert len(set(people)) == len(people) == 2


def test_who_is_erased_before_a_decision_is_entered_is_not_named(gallery: Gallery) -> None:
    gallery.record_now(DECIDED)  # nobody has that id
    (entry,) = gallery.journal.read(AuditFilter(kinds=(AuditKind.IDENTIFIED,)))
    assert (entry.subject, entry.event.outcome) == ("", "identified")


def append_many(path: Path, name: str) -> None:
    with Gallery.open(path, actor=Actor(f"operator:{name}")) as gallery:
        for number in range(20):
            gallery.enrol(name, [template(number)])
            gallery.record(AuditEvent(AuditKind.WATCHED, place=name))


def test_processes_append_to_one_chain(path: Path) -> None:
    Gallery.open(path).close()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    writers = [context.Process(target=append_many, args=(path, name)) for name in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    with Gallery.open(path) as gallery:
        found = kinds(gallery)
        assert found.count("profile_enrolled") == found.count("watched") == 60
        assert found.count("recording_started") == found.count("recording_ended") == 3
        assert gallery.journal.verify().sound


def test_a_clock_that_is_set_back_breaks_nothing(path: Path) -> None:
    now = [datetime(2030, 1, 2, tzinfo=UTC)]
    with Gallery.open(path, clock=lambda: now[0]) as gallery:
        gallery.enrol("Ada", [template(1)], profile_id="ada")
        now[0] -= timedelta(days=1)
        gallery.by(NORTH).record_now(DECIDED)
        gallery.set_state("ada", ProfileState.SUSPENDED)
        entries = gallery.journal.read()[1:]
        assert [entry.number for entry in entries] == [2, 3, 4]
        assert [entry.recorded.day for entry in entries] == [2, 1, 1]
        assert entries[0].subject == entries[1].subject != ""
        assert gallery.journal.verify().sound


@pytest.fixture
def written(path: Path) -> Path:
    """A closed home whose journal has ten entries, of which 2 to 9 are decisions."""
    with Gallery.open(path) as gallery:
        for number in range(2, 11):
            gallery.record_now(AuditEvent(AuditKind.IDENTIFIED, place=f"gate {number}"))
    return path


def sql(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def faults(path: Path, *heads: SignedHead) -> list[tuple[str, int, int]]:
    with Gallery.open(path) as gallery:
        report = gallery.journal.verify(heads)
        return [(fault.kind.value, fault.first, fault.last) for fault in report.faults]


COLUMNS = ("previous_sha256", "sha256", "recorded", "kind", "actor", "request_id", "subject")


@pytest.mark.parametrize("column", [*COLUMNS, "outcome", "details"])
def test_a_changed_entry_is_named(written: Path, column: str) -> None:
    sql(written, f"UPDATE audit SET {column} = {column} || '0' WHERE number = 5")
    assert (FaultKind.CHANGED, 5, 5) in faults(written)


def test_removed_entries_are_named(written: Path) -> None:
    sql(written, "DELETE FROM audit WHERE number IN (3, 6, 7)")
    assert faults(written) == [(FaultKind.REMOVED, 3, 3), (FaultKind.REMOVED, 6, 7)]


def test_a_removed_entry_whose_gap_is_closed_is_named(written: Path) -> None:
    sql(
        written,
        "DELETE FROM audit WHERE number = 5",
        *(f"UPDATE audit SET number = {n - 1} WHERE number = {n}" for n in range(6, 11)),
    )
    assert faults(written) == [
        (FaultKind.REMOVED, 5, 5),
        *((FaultKind.MOVED, n, n) for n in range(5, 10)),
    ]


def test_reordered_entries_are_named(written: Path) -> None:
    sql(
        written,
        "UPDATE audit SET number = 99 WHERE number = 4",
        "UPDATE audit SET number = 4 WHERE number = 7",
        "UPDATE audit SET number = 7 WHERE number = 99",
    )
    assert faults(written) == [(FaultKind.MOVED, 4, 4), (FaultKind.MOVED, 7, 7)]


def copy_row(path: Path, source: int, number: int, hashes: Callable[[int, str], str]) -> None:
    """Insert a forged entry with a hash of the forger's making."""
    connection = sqlite3.connect(path)
    previous = connection.execute(
        "SELECT sha256 FROM audit WHERE number = ?", [number - 1]
    ).fetchone()[0]
    connection.execute(
        "INSERT INTO audit SELECT ?, ?, ?, recorded, kind, actor, request_id, subject, outcome, "
        "details FROM audit WHERE number = ?",
        [number, previous, hashes(number, previous), source],
    )
    connection.commit()
    connection.close()


def rightly_hashed(path: Path, source: int) -> Callable[[int, str], str]:
    from facerec.gallery.audit.entry import AuditContent, entry_hash

    connection = sqlite3.connect(path)
    content = AuditContent(
        *connection.execute(
            "SELECT recorded, kind, actor, request_id, subject, outcome, details FROM audit "
            "WHERE number = ?",
            [source],
        ).fetchone()
    )
    connection.close()
    return lambda number, previous: entry_hash(number, previous, content)


def test_an_inserted_entry_is_named(written: Path) -> None:
    moved = [f"UPDATE audit SET number = {n + 1} WHERE number = {n}" for n in range(10, 4, -1)]
    sql(written, *moved)
    copy_row(written, 3, 5, rightly_hashed(written, 3))
    assert faults(written) == [
        (FaultKind.INSERTED, 5, 5),
        *((FaultKind.MOVED, n, n) for n in range(6, 12)),
    ]


def test_an_entry_changed_and_hashed_anew_is_named(written: Path) -> None:
    sql(written, "DELETE FROM audit WHERE number = 5")
    copy_row(written, 3, 5, rightly_hashed(written, 3))
    assert faults(written) == [(FaultKind.INSERTED, 5, 5)]


def test_an_entry_appended_without_the_key_is_named(written: Path) -> None:
    copy_row(written, 3, 11, rightly_hashed(written, 3))
    assert faults(written) == [(FaultKind.UNSIGNED, 11, 11)]


def test_a_cut_off_end_is_named(written: Path) -> None:
    sql(written, "DELETE FROM audit WHERE number > 7")
    assert faults(written) == [(FaultKind.CUT_OFF, 8, 10)]
    # What is appended afterwards does not hide it.
    with Gallery.open(written) as gallery:
        for _ in range(5):
            gallery.record_now(AuditEvent(AuditKind.IDENTIFIED))
    assert faults(written) == [(FaultKind.REWRITTEN, 10, 10)]


def test_a_forged_head_is_named(written: Path) -> None:
    sql(
        written,
        "DELETE FROM audit WHERE number > 7",
        "UPDATE audit_head SET number = 7, sha256 = (SELECT sha256 FROM audit WHERE number = 7)",
    )
    assert (FaultKind.FORGED_HEAD, 7, 7) in faults(written)


def test_heads_kept_elsewhere_find_an_older_copy_put_in_place(written: Path) -> None:
    older = written.read_bytes()
    with Gallery.open(written) as gallery:
        gallery.record_now(AuditEvent(AuditKind.IDENTIFIED))
        kept = gallery.journal.head()
    assert kept is not None
    assert faults(written, kept) == []
    written.write_bytes(older)
    assert faults(written) == []
    assert faults(written, kept) == [(FaultKind.CUT_OFF, 11, 11)]


def test_decisions_that_cannot_be_written_are_kept_and_entered_later(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Gallery.open(path) as gallery:
        sql(path, "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(FAIL, 'x'); END")
        gallery.record(DECIDED)
        with pytest.raises(GalleryError):
            gallery.journal.flush()
        assert "1 decision(s) are not in the audit journal yet" in caplog.text
        sql(path, "DROP TRIGGER full")
        gallery.journal.flush()
        assert kinds(gallery).count("identified") == 1
        assert gallery.journal.verify().sound
