"""A tracker by overlap and nearness of boxes, with constant-velocity prediction."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from facerec.errors import ArrayError
from facerec.video.tracker import TrackUpdate

__all__ = ["OverlapTracker"]

# A face 30 frames a second apart moves by a small part of its width; these bounds leave room for
# some lost frames and still keep two people who stand side by side (centres at least one width
# apart) from changing tracks.
_MAX_CENTRE_DISTANCE = 0.8
"""Largest distance between predicted and found centre, in mean box sides."""
_MAX_SIDE_RATIO = 1.8
"""Largest ratio between the sides of the same face in two successive sightings."""
_VELOCITY_GAIN = 0.5
"""Share of a new velocity measurement that is taken over (exponential smoothing)."""
_BLIND_FACTOR = 3.0
"""By this factor longer is a face kept that was not looked for meanwhile, because the camera or the
machine stood still: that it was not seen says nothing."""
_PREDICT_AT_MOST_S = 0.3
"""A face unseen for longer is looked for where it would have been after this time."""


@dataclass(frozen=True, eq=False)
class _Track:
    """One followed face: box float64 (4,) as centre x, y, width, height in px; speed in px/s."""

    track_id: int
    box: NDArray[np.float64]
    velocity: NDArray[np.float64]
    seen_s: float

    def predicted(self, clock_s: float) -> NDArray[np.float64]:
        """Return the box (4,) where it should be now; the size is taken to stay."""
        box = self.box.copy()
        box[:2] += self.velocity * min(clock_s - self.seen_s, _PREDICT_AT_MOST_S)
        return box

    def moved_to(self, box: NDArray[np.float64], clock_s: float) -> "_Track":
        """Return the track after it was seen again."""
        elapsed_s = clock_s - self.seen_s
        velocity = self.velocity
        if elapsed_s > 0:
            measured = (box[:2] - self.box[:2]) / elapsed_s
            velocity = (1 - _VELOCITY_GAIN) * velocity + _VELOCITY_GAIN * measured
        return replace(self, box=box, velocity=velocity, seen_s=clock_s)


class OverlapTracker:
    """A `Tracker` that pairs boxes greedily, best fit first.

    Greedy pairing differs from the optimal one only where two tracks compete for two boxes within
    the gates, which faces of two people side by side do not.
    """

    def __init__(self, *, forget_after_s: float) -> None:
        """Begin with no tracks.

        Args:
            forget_after_s: A face that is looked for and unseen for longer ends its track; above 0.
        """
        if not forget_after_s > 0:
            raise ArrayError(f"forget_after_s must be above 0; received {forget_after_s}")
        self._forget_after_s = forget_after_s
        self._tracks: tuple[_Track, ...] = ()
        self._next_id = 1
        self._updated_s = float("-inf")

    def update(self, boxes_xyxy_px: NDArray[np.float32], clock_s: float) -> TrackUpdate:
        """Say which track each box of a frame belongs to; see `Tracker.update`.

        Raises:
            ArrayError: the boxes have another shape than (n, 4).
        """
        if boxes_xyxy_px.ndim != 2 or boxes_xyxy_px.shape[1] != 4:
            raise ArrayError(f"boxes must have shape (n, 4); received {boxes_xyxy_px.shape}")
        kept = [t for t in self._tracks if clock_s - t.seen_s <= self._patience_s(t)]
        boxes = _centre_boxes(boxes_xyxy_px)
        predicted = np.array([t.predicted(clock_s) for t in kept]).reshape(-1, 4)
        track_ids = np.zeros(len(boxes), np.int64)
        for row, column in _pair(_fit(predicted, boxes)):
            kept[row] = kept[row].moved_to(boxes[column], clock_s)
            track_ids[column] = kept[row].track_id
        kept = [t for t in kept if clock_s - t.seen_s <= self._forget_after_s]
        ended = tuple(sorted({t.track_id for t in self._tracks} - {t.track_id for t in kept}))
        for column in np.flatnonzero(track_ids == 0).tolist():
            kept.append(_Track(self._next_id, boxes[column], np.zeros(2), clock_s))
            track_ids[column] = self._next_id
            self._next_id += 1
        self._tracks = tuple(kept)
        self._updated_s = clock_s
        return TrackUpdate(track_ids, ended)

    def _patience_s(self, track: _Track) -> float:
        """Return for how long a face may have been unseen to be found again."""
        looked_for_since = track.seen_s < self._updated_s
        return self._forget_after_s * (1.0 if looked_for_since else _BLIND_FACTOR)

    def split(self, track_id: int) -> int:
        """Go on with a track under a new number.

        Raises:
            ArrayError: no track has the number `track_id`.
        """
        if track_id not in {t.track_id for t in self._tracks}:
            raise ArrayError(f"there is no track {track_id} to split")
        number, self._next_id = self._next_id, self._next_id + 1
        self._tracks = tuple(
            replace(t, track_id=number) if t.track_id == track_id else t for t in self._tracks
        )
        return number

    def fastest_sides_per_s(self) -> float:
        """Return the speed of the fastest face that is followed; 0 without any."""
        return max(
            (
                float(np.linalg.norm(t.velocity) / np.sqrt(t.box[2] * t.box[3]))
                for t in self._tracks
            ),
            default=0.0,
        )

    def end_all(self) -> tuple[int, ...]:
        """End every track; return their numbers, rising."""
        ended = tuple(sorted(t.track_id for t in self._tracks))
        self._tracks = ()
        return ended


def _centre_boxes(boxes_xyxy: NDArray[np.float32]) -> NDArray[np.float64]:
    """Turn corners into centre x, y, width, height, (n, 4); sides are at least one pixel."""
    corners = boxes_xyxy.astype(np.float64)
    sides = np.maximum(corners[:, 2:] - corners[:, :2], 1.0)
    return np.concatenate([(corners[:, :2] + corners[:, 2:]) / 2, sides], axis=1)


def _fit(tracks: NDArray[np.float64], boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Score how well each track (t, 4) fits each box (n, 4): (t, n), -inf where it cannot."""
    a, b = tracks[:, None], boxes[None]
    overlap = np.minimum(a[..., :2] + a[..., 2:] / 2, b[..., :2] + b[..., 2:] / 2) - np.maximum(
        a[..., :2] - a[..., 2:] / 2, b[..., :2] - b[..., 2:] / 2
    )
    intersection = np.prod(np.maximum(overlap, 0), axis=-1)
    areas = np.prod(a[..., 2:], axis=-1), np.prod(b[..., 2:], axis=-1)
    iou = intersection / (areas[0] + areas[1] - intersection)
    sides = np.sqrt(areas[0]), np.sqrt(areas[1])
    distance = np.linalg.norm(a[..., :2] - b[..., :2], axis=-1) / ((sides[0] + sides[1]) / 2)
    ratio = np.maximum(sides[0], sides[1]) / np.minimum(sides[0], sides[1])
    possible = (distance <= _MAX_CENTRE_DISTANCE) & (ratio <= _MAX_SIDE_RATIO)
    return np.where(possible, iou - distance, -np.inf)


def _pair(fit: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Pair rows with columns, best fit first, each at most once."""
    pairs: list[tuple[int, int]] = []
    rows: set[int] = set()
    columns: set[int] = set()
    for flat in np.argsort(-fit, axis=None, kind="stable"):
        row, column = (int(i) for i in np.unravel_index(flat, fit.shape))
        if not np.isfinite(fit[row, column]):
            break
        if row not in rows and column not in columns:
            pairs.append((row, column))
            rows.add(row)
            columns.add(column)
    return pairs
