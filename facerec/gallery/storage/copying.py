"""Copying all rows of a gallery from one database to another, whatever their systems."""

from collections.abc import Iterable

from sqlalchemy import Connection, Table, delete, insert, select

__all__ = ["copy_rows"]

_ROWS_AT_ONCE = 2_000


def copy_rows(source: Connection, target: Connection, tables: Iterable[Table]) -> None:
    """Replace all rows of tables by those of another database.

    Args:
        source: Sees the state of one instant.
        target: In a transaction that may write.
        tables: What is referred to before what refers to it, as in ``metadata.sorted_tables``.
    """
    ordered = tuple(tables)
    for table in reversed(ordered):
        target.execute(delete(table))
    for table in ordered:
        rows = source.execution_options(yield_per=_ROWS_AT_ONCE).execute(select(table)).mappings()
        for some in rows.partitions(_ROWS_AT_ONCE):
            target.execute(insert(table), [dict(row) for row in some])
