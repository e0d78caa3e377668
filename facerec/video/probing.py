"""Looking at a camera for a few seconds, to say what its view is good for."""

from dataclasses import replace
from time import monotonic

import numpy as np

from facerec.analysis.main_face import largest_first
from facerec.decision.quality_gate import face_flaws
from facerec.video.camera_probe import ProbeSample
from facerec.video.frame import Frame
from facerec.video.monitor import Analyzer
from facerec.video.opencv_source import OpenCvSource
from facerec.video.picture_check import PictureCheck

__all__ = ["sample_camera"]


def sample_camera(
    source: OpenCvSource,
    analyzer: Analyzer,
    *,
    asked_s: float,
    seconds: float,
    min_quality: float,
    search_every_s: float = 0.2,
) -> tuple[ProbeSample, ...]:
    """Read a camera for some seconds, or a film for as much of it, and note what is seen.

    Args:
        source: Just opened; the caller closes it.
        analyzer: Finds faces.
        asked_s: Monotonic time at which the opening began, seconds.
        seconds: How long to look.
        min_quality: Overall quality under which a face is not fit, 0..1.
        search_every_s: Time between two frames that are searched for faces.

    Raises:
        SourceError: the camera broke off.
    """
    check, samples = PictureCheck(), list[ProbeSample]()
    due_s = float("-inf")
    opened_s = monotonic() - asked_s
    for frame in source:
        # A film's own clock says when a frame would have come, a camera's is the machine's.
        clock_s = frame.clock_s if not source.is_live else monotonic() - asked_s - opened_s
        searched = clock_s >= due_s
        if searched:
            due_s = clock_s + search_every_s
        fault = check.judge(frame.image_bgr, clock_s)
        brightness = float(frame.image_bgr[::8, ::8].mean())
        sample = ProbeSample(opened_s + clock_s, brightness, fault, None, (), searched)
        samples.append(_with_face(sample, frame, analyzer, min_quality) if searched else sample)
        if clock_s >= seconds:
            break
    return tuple(samples)


def _with_face(
    sample: ProbeSample, frame: Frame, analyzer: Analyzer, min_quality: float
) -> ProbeSample:
    """Return a sample with what there is to say of the largest face of its frame."""
    faces = analyzer.detect(frame.image_bgr)
    if not len(faces):
        return sample
    index = int(largest_first(faces)[0])
    box = faces.boxes_xyxy_px[index].astype(np.float64)
    return replace(
        sample,
        face_px=float(box[2] - box[0]),
        flaws=face_flaws(faces, index, min_quality=min_quality),
        sharpness=None if faces.quality is None else float(faces.quality.sharpness[index]),
    )
