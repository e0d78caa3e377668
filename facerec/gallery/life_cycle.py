"""What becomes of people once they are enrolled: changes, consents, retention and erasure."""

import copy
import hashlib
import logging
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from sqlalchemy import Connection, delete, func, insert, select, update

from facerec.errors import GalleryError
from facerec.gallery.audit.event import AuditEvent, AuditKind
from facerec.gallery.audit.journal import Recorder
from facerec.gallery.due import WHEN_DUE, Due, reason_of
from facerec.gallery.encryption.sealed_records import ProfileDetails
from facerec.gallery.identifiers import check_display_name
from facerec.gallery.profile import Consent, ProfileState, Retention
from facerec.gallery.receipt import PROFILE_TAG, ErasureReason, Receipt, row_of
from facerec.gallery.storage import reading, schema, writing
from facerec.gallery.storage.database import Database
from facerec.gallery.storage.profile_reading import read_profile
from facerec.gallery.times import moment, stored
from facerec.gallery.versions import require_version, version_of

__all__ = ["Due", "ErasureReason", "LifeCycle", "ProfileChange", "Receipt", "Validity"]

_log = logging.getLogger(__name__)

_SEEN_AGAIN = timedelta(hours=1)
"""A person who was seen less long ago is not noted again: a gate sees them every second."""

_profile, _consent = schema.profile.c, schema.consent.c


@dataclass(frozen=True)
class Validity:
    """When a person may be matched; None for no bound.

    Attributes:
        begins: From this moment on.
        ends: Until this moment.
    """

    begins: datetime | None = None
    ends: datetime | None = None


@dataclass(frozen=True)
class ProfileChange:
    """What to change of a person; None leaves a thing as it is.

    Attributes:
        name: New display name.
        external_id: New external id; "" to have none.
        attributes: New attributes, in place of all old ones.
        state: New state.
        galleries: New galleries, in place of all old ones; at least one.
        validity: New times of validity.
        retention: New rules of retention.
    """

    name: str | None = None
    external_id: str | None = None
    attributes: Mapping[str, str] | None = None
    state: ProfileState | None = None
    galleries: Sequence[str] | None = None
    validity: Validity | None = None
    retention: Retention | None = None


