"""Speed of a frame's way from pixels to candidates, side by side with OpenCV's own pipeline.

OpenCV's `FaceDetectorYN` and `FaceRecognizerSF` run the same weights, as the plain float32 ONNX
graphs that the pulled files hold. Both pipelines see each frame one after the other, in alternating
order, so that a machine that slows down slows down both.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

import cv2
import numpy as np
from numpy.typing import NDArray

from facerec.analysis.alignment import align
from facerec.analysis.analyzer import FaceAnalyzer
from facerec.gallery.gallery import Gallery
from facerec.gallery.profile import NewTemplate

__all__ = ["OpenCvPipeline", "PipelineTimes", "fill_gallery", "measure_pipeline"]

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
    gallery: Gallery,
    opencv: OpenCvPipeline,
    templates: int,
) -> PipelineTimes:
    """Run both pipelines over the frames, alternating, and take medians.

    Args:
        frames: uint8 BGR images, more than `WARM_UP_FRAMES`.
        analyzer: Ours; whatever it is set to do is what is timed.
        gallery: Searched once a face.
        opencv: The other side.
        templates: How many templates `gallery` holds, for the record.
    """
    ours: list[float] = []
    theirs: list[float] = []
    stages: dict[str, list[float]] = {"detect": [], "align": [], "embed": [], "search": []}
    faces = opencv_faces = counted = 0
    for index, image in enumerate(frames):
        runs: list[tuple[Callable[[Image], int], list[float]]] = [
            (lambda image: _facerec(image, analyzer, gallery), ours),
            (opencv, theirs),
        ]
        found = {}
        for run, times in runs if index % 2 else reversed(runs):
            start = perf_counter()
            found[id(times)] = run(image)
            times.append((perf_counter() - start) * 1e3)
        _time_stages(image, analyzer, gallery, stages)
        if index >= WARM_UP_FRAMES:
            counted += 1
            faces += found[id(ours)]
            opencv_faces += found[id(theirs)]
    facerec_ms = median(ours[WARM_UP_FRAMES:])
    opencv_ms = median(theirs[WARM_UP_FRAMES:])
    return PipelineTimes(
        frames=counted,
        faces=faces,
        opencv_faces=opencv_faces,
        templates=templates,
        facerec_ms_p50=facerec_ms,
        opencv_ms_p50=opencv_ms,
        ratio_to_opencv=facerec_ms / opencv_ms,
        stages_ms={name: median(times[WARM_UP_FRAMES:]) for name, times in stages.items()},
    )


def fill_gallery(gallery: Gallery, embedding_space: str, size: int, count: int) -> None:
    """Enrol `count` people of one random unit template each, `size` numbers long, seeded."""
    vectors = np.random.default_rng(0).standard_normal((count, size)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for number, vector in enumerate(vectors):
        template = NewTemplate(vector, embedding_space, 1.0, "benchmark")
        gallery.enrol(f"person {number}", [template], galleries=["default"])


def _facerec(image: Image, analyzer: FaceAnalyzer, gallery: Gallery) -> int:
    faces = analyzer.analyze(image)
    _search(faces.embeddings, analyzer, gallery)
    return len(faces)


def _search(
    embeddings: NDArray[np.float32] | None, analyzer: FaceAnalyzer, gallery: Gallery
) -> None:
    for probe in embeddings if embeddings is not None else ():
        gallery.search(probe, embedding_space=analyzer.embedding_space, galleries=["default"])


def _time_stages(
    image: Image, analyzer: FaceAnalyzer, gallery: Gallery, stages: dict[str, list[float]]
) -> None:
    marks = [perf_counter()]
    faces = analyzer.detect(image)
    marks.append(perf_counter())
    chips = align(image, faces.landmarks_px, analyzer.alignment)
    marks.append(perf_counter())
    embedded = analyzer.embed(image, faces)
    marks.append(perf_counter())
    _search(embedded.embeddings, analyzer, gallery)
    marks.append(perf_counter())
    del chips
    for name, start, end in zip(stages, marks, marks[1:], strict=False):
        stages[name].append((end - start) * 1e3)
