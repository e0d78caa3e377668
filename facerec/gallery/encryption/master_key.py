"""The master key that opens a home, and where it comes from: a file, a text, or a command.

Only `MasterKeys` holds key material; it is never printed, and no message contains any of it.
"""

import base64
import binascii
import hashlib
import os
import re
import secrets
import shlex
import stat
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, Self

from facerec.errors import MasterKeyError

__all__ = ["KeyCommand", "KeyFile", "KeySource", "KeyText", "MasterKeys"]

KEY_BYTES = 32
"""AES-256."""

_COMMAND_TIMEOUT_S = 60
"""A key service that does not answer for this long is taken to be down."""

_FORM = "64 hexadecimal digits, or base64 of 32 bytes (`openssl rand -hex 32` makes one)"


@dataclass(frozen=True)
class MasterKeys:
    """The key that new data keys are wrapped with, and older ones that still open what there is.

    Attributes:
        keys: 32 bytes each, the current one first.
    """

    keys: tuple[bytes, ...] = field(repr=False)

    @classmethod
    def parse(cls, text: str, whence: str) -> Self:
        """Read keys that stand in a text, the current one first.

        Args:
            text: Keys between white space; lines that begin with ``#`` are passed over.
            whence: Where it came from, for messages.

        Raises:
            MasterKeyError: there is none, or something that is no key.
        """
        lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
        words = " ".join(lines).split()
        if not words:
            raise MasterKeyError(f"{whence} holds no master key; it must be {_FORM}")
        return cls(tuple(_key(word, whence) for word in words))

    @classmethod
    def random(cls) -> Self:
        """Return one new key."""
        return cls((secrets.token_bytes(KEY_BYTES),))

    @property
    def current_id(self) -> str:
        """Id of the current key."""
        return _id(self.keys[0])

    def find(self, key_id: str) -> bytes | None:
        """Return the key of an id, if it is among these."""
        return next((key for key in self.keys if _id(key) == key_id), None)

    def text(self) -> str:
        """Return the form that `parse` reads."""
        return "".join(f"{key.hex()}\n" for key in self.keys)


class KeySource(Protocol):
    """Where a home's master key comes from."""

    def load(self) -> MasterKeys:
        """Return the keys.

        Raises:
            MasterKeyError: they cannot be had; the message says why and what to do.
        """
        ...

    def load_or_make(self) -> MasterKeys:
        """Return the keys for a home that has none yet, made if this source can make one.

        Raises:
            MasterKeyError: they cannot be had or made.
        """
        ...

    def begin_rotation(self, key_id: str) -> MasterKeys:
        """Return keys whose first is new and among which is the one of `key_id`.

        Raises:
            MasterKeyError: they cannot be had or made.
        """
        ...

    def end_rotation(self, keys: MasterKeys) -> None:
        """Forget all but the first of `keys`, if this source keeps them itself."""
        ...


