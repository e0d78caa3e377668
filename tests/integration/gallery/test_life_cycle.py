"""Validity, consents, retention and erasure on real files."""

import shutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from facerec.errors import (
    GalleryError,
    GalleryNotFoundError,
    ProfileExistsError,
    ProfileNotFoundError,
)
from facerec.gallery.gallery import Gallery
from facerec.gallery.life_cycle import Due, ErasureReason, ProfileChange, Validity
from facerec.gallery.profile import NewProfile, ProfileState, Retention
from tests.integration.gallery.conftest import Opener
from tests.integration.gallery.test_gallery import SPACE, template, unit

DAY = timedelta(days=1)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = datetime(2030, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gallery(open_home: Opener, clock: Clock) -> Iterator[Gallery]:
    with open_home(clock=clock) as opened:
        yield opened


@pytest.fixture
def in_file(tmp_path: Path, clock: Clock) -> Iterator[Gallery]:
    with Gallery.open(tmp_path / "home" / "gallery.db", clock=clock) as opened:
        yield opened


def found(gallery: Gallery, seed: int) -> tuple[str, ...]:
    return gallery.search(unit(seed), embedding_space=SPACE, k=9).profile_ids


def test_people_are_matched_while_they_are_valid(
    gallery: Gallery, clock: Clock, open_home: Opener
) -> None:
    start, end = clock.now + DAY, clock.now + 3 * DAY
    gallery.enrol("always", [template(1)], profile_id="always")
    gallery.enrol("guest", [template(2)], profile_id="guest", valid_from=start, valid_until=end)
    moments = [
        (clock.now, False),
        (start - timedelta(microseconds=1), False),
        (start, True),
        (end - timedelta(microseconds=1), True),
        (end, False),
        (end + 9 * DAY, False),
        (start, True),  # the clock was set back
        (clock.now, False),
    ]
    for now, valid in moments:
        clock.now = now
        assert ("guest" in found(gallery, 2)) is valid, now
        assert "always" in found(gallery, 2)
        assert gallery.search(unit(1), embedding_space=SPACE).searched == 1 + valid
        state = ProfileState.ACTIVE if valid else ProfileState.EXPIRED
        assert gallery.get("guest").state is state
        with open_home(clock=clock) as fresh:  # without any past
            assert found(fresh, 2) == found(gallery, 2)


def test_suspended_people_do_not_become_active_when_their_time_comes(
    gallery: Gallery, clock: Clock
) -> None:
    gallery.enrol("N", [template(1)], profile_id="n", valid_from=clock.now + DAY)
    gallery.set_state("n", ProfileState.SUSPENDED)
    found(gallery, 1)
    clock.now += 2 * DAY
    assert found(gallery, 1) == ()
    gallery.set_state("n", ProfileState.ACTIVE)
    assert found(gallery, 1) == ("n",)
    with pytest.raises(GalleryError, match="validity"):
        gallery.set_state("n", ProfileState.EXPIRED)


def test_update_changes_what_it_names_and_nothing_else(gallery: Gallery, clock: Clock) -> None:
    gallery.create_gallery("staff")
    before = gallery.enrol("Ada", [template(1)], profile_id="a", attributes={"x": "1"})
    gallery.life_cycle.update("a", ProfileChange(name=" Ada  B ", galleries=["staff"]))
    after = gallery.get("a")
    assert (after.name, after.galleries) == ("Ada B", ("staff",))
    assert (after.attributes, after.templates, after.state) == ({"x": "1"}, 1, before.state)
    assert gallery.search(unit(1), embedding_space=SPACE).searched == 0
    assert gallery.search(unit(1), embedding_space=SPACE, galleries=["staff"]).searched == 1
    until = clock.now + DAY
    change = ProfileChange(
        external_id="7",
        attributes={"y": "2"},
        validity=Validity(None, until),
        retention=Retention(until + DAY, 30),
    )
    gallery.life_cycle.update("a", change)
    after = gallery.get("a")
    assert (after.external_id, after.attributes) == ("7", {"y": "2"})
    assert (after.valid_from, after.valid_until) == (None, until)
    assert after.retention == Retention(until + DAY, 30)
    gallery.life_cycle.update("a", ProfileChange(validity=Validity(), retention=Retention()))
    assert gallery.get("a").valid_until is None
    assert gallery.get("a").retention == Retention()


def test_an_external_id_is_one_persons(gallery: Gallery) -> None:
    gallery.enrol("A", [template(1)], profile_id="a", external_id="7")
    with pytest.raises(ProfileExistsError, match="external id"):
        gallery.enrol("B", [template(2)], external_id="7")
    gallery.enrol("B", [template(2)], profile_id="b")
    with pytest.raises(ProfileExistsError):
        gallery.life_cycle.update("b", ProfileChange(external_id="7"))
    gallery.life_cycle.update("a", ProfileChange(external_id="7"))  # as it was
    assert gallery.find_external("7") == "a"
    assert gallery.find_external("8") is None
    gallery.life_cycle.update("a", ProfileChange(external_id=""))
    gallery.life_cycle.update("b", ProfileChange(external_id="7"))
    assert gallery.find_external("7") == "b"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (ProfileChange(name=" "), GalleryError),
        (ProfileChange(galleries=[]), GalleryError),
        (ProfileChange(galleries=["ghosts"]), GalleryNotFoundError),
        (ProfileChange(retention=Retention(None, 0)), GalleryError),
        (ProfileChange(validity=Validity(datetime(2030, 1, 1))), GalleryError),
    ],
)
def test_an_update_that_is_not_fit_changes_nothing(
    gallery: Gallery, change: ProfileChange, error: type[Exception]
) -> None:
    before = gallery.enrol("A", [template(1)], profile_id="a")
    revision = gallery.revision
    with pytest.raises(error):
        gallery.life_cycle.update("a", change)
    assert (gallery.get("a"), gallery.revision) == (before, revision)


