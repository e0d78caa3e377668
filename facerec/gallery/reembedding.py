"""Changing from one embedding space to another: new templates beside the old, then the switch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, func, select

from facerec.gallery.audit.event import AuditEvent, AuditKind
from facerec.gallery.audit.journal import Recorder
from facerec.gallery.profile import NewTemplate, Template
from facerec.gallery.storage import reading, schema
from facerec.gallery.storage.belonging import Belonging
from facerec.gallery.storage.database import Database
from facerec.gallery.storage.kept_images import read_images
from facerec.gallery.storage.writing import insert_templates

__all__ = ["Reembedder", "Source", "Spaces"]

_profile, _template = schema.profile.c, schema.template.c


@dataclass(frozen=True)
class Source:
    """What new templates of a person can be made from.

    Attributes:
        profile_id: Who.
        images: Their kept pictures as files, by SHA-256.
        templates: Their templates in other spaces.
    """

    profile_id: str
    images: dict[str, bytes]
    templates: tuple[Template, ...]


@dataclass(frozen=True)
class Spaces:
    """Who has templates where.

    Attributes:
        ready: Ids of who has a template in the space asked for.
        waiting: Ids of who has none there yet.
    """

    ready: tuple[str, ...]
    waiting: tuple[str, ...]


class Reembedder:
    """Makes, switches to and takes back the templates of a space, for everybody."""

    def __init__(
        self, database: Database, clock: Callable[[], datetime], recorder: Recorder
    ) -> None:
        """Work on a database; `clock` tells the present moment."""
        self._database = database
        self._clock = clock
        self._recorder = recorder

    def spaces(self, space: str) -> Spaces:
        """Say who has templates in a space, in the order in which people were enrolled."""
        with self._database.reading() as connection:
            there = _people_in(connection, space)
            people = connection.execute(
                select(_profile.number, _profile.profile_id).order_by(_profile.number)
            ).all()
        return Spaces(
            tuple(row.profile_id for row in people if row.number in there),
            tuple(row.profile_id for row in people if row.number not in there),
        )

    def people_by_space(self) -> Mapping[str, int]:
        """Return how many people have templates in each space, by its id."""
        with self._database.reading() as connection:
            pairs = select(_template.embedding_space, _template.profile).distinct().subquery()
            query = select(pairs.c.embedding_space, func.count()).group_by(pairs.c.embedding_space)
            found = {space: int(count) for space, count in connection.execute(query)}
        return dict(sorted(found.items()))

    def source(self, profile_id: str) -> Source:
        """Return what new templates of a person can be made from.

        Raises:
            ProfileNotFoundError: no profile has that id.
        """
        vault = self._database.vault
        with self._database.reading() as connection:
            number = reading.profile_number(connection, profile_id)
            images = read_images(connection, number, reading.owner_of(connection, vault, number))
            templates = reading.read_templates(connection, vault, profile_id)
        return Source(profile_id, dict(images), templates)

    def add(self, profile_id: str, templates: Sequence[NewTemplate]) -> bool:
        """Give a person templates in a space where they have none; return whether it was done.

        Not done for who has some there already: another process was faster, or this one was cut
        off after it.

        Raises:
            ProfileNotFoundError: the person was erased meanwhile.
        """
        space = templates[0].embedding_space
        with self._database.writing() as connection:
            number = reading.profile_number(connection, profile_id)
            if number in _people_in(connection, space):
                return False
            owner = reading.owner_of(connection, self._database.vault, number)
            insert_templates(connection, [Belonging(number, owner, templates)], self._clock())
            event = AuditEvent(
                AuditKind.TEMPLATES_ADDED,
                profile_id=profile_id,
                embedding_space=space,
                note=f"{len(templates)} template(s), re-embedded",
            )
            self._recorder.change(connection, [number], event)
        return True

    def keep_only(self, space: str) -> int:
        """Delete the other templates of everybody who has one in a space: the switch to it.

        Who has none there keeps what there is. Returns how many people were switched.
        """
        return self._drop(_template.embedding_space != space, space, "switched to")

    def take_back(self, space: str) -> int:
        """Delete a space's templates of everybody who has others: the way back from it.

        Returns how many people were taken back.
        """
        return self._drop(_template.embedding_space == space, space, "taken back")

    def _drop(self, which: ColumnElement[bool], space: str, note: str) -> int:
        with self._database.writing() as connection:
            there = _people_in(connection, space)
            elsewhere = _people_in(connection, space, others=True)
            both = sorted(there & elsewhere)
            for number in both:
                theirs = (_template.profile == number, which)
                connection.execute(delete(schema.template).where(*theirs))
            if both:
                # The snapshot holds them too; without its key nobody can read it.
                connection.execute(delete(schema.snapshot))
                event = AuditEvent(
                    AuditKind.EMBEDDING_SPACE_SWITCHED,
                    embedding_space=space,
                    note=f"{note}: {len(both)} profile(s)",
                )
                self._recorder.change(connection, both, event)
        if both:
            self._database.snapshot_path.unlink(missing_ok=True)
            self._database.tidy()
        return len(both)


def _people_in(connection: Connection, space: str, *, others: bool = False) -> frozenset[int]:
    """Return the numbers of who has a template in a space, or in any other."""
    there = _template.embedding_space == space
    query = select(_template.profile).where(~there if others else there).distinct()
    return frozenset(connection.scalars(query))