class LifeCycle:
    """Changes and erases the people of one database."""

    def __init__(
        self, database: Database, clock: Callable[[], datetime], recorder: Recorder
    ) -> None:
        """Work on a database; `clock` tells the present moment."""
        self._database = database
        self._clock = clock
        self._recorder = recorder
        self._noted: dict[str, datetime] = {}

    def by(self, recorder: Recorder) -> Self:
        """Return the same that records on another's behalf."""
        other = copy.copy(self)
        other._recorder = recorder
        return other

    def version(self, profile_id: str) -> int:
        """Return a number that rises whenever what is stored of a person is changed.

        Raises:
            ProfileNotFoundError: no profile has that id.
        """
        with self._database.reading() as connection:
            return version_of(connection, reading.profile_number(connection, profile_id))

    def update(self, profile_id: str, change: ProfileChange, version: int | None = None) -> int:
        """Change a person, if they are at a version still; all of it, or nothing.

        Returns:
            The revision from which on every search goes by the change.

        Raises:
            ProfileNotFoundError: no profile has that id.
            ProfileChangedError: they were changed since that version.
            ProfileExistsError: the external id is another person's.
            GalleryNotFoundError: no gallery has a given name.
            GalleryError: a value is not fit.
        """
        columns: dict[str, Any] = {}
        if change.state is ProfileState.EXPIRED:
            raise GalleryError("people expire by the clock: change their validity instead")
        if change.state is not None:
            columns["state"] = change.state.value
        if change.validity is not None:
            columns |= writing.validity_columns(change.validity.begins, change.validity.ends)
        if change.retention is not None:
            columns |= _retention_columns(change.retention)
        event = _updated(profile_id, change)
        with self._changing(event, version) as (connection, number, revision):
            columns |= self._details_columns(connection, number, change)
            if columns:
                writing.update_profile(connection, number, **columns)
            if change.galleries is not None:
                _replace_memberships(connection, number, change.galleries)
        return revision

    def give_consent(
        self, profile_id: str, *, purpose: str, legal_basis: str, evidence: str
    ) -> int:
        """Record a consent, or another ground for keeping a person; return the revision of it.

        Raises:
            ProfileNotFoundError: no profile has that id.
        """
        consent = Consent(purpose, legal_basis, evidence, given=self._clock())
        event = AuditEvent(AuditKind.CONSENT_GIVEN, profile_id=profile_id)
        with self._changing(event) as (connection, number, revision):
            owner = reading.owner_of(connection, self._database.vault, number)
            writing.insert_consent(connection, number, owner, consent)
        return revision

    def withdraw_consent(self, profile_id: str, consent_id: int | None = None) -> int:
        """Withdraw a consent, or all. Without any that stands the person is not matched any more.

        Returns the revision from which on that is so.

        Raises:
            ProfileNotFoundError: no profile has that id.
            GalleryError: the person has no such consent that stands.
        """
        which_one = "all that stood" if consent_id is None else f"consent {consent_id}"
        event = AuditEvent(AuditKind.CONSENT_WITHDRAWN, profile_id=profile_id, note=which_one)
        with self._changing(event) as (connection, number, revision):
            theirs = (_consent.profile == number, _consent.withdrawn.is_(None))
            which = theirs if consent_id is None else (*theirs, _consent.number == consent_id)
            withdrawal = (
                update(schema.consent).where(*which).values(withdrawn=stored(self._clock()))
            )
            if not connection.execute(withdrawal).rowcount:
                raise GalleryError("the person has no such consent that stands; see profiles show")
            if not connection.scalar(select(func.count()).where(*theirs)):
                writing.update_profile(connection, number, state=ProfileState.SUSPENDED.value)
        return revision

    def note_seen(self, profile_id: str) -> None:
        """Note that a person was recognised, at most once an hour; recognising never fails by it.

        A gallery that cannot be written, because the disk is full for instance, loses the note.
        """
        now = self._clock()
        last = self._noted.get(profile_id)
        if last is not None and abs(now - last) < _SEEN_AGAIN:
            return
        self._noted[profile_id] = now
        try:
            self.record_seen([profile_id])
        except GalleryError as error:
            _log.warning("it was not noted that a person was seen: %s", error)

    def record_seen(self, profile_ids: Iterable[str]) -> None:
        """Note that people were recognised just now; those who are not there are passed over.

        Raises:
            GalleryError: the gallery cannot be written.
        """
        now = self._clock()
        unnoted = (_profile.last_seen.is_(None)) | (_profile.last_seen < stored(now - _SEEN_AGAIN))
        theirs = (_profile.profile_id.in_(sorted(set(profile_ids))), unnoted)
        with self._database.reading() as connection:
            if not connection.scalar(select(func.count()).where(*theirs)):
                return
        with self._database.writing() as connection:
            connection.execute(update(schema.profile).where(*theirs).values(last_seen=stored(now)))

    def due(self) -> tuple[Due, ...]:
        """Return who is to be erased by now, in the order in which they were enrolled."""
        now = self._clock()
        with self._database.reading() as connection:
            found = [(row.profile_id, reason_of(row, now)) for row in connection.execute(WHEN_DUE)]
        return tuple(Due(profile_id, reason) for profile_id, reason in found if reason)

    def erase_due(self, profile_id: str) -> Receipt | None:
        """Erase a person, as `erase`, if their time is still up.

        Returns:
            None if it is not: since `due` they were given more, or erased.
        """
        theirs = WHEN_DUE.where(_profile.profile_id == profile_id)
        with self._database.writing() as connection:
            row = connection.execute(theirs).one_or_none()
            reason = None if row is None else reason_of(row, self._clock())
            if row is None or reason is None:
                return None
            receipt = self._erased(connection, row.number, profile_id, reason)
        self._leave_no_traces()
        return receipt

    def erase(
        self,
        profile_id: str,
        reason: ErasureReason = ErasureReason.REQUESTED,
        version: int | None = None,
    ) -> Receipt:
        """Erase a person: templates, records, and the data key that alone could open copies.

        Raises:
            ProfileNotFoundError: no profile has that id.
            ProfileChangedError: they were changed since that version.
        """
        with self._database.writing() as connection:
            number = reading.profile_number(connection, profile_id)
            require_version(connection, number, version)
            receipt = self._erased(connection, number, profile_id, reason)
        self._leave_no_traces()
        return receipt

    def receipts(self) -> tuple[Receipt, ...]:
        """Return the receipts of all erasures, oldest first."""
        query = select(schema.erasure).order_by(schema.erasure.c.number)
        with self._database.reading() as connection:
            return tuple(
                Receipt(
                    row.receipt_id,
                    ErasureReason(row.reason),
                    moment(row.erased),
                    row.templates,
                    row.evidence_sha256,
                    row.profile_tag,
                )
                for row in connection.execute(query)
            )

    def receipt_of(self, profile_id: str) -> Receipt | None:
        """Return the receipt of the last erasure of a profile id; None when there was none."""
        tag = self._database.vault.tag(PROFILE_TAG, profile_id)
        theirs = [receipt for receipt in self.receipts() if receipt.profile_tag == tag]
        return theirs[-1] if theirs else None

    def _erased(
        self, connection: Connection, number: int, profile_id: str, reason: ErasureReason
    ) -> Receipt:
        """Erase a person from the database."""
        templates, evidence = _evidence(connection, number)
        receipt = Receipt(
            receipt_id=secrets.token_hex(16),
            reason=reason,
            erased=self._clock(),
            templates=templates,
            evidence_sha256=evidence,
            profile_tag=self._database.vault.tag(PROFILE_TAG, profile_id),
        )
        connection.execute(insert(schema.erasure).values(**row_of(receipt)))
        # All that refers to the person goes with them (ON DELETE CASCADE).
        connection.execute(delete(schema.profile).where(_profile.number == number))
        # The snapshot holds them too; without its key nobody can read it.
        connection.execute(delete(schema.snapshot))
        return replace(receipt, revision=self._record_erasure(connection, number, receipt))

    def _leave_no_traces(self) -> None:
        """Delete what else a file of the home holds of who was erased."""
        self._database.snapshot_path.unlink(missing_ok=True)
        self._database.tidy()

    def _record_erasure(self, connection: Connection, number: int, receipt: Receipt) -> int:
        """Enter an erasure so that nobody can find out which entries were about the person.

        The receipt can be found by who knows the profile id, so its entry names no pseudonym; and
        what else ties the entries of the person to this one, the list of their changes, goes.

        Returns:
            The revision of it.
        """
        connection.execute(delete(schema.change).where(schema.change.c.profile == number))
        event = AuditEvent(
            AuditKind.PROFILE_ERASED,
            reasons=(receipt.reason.value,),
            note=f"receipt {receipt.receipt_id}",
        )
        return self._recorder.change(connection, [number], event)

    @contextmanager
    def _changing(
        self, event: AuditEvent, version: int | None = None
    ) -> Iterator[tuple[Connection, int, int]]:
        """Change the person whom an event is about, of a number, in a revision."""
        with self._database.writing() as connection:
            number = reading.profile_number(connection, event.profile_id or "")
            require_version(connection, number, version)
            yield connection, number, self._recorder.change(connection, [number], event)

    def _details_columns(
        self, connection: Connection, number: int, change: ProfileChange
    ) -> Mapping[str, object]:
        """Return the columns of who a person is, if that is to change."""
        if change.name is None and change.external_id is None and change.attributes is None:
            return {}
        vault = self._database.vault
        owner = reading.owner_of(connection, vault, number)
        known = read_profile(connection, vault, owner.profile_id, stored(self._clock()))
        details = ProfileDetails(known.name, known.external_id, known.attributes)
        if change.name is not None:
            details = replace(details, name=check_display_name(change.name))
        if change.external_id is not None:
            details = replace(details, external_id=change.external_id)
        if change.attributes is not None:
            details = replace(details, attributes=dict(change.attributes))
        return writing.profile_columns(connection, vault, owner, details, number)


