"""What a camera of the configuration is read through."""

from dataclasses import replace

from facerec.video.naming import is_device
from facerec.video.open_source import open_source
from facerec.video.reconnecting_source import ReconnectingSource, ReconnectRules
from facerec.video.redaction import is_url
from facerec.video.source import FrameSource
from facerec_monitor.configuration import CameraSettings

__all__ = ["open_camera"]


def open_camera(camera: CameraSettings) -> FrameSource:
    """Open a camera, which need not be reachable now; a film is played in real time.

    Raises:
        SourceError: the film cannot be read.
    """
    spec = camera.url.get_secret_value()
    if not is_url(spec) and not is_device(spec):
        return open_source(spec, realtime=True)
    rules = ReconnectRules()
    if camera.udp:
        rules = replace(rules, capture=replace(rules.capture, rtsp_transport="udp"))
    return ReconnectingSource(spec, rules)
