"""A small JSON file that several processes read and change, such as the list of tokens."""

import fcntl
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from facerec.errors import ServiceError

__all__ = ["SharedFile"]

T = TypeVar("T")


class SharedFile(Generic[T]):
    """One value in a file; what any process changes is seen by all at the next reading."""

    def __init__(self, path: Path, adapter: TypeAdapter[T], empty: T, *, damaged: str) -> None:
        """Open nothing yet.

        Args:
            path: The file; it need not exist.
            adapter: Between the value and its JSON.
            empty: The value while there is no file.
            damaged: What to say when it cannot be read, and what to do then.
        """
        self._path = path
        self._adapter = adapter
        self._empty = empty
        self._damaged = damaged
        self._lock = threading.Lock()
        self._stamp: tuple[int, int, int] | None = None
        self._value = empty

    def read(self) -> T:
        """Return the value.

        Raises:
            ServiceError: the file is damaged or cannot be read.
        """
        with self._lock:
            try:
                found = self._path.stat()
                stamp = (found.st_mtime_ns, found.st_ino, found.st_size)
                if stamp != self._stamp:
                    self._value = self._adapter.validate_json(self._path.read_bytes())
                    self._stamp = stamp
            except FileNotFoundError:
                self._value, self._stamp = self._empty, None
            except (OSError, ValidationError) as error:
                raise ServiceError(self._damaged) from error
            return self._value

    def change(self, changed: Callable[[T], T]) -> T:
        """Replace the value by what is made of it, one process at a time; return it.

        The file is replaced as a whole, readable by its owner alone.

        Raises:
            ServiceError: the file is damaged or cannot be written.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
            with open(descriptor, "wb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                value = changed(self.read())
                self._write(value)
        except OSError as error:
            raise ServiceError(
                f"{self._path.name} in the home cannot be written: {(error.strerror or '').lower()}"
            ) from error
        return value

    def _write(self, value: T) -> None:
        scratch = self._path.with_suffix(".new")
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "wb") as file:
            file.write(self._adapter.dump_json(value, indent=1))
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(self._path)
