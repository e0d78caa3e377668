"""Signed heads of the audit journal, with Ed25519 (RFC 8032)."""

import hashlib
import json
import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

__all__ = ["HeadSigner", "SignedHead", "new_private_key", "verify_head"]


@dataclass(frozen=True)
class SignedHead:
    """That the journal had a certain end at a certain time.

    Attributes:
        number: Of the last entry.
        sha256: Of that entry.
        signed: When, UTC, as times are stored.
        key_id: Of the key that signed it.
        signature: 128 hexadecimal digits.
    """

    number: int
    sha256: str
    signed: str
    key_id: str
    signature: str


class HeadSigner:
    """Signs the heads of one home's journal."""

    def __init__(self, home_id: str, private_key: bytes) -> None:
        """Sign with a key of 32 bytes."""
        self._home_id = home_id
        self._key = Ed25519PrivateKey.from_private_bytes(private_key)
        self.public_key = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.key_id = key_id_of(self.public_key)

    def sign(self, number: int, sha256: str, signed: str) -> SignedHead:
        """Return the signed head at an entry."""
        message = _message(self._home_id, number, sha256, signed)
        signature = self._key.sign(message).hex()
        return SignedHead(number, sha256, signed, self.key_id, signature)


def new_private_key() -> bytes:
    """Return a random private key: any 32 bytes are one."""
    return secrets.token_bytes(32)


def key_id_of(public_key: bytes) -> str:
    """Name a public key by 16 hexadecimal digits."""
    return hashlib.sha256(public_key).hexdigest()[:16]


def verify_head(head: SignedHead, home_id: str, public_key: bytes) -> bool:
    """Tell whether the key signed that head."""
    message = _message(home_id, head.number, head.sha256, head.signed)
    try:
        signature = bytes.fromhex(head.signature)
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return head.key_id == key_id_of(public_key)


def _message(home_id: str, number: int, sha256: str, signed: str) -> bytes:
    return json.dumps(["facerec audit head", home_id, number, sha256, signed]).encode()
