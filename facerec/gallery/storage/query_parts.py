"""Cutting what is asked for into parts that a query can name."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

__all__ = ["in_parts"]

_AT_ONCE = 500
"""So many values are named in a query: what each brings is held in memory together."""

_Value = TypeVar("_Value")


def in_parts(values: Sequence[_Value]) -> Iterator[Sequence[_Value]]:
    """Return values in parts of a few hundred, the last of which may be smaller; none of none."""
    return (values[start : start + _AT_ONCE] for start in range(0, len(values), _AT_ONCE))
