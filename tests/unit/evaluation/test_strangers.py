"""Photographs as one-second tracks, and what monitors say of them."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from facerec.analysis.faces import Faces
from facerec.evaluation.protocols.still_track import StillMotion, still_track
from facerec.evaluation.protocols.strangers import (
    OneFrameMemo,
    StrangersResult,
    StrangerVisit,
    watch_visit,
)
from facerec.video.monitor import Monitor
from facerec.video.monitor_rules import MonitorRules
from facerec.video.overlap_tracker import OverlapTracker
from tests.unit.video.scripted import RULES, ScriptedAnalyzer, ScriptedIdentifier, Shown

PICTURE = np.stack([np.add.outer(np.arange(120), np.arange(100)).astype(np.uint8)] * 3, axis=2)
"""Smooth, lest a moved picture be taken for another scene."""


class OnePerson(ScriptedAnalyzer):
    """Sees the same person whatever the picture holds, and counts how often it looked."""

    looks: int = 0

    def detect(self, image: NDArray[np.uint8], least_px: int = 0) -> Faces:
        self.looks += 1
        return super().detect(np.zeros((200, 640, 3), np.uint8))

    def embed(self, image: NDArray[np.uint8], faces: Faces) -> Faces:
        return super().embed(np.zeros((200, 640, 3), np.uint8), faces)


def monitor(analyzer: OneFrameMemo) -> Monitor:
    tracker = OverlapTracker(forget_after_s=1.0)
    rules = MonitorRules(RULES, min_quality=0.2)
    return Monitor(analyzer, tracker, ScriptedIdentifier(), rules, camera="c")


def visits(who: str, *, enrolled: bool) -> tuple[list[StrangerVisit], OnePerson]:
    analyzer = OnePerson(lambda number: [Shown(who, 100)])
    memo = OneFrameMemo(analyzer)
    told: list[StrangerVisit] = []
    watch_visit(
        PICTURE,
        [(1e-2, monitor(memo)), (1e-3, monitor(memo))],
        person=who.capitalize(),
        enrolled=enrolled,
        seed=1,
        tell=told.append,
    )
    return told, analyzer


def test_a_track_lasts_a_second_and_moves_a_little() -> None:
    frames = list(still_track(PICTURE, StillMotion(), seed=5))
    assert [frame.index for frame in frames] == list(range(16))
    assert frames[-1].clock_s == 1.0
    assert all(frame.image_bgr.shape == PICTURE.shape for frame in frames)
    again = list(still_track(PICTURE, StillMotion(), seed=5))
    other = list(still_track(PICTURE, StillMotion(), seed=6))
    np.testing.assert_array_equal(frames[7].image_bgr, again[7].image_bgr)
    assert not np.array_equal(frames[7].image_bgr, other[7].image_bgr)


def test_without_motion_and_noise_the_photograph_stays() -> None:
    still = replace(StillMotion(), shift=0, growth=0, turn_deg=0, gain=0, noise_levels=0)
    for frame in still_track(PICTURE, still, seed=1):
        np.testing.assert_array_equal(frame.image_bgr, PICTURE)


def test_monitors_of_two_targets_share_one_look_at_each_frame() -> None:
    told, analyzer = visits("ada", enrolled=True)
    assert analyzer.looks == 16
    assert [visit.target_fpir for visit in told] == [1e-2, 1e-3]
    assert all(visit.right for visit in told)
    assert len(analyzer.embedded) < 8, "embedded once for both, and no more once decided"


def test_a_stranger_who_is_named_counts_and_one_who_is_not_does_not() -> None:
    named, _ = visits("bob", enrolled=False)
    unknown, _ = visits("stranger", enrolled=False)
    mated, _ = visits("ada", enrolled=True)
    result = StrangersResult((*named, *unknown, *mated), 2, 1)
    rate = result.fpir(1e-2)
    assert (rate.events, rate.trials) == (1, 2)
    assert result.mated(1e-3) == (1, 0, 0)


def test_a_stranger_whose_picture_cannot_be_read_is_counted_and_not_dropped() -> None:
    named, _ = visits("bob", enrolled=False)
    lost = [StrangerVisit.unseen("Eve", 1e-2, enrolled=False)]
    rate = StrangersResult((*named, *lost), 2, 1).fpir(1e-2)
    assert (rate.events, rate.trials) == (1, 2)
