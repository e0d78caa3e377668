import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from facerec.errors import ArrayError
from facerec.video.overlap_tracker import OverlapTracker


def box(x: float, y: float = 100, side: float = 50) -> list[float]:
    return [x, y, x + side, y + side]


def boxes(*rows: list[float]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 4)


def test_a_still_face_keeps_its_track() -> None:
    tracker = OverlapTracker(forget_after_s=1)
    ids = [tracker.update(boxes(box(10)), t / 25).track_ids.tolist() for t in range(50)]
    assert ids == [[1]] * 50


def test_two_people_crossing_the_order_of_boxes_keep_their_tracks() -> None:
    tracker = OverlapTracker(forget_after_s=1)
    assert tracker.update(boxes(box(10), box(300)), 0).track_ids.tolist() == [1, 2]
    assert tracker.update(boxes(box(302), box(12)), 0.04).track_ids.tolist() == [2, 1]


def test_people_walking_past_each_other_keep_their_tracks() -> None:
    """Their boxes overlap wholly at one moment; their speeds tell them apart after it."""
    tracker = OverlapTracker(forget_after_s=1)
    for step in range(60):
        left, right = box(100 + 6 * step, y=100), box(460 - 6 * step, y=112)
        ids = tracker.update(boxes(left, right), step / 25).track_ids.tolist()
        assert ids == [1, 2], step


def test_a_moving_face_is_found_again_after_a_gap_in_which_it_left_its_box() -> None:
    tracker = OverlapTracker(forget_after_s=1)
    for step in range(10):  # 500 px a second
        tracker.update(boxes(box(20 * step)), step / 25)
    tracker.update(boxes(), 0.40)
    again = tracker.update(boxes(box(180 + 500 * 0.24)), 9 / 25 + 0.24)
    assert again.track_ids.tolist() == [1]


def test_a_face_far_from_every_track_begins_one() -> None:
    tracker = OverlapTracker(forget_after_s=1)
    tracker.update(boxes(box(10)), 0)
    assert tracker.update(boxes(box(200)), 0.04).track_ids.tolist() == [2]


def test_a_face_of_quite_another_size_begins_a_track() -> None:
    tracker = OverlapTracker(forget_after_s=1)
    tracker.update(boxes([0, 0, 40, 40]), 0)
    assert tracker.update(boxes([-30, -30, 70, 70]), 0.04).track_ids.tolist() == [2]


def test_a_track_ends_once_when_unseen_for_longer_than_allowed() -> None:
    tracker = OverlapTracker(forget_after_s=1)
    tracker.update(boxes(box(10)), 0)
    assert tracker.update(boxes(), 1.0).ended == ()
    assert tracker.update(boxes(), 1.01).ended == (1,)
    assert tracker.update(boxes(), 5).ended == ()
    assert tracker.update(boxes(box(10)), 5.1).track_ids.tolist() == [2]


def test_a_face_that_nobody_looked_for_is_not_forgotten_so_soon() -> None:
    """No frame came for a while: the camera stalled, or the machine was busy."""
    tracker = OverlapTracker(forget_after_s=1)
    tracker.update(boxes(box(10), box(400)), 0)
    back = tracker.update(boxes(box(10)), 2.9)
    assert (back.track_ids.tolist(), back.ended) == ([1], (2,))
    gone = tracker.update(boxes(box(10)), 6.0)
    assert (gone.track_ids.tolist(), gone.ended) == ([3], (1,))


def test_end_all_tells_every_living_track_and_never_reuses_a_number() -> None:
    tracker = OverlapTracker(forget_after_s=1)
    tracker.update(boxes(box(10), box(200), box(400)), 0)
    assert tracker.end_all() == (1, 2, 3)
    assert tracker.end_all() == ()
    assert tracker.update(boxes(box(10)), 0.1).track_ids.tolist() == [4]


@pytest.mark.parametrize("shape", [(4,), (1, 5), (1, 2, 4)])
def test_boxes_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ArrayError, match=r"shape \(n, 4\)"):
        OverlapTracker(forget_after_s=1).update(np.zeros(shape, np.float32), 0)


def test_a_life_of_no_length_is_refused() -> None:
    with pytest.raises(ArrayError, match="forget_after_s"):
        OverlapTracker(forget_after_s=0)


@settings(max_examples=60)
@given(
    st.lists(
        st.integers(0, 6).flatmap(
            lambda n: arrays(np.float32, (n, 4), elements=st.floats(-500, 500, width=16))
        ),
        min_size=1,
        max_size=12,
    )
)
def test_whatever_comes_every_box_has_one_track_of_its_own(frames: list[np.ndarray]) -> None:
    tracker = OverlapTracker(forget_after_s=0.1)
    ended: set[int] = set()
    living: set[int] = set()
    for step, frame in enumerate(frames):
        update = tracker.update(frame, step / 25)
        ids = update.track_ids.tolist()
        assert len(set(ids)) == len(ids) == len(frame)
        assert not ended & set(update.ended), "a track ends once"
        ended |= set(update.ended)
        living |= set(ids)
        assert not ended & set(ids), "an ended track does not come back"
    assert set(tracker.end_all()) == living - ended
