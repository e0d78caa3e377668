"""The operating points of a home, and which one is in use."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from facerec.decision.factory_operating_point import (
    factory_operating_point,
    factory_operating_points,
)
from facerec.decision.operating_point import OperatingPoint
from facerec.decision.operating_point_file import (
    operating_point_from_json,
    operating_point_to_json,
)
from facerec.errors import OperatingPointError

__all__ = ["FACTORY", "OperatingPointStore"]

FACTORY = "factory"
"""Names the operating point that comes with facerec, of whichever space."""
IN_USE = "in-use"
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True)
class OperatingPointStore:
    """A folder with one JSON file an operating point.

    Attributes:
        folder: Need not exist.
    """

    folder: Path

    @staticmethod
    def check_name(name: str) -> None:
        """Check that an operating point can be kept under a name.

        Raises:
            OperatingPointError: it is not fit for a file, or stands for something else.
        """
        taken = {FACTORY, IN_USE, *(point.name for point in factory_operating_points())}
        if not NAME.fullmatch(name) or name in taken:
            raise OperatingPointError(
                "the name of an operating point must be of small letters, digits, '.', '_' and "
                f"'-', and none of {', '.join(sorted(taken))}; received {name!r}"
            )

    def add(self, point: OperatingPoint, *, use: bool = True) -> None:
        """Keep an operating point under its name, in place of an older one, and use it.

        Raises:
            OperatingPointError: the name is not fit for a file, or the folder cannot be written.
        """
        self.check_name(point.name)
        self._write(f"{point.name}.json", operating_point_to_json(point))
        if use:
            self.use(point.name)

    def all(self) -> tuple[OperatingPoint, ...]:
        """Return all operating points of the home, by name.

        Raises:
            OperatingPointError: a file is damaged; the message names it.
        """
        return tuple(self._read(path) for path in sorted(self.folder.glob("*.json")))

    def get(self, name: str) -> OperatingPoint:
        """Return an operating point of the home.

        Raises:
            OperatingPointError: there is none of that name, or its file is damaged.
        """
        path = self.folder / f"{name}.json"
        if not NAME.fullmatch(name) or not path.is_file():
            known = ", ".join([FACTORY, *(point.name for point in self.all())])
            raise OperatingPointError(f"no operating point is named {name}; there are: {known}")
        return self._read(path)

    def use(self, name: str) -> None:
        """Decide at that operating point from now on; `FACTORY` for the one that came along.

        Raises:
            OperatingPointError: there is none of that name.
        """
        if name != FACTORY:
            self.get(name)
        self._write(IN_USE, name + "\n")

    def in_use_name(self) -> str:
        """Return the name of the operating point in use."""
        try:
            return (self.folder / IN_USE).read_text(encoding="utf-8").strip() or FACTORY
        except FileNotFoundError:
            return FACTORY
        except (OSError, UnicodeDecodeError) as error:
            raise OperatingPointError(
                "which operating point is in use cannot be read; run: "
                f"facerec operating-points use {FACTORY}"
            ) from error

    def in_use(self, embedding_space: str) -> OperatingPoint:
        """Return the operating point in use for a space.

        Raises:
            OperatingPointError: it was measured in another space, or none is known for this one.
        """
        name = self.in_use_name()
        if name == FACTORY:
            return factory_operating_point(embedding_space)
        return self.get(name).fitting(embedding_space)

    def _read(self, path: Path) -> OperatingPoint:
        try:
            return operating_point_from_json(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, OperatingPointError) as error:
            raise OperatingPointError(
                f"the operating point {path.stem} cannot be read ({error}); remove {path} and run: "
                "facerec calibrate"
            ) from error

    def _write(self, name: str, text: str) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            unfinished = self.folder / f".{name}.unfinished"
            unfinished.write_text(text, encoding="utf-8")
            os.replace(unfinished, self.folder / name)
        except OSError as error:
            raise OperatingPointError(
                f"the operating point cannot be kept in {self.folder}: {error.strerror or error}"
            ) from error
