"""Encryption at rest: what is stored of a person can be read only with the master key.

Everything is sealed with AES-256-GCM (NIST SP 800-38D) by the package cryptography. Each person has
a random data key of their own, which seals all that is held on them; the data key is wrapped by the
master key. To destroy the data key is to erase the person, and a new master key re-wraps data keys
without touching data. Every sealed value is bound to its home, its person and its purpose, so that
a value that is copied to another place does not open.

Equal names must be found without being read: they are stored as a tag too, an HMAC-SHA-256 under a
random key of the home, which tells nothing to whoever lacks the master key.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from facerec.errors import MasterKeyError, RecordDamagedError
from facerec.gallery.encryption.master_key import KEY_BYTES, KeySource, MasterKeys

__all__ = ["OVERHEAD_BYTES", "SealedKey", "Vault", "open_sealed", "seal"]

_NONCE_BYTES = 12
"""As SP 800-38D advises; random, so that one key may seal 2^32 values."""
OVERHEAD_BYTES = _NONCE_BYTES + 16
"""By how much a sealed value is longer than the plain one: the nonce and the tag."""


def seal(key: bytes, plain: bytes, *context: str) -> bytes:
    """Encrypt a value for one place.

    Args:
        key: 32 bytes.
        plain: The value.
        context: What names the place; `open_sealed` must be told the same.

    Returns:
        A random nonce, then the ciphertext and its tag: `OVERHEAD_BYTES` longer than `plain`.
    """
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, _associated(context))


def open_sealed(key: bytes, sealed: bytes, *context: str) -> bytes:
    """Decrypt a value.

    Raises:
        RecordDamagedError: it was changed, cut off, or belongs to another place.
    """
    nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    try:
        return AESGCM(key).decrypt(nonce, rest, _associated(context))
    except (InvalidTag, ValueError) as error:
        raise RecordDamagedError(
            "an encrypted record was changed or put in another's place"
        ) from error


@dataclass(frozen=True)
class SealedKey:
    """A data key as it is stored.

    Attributes:
        master_key_id: Id of the master key that opens it.
        wrapped: The sealed key.
    """

    master_key_id: str
    wrapped: bytes = field(repr=False)


class Vault:
    """Opens and seals what one home holds; safe to use from several threads."""

    def __init__(self, home_id: str, source: KeySource, keys: MasterKeys) -> None:
        """Use the keys of a source.

        Args:
            home_id: Random id of the home, to which all that is sealed is bound.
            source: Asked again when a key is met that it did not give at first.
            keys: What the source gave.
        """
        self.home_id = home_id
        self._source = source
        self._keys = keys
        self._reloading = Lock()
        self._tag_key: bytes | None = None

    @property
    def master_key_id(self) -> str:
        """Id of the key that new data keys are wrapped with."""
        return self._keys.current_id

    def new_key(self, owner: str) -> tuple[bytes, SealedKey]:
        """Return a random data key, plain and sealed, for an owner such as a profile's id."""
        key = secrets.token_bytes(KEY_BYTES)
        return key, self.wrap(key, owner)

    def wrap(self, key: bytes, owner: str) -> SealedKey:
        """Seal a data key with the current master key."""
        keys = self._keys
        return SealedKey(keys.current_id, seal(keys.keys[0], key, "data key", self.home_id, owner))

    def unwrap(self, sealed: SealedKey, owner: str) -> bytes:
        """Open a data key.

        Raises:
            MasterKeyError: its master key is not among those that there are.
            RecordDamagedError: it was changed, or is another owner's.
        """
        master = self._master(sealed.master_key_id)
        return open_sealed(master, sealed.wrapped, "data key", self.home_id, owner)

    def use_tag_key(self, key: bytes) -> None:
        """Set the key of `tag`."""
        self._tag_key = key

    def tag(self, purpose: str, text: str) -> str:
        """Return what a text is found again by, 64 hexadecimal digits.

        Raises:
            MasterKeyError: the home's key for it has not been opened.
        """
        if self._tag_key is None:
            raise MasterKeyError("the home has not been opened with its master key")
        message = json.dumps([purpose, text]).encode()
        return hmac.new(self._tag_key, message, hashlib.sha256).hexdigest()

    def rotated(self, key_id: str) -> "tuple[Vault, Callable[[], None]]":
        """Return a vault with a new master key, and what to call once all is wrapped with it.

        Args:
            key_id: Id of the present master key.

        Raises:
            MasterKeyError: there is no new key, or the present one is not at hand.
        """
        keys = self._source.begin_rotation(key_id)
        other = Vault(self.home_id, self._source, keys)
        other._tag_key = self._tag_key
        return other, lambda: self._source.end_rotation(keys)

    def _master(self, key_id: str) -> bytes:
        found = self._keys.find(key_id)
        if found is None:
            with self._reloading:  # another process may have rotated the key since
                self._keys = self._source.load()
            found = self._keys.find(key_id)
        if found is None:
            raise MasterKeyError(
                f"what is stored needs the master key {key_id}, but the one given is "
                f"{self._keys.current_id}; give the one that this home was last used with"
            )
        return found


def _associated(context: tuple[str, ...]) -> bytes:
    """Write a place so that no two places are written alike."""
    return b"facerec 1 " + b"".join(b"%d:%s" % (len(p), p) for p in map(str.encode, context))
