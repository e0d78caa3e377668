"""Watching a source and keeping what came of it in files."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from facerec.assembly import open_gallery
from facerec.demo.folder import DemoFolder
from facerec.demo.key_frames import KeyFrame, KeyFrames
from facerec.monitor_assembly import build_monitors
from facerec.settings import Settings
from facerec.video.annotated_film import AnnotatedFilm
from facerec.video.events import cloud_event
from facerec.video.monitor import Observation, TrackDecision
from facerec.video.source import FrameSource
from facerec.video.watching import watch

__all__ = ["Recording", "record"]

_CAMERA = "gate"
_KEY_FRAMES = 6


@dataclass(frozen=True)
class Recording:
    """What came of watching.

    Attributes:
        decisions: In the order in which they were made.
        key_frames: The moments worth showing.
    """

    decisions: tuple[TrackDecision, ...]
    key_frames: tuple[KeyFrame, ...]


def record(
    source: FrameSource,
    folder: DemoFolder,
    settings: Settings,
    *,
    see: Callable[[Observation], None],
    stopped: Callable[[], bool] | None = None,
) -> Recording:
    """Watch a source as ``facerec watch`` does; write the annotated film and the events.

    Args:
        source: An open source; the caller closes it.
        folder: Where the files go.
        settings: Of the demo's home.
        see: Called with every frame's observation.
        stopped: Asked after every frame; True ends the watch.

    Raises:
        SourceError: the source failed, or a file cannot be written.
    """
    key_frames = KeyFrames(_CAMERA, at_most=_KEY_FRAMES)
    decisions: list[TrackDecision] = []
    with (
        open_gallery(settings) as gallery,
        AnnotatedFilm(folder.annotated, source, camera=_CAMERA) as annotated,
        folder.events.open("w", encoding="utf-8") as events,
    ):

        def tell(decision: TrackDecision) -> None:
            decisions.append(decision)
            events.write(json.dumps(cloud_event(decision)) + "\n")

        def see_all(observation: Observation) -> None:
            see(observation)
            key_frames.see(observation)
            annotated.see(observation)

        monitor = build_monitors(settings, gallery, [settings.gallery])(_CAMERA)
        watch(source, monitor, tell=tell, see=see_all, stopped=stopped)
    return Recording(tuple(decisions), key_frames.frames())
