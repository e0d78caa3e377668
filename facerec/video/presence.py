"""Where named people are seen at this moment; tells when one is at two places."""

from datetime import datetime, timedelta
from threading import Lock

__all__ = ["Presence"]

_AT_ONCE = timedelta(seconds=1)
"""Sightings closer in time than this are at once: longer than any detection interval, shorter than
a walk from one camera's view into another's."""


class Presence:
    """Remembers the last sighting of each named track; may be shared between cameras and threads.

    A place is a camera and a track. Two cameras that look at the same spot see one person at two
    places, rightly: what is told is a hint, not a verdict.
    """

    def __init__(self) -> None:
        self._seen: dict[str, dict[tuple[str, int], datetime]] = {}
        self._lock = Lock()

    def note(self, profile_id: str, camera: str, track_id: int, seen: datetime) -> tuple[str, ...]:
        """Note a sighting; return the other places, as ``camera#track``, where the person is."""
        place = (camera, track_id)
        with self._lock:
            places = self._seen.setdefault(profile_id, {})
            places[place] = seen
            for other in [other for other, at in places.items() if abs(seen - at) > _AT_ONCE]:
                del places[other]
            return tuple(f"{name}#{number}" for name, number in places if (name, number) != place)
