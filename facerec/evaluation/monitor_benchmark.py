"""How many cameras a machine watches: latency, drops and cost, beside judging each frame alone.

Every stream is a film that is decoded and played in real time, with latest-frame semantics, as a
camera is: who is slow sees fewer frames, not older ones. Processor time is that of the process,
decoding included.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from time import monotonic, process_time

import numpy as np
from numpy.typing import NDArray

from facerec.analysis.analyzer import FaceAnalyzer
from facerec.analysis.main_face import main_face
from facerec.errors import EvaluationError
from facerec.gallery.gallery import Gallery
from facerec.gallery.profile import NewTemplate
from facerec.video.frame import Frame
from facerec.video.monitor import Monitor
from facerec.video.observation import TrackDecision
from facerec.video.open_source import open_source
from facerec.video.video_writer import VideoWriter

__all__ = [
    "StreamCost",
    "StreamLoad",
    "enrol_from",
    "looked_at_by",
    "loop_film",
    "measure_cost",
    "measure_load",
]

Image = NDArray[np.uint8]
Look = Callable[[Frame], None]


@dataclass(frozen=True)
class StreamLoad:
    """What so many streams at once came to.

    Attributes:
        streams: Number of them.
        looked_at_fps: Frames a second that were looked at, of each stream, mean.
        dropped_share: Share of the frames that nobody looked at in time.
        behind_ms_p50: From a frame's due time until it had been looked at, median.
        behind_ms_p99: The same of the slowest hundredth.
        decisions: Decisions that were made.
        decision_s_max: Slowest of them, from first sight, seconds; None without any.
        cores: Processor time over time: cores kept busy.
    """

    streams: int
    looked_at_fps: float
    dropped_share: float
    behind_ms_p50: float
    behind_ms_p99: float
    decisions: int
    decision_s_max: float | None
    cores: float


@dataclass(frozen=True)
class StreamCost:
    """Share of one core that one stream takes.

    Attributes:
        deciding: From the first sight of a face until the decision.
        decided: From the decision on.
    """

    deciding: float
    decided: float


def loop_film(source: Path, target: Path, seconds: float) -> Path:
    """Write a film that shows another one there and back for so many seconds.

    Raises:
        SourceError: the film cannot be read.
        EvaluationError: it is too short to be shown there and back.
    """
    with open_source(str(source)) as opened:
        frames = [frame.image_bgr for frame in opened]
        fps, resolution = opened.fps, opened.resolution_wh
    if len(frames) < 2:
        raise EvaluationError(f"{source} has fewer than two frames")
    order = [*range(len(frames)), *range(len(frames) - 2, 0, -1)]
    with VideoWriter(target, fps=fps, resolution_wh=resolution) as writer:
        for index in range(int(seconds * fps)):
            writer.write(frames[order[index % len(order)]])
    return target


def enrol_from(film: Path, analyzer: FaceAnalyzer, gallery: Gallery, name: str) -> None:
    """Enrol the person of a film from the first frame that shows a face, in one gallery.

    Raises:
        EvaluationError: no frame shows one.
    """
    with open_source(str(film)) as source:
        for frame in source:
            face = analyzer.analyze(frame.image_bgr)
            index = main_face(face, frame.image_bgr.shape)
            if index is not None and face.embeddings is not None:
                look = NewTemplate(face.embeddings[index], analyzer.embedding_space, 1.0, film.name)
                gallery.enrol("benchmark", [look], galleries=[name])
                return
    raise EvaluationError(f"no face is seen in {film.name}")


def measure_load(film: Path, lookers: Sequence[tuple[Look, list[TrackDecision]]]) -> StreamLoad:
    """Play a film to several lookers at once, in real time.

    Args:
        film: What each sees.
        lookers: What is done with each frame of a stream, and where its decisions gather.
    """
    behind_s: list[float] = []

    def play(looker: tuple[Look, list[TrackDecision]]) -> tuple[int, int]:
        look, _ = looker
        seen = 0
        with open_source(str(film), realtime=True) as source:
            for frame in source:
                look(frame)
                seen += 1
                behind_s.append((datetime.now(UTC) - frame.captured).total_seconds())
            return seen, source.dropped

    began_s, busy_s = monotonic(), process_time()
    with ThreadPoolExecutor(len(lookers), thread_name_prefix="stream") as pool:
        counts = list(pool.map(play, lookers))
    lasted_s = monotonic() - began_s
    seen, dropped = (sum(values) for values in zip(*counts, strict=True))
    latencies = [told.verdict.latency_s for _, decisions in lookers for told in decisions]
    p50, p99 = np.quantile(behind_s, [0.5, 0.99])
    return StreamLoad(
        streams=len(lookers),
        looked_at_fps=seen / len(lookers) / lasted_s,
        dropped_share=dropped / max(1, seen + dropped),
        behind_ms_p50=float(p50) * 1e3,
        behind_ms_p99=float(p99) * 1e3,
        decisions=len(latencies),
        decision_s_max=max(latencies) if latencies else None,
        cores=(process_time() - busy_s) / lasted_s,
    )


def measure_cost(film: Path, monitor: Monitor) -> StreamCost:
    """Watch one stream in real time, and share its processor time out.

    Raises:
        EvaluationError: nobody is decided on in the film, or only at its end.
    """
    marks: list[tuple[float, float]] = []
    with open_source(str(film), realtime=True) as source:
        for frame in source:
            observation = monitor.observe(frame)
            if (not marks and observation.tracks) or (len(marks) == 1 and observation.decisions):
                marks.append((monotonic(), process_time()))
        marks.append((monotonic(), process_time()))
    if len(marks) != 3:
        raise EvaluationError("the film must show one person long enough to be decided on")
    shares = [
        (later[1] - sooner[1]) / max(later[0] - sooner[0], 1e-9)
        for sooner, later in pairwise(marks)
    ]
    return StreamCost(shares[0], shares[1])


def looked_at_by(monitor: Monitor) -> tuple[Look, list[TrackDecision]]:
    """Return what watches a stream by evidence over tracks, and where its decisions gather."""
    decisions: list[TrackDecision] = []

    def look(frame: Frame) -> None:
        decisions.extend(monitor.observe(frame).decisions)

    return look, decisions
