"""What is written to the gallery's database; each function runs inside one transaction."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as insert_or

from facerec.errors import EmbeddingSpaceError, ProfileExistsError
from facerec.gallery import schema
from facerec.gallery.profile import NewTemplate, ProfileState

__all__ = [
    "insert_gallery",
    "insert_memberships",
    "insert_profile",
    "insert_templates",
    "record_change",
    "update_state",
]


def insert_gallery(connection: Connection, name: str) -> bool:
    """Add a gallery; return False when there is one of that name."""
    statement = insert_or(schema.gallery).values(name=name, created=_now()).on_conflict_do_nothing()
    return bool(connection.execute(statement).rowcount)


def insert_profile(connection: Connection, profile_id: str, name: str, consent: str) -> int:
    """Add a person without templates and return their number.

    Raises:
        ProfileExistsError: the id is taken.
    """
    statement = (
        insert_or(schema.profile)
        .values(
            profile_id=profile_id,
            name=name,
            state=ProfileState.ACTIVE.value,
            consent=consent,
            created=_now(),
        )
        .on_conflict_do_nothing()
        .returning(schema.profile.c.number)
    )
    number = connection.scalar(statement)
    if number is None:
        raise ProfileExistsError(f"a profile with the id {profile_id!r} exists; choose another")
    return int(number)


def insert_memberships(connection: Connection, number: int, galleries: Iterable[int]) -> None:
    """Put a person into galleries; those that they are in already stay as they are."""
    rows = [{"gallery": gallery, "profile": number} for gallery in galleries]
    connection.execute(insert_or(schema.membership).on_conflict_do_nothing(), rows)


def insert_templates(connection: Connection, number: int, templates: Sequence[NewTemplate]) -> None:
    """Add templates to a person.

    Raises:
        EmbeddingSpaceError: an embedding has another length than those of its space.
    """
    if not templates:
        return
    for space in {template.embedding_space for template in templates}:
        _check_sizes(connection, space, templates)
    created = _now()
    rows = [
        {
            "profile": number,
            "embedding_space": template.embedding_space,
            "embedding": template.embedding.astype("<f4").tobytes(),
            "quality": float(template.quality),
            "source": template.source,
            "content_sha256": template.content_sha256,
            "created": created,
        }
        for template in templates
    ]
    connection.execute(insert(schema.template), rows)


def update_state(connection: Connection, number: int, state: ProfileState) -> None:
    """Set whether a person may be matched."""
    statement = update(schema.profile).where(schema.profile.c.number == number)
    connection.execute(statement.values(state=state.value))


def record_change(connection: Connection, people: Iterable[int]) -> int:
    """Raise the revision, note whom the change touches, and return the new revision."""
    statement = update(schema.home).values(revision=schema.home.c.revision + 1)
    revision = int(connection.execute(statement.returning(schema.home.c.revision)).scalar_one())
    rows = [{"revision": revision, "profile": number} for number in people]
    if rows:
        connection.execute(insert(schema.change), rows)
    return revision


def _check_sizes(connection: Connection, space: str, templates: Sequence[NewTemplate]) -> None:
    sizes = {t.embedding.size for t in templates if t.embedding_space == space}
    columns = schema.template.c
    stored = connection.scalar(
        select(func.length(columns.embedding)).where(columns.embedding_space == space).limit(1)
    )
    expected = min(sizes) if stored is None else stored // 4
    if sizes != {expected}:
        raise EmbeddingSpaceError(
            f"embeddings of the space {space} have {expected} numbers; received {max(sizes)}"
        )


def _now() -> str:
    return datetime.now(UTC).isoformat()
