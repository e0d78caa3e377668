"""Cameras and films: reading, following faces, gathering evidence, and showing it."""

from facerec.video.frame import Frame
from facerec.video.redaction import redact
from facerec.video.source import FrameSource, open_source

__all__ = ["Frame", "FrameSource", "open_source", "redact"]
