"""Speed of a frame's way from pixels to candidates, side by side with OpenCV's own pipeline.

OpenCV's `FaceDetectorYN` and `FaceRecognizerSF` run the same weights, as the plain float32 ONNX
graphs that the pulled files hold. Both pipelines see each frame one after the other, in alternating
order, so that a machine that slows down slows down both.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

import cv2
import numpy as np
from numpy.typing import NDArray

from facerec.analysis.analyzer import FaceAnalyzer
from facerec.analysis.stages import Stage
from facerec.errors import ArrayError
from facerec.gallery.gallery import Gallery
from facerec.gallery.profile import NewTemplate

__all__ = ["OpenCvPipeline", "PipelineTimes", "StageClock", "fill_gallery", "measure_pipeline"]

Image = NDArray[np.uint8]
WARM_UP_FRAMES = 10
"""Frames that are run and not counted: first calls prepare buffers on both sides."""


class OpenCvPipeline:
    """Detect, align and embed every face of a frame as OpenCV's own samples do."""

    def __init__(
        self, detector_onnx: Path, embedder_onnx: Path, min_score: float, threads: int
    ) -> None:
        """Load both networks; `min_score` and `threads` are those of the side compared with."""
        cv2.setNumThreads(threads)
        # OpenCV 5 warns that its new engine chooses the device itself; that is what is wanted.
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
        self._detector = cv2.FaceDetectorYN.create(
            str(detector_onnx), "", (320, 320), min_score, 0.3, 5000
        )
        self._embedder = cv2.FaceRecognizerSF.create(str(embedder_onnx), "")

    def __call__(self, image_bgr: Image) -> int:
        """Return the number of faces embedded."""
        height, width = image_bgr.shape[:2]
        self._detector.setInputSize((width, height))
        _, faces = self._detector.detect(image_bgr)
        if faces is None:
            return 0
        for face in faces:
            self._embedder.feature(self._embedder.alignCrop(image_bgr, face))
        return len(faces)


class StageClock:
    """A `StageObserver` that adds up how long each stage of a frame takes, in milliseconds."""

    def __init__(self) -> None:
        self._frames: list[dict[str, float]] = []

    def start_frame(self) -> None:
        """Begin to add up anew."""
        self._frames.append(defaultdict(float))

    @contextmanager
    def __call__(self, stage: Stage | str) -> Iterator[None]:
        """Time one stage of the frame."""
        start = perf_counter()
        yield
        self._frames[-1][str(stage)] += (perf_counter() - start) * 1e3

    def medians(self, skip: int) -> dict[str, float]:
        """Return each stage's median over all frames but the first `skip`."""
        stages = dict.fromkeys(name for frame in self._frames for name in frame)
        return {name: median(f.get(name, 0.0) for f in self._frames[skip:]) for name in stages}


@dataclass(frozen=True)
class PipelineTimes:
    """What was measured; times are medians over frames, in milliseconds.

    Attributes:
        frames: Frames counted.
        faces: Faces that facerec found in them.
        opencv_faces: Faces that OpenCV found in them.
        templates: Templates in the gallery that was searched.
        facerec_ms_p50: Detect, align, assess, embed and search.
        opencv_ms_p50: Detect, align and embed.
        ratio_to_opencv: The first over the second.
        stages_ms: Median of each of our stages.
    """

    frames: int
    faces: int
    opencv_faces: int
    templates: int
    facerec_ms_p50: float
    opencv_ms_p50: float
    ratio_to_opencv: float
    stages_ms: dict[str, float]


def measure_pipeline(
    frames: Iterable[Image],
    analyzer: FaceAnalyzer,
    clock: StageClock,
    gallery: Gallery,
    opencv: OpenCvPipeline,
) -> PipelineTimes:
    """Run both pipelines over the frames, alternating, and take medians.

    Args:
        frames: uint8 BGR images, more than `WARM_UP_FRAMES`.
        analyzer: Ours; whatever it is set to do is what is timed.
        clock: Observes `analyzer`.
        gallery: Searched once a face, as a whole.
        opencv: The other side.

    Raises:
        ArrayError: there are too few frames.
    """
    sides = (lambda image: _facerec(image, analyzer, clock, gallery), opencv)
    times: tuple[list[float], list[float]] = ([], [])
    faces: tuple[list[int], list[int]] = ([], [])
    for index, image in enumerate(frames):
        for side in (0, 1) if index % 2 else (1, 0):
            start = perf_counter()
            faces[side].append(sides[side](image))
            times[side].append((perf_counter() - start) * 1e3)
    counted = len(times[0]) - WARM_UP_FRAMES
    if counted < 1:
        raise ArrayError(f"frames must be more than {WARM_UP_FRAMES}; received {len(times[0])}")
    facerec_ms, opencv_ms = (median(side[WARM_UP_FRAMES:]) for side in times)
    return PipelineTimes(
        frames=counted,
        faces=sum(faces[0][WARM_UP_FRAMES:]),
        opencv_faces=sum(faces[1][WARM_UP_FRAMES:]),
        templates=sum(profile.templates for profile in gallery.list()),
        facerec_ms_p50=facerec_ms,
        opencv_ms_p50=opencv_ms,
        ratio_to_opencv=facerec_ms / opencv_ms,
        stages_ms=clock.medians(WARM_UP_FRAMES),
    )


def fill_gallery(gallery: Gallery, embedding_space: str, size: int, count: int) -> None:
    """Enrol `count` people of one random unit template each, `size` numbers long, seeded."""
    vectors = np.random.default_rng(0).standard_normal((count, size)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for number, vector in enumerate(vectors):
        template = NewTemplate(vector, embedding_space, 1.0, "benchmark")
        gallery.enrol(f"person {number}", [template], galleries=["default"])


def _facerec(image: Image, analyzer: FaceAnalyzer, clock: StageClock, gallery: Gallery) -> int:
    clock.start_frame()
    faces = analyzer.analyze(image)
    with clock("search"):
        for probe in faces.embeddings if faces.embeddings is not None else ():
            gallery.search(probe, embedding_space=analyzer.embedding_space, galleries=["default"])
    return len(faces)
