"""The stages from an image to a decision, and a way for the edge to observe how long each takes."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from enum import StrEnum

__all__ = ["Stage", "StageObserver", "unobserved"]


class Stage(StrEnum):
    """A stage on the way from an image to embeddings, and on to a decision."""

    DETECT = "detect"
    ALIGN = "align"
    ASSESS = "assess"
    EMBED = "embed"
    SEARCH = "search"
    DECIDE = "decide"


StageObserver = Callable[[Stage], AbstractContextManager[None]]
"""Gives a context that is entered before a stage and left after it. The core reads no clock; who
wants to know how long a stage took reads it there. Called from every thread that analyses."""


def unobserved(stage: Stage) -> AbstractContextManager[None]:
    """Observe nothing."""
    del stage
    return nullcontext()
