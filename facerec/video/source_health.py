"""How any source is doing, whether it can come back or not."""

from facerec.video.camera_health import CameraHealth, CameraState
from facerec.video.reconnecting_source import ReconnectingSource
from facerec.video.source import FrameSource

__all__ = ["health_of"]


def health_of(source: FrameSource, frames: int) -> CameraHealth:
    """Return how a source is doing, of which so many frames were looked at."""
    if isinstance(source, ReconnectingSource):
        return source.health
    delivered = frames + source.dropped
    return CameraHealth(CameraState.LIVE, None, delivered, source.dropped, 0, 1, None, "")
