"""The port through which frames arrive."""

from collections.abc import Iterator
from types import TracebackType
from typing import Protocol, Self

from facerec.video.frame import Frame

__all__ = ["FrameSource"]


class FrameSource(Protocol):
    """An open camera or film, read once from the present to its end.

    A source is its own context manager; closing twice is allowed. Reading raises `SourceError` when
    the source fails, and ends without an error when a film is over.
    """

    @property
    def name(self) -> str:
        """Short name to show: the file's stem, ``camera-0``, or the URL's host; no secrets."""
        ...

    @property
    def address(self) -> str:
        """What was opened, redacted: fit for logs and events."""
        ...

    @property
    def resolution_wh(self) -> tuple[int, int]:
        """Width and height of the frames in pixels."""
        ...

    @property
    def fps(self) -> float:
        """Frames a second that the source states; 25 when it states none."""
        ...

    @property
    def is_live(self) -> bool:
        """True for a camera or endless stream: what is not read in time is gone."""
        ...

    @property
    def dropped(self) -> int:
        """Frames that the source delivered and nobody saw, so far."""
        ...

    def __iter__(self) -> Iterator[Frame]: ...

    def close(self) -> None:
        """Let go of the device, file or connection."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