@dataclass(frozen=True)
class KeyFile:
    """A file that only its owner may read; made with a random key when a home is new."""

    path: Path

    def load(self) -> MasterKeys:
        """Read the file."""
        try:
            mode = self.path.stat().st_mode
            if stat.S_IMODE(mode) & 0o077:
                raise MasterKeyError(
                    f"others than its owner may read the master key {self.path}; "
                    f"run: chmod 600 {self.path}"
                )
            text = self.path.read_text(encoding="ascii")
        except FileNotFoundError as error:
            raise MasterKeyError(
                f"the master key {self.path} is missing; put it back from where it is kept safe: "
                "without it nothing that is stored of people can be read"
            ) from error
        except OSError as error:
            raise MasterKeyError(
                f"the master key {self.path} cannot be read: {error.strerror}"
            ) from error
        except UnicodeDecodeError as error:
            raise MasterKeyError(f"{self.path} must hold {_FORM}") from error
        return MasterKeys.parse(text, str(self.path))

    def load_or_make(self) -> MasterKeys:
        """Read the file, or make it; of two processes that make it, the first one's stays."""
        if not self.path.exists():
            self._write(MasterKeys.random(), replace=False)
        return self.load()

    def begin_rotation(self, key_id: str) -> MasterKeys:
        """Put a new key first in the file, unless an earlier rotation did and was cut off."""
        keys = self.load()
        if keys.current_id == key_id:
            keys = MasterKeys(MasterKeys.random().keys + keys.keys)
            self._write(keys, replace=True)
        return keys

    def end_rotation(self, keys: MasterKeys) -> None:
        """Leave only the first key in the file."""
        self._write(MasterKeys(keys.keys[:1]), replace=True)

    def _write(self, keys: MasterKeys, *, replace: bool) -> None:
        """Write the whole file at once and onto the disk."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor, name = tempfile.mkstemp(dir=self.path.parent, prefix=".new-")  # 0600
            new = Path(name)
            try:
                with open(descriptor, "w", encoding="ascii") as file:
                    file.write("# Master key of facerec. Keep a copy apart from the backups.\n")
                    file.write(keys.text())
                    file.flush()
                    os.fsync(file.fileno())
                if replace:
                    new.replace(self.path)
                else:
                    os.link(new, self.path)
            except FileExistsError:
                pass
            finally:
                new.unlink(missing_ok=True)
            _sync_folder(self.path.parent)
        except OSError as error:
            raise MasterKeyError(
                f"the master key {self.path} cannot be written: {error.strerror}"
            ) from error


@dataclass(frozen=True)
class KeyText:
    """Keys that somebody else keeps and hands in, in an environment variable for instance.

    Attributes:
        text: As `MasterKeys.parse` reads it.
        whence: What to call it in messages.
    """

    text: str = field(repr=False)
    whence: str

    def load(self) -> MasterKeys:
        """Read the text."""
        return MasterKeys.parse(self.text, self.whence)

    def load_or_make(self) -> MasterKeys:
        """Read the text; whoever keeps the keys makes them."""
        return self.load()

    def begin_rotation(self, key_id: str) -> MasterKeys:
        """Return the keys if the new one stands before the old one."""
        return _rotatable(self.load(), key_id, self.whence)

    def end_rotation(self, keys: MasterKeys) -> None:
        """Leave the rest to whoever keeps the keys."""


@dataclass(frozen=True)
class KeyCommand:
    """A command that prints the keys, such as the client of a key service."""

    command: str

    def load(self) -> MasterKeys:
        """Run the command; it sees no shell."""
        try:
            done = subprocess.run(
                shlex.split(self.command),
                capture_output=True,
                text=True,
                timeout=_COMMAND_TIMEOUT_S,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except (OSError, ValueError, IndexError, subprocess.TimeoutExpired) as error:
            raise MasterKeyError(
                f"the command for the master key could not be run ({type(error).__name__}); "
                "see encryption.master_key_command"
            ) from error
        if done.returncode:
            raise MasterKeyError(
                f"the command for the master key failed with exit code {done.returncode}; run it "
                "by hand to see why: encryption.master_key_command"
            )
        return MasterKeys.parse(done.stdout, "what encryption.master_key_command printed")

    def load_or_make(self) -> MasterKeys:
        """Run the command; whoever keeps the keys makes them."""
        return self.load()

    def begin_rotation(self, key_id: str) -> MasterKeys:
        """Return the keys if the new one is printed before the old one."""
        return _rotatable(self.load(), key_id, "encryption.master_key_command")

    def end_rotation(self, keys: MasterKeys) -> None:
        """Leave the rest to whoever keeps the keys."""


def _rotatable(keys: MasterKeys, key_id: str, whence: str) -> MasterKeys:
    if keys.current_id == key_id:
        raise MasterKeyError(
            f"{whence} still gives the present master key first; make it give the new key and "
            "then the present one, and run this again"
        )
    return keys


def _key(word: str, whence: str) -> bytes:
    try:
        if re.fullmatch(r"[0-9a-fA-F]{64}", word):
            return bytes.fromhex(word)
        key = base64.b64decode(word, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MasterKeyError(f"a master key in {whence} must be {_FORM}") from error
    if len(key) != KEY_BYTES:
        raise MasterKeyError(f"a master key in {whence} must be {_FORM}")
    return key


def _id(key: bytes) -> str:
    """Name a key without telling anything of it: of 256 random bits a hash gives nothing away."""
    return hashlib.sha256(b"facerec master key id" + key).hexdigest()[:16]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
