"""What an index reads from the database to be up to date."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Integer,
    Select,
    and_,
    bindparam,
    func,
    or_,
    select,
    union,
)

from facerec.errors import RecordDamagedError
from facerec.gallery.encryption.vault import Vault
from facerec.gallery.index.index_set import IndexSet
from facerec.gallery.index.rows import Changes, IndexedRows, joined_rows
from facerec.gallery.profile import ProfileState
from facerec.gallery.storage import schema
from facerec.gallery.storage.reading import (
    decode_embeddings,
    gallery_names,
    open_owner,
    read_revision,
)

__all__ = [
    "all_valid",
    "changed_since",
    "matched_at",
    "next_boundary",
    "read_changes",
    "read_rows_of",
    "touched_since",
]

_profile, _template, _key = schema.profile.c, schema.template.c, schema.data_key.c
_gallery, _membership, _change = schema.gallery.c, schema.membership.c, schema.change.c

_ROWS_AT_ONCE = 20_000
"""Templates that are held both sealed and open at a time."""

_Row = tuple[int, str, str, bytes, str, bytes]
"""Number and id of a person, a space, a sealed embedding, and the person's sealed key."""
_Query = Select[_Row]
_Opened = tuple[int, bytes, bytes]
"""Number and id of a person, an opened embedding."""


def read_changes(
    connection: Connection, vault: Vault, since: int, then: str, instant: str
) -> Changes:
    """Read all that an index needs to catch up.

    Args:
        connection: Sees the state of one instant.
        vault: Opens the templates.
        since: Revision of the index; 0 for an empty one.
        then: Moment whose validity the index shows; "" for an empty one.
        instant: Moment whose validity it is to show.

    Raises:
        GalleryDamagedError: a template cannot be opened, or is no unit vector.
        MasterKeyError: the master key is another one.
    """
    known = _moments(since, then, instant)
    members: dict[str, list[int]] = {name: [] for name in gallery_names(connection)}
    of_whom = _MEMBERS_TOUCHED if since else _MEMBERS
    for name, number in connection.execute(of_whom, known):
        members[name].append(number)
    return Changes(
        revision=read_revision(connection),
        instant=instant,
        until=next_boundary(connection, instant),
        people=np.array(sorted(connection.scalars(_TOUCHED, known)), np.int64),
        rows=_read_rows(
            connection, vault, _VALID_TOUCHED if since else _VALID, known | {"instant": instant}
        ),
        members={name: np.array(numbers, np.int64) for name, numbers in members.items()},
    )


def read_rows_of(
    connection: Connection, vault: Vault, people: Sequence[int]
) -> dict[str, IndexedRows]:
    """Return all templates of a few people by their space, whether they may be matched or not."""
    return _read_rows(connection, vault, _TEMPLATES.where(_template.profile.in_(people)), {})


def touched_since(connection: Connection, indexes: IndexSet, instant: str, at_most: int) -> int:
    """Count whom an index would have to read anew at a moment; no further than `at_most`."""
    counted = select(func.count()).select_from(_TOUCHED.limit(at_most).subquery())
    return connection.scalar(counted, _moments(indexes.revision, indexes.instant, instant)) or 0


def changed_since(connection: Connection, revision: int) -> frozenset[int]:
    """Return the numbers of the people who were changed after a revision, erased ones too."""
    return frozenset(connection.scalars(select(_change.profile).where(_change.revision > revision)))


def all_valid(connection: Connection, people: Sequence[int], instant: str) -> bool:
    """Return whether all of some people may be matched at a moment."""
    valid = select(func.count()).where(_profile.number.in_(people), *matched_at(instant))
    return connection.scalar(valid) == len(people)


def matched_at(instant: str | BindParameter[str]) -> tuple[ColumnElement[bool], ...]:
    """Say who may be matched at a moment: active; and their validity has begun; and not ended."""
    return (
        _profile.state == ProfileState.ACTIVE.value,
        or_(_profile.valid_from.is_(None), _profile.valid_from <= instant),
        or_(_profile.valid_until.is_(None), _profile.valid_until > instant),
    )


