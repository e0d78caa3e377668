"""Events as lines of JSON in a file that is rotated."""

import json
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any

__all__ = ["FileSink"]


class FileSink:
    """Appends one line an event; when the file is full it becomes NAME.1, that NAME.2, and so on.

    A disk that is full loses events, which are counted, and stops nothing.
    """

    def __init__(self, path: Path, *, max_bytes: int, kept: int) -> None:
        """Write to `path`, at most `max_bytes` of it, and keep so many older files (0 or more)."""
        self._path = path
        self._max_bytes = max_bytes
        self._kept = kept
        self._lock = Lock()
        self._lost = 0
        self._trouble = ""

    @property
    def where(self) -> str:
        """The file."""
        return str(self._path)

    @property
    def trouble(self) -> str:
        """Why the last line could not be written; "" when it was."""
        return self._trouble

    @property
    def waiting(self) -> int:
        """Always 0: a line is written at once or lost."""
        return 0

    @property
    def lost(self) -> int:
        """Events that could not be written."""
        return self._lost

    def put(self, event: Mapping[str, Any]) -> None:
        """Append an event."""
        line = json.dumps(event, allow_nan=False) + "\n"
        with self._lock:
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._make_room(len(line.encode()))
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(line)
                self._trouble = ""
            except OSError as error:
                self._lost += 1
                self._trouble = error.strerror or str(error)

    def close(self) -> None:
        """Nothing is open between events."""

    def _make_room(self, size: int) -> None:
        if not self._path.exists() or self._path.stat().st_size + size <= self._max_bytes:
            return
        if not self._kept:
            self._path.unlink()
            return
        for number in range(self._kept - 1, 0, -1):
            older = self._numbered(number)
            if older.exists():
                older.replace(self._numbered(number + 1))
        self._path.replace(self._numbered(1))

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")
