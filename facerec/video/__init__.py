"""Cameras and films: reading, following faces, gathering evidence, and showing it."""

from facerec.video.frame import Frame
from facerec.video.open_source import open_source
from facerec.video.redaction import redact
from facerec.video.source import FrameSource

__all__ = ["Frame", "FrameSource", "open_source", "redact"]