def next_boundary(connection: Connection, instant: str) -> str:
    """Return the first moment after `instant` at which somebody's validity begins or ends."""
    boundaries = connection.execute(_BOUNDARIES, {"instant": instant}).one()
    return min((boundary for boundary in boundaries if boundary), default="")


def _moments(since: int, then: str, instant: str) -> dict[str, object]:
    """Return what `_TOUCHED` asks of an index of a revision and a moment, for another moment."""
    early, late = sorted((then or instant, instant))  # the clock may have been set back
    return {"since": since, "early": early, "late": late}


def _touched() -> Select[tuple[int]]:
    """Select who was changed, or became valid or invalid, since an index was made."""
    changed = select(_change.profile.label("profile")).where(
        _change.revision > bindparam("since", type_=Integer)
    )
    crossed = select(_profile.number.label("profile")).where(
        or_(_crossed(_profile.valid_from), _crossed(_profile.valid_until))
    )
    both = union(changed, crossed).subquery()
    return select(both.c.profile)


def _crossed(column: ColumnElement[str]) -> ColumnElement[bool]:
    return and_(column > bindparam("early"), column <= bindparam("late"))


def _templates() -> _Query:
    """Select the templates of everybody, a person's together."""
    return (
        select(
            _template.profile,
            _profile.profile_id,
            _template.embedding_space,
            _template.embedding,
            _key.master_key_id,
            _key.wrapped,
        )
        .select_from(schema.template)
        .join(schema.profile, _template.profile == _profile.number)
        .outerjoin(schema.data_key, _key.profile == _profile.number)
        .order_by(_template.profile, _template.number)
    )


def _boundaries() -> Select[tuple[str | None, str | None]]:
    """Select the first beginning, and the first end, of a validity after a moment."""
    first, last = (
        select(func.min(column)).where(column > bindparam("instant")).scalar_subquery()
        for column in (_profile.valid_from, _profile.valid_until)
    )
    return select(first, last)


# Made once: to put such a question together takes SQLAlchemy longer than SQLite to answer it.
_TOUCHED = _touched()
_MEMBERS = select(_gallery.name, _membership.profile).join_from(schema.membership, schema.gallery)
_MEMBERS_TOUCHED = _MEMBERS.where(_membership.profile.in_(_TOUCHED))
_TEMPLATES = _templates()
_VALID = _TEMPLATES.where(*matched_at(bindparam("instant")))
_VALID_TOUCHED = _VALID.where(_template.profile.in_(_TOUCHED))
_BOUNDARIES = _boundaries()


def _read_rows(
    connection: Connection, vault: Vault, query: _Query, known: dict[str, object]
) -> dict[str, IndexedRows]:
    parts: dict[str, list[IndexedRows]] = {}
    for chunk in connection.execute(query, known).partitions(_ROWS_AT_ONCE):
        by_space: dict[str, list[_Opened]] = {}
        for space, opened in _opened(vault, chunk):
            by_space.setdefault(space, []).append(opened)
        for space, found in by_space.items():
            parts.setdefault(space, []).append(_indexed(found))
    return {space: _joined(found) for space, found in parts.items()}


def _opened(vault: Vault, chunk: Sequence[Sequence[Any]]) -> Iterator[tuple[str, _Opened]]:
    """Open templates, unwrapping each person's key once."""
    for (person, profile_id), rows in groupby(chunk, key=lambda row: (row[0], row[1])):
        owner = None
        for _, _, space, sealed, key_id, wrapped in rows:
            if owner is None:
                owner = open_owner(vault, profile_id, key_id, wrapped)
            yield space, (person, profile_id.encode(), owner.open_embedding(sealed, space))


def _indexed(opened: Sequence[_Opened]) -> IndexedRows:
    return IndexedRows(
        embeddings=decode_embeddings([embedding for _, _, embedding in opened]),
        people=np.array([person for person, _, _ in opened], np.int64),
        profile_ids=np.array([profile_id for _, profile_id, _ in opened]),
    )


def _joined(parts: Sequence[IndexedRows]) -> IndexedRows:
    if len({part.embeddings.shape[1] for part in parts}) > 1:
        raise RecordDamagedError("a template has a wrong length")
    return joined_rows(parts)
