"""Strangers from a video: each followed face is one person, seen again every second."""

from collections.abc import Iterable

import numpy as np

from facerec.analysis.analyzer import FaceAnalyzer
from facerec.errors import EvaluationError
from facerec.evaluation.calibration.calibrating import KnownFaces
from facerec.video.frame import Frame
from facerec.video.tracker import Tracker

__all__ = ["faces_of_frames"]

SEEN_EVERY_S = 1.0
"""A face of a track is taken this often: frames that follow each other say little new."""


def faces_of_frames(
    frames: Iterable[Frame], analyzer: FaceAnalyzer, tracker: Tracker
) -> KnownFaces:
    """Return the faces of a video, one person a track.

    Somebody who leaves and comes back counts as another person, so there may be fewer people than
    tracks; intervals over people are then a little too narrow.

    Raises:
        EvaluationError: no face is seen.
    """
    embeddings, people, quality = [], [], []
    numbers: dict[int, int] = {}
    taken_s: dict[int, float] = {}
    for frame in frames:
        faces = analyzer.detect(frame.image_bgr)
        update = tracker.update(faces.boxes_xyxy_px, frame.clock_s)
        due = [
            row
            for row, track in enumerate(update.track_ids.tolist())
            if frame.clock_s - taken_s.get(track, -np.inf) >= SEEN_EVERY_S
        ]
        if not due:
            continue
        seen = analyzer.embed(frame.image_bgr, faces[np.array(due)])
        if seen.embeddings is None or seen.quality is None:
            continue
        for index, row in enumerate(due):
            track = int(update.track_ids[row])
            taken_s[track] = frame.clock_s
            people.append(numbers.setdefault(track, len(numbers)))
            embeddings.append(seen.embeddings[index])
            quality.append(float(seen.quality.overall[index]))
    if not embeddings:
        raise EvaluationError("no face is seen in the video of strangers")
    return KnownFaces(
        np.stack(embeddings), np.array(people, np.int32), np.array(quality, np.float32)
    )
