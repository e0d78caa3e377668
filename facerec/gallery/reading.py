"""What is read from the gallery's database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, select

from facerec.errors import GalleryDamagedError, GalleryNotFoundError, ProfileNotFoundError
from facerec.gallery import schema
from facerec.gallery.profile import Profile, ProfileState, Template

__all__ = [
    "Changes",
    "IndexedRows",
    "enrolled_content",
    "gallery_names",
    "gallery_numbers",
    "profile_number",
    "read_changes",
    "read_profile",
    "read_profiles",
    "read_revision",
    "read_templates",
]

_Row = tuple[int, str, bytes]
"""Number of a person, their id, an embedding."""
_profile, _template = schema.profile.c, schema.template.c
_gallery, _membership, _change = schema.gallery.c, schema.membership.c, schema.change.c


@dataclass(frozen=True, eq=False)
class IndexedRows:
    """Templates as an index takes them; a person's rows follow one another.

    Attributes:
        embeddings: float32 (n, d), unit length.
        people: int64 (n,): number of the person of each template.
        profile_ids: bytes (n,): id of the person of each template.
    """

    embeddings: NDArray[np.float32]
    people: NDArray[np.int64]
    profile_ids: NDArray[np.bytes_]

    def __len__(self) -> int:
        return len(self.people)

    def __getitem__(self, index: NDArray[np.bool_]) -> "IndexedRows":
        return IndexedRows(self.embeddings[index], self.people[index], self.profile_ids[index])


@dataclass(frozen=True, eq=False)
class Changes:
    """What an index of revision ``since`` must do to be one of `revision`.

    Attributes:
        revision: Revision of the database when it was read.
        people: int64 (n,): sorted numbers of the people to forget; all when the index is new.
        rows: Embedding space -> the present templates of those of them who may be matched.
        members: Gallery -> int64 (n,): numbers of those of them who are in it; every gallery.
    """

    revision: int
    people: NDArray[np.int64]
    rows: dict[str, IndexedRows]
    members: dict[str, NDArray[np.int64]]


def read_revision(connection: Connection) -> int:
    """Return how often the database has been changed."""
    revision = connection.scalar(select(schema.home.c.revision))
    if revision is None:
        raise _damaged(connection, "its revision is missing")
    return int(revision)


def gallery_names(connection: Connection) -> tuple[str, ...]:
    """Return the names of all galleries, sorted."""
    return tuple(connection.scalars(select(_gallery.name).order_by(_gallery.name)))


def gallery_numbers(connection: Connection, names: Sequence[str]) -> tuple[int, ...]:
    """Return the numbers of galleries.

    Raises:
        GalleryNotFoundError: there is none of a name; the message names those that there are.
    """
    found = connection.execute(select(_gallery.name, _gallery.number)).all()
    numbers = {row.name: int(row.number) for row in found}
    for name in names:
        if name not in numbers:
            raise GalleryNotFoundError(
                f"no gallery is named {name!r}; there are: {', '.join(sorted(numbers))}"
            )
    return tuple(numbers[name] for name in names)


def profile_number(connection: Connection, profile_id: str) -> int:
    """Return the number of a person.

    Raises:
        ProfileNotFoundError: no profile has that id.
    """
    number = connection.scalar(select(_profile.number).where(_profile.profile_id == profile_id))
    if number is None:
        raise ProfileNotFoundError(
            f"no profile has the id {profile_id!r}; `facerec profiles list` shows those there are"
        )
    return int(number)


def read_profile(connection: Connection, profile_id: str) -> Profile:
    """Return one person.

    Raises:
        ProfileNotFoundError: no profile has that id.
    """
    number = profile_number(connection, profile_id)
    return _profiles(connection, [number])[0]


def read_profiles(connection: Connection, gallery: str | None) -> tuple[Profile, ...]:
    """Return the people of a gallery, or all, in the order in which they were enrolled.

    Raises:
        GalleryNotFoundError: no gallery has that name.
    """
    if gallery is None:
        return _profiles(connection, None)
    (number,) = gallery_numbers(connection, [gallery])
    members = select(_membership.profile).where(_membership.gallery == number)
    return _profiles(connection, [int(n) for n in connection.scalars(members)])


def read_templates(connection: Connection, profile_id: str) -> tuple[Template, ...]:
    """Return a person's templates, oldest first.

    Raises:
        ProfileNotFoundError: no profile has that id.
    """
    number = profile_number(connection, profile_id)
    query = select(schema.template).where(_template.profile == number).order_by(_template.number)
    return tuple(
        Template(
            embedding=_decode(connection, [row.embedding])[0],
            embedding_space=row.embedding_space,
            quality=row.quality,
            source=row.source,
            content_sha256=row.content_sha256,
            template_id=row.number,
            profile_id=profile_id,
            created=datetime.fromisoformat(row.created),
        )
        for row in connection.execute(query)
    )


def enrolled_content(connection: Connection, name: str) -> dict[str, frozenset[str]]:
    """Return, for each profile of that display name, the SHA-256 of the pictures it was made of."""
    query = (
        select(_profile.profile_id, _template.content_sha256)
        .join_from(schema.profile, schema.template)
        .where(_profile.name == name, _template.content_sha256 != "")
        .order_by(_profile.number)
    )
    found: dict[str, set[str]] = {}
    for row in connection.execute(query):
        found.setdefault(row.profile_id, set()).add(row.content_sha256)
    return {profile_id: frozenset(hashes) for profile_id, hashes in found.items()}


def read_changes(connection: Connection, since: int) -> Changes:
    """Read all that an index of revision `since` needs to catch up; 0 for an empty index."""
    touched = select(_change.profile).where(_change.revision > since).distinct()
    templates = (
        select(
            _template.profile, _profile.profile_id, _template.embedding_space, _template.embedding
        )
        .join_from(schema.template, schema.profile)
        .where(_profile.state == ProfileState.ACTIVE.value)
        .order_by(_template.profile, _template.number)
    )
    memberships = select(_gallery.name, _membership.profile).join_from(
        schema.membership, schema.gallery
    )
    if since:
        templates = templates.where(_template.profile.in_(touched))
        memberships = memberships.where(_membership.profile.in_(touched))
    by_space: dict[str, list[_Row]] = {}
    for person, profile_id, space, embedding in connection.execute(templates):
        by_space.setdefault(space, []).append((person, profile_id, embedding))
    members: dict[str, list[int]] = {name: [] for name in gallery_names(connection)}
    for name, number in connection.execute(memberships):
        members[name].append(number)
    return Changes(
        revision=read_revision(connection),
        people=np.array(sorted(connection.scalars(touched)), np.int64),
        rows={space: _indexed_rows(connection, rows) for space, rows in by_space.items()},
        members={name: np.array(numbers, np.int64) for name, numbers in members.items()},
    )


def _profiles(connection: Connection, numbers: list[int] | None) -> tuple[Profile, ...]:
    """Read people by number, all for None, with three queries however many they are."""
    wanted = None if numbers is None else set(numbers)
    one = numbers[0] if numbers is not None and len(numbers) == 1 else None
    people = select(schema.profile).order_by(_profile.number)
    counts = select(_template.profile, func.count()).group_by(_template.profile)
    memberships = (
        select(_membership.profile, _gallery.name)
        .join_from(schema.membership, schema.gallery)
        .order_by(_gallery.name)
    )
    if one is not None:
        people = people.where(_profile.number == one)
        counts = counts.where(_template.profile == one)
        memberships = memberships.where(_membership.profile == one)
    templates = {number: count for number, count in connection.execute(counts)}
    galleries: dict[int, list[str]] = {}
    for number, name in connection.execute(memberships):
        galleries.setdefault(number, []).append(name)
    return tuple(
        Profile(
            profile_id=row.profile_id,
            name=row.name,
            galleries=tuple(galleries.get(row.number, ())),
            state=ProfileState(row.state),
            consent=row.consent,
            templates=templates.get(row.number, 0),
            created=datetime.fromisoformat(row.created),
        )
        for row in connection.execute(people)
        if wanted is None or row.number in wanted
    )


def _indexed_rows(connection: Connection, rows: Sequence[_Row]) -> IndexedRows:
    return IndexedRows(
        embeddings=_decode(connection, [embedding for _, _, embedding in rows]),
        people=np.array([person for person, _, _ in rows], np.int64),
        profile_ids=np.array([profile_id.encode() for _, profile_id, _ in rows]),
    )


def _decode(connection: Connection, blobs: Sequence[bytes]) -> NDArray[np.float32]:
    """Turn stored embeddings of one space into float32 (n, d).

    Raises:
        GalleryDamagedError: they differ in length, or one is not a unit vector.
    """
    size = len(blobs[0])
    if not size or size % 4 or any(len(blob) != size for blob in blobs):
        raise _damaged(connection, "a template has a wrong length")
    stored = np.frombuffer(b"".join(blobs), "<f4").reshape(len(blobs), -1)
    embeddings = stored.astype(np.float32)
    # NaN fails every comparison, so ask for what must hold rather than for what must not.
    if not np.all(np.abs(np.linalg.norm(embeddings, axis=1) - 1.0) < 1e-2):
        raise _damaged(connection, "a template is not a unit vector")
    return embeddings


def _damaged(connection: Connection, what: str) -> GalleryDamagedError:
    file = connection.engine.url.database
    return GalleryDamagedError(f"{file} is damaged ({what}); restore it from a backup")
