"""A video evaluation from followed faces to page."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from facerec.evaluation.metrics.bootstrap import Interval
from facerec.evaluation.protocols.video import VideoResult
from facerec.evaluation.report.attempts import Attempts, attempts_to_json
from facerec.evaluation.report.content import Report, Section, Table
from facerec.evaluation.report.environment import present_environment
from facerec.evaluation.report.formatting import in_brackets
from facerec.evaluation.report.subject import TestedSystem, setting_sections
from facerec.evaluation.runs.run import EvaluationRun

__all__ = ["video_run"]

LIMITS = (
    "Tracks of one clip are not independent, and a handful of people shows nothing of rare errors: "
    "this says that the way from frames to decisions works, and how long it takes.",
)


def video_run(system: TestedSystem, result: VideoResult) -> EvaluationRun:
    """Evaluate recognition in video.

    Keys of the record: ``tracks`` with ``right`` and ``missed`` (of enrolled people), ``wrong``
    (of anybody, named as somebody else) and ``strangers``; ``time_to_decision_s`` (median and 90 %
    quantile); ``fta`` (clips without any face); ``counts``; ``intervals`` of the shares ``right``
    and ``wrong``.
    """
    intervals = result.intervals()
    record = _record(result, intervals) | {"warnings": [], "system": vars(system)}
    report = Report(
        f"Video: {system.embedder} on {system.data}",
        _summary(result, intervals),
        (),
        (
            Section("Tracks", tables=(_table(result),)),
            *setting_sections(system, present_environment(), LIMITS),
        ),
    )
    names = tuple(f"{track.clip} track {i}" for i, track in enumerate(result.tracks))
    right = np.array([t.named == (t.person if t.enrolled else None) for t in result.tracks], bool)
    people = tuple(track.person or "" for track in result.tracks)
    attempts = attempts_to_json("video", (Attempts("tracks", names, people, right),))
    return EvaluationRun(record, report, attempts, ())


def _record(result: VideoResult, intervals: Mapping[str, Interval]) -> dict[str, Any]:
    latencies = result.latencies_s()
    quantiles = np.quantile(latencies, [0.5, 0.9]).tolist() if len(latencies) else [None, None]
    return {
        "tracks": {
            "right": result.right,
            "wrong": result.wrong,
            "missed": result.missed,
            "strangers": result.strangers,
        },
        "time_to_decision_s": {"p50": quantiles[0], "p90": quantiles[1]},
        "fta": result.failed_clips / max(result.clips, 1),
        "counts": {"clips": result.clips, "tracks": len(result.tracks)},
        "intervals": {name: [found.low, found.high] for name, found in intervals.items()},
    }


def _summary(result: VideoResult, intervals: Mapping[str, Interval]) -> str:
    return (
        f"Of {result.right + result.missed} tracks of enrolled people {result.right} were named "
        f"rightly and {result.missed} not at all; {result.wrong} of all {len(result.tracks)} "
        "tracks were named as somebody else. 95 % intervals, over people: named rightly "
        f"{in_brackets(intervals.get('right'))}, wrongly {in_brackets(intervals.get('wrong'))}."
    )


def _table(result: VideoResult) -> Table:
    rows = tuple(
        (
            track.clip,
            track.person or "(bystander)",
            "yes" if track.enrolled else "no",
            track.named or "nobody",
            "" if track.latency_s is None else f"{track.latency_s:.2f} s",
            str(track.frames),
        )
        for track in result.tracks
    )
    header = ("Clip", "Person", "Enrolled", "Named", "Time to decision", "Frames")
    return Table("", header, rows)
