"""The file of a backup: a ZIP archive with a manifest that gives the hash of each member.

Members are ``manifest.json``, ``gallery.db`` (an SQLite database with all tables of the gallery,
whatever system they came from; what is sealed there stays sealed) and the operating points.
"""

import hashlib
import json
import os
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from facerec.errors import BackupError

__all__ = ["DATABASE_MEMBER", "BackupManifest", "read_backup_file", "write_backup_file"]

_FORMAT = 1
_MANIFEST = "manifest.json"
DATABASE_MEMBER = "gallery.db"
"""Member that holds the tables."""
_CHUNK = 1 << 20

_DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError),
    *(ValueError, TypeError, KeyError, EOFError),
)
"""What reading an archive raises that is not one, or not whole."""


@dataclass(frozen=True)
class BackupManifest:
    """What a backup says of itself.

    Attributes:
        home_id: Random id of the home.
        master_key_id: Id of the master key that it opens with, which it does not hold.
        revision: Of the gallery.
        entries: Number of the journal's last entry.
        created: When it was made, UTC, as times are stored.
        profiles: How many people it holds.
        templates: How many templates it holds.
        members: SHA-256 of each other member, by name.
    """

    home_id: str
    master_key_id: str
    revision: int
    entries: int
    created: str
    profiles: int
    templates: int
    members: Mapping[str, str]

    @classmethod
    def read(cls, text: bytes) -> Self:
        """Read the JSON form.

        Raises:
            ValueError: it is something else.
            TypeError: so is it.
        """
        record: dict[str, Any] = json.loads(text)
        if record.pop("format") != _FORMAT:
            raise ValueError("another format")
        return cls(**record)

    def text(self) -> bytes:
        """Return the JSON form."""
        return json.dumps({"format": _FORMAT, **asdict(self)}, indent=1).encode()


def write_backup_file(path: Path, manifest: BackupManifest, members: Mapping[str, Path]) -> None:
    """Write a backup (0600) onto the disk.

    Args:
        path: The file, of which there is none yet.
        manifest: `BackupManifest.members` is filled in here.
        members: Files by their names in the archive.

    Raises:
        OSError: it cannot be written.
    """
    path.touch(mode=0o600, exist_ok=False)
    with path.open("wb") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            hashes = {inside: _sha256(there) for inside, there in members.items()}
            filled = BackupManifest(**{**vars(manifest), "members": hashes})
            archive.writestr(_MANIFEST, filled.text())
            for inside, there in members.items():
                archive.write(there, inside)
        file.flush()
        os.fsync(file.fileno())


def read_backup_file(path: Path, folder: Path) -> BackupManifest:
    """Unpack a backup into a folder and check every byte of it.

    Args:
        path: The file.
        folder: Exists; nobody else can write there.

    Raises:
        BackupError: it is no backup, or a damaged one.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = BackupManifest.read(archive.read(_MANIFEST))
            if set(archive.namelist()) != {_MANIFEST, *manifest.members}:
                raise BackupError(f"{path} does not hold what it says; take another backup")
            for name in manifest.members:
                _unpack(archive, name, folder)
    except _DAMAGED as error:
        raise BackupError(
            f"{path} is not a backup of facerec's, or is damaged; take another"
        ) from error
    except OSError as error:
        raise BackupError(
            f"{path} cannot be read or unpacked: {error.strerror}; check the path, and that the "
            "disk of the home has room for what it holds"
        ) from error
    for name, sha256 in manifest.members.items():
        if _sha256(folder / name) != sha256:
            raise BackupError(f"{path} is damaged: {name} is not as it was; take another backup")
    if DATABASE_MEMBER not in manifest.members:
        raise BackupError(f"{path} does not hold a gallery; take another backup")
    return manifest


def _unpack(archive: zipfile.ZipFile, name: str, folder: Path) -> None:
    """Unpack a member, to nowhere but the folder."""
    parts = Path(name).parts
    if Path(name).is_absolute() or ".." in parts or len(parts) > 2:
        raise ValueError("a member that is none of ours")
    target = folder / name
    target.parent.mkdir(exist_ok=True, mode=0o700)
    target.touch(mode=0o600)
    with archive.open(name) as packed, target.open("wb") as file:
        while chunk := packed.read(_CHUNK):
            file.write(chunk)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
