"""The port through which frames arrive, and the one function that opens a source."""

from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from facerec.video.frame import Frame

if TYPE_CHECKING:
    from facerec.video.reconnecting_source import ReconnectRules

__all__ = ["FrameSource", "open_source"]


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


def open_source(
    spec: str, *, realtime: bool = False, reconnect: "ReconnectRules | None" = None
) -> FrameSource:
    """Open a file, a camera or a stream.

    Args:
        spec: A path, a device number (``"0"``) or a URL (``rtsp://``, ``http://``, ...).
        realtime: Play a file at its own speed as a camera would, dropping what comes too fast;
            False to give every frame as fast as it is asked for. Cameras are always real time.
        reconnect: A camera that is reached now is reached again whenever it is lost; None to end
            with an error then.

    Raises:
        SourceError: nothing can be read there; says why, without credentials.
    """
    from facerec.video.latest_frame_source import LatestFrameSource
    from facerec.video.opencv_source import OpenCvSource

    if reconnect is None:
        source = OpenCvSource(spec)
    else:
        from facerec.video.reconnecting_source import ReconnectingSource

        source = OpenCvSource(spec, reconnect.capture)
        if source.is_live:
            return ReconnectingSource(spec, reconnect, source)
    if source.is_live or realtime:
        return LatestFrameSource(source)
    return source