def test_validity_must_end_after_it_begins(gallery: Gallery, clock: Clock) -> None:
    for end in (clock.now, clock.now - DAY):
        with pytest.raises(GalleryError, match="end after it begins"):
            gallery.enrol("A", [template(1)], valid_from=clock.now, valid_until=end)
    assert gallery.list() == ()


def test_many_are_enrolled_in_one_change_or_nobody_is(gallery: Gallery) -> None:
    revision = gallery.revision
    people = [NewProfile(f"P{n}", [template(n)], ["default"]) for n in range(20)]
    ids = gallery.enrol_many(people).profile_ids
    assert gallery.revision == revision + 1
    assert [profile.profile_id for profile in gallery.list()] == list(ids)
    assert found(gallery, 7)[0] == ids[7]
    taken = NewProfile("N", [template(1)], ["default"], profile_id=ids[3])
    with pytest.raises(ProfileExistsError):
        gallery.enrol_many([NewProfile("M", [template(2)], ["default"]), taken])
    assert len(gallery.list()) == 20


def test_without_a_consent_that_stands_nobody_is_matched(gallery: Gallery, clock: Clock) -> None:
    gallery.enrol("A", [template(1)], profile_id="a", consent="form 1")
    gallery.life_cycle.give_consent(
        "a", purpose="time keeping", legal_basis="contract", evidence="form 2"
    )
    first, second = gallery.get("a").consents
    assert (first.purpose, first.evidence, first.given) == ("identification", "form 1", clock.now)
    assert (second.legal_basis, gallery.get("a").consent) == ("contract", "form 2")
    clock.now += DAY
    gallery.life_cycle.withdraw_consent("a", second.consent_id)
    assert gallery.get("a").consents[1].withdrawn == clock.now
    assert (gallery.get("a").consent, found(gallery, 1)) == ("form 1", ("a",))
    with pytest.raises(GalleryError, match="no such consent"):
        gallery.life_cycle.withdraw_consent("a", second.consent_id)
    assert gallery.life_cycle.due() == ()
    gallery.life_cycle.withdraw_consent("a")
    assert (gallery.get("a").consent, found(gallery, 1)) == ("", ())
    assert gallery.life_cycle.due() == (Due("a", ErasureReason.WITHDRAWN),)


def test_retention_by_date_and_by_days_unseen(gallery: Gallery, clock: Clock) -> None:
    for name in ("date", "unseen", "kept"):
        gallery.enrol(name, [template(1)], profile_id=name)
    change = ProfileChange(retention=Retention(clock.now + 5 * DAY))
    gallery.life_cycle.update("date", change)
    gallery.life_cycle.update("unseen", ProfileChange(retention=Retention(None, 10)))
    assert gallery.life_cycle.due() == ()
    clock.now += 5 * DAY
    assert gallery.life_cycle.due() == (Due("date", ErasureReason.DATE),)
    revision = gallery.revision
    gallery.life_cycle.record_seen(["unseen", "nobody"])
    assert gallery.revision == revision  # no index needs to be read again
    assert gallery.get("unseen").last_seen == clock.now
    clock.now += 10 * DAY - timedelta(seconds=1)
    assert [due.profile_id for due in gallery.life_cycle.due()] == ["date"]
    clock.now += timedelta(seconds=1)
    assert [due.profile_id for due in gallery.life_cycle.due()] == ["date", "unseen"]


