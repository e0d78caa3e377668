"""The one function that opens a source of frames."""

from typing import TYPE_CHECKING

from facerec.video.source import FrameSource

if TYPE_CHECKING:
    from facerec.video.reconnecting_source import ReconnectRules

__all__ = ["open_source"]


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
