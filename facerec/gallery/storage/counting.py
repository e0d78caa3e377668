"""How much a database holds."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from facerec.gallery.storage import schema

__all__ = ["GalleryCounts", "count_people", "read_counts"]

_gallery, _membership = schema.gallery.c, schema.membership.c


@dataclass(frozen=True)
class GalleryCounts:
    """How much there is.

    Attributes:
        people: People who are enrolled.
        templates: Templates of all people.
    """

    people: int
    templates: int


def read_counts(connection: Connection) -> GalleryCounts:
    """Return how much there is in all galleries together."""
    people = connection.scalar(select(func.count()).select_from(schema.profile))
    templates = connection.scalar(select(func.count()).select_from(schema.template))
    return GalleryCounts(int(people or 0), int(templates or 0))


def count_people(connection: Connection) -> dict[str, int]:
    """Return how many people are in each gallery, by its name, empty ones too."""
    query = (
        select(_gallery.name, func.count(_membership.profile))
        .join_from(schema.gallery, schema.membership, isouter=True)
        .group_by(_gallery.name)
    )
    return {row[0]: int(row[1]) for row in connection.execute(query)}
