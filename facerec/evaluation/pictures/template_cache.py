"""Templates of pictures, kept by content so that a second run does no analysis."""

import hashlib
import os
import uuid
import zipfile
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import numpy as np

from facerec.evaluation.pictures.face_table import FaceTable

__all__ = ["TemplateCache", "content_hash"]


def content_hash(data: bytes) -> str:
    """Return the hash by which a picture is known, whatever its name: SHA-256, hexadecimal."""
    return hashlib.sha256(data).hexdigest()


class TemplateCache:
    """A folder of part files, each with the faces of some pictures; nothing is ever changed in it.

    A part is written beside its final name and renamed, so a run that is cut off loses at most the
    part it was making, two runs at once disturb neither, and a damaged part is as good as none.
    Templates lie in it in the clear, so only their owner may enter it.

    Args:
        root: Folder of all caches; made for its owner alone.
        embedding_space: Space of the embeddings.
        fingerprint: Stands for everything else that the result depends on: detector, settings,
            and the code of the analysis.
    """

    def __init__(self, root: Path, embedding_space: str, fingerprint: str) -> None:
        space = hashlib.sha256(embedding_space.encode()).hexdigest()[:16]
        self._root = root
        self._folder = root / f"{space}-{fingerprint[:16]}"

    def load(self) -> Mapping[str, FaceTable]:
        """Return the one-row table of every picture that is known, by content hash."""
        known: dict[str, FaceTable] = {}
        for path in sorted(self._folder.glob("*.npz")):
            try:
                with path.open("rb") as opened, np.load(opened, allow_pickle=False) as part:
                    hashes = [str(value) for value in part["hashes"]]
                    table = FaceTable(*(part[field.name] for field in fields(FaceTable)))
            except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
                continue
            if len(hashes) == len(table):
                known.update({h: table[i : i + 1] for i, h in enumerate(hashes)})
        return known

    def add(self, hashes: list[str], rows: list[FaceTable]) -> None:
        """Keep the faces of some pictures."""
        if not hashes:
            return
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.mkdir(mode=0o700, exist_ok=True)
        table = FaceTable.joined(rows)
        final = self._folder / f"{uuid.uuid4().hex}.npz"
        unfinished = final.with_suffix(".unfinished")
        with unfinished.open("wb") as opened:
            np.savez(
                opened,
                hashes=np.array(hashes),
                **{field.name: getattr(table, field.name) for field in fields(table)},
            )
        os.replace(unfinished, final)
