"""What a camera's view is good for, from a few seconds of it. Pure: samples in, words out."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from facerec.decision.decision import Reason
from facerec.video.camera_health import PictureFault

__all__ = ["CameraFitness", "CameraProbe", "ProbeSample", "judge_camera"]

ENOUGH_PX = 60.0
"""Width of a face from which recognition is measured to work at a gate."""
_ENOUGH_FPS = 5.0
"""Three looks a tenth of a second apart take .3 s at 10 fps, and .6 s at 5."""
_FIT_SHARE = 0.8
"""Share of the frames with a face in which it must be fit for comparison."""
_SOME_SHARE = 0.3
_DARK, _LIGHT = 50.0, 205.0
"""Mean grey levels of 255 outside which sensors lose detail in shadows or in highlights."""


class CameraFitness(StrEnum):
    """Whether a view is fit for recognition; stable words for scripts."""

    FIT = "fit"
    LIMITED = "limited"
    """Some of the looks at a face are fit."""
    UNFIT = "unfit"
    NO_FACE = "no_face"
    """Nobody was seen, so that nothing can be said of faces."""


@dataclass(frozen=True)
class ProbeSample:
    """What one frame showed.

    Attributes:
        arrived_s: When it came, seconds since the camera was asked.
        brightness: Mean grey level, 0..255.
        fault: What is wrong with the picture; None when nothing is.
        face_px: Width of the largest face, pixels; None where none is seen or looked for.
        flaws: Why that face is not fit for comparison.
        searched: Whether the frame was searched for faces.
        sharpness: Of that face, 0 (blurred) to 1; None where none is seen.
    """

    arrived_s: float
    brightness: float
    fault: PictureFault | None
    face_px: float | None
    flaws: tuple[Reason, ...]
    searched: bool
    sharpness: float | None = None


@dataclass(frozen=True)
class CameraProbe:
    """What a few seconds of a camera said.

    Attributes:
        first_frame_s: From asking for the camera to its first frame.
        fps: Frames a second that came.
        longest_gap_s: Longest time between two frames.
        brightness: Median of the mean grey levels, 0..255.
        searched: Frames searched for faces.
        with_face: Of these, frames that showed one.
        face_px: Smallest, median and largest width of the largest face; None without any.
        sharpness: Median of that of the largest face, 0 (blurred) to 1; None without any.
        fit_share: Share of the frames with a face in which it is fit for comparison.
        flaws: How often each flaw was seen, most often first.
        fault: A fault of the pictures that most frames have; None for none.
        fitness: What this comes to.
        advice: What to change, most important first; one sentence each.
    """

    first_frame_s: float
    fps: float
    longest_gap_s: float
    brightness: float
    searched: int
    with_face: int
    face_px: tuple[float, float, float] | None
    sharpness: float | None
    fit_share: float
    flaws: tuple[tuple[Reason, int], ...]
    fault: PictureFault | None
    fitness: CameraFitness
    advice: tuple[str, ...]


def judge_camera(samples: Sequence[ProbeSample]) -> CameraProbe:
    """Say what a view is good for.

    Args:
        samples: One a frame, in order; at least one.
    """
    arrived = np.array([sample.arrived_s for sample in samples])
    gaps = np.diff(arrived)
    fps = float(1 / gaps.mean()) if len(gaps) and gaps.mean() > 0 else 0.0
    brightness = float(np.median([sample.brightness for sample in samples]))
    searched = [sample for sample in samples if sample.searched]
    faces = [sample for sample in searched if sample.face_px is not None]
    widths = [sample.face_px for sample in faces if sample.face_px is not None]
    sharpness = [sample.sharpness for sample in faces if sample.sharpness is not None]
    fit_share = float(np.mean([not s.flaws for s in faces])) if faces else 0.0
    flaws = tuple(Counter(flaw for sample in faces for flaw in sample.flaws).most_common())
    fault = _fault(samples)
    median_px = float(np.median(widths)) if widths else None
    return CameraProbe(
        first_frame_s=float(arrived[0]),
        fps=fps,
        longest_gap_s=float(gaps.max()) if len(gaps) else 0.0,
        brightness=brightness,
        searched=len(searched),
        with_face=len(faces),
        face_px=(min(widths), float(np.median(widths)), max(widths)) if widths else None,
        sharpness=float(np.median(sharpness)) if sharpness else None,
        fit_share=fit_share,
        flaws=flaws,
        fault=fault,
        fitness=_fitness(median_px, fit_share, fps, fault),
        advice=_advice(median_px, brightness, fps, fault, flaws, len(faces)),
    )


def _fault(samples: Sequence[ProbeSample]) -> PictureFault | None:
    """Return the fault that half of the last third of the frames has; None without one."""
    last = samples[-max(1, len(samples) // 3) :]
    told = Counter(sample.fault for sample in last if sample.fault is not None).most_common(1)
    return told[0][0] if told and told[0][1] * 2 >= len(last) else None


def _fitness(
    median_px: float | None, fit_share: float, fps: float, fault: PictureFault | None
) -> CameraFitness:
    if fault is not None:
        return CameraFitness.UNFIT
    if median_px is None:
        return CameraFitness.NO_FACE
    if fit_share >= _FIT_SHARE and median_px >= ENOUGH_PX and fps >= _ENOUGH_FPS:
        return CameraFitness.FIT
    return CameraFitness.LIMITED if fit_share >= _SOME_SHARE else CameraFitness.UNFIT


_ADVICE = {
    Reason.TOO_SMALL: "Faces are too small: move the camera nearer, or use a longer lens.",
    Reason.BLURRED: "Faces are blurred: set the focus, clean the lens, or shorten the exposure.",
    Reason.BADLY_LIT: "Faces are badly lit: light them from the front, and keep windows behind "
    "the camera.",
    Reason.LOW_CONTRAST: "Faces lack contrast: avoid glare and fog on the lens.",
    Reason.TURNED_AWAY: "Faces are turned away: put the camera at eye height, where people look.",
    Reason.CLIPPED: "Faces are cut off by the border: aim the camera anew.",
    Reason.LOW_QUALITY: "Faces are poor in several respects at once: light and distance first.",
}


def _advice(
    median_px: float | None,
    brightness: float,
    fps: float,
    fault: PictureFault | None,
    flaws: tuple[tuple[Reason, int], ...],
    faces: int,
) -> tuple[str, ...]:
    said = []
    if fault is not None:
        said.append(f"The pictures are {fault.value}: restart the camera, and check its cable.")
    if median_px is None and fault is None:
        said.append("No face was seen: stand where people will stand, and probe again.")
    if brightness < _DARK:
        said.append("The picture is dark: add light, or let the camera expose longer.")
    if brightness > _LIGHT:
        said.append("The picture is too light: lower the exposure, or turn away from the sun.")
    if 0 < fps < _ENOUGH_FPS:
        said.append(f"{fps:.1f} frames a second are few: decisions will take longer; ask for 10.")
    if median_px is not None and median_px < ENOUGH_PX:
        said.append(
            f"Faces are {median_px:.0f} px wide: {ENOUGH_PX:.0f} or more are recognised surely; "
            "move the camera nearer, or raise its resolution."
        )
    said += [_ADVICE[flaw] for flaw, count in flaws if flaw in _ADVICE and count * 5 >= faces]
    return tuple(dict.fromkeys(said))