def test_who_was_given_more_time_meanwhile_is_not_erased(gallery: Gallery, clock: Clock) -> None:
    """Between the list of who is due and their turn, minutes may pass."""
    for name in ("renewed", "gone", "over", "withdrew"):
        gallery.enrol(name, [template(1)], profile_id=name, consent="form 1")
    for name in ("renewed", "gone", "over"):
        gallery.life_cycle.update(name, ProfileChange(retention=Retention(clock.now)))
    gallery.life_cycle.withdraw_consent("withdrew")
    assert len(gallery.life_cycle.due()) == 4
    later = ProfileChange(retention=Retention(clock.now + DAY))
    gallery.life_cycle.update("renewed", later)
    gallery.life_cycle.erase("gone")
    revision = gallery.revision
    assert gallery.life_cycle.erase_due("renewed") is None
    assert gallery.life_cycle.erase_due("gone") is None
    assert gallery.revision == revision
    receipts = [gallery.life_cycle.erase_due(name) for name in ("over", "withdrew")]
    reasons = [receipt.reason for receipt in receipts if receipt is not None]
    assert reasons == [ErasureReason.DATE, ErasureReason.WITHDRAWN]
    assert [profile.profile_id for profile in gallery.list()] == ["renewed"]
    assert gallery.life_cycle.receipts()[1:] == tuple(receipts)


def test_an_erased_person_is_nowhere(in_file: Gallery, tmp_path: Path) -> None:
    """No file of the home has a trace: not the name, the sealed template, nor its key."""
    in_file.enrol("Ada Lovelace", [template(1)], profile_id="ada", consent="form 4711")
    kept = in_file.enrol("Charles", [template(2)], profile_id="charles")
    found(in_file, 1)
    stored = in_file.path.read_bytes() + (tmp_path / "home" / "gallery.db-wal").read_bytes()
    before = rows_of(in_file.path)
    assert all(value in stored for value in before)
    receipt = in_file.life_cycle.erase("ada", ErasureReason.REQUESTED)
    after = rows_of(in_file.path)
    gone = [value for value in before if value not in after]
    assert len(gone) == 5  # template and its details, person, consent, data key
    secrets = [*gone, b"Lovelace", b"form 4711", unit(1).tobytes()]
    for file in (tmp_path / "home").iterdir():
        content = file.read_bytes()
        assert not [secret for secret in secrets if secret in content], file
    with pytest.raises(ProfileNotFoundError):
        in_file.get("ada")
    assert found(in_file, 1) == ("charles",)
    assert in_file.list() == (kept,)
    assert in_file.life_cycle.receipts() == (receipt,)
    assert (receipt.templates, receipt.reason) == (1, ErasureReason.REQUESTED)
    # Not bare: three hexadecimal digits of a hash may well be "ada".
    assert "'ada'" not in str(receipt) and "Lovelace" not in str(receipt)


def test_a_database_that_was_copied_before_is_of_no_use_with_a_new_master_key(
    in_file: Gallery, tmp_path: Path
) -> None:
    """Once the old master key is gone, so is every person in every older copy."""
    in_file.enrol("Ada", [template(1)], profile_id="ada")
    copy = tmp_path / "copy" / "gallery.db"
    copy.parent.mkdir()
    in_file.close()
    shutil.copy(in_file.path, copy)
    with Gallery.open(in_file.path) as again:
        again.life_cycle.erase("ada")
        again.rotate_master_key()
    shutil.copy(in_file.path.parent / "master.key", copy.parent)
    with pytest.raises(GalleryError, match="not the one that opens"):
        Gallery.open(copy)


def test_unknown_people_cannot_be_changed(gallery: Gallery) -> None:
    life = gallery.life_cycle
    for action in (
        lambda: life.erase("nobody"),
        lambda: life.update("nobody", ProfileChange(name="N")),
        lambda: life.withdraw_consent("nobody"),
        lambda: life.give_consent("nobody", purpose="p", legal_basis="c", evidence=""),
    ):
        with pytest.raises(ProfileNotFoundError):
            action()
    assert life.receipts() == ()


def rows_of(path: Path) -> list[bytes]:
    """Return every sealed value of the database."""
    connection = sqlite3.connect(path)
    columns = [
        ("template", "embedding"),
        ("template", "details"),
        ("profile", "details"),
        ("consent", "details"),
        ("data_key", "wrapped"),
    ]
    values = [
        value
        for table, column in columns
        for (value,) in connection.execute(f"SELECT {column} FROM {table}")
    ]
    connection.close()
    return values


def test_recognising_somebody_notes_it_once_an_hour_and_never_fails_by_it(
    in_file: Gallery, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    in_file.enrol("A", [template(1)], profile_id="a")
    first = clock.now
    in_file.life_cycle.note_seen("a")
    clock.now += timedelta(minutes=59)
    in_file.life_cycle.note_seen("a")
    assert in_file.get("a").last_seen == first
    clock.now += timedelta(minutes=2)
    in_file.life_cycle.note_seen("a")
    assert in_file.get("a").last_seen == clock.now
    in_file.life_cycle.note_seen("nobody")  # erased a moment ago
    clock.now += timedelta(hours=2)
    connection = sqlite3.connect(in_file.path)
    connection.execute("ALTER TABLE profile RENAME TO elsewhere")
    connection.close()
    in_file.life_cycle.note_seen("a")
    assert "not noted" in caplog.text