def _updated(profile_id: str, change: ProfileChange) -> AuditEvent:
    """Return what the journal is told of a change: what was changed, of names not to what."""
    fields = [name for name, value in vars(change).items() if value is not None]
    return AuditEvent(
        AuditKind.PROFILE_UPDATED,
        outcome=change.state.value if change.state is not None else "done",
        profile_id=profile_id,
        place=", ".join(change.galleries or ()),
        note=", ".join(fields),
    )


def _retention_columns(retention: Retention) -> Mapping[str, object]:
    days = retention.erase_unseen_days
    if days is not None and days < 1:
        raise GalleryError(f"days without being seen must be at least 1; received {days}")
    date = retention.erase_on
    return {"erase_on": None if date is None else stored(date), "erase_unseen_days": days}


def _replace_memberships(connection: Connection, number: int, galleries: Sequence[str]) -> None:
    if not galleries:
        raise GalleryError("name at least one gallery")
    numbers = reading.gallery_numbers(connection, galleries)
    connection.execute(delete(schema.membership).where(schema.membership.c.profile == number))
    writing.insert_memberships(connection, number, numbers)


def _evidence(connection: Connection, number: int) -> tuple[int, str]:
    """Return how many templates a person has, and the hash of what is stored."""
    key, template = schema.data_key.c, schema.template.c
    wrapped = connection.scalar(select(key.wrapped).where(key.profile == number))
    digest = hashlib.sha256(wrapped or b"")
    query = select(template.embedding).where(template.profile == number).order_by(template.number)
    sealed = connection.scalars(query).all()
    for embedding in sealed:
        digest.update(embedding)
    return len(sealed), digest.hexdigest()
