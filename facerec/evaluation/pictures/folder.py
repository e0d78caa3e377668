"""A folder with one folder of pictures a person."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facerec.errors import EvaluationError

__all__ = ["PICTURE_SUFFIXES", "PeoplePictures", "find_people", "find_pictures", "find_strangers"]

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
"""File name endings that are taken for pictures; whether they are is seen on reading."""


@dataclass(frozen=True, eq=False)
class PeoplePictures:
    """Pictures of known people.

    Attributes:
        root: Folder that the paths are relative to.
        paths: (n,) pictures, ``PERSON/FILE`` with forward slashes, sorted.
        people: int32 (n,) the person of each picture, 0-based.
        names: Person of each number: the name of the folder.
    """

    root: Path
    paths: tuple[str, ...]
    people: NDArray[np.int32]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.paths)

    def rows_of(self, names: frozenset[str]) -> NDArray[np.intp]:
        """Return the rows of the pictures of some people."""
        wanted = np.array([name in names for name in self.names], bool)
        return np.flatnonzero(wanted[self.people])

    def only(self, rows: NDArray[np.intp]) -> "PeoplePictures":
        """Return some of the pictures, people renumbered without gaps."""
        kept, people = np.unique(self.people[rows], return_inverse=True)
        return PeoplePictures(
            self.root,
            tuple(self.paths[row] for row in rows),
            people.astype(np.int32),
            tuple(self.names[person] for person in kept),
        )


def find_pictures(folder: Path) -> tuple[Path, ...]:
    """Return the pictures that lie in a folder itself, by name; hidden files are left out.

    Raises:
        EvaluationError: there is no such folder, or it may not be read.
    """
    return tuple(
        path
        for path in _entries(folder)
        if path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".")
    )


def find_people(root: Path) -> PeoplePictures:
    """List the pictures of a folder of folders: one folder a person, named as the person.

    Raises:
        EvaluationError: there is no such folder, it or one in it may not be read, or none in it
            holds a picture.
    """
    paths: list[str] = []
    people: list[int] = []
    names: list[str] = []
    for folder in (path for path in _entries(root) if os.path.isdir(path)):
        found = () if folder.name.startswith(".") else find_pictures(folder)
        if found:
            people += [len(names)] * len(found)
            paths += [f"{folder.name}/{path.name}" for path in found]
            names.append(folder.name)
    if not paths:
        raise EvaluationError(
            f"{root} holds no pictures of people: it must hold one folder a person, each with "
            f"that person's pictures ({', '.join(PICTURE_SUFFIXES)})"
        )
    return PeoplePictures(root, tuple(paths), np.array(people, np.int32), tuple(names))


def find_strangers(root: Path) -> PeoplePictures:
    """List pictures of strangers: a folder of folders, or a folder with one picture a person.

    Raises:
        EvaluationError: there is no such folder, or no picture in it.
    """
    alone = find_pictures(root)
    if not alone:
        return find_people(root)
    names = tuple(path.name for path in alone)
    return PeoplePictures(root, names, np.arange(len(names), dtype=np.int32), names)


def _entries(folder: Path) -> list[Path]:
    """Return what lies in a folder, by name."""
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError) as error:
        raise EvaluationError(f"there is no folder {folder}") from error
    except OSError as error:
        raise EvaluationError(
            f"the folder {folder} cannot be read: {error.strerror or error}"
        ) from error
