"""A bounded queue on disk, first in, first out: what waits there outlives process and machine."""

import os
from contextlib import suppress
from pathlib import Path
from threading import Condition

__all__ = ["EventSpool"]


class EventSpool:
    """Keeps events as one file each, named by their number; safe between threads of one process.

    When it is full the oldest event gives way and is counted: news is worth more than history.
    """

    def __init__(self, folder: Path, *, most: int) -> None:
        """Use a folder, which is made; what lies there from before comes first.

        Args:
            folder: Of this spool alone.
            most: Events that wait at most, 1 or more.
        """
        folder.mkdir(parents=True, exist_ok=True)
        for unfinished in folder.glob("*.partial"):
            unfinished.unlink(missing_ok=True)
        self._folder = folder
        self._most = most
        self._changed = Condition()
        self._numbers = sorted(
            int(path.stem) for path in folder.glob("*.json") if path.stem.isdecimal()
        )
        self._next = self._numbers[-1] + 1 if self._numbers else 1
        self._lost = 0

    def __len__(self) -> int:
        return len(self._numbers)

    @property
    def lost(self) -> int:
        """Events that gave way to newer ones."""
        return self._lost

    def put(self, line: str) -> None:
        """Append an event, which is on disk when this returns.

        Raises:
            OSError: the disk is full or may not be written.
        """
        with self._changed:
            path = self._path(self._next)
            partial = path.with_suffix(".partial")
            with partial.open("w", encoding="utf-8") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())  # else a power cut may leave the name and not the text
            partial.replace(path)
            _sync(self._folder)  # else it may leave the text and not the name
            self._numbers.append(self._next)
            self._next += 1
            while len(self._numbers) > self._most:
                self._path(self._numbers.pop(0)).unlink(missing_ok=True)
                self._lost += 1
            self._changed.notify_all()

    def first(self, timeout_s: float) -> tuple[int, str] | None:
        """Wait for the oldest event; return its number and text, None when none came in time.

        One whose file somebody took away or damaged is counted as lost, and stands in nobody's way.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: bool(self._numbers), timeout_s):
                return None
            while self._numbers:
                number = self._numbers[0]
                with suppress(FileNotFoundError, UnicodeDecodeError):
                    return number, self._path(number).read_text(encoding="utf-8")
                self._numbers.pop(0)
                self._path(number).unlink(missing_ok=True)
                self._lost += 1
            return None

    def done(self, number: int) -> None:
        """Forget an event that was delivered."""
        with self._changed:
            if number in self._numbers:
                self._numbers.remove(number)
                self._path(number).unlink(missing_ok=True)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:012d}.json"


def _sync(folder: Path) -> None:
    """Have the names in a folder outlive a power cut."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
