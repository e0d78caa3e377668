"""The best looks at decided faces on disk, for as long as the settings allow."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["CropStore"]

_CLEAN_EVERY = timedelta(hours=1)


class CropStore:
    """A folder of JPEG files, one an event; files older than allowed are deleted.

    A disk that is full loses pictures, which are counted, and stops nothing.
    """

    def __init__(self, folder: Path, *, kept_days: float) -> None:
        """Use a folder, which is made when the first picture comes.

        Args:
            folder: Of this store alone: its old ``.jpg`` files are deleted.
            kept_days: Age at which a picture is deleted; above 0.
        """
        self._folder = folder
        self._kept = timedelta(days=kept_days)
        self._cleaned: datetime | None = None
        self._lock = Lock()
        self._lost = 0

    @property
    def lost(self) -> int:
        """Pictures that could not be written."""
        return self._lost

    def keep(self, crop_bgr: NDArray[np.uint8], event_id: str) -> None:
        """Write a face, uint8 (height, width, 3), as ``EVENT_ID.jpg`` that only this user reads."""
        with self._lock:
            try:
                self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._clean(datetime.now(UTC))
                encoded = cv2.imencode(".jpg", crop_bgr)[1].tobytes()
                path = self._folder / f"{event_id}.jpg"
                with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
                    out.write(encoded)
            except OSError:
                self._lost += 1

    def _clean(self, now: datetime) -> None:
        if self._cleaned is not None and now - self._cleaned < _CLEAN_EVERY:
            return
        self._cleaned = now
        oldest = (now - self._kept).timestamp()
        for path in self._folder.glob("*.jpg"):
            if path.stat().st_mtime < oldest:
                path.unlink(missing_ok=True)
