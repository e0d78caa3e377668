"""The film that shows what the monitor saw."""

from pathlib import Path
from types import TracebackType
from typing import Self

from facerec.video.annotation import annotate
from facerec.video.monitor import Observation
from facerec.video.source import FrameSource
from facerec.video.video_writer import VideoWriter

__all__ = ["AnnotatedFilm"]

_FILL_AT_MOST_S = 10.0
"""A longer gap in a live source is cut, so that a night without frames fills no disk."""


class AnnotatedFilm:
    """Writes annotated frames so that the film takes as long as what it shows.

    A frame whose successors were dropped is repeated in their place.
    """

    def __init__(self, path: Path, source: FrameSource, *, camera: str) -> None:
        """Begin a film of what `source` gives; see `VideoWriter` for the path and its errors."""
        self._writer = VideoWriter(path, fps=source.fps, resolution_wh=source.resolution_wh)
        self._fps = source.fps
        self._camera = camera
        self._first_clock_s: float | None = None
        self._written_until = 0

    def see(self, observation: Observation) -> None:
        """Append a frame with its annotations."""
        image = annotate(observation, camera=self._camera)
        if self._first_clock_s is None:
            self._first_clock_s = observation.frame.clock_s
        due = round((observation.frame.clock_s - self._first_clock_s) * self._fps) + 1
        missing = due - self._written_until
        for _ in range(max(1, min(missing, round(_FILL_AT_MOST_S * self._fps)))):
            self._writer.write(image)
        self._written_until = max(due, self._written_until + 1)

    def close(self) -> None:
        """End the film and give it its name."""
        self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
