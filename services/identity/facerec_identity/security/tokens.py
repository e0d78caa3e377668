"""API tokens: for callers that cannot use a certificate.

A token is 32 random bytes behind its id. Only its SHA-256 is kept: a fast hash is enough, because
nobody can guess 256 random bits (OWASP's slow hashes are for passwords).
"""

import fcntl
import hashlib
import hmac
import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from facerec.errors import ServiceError, UnauthenticatedError
from facerec_identity.security.caller import Caller, Role

__all__ = ["TokenRecord", "TokenStore"]

_PREFIX = "facerec"
"""First part of every token, so that scanners for leaked secrets can know one."""


@dataclass(frozen=True)
class TokenRecord:
    """What is kept of a token.

    Attributes:
        token_id: Public name of the token.
        name: Whom it was issued to, in the operator's words.
        roles: What its bearer may do.
        gates: Names of the gates that its bearer may speak for.
        audience: Server that it is for.
        secret_sha256: Hash of its secret part, in hexadecimal.
        created: When it was issued, UTC.
        expires: When it ends, UTC.
        revoked: When it was revoked, UTC; None when it was not.
    """

    token_id: str
    name: str
    roles: frozenset[Role]
    gates: frozenset[str]
    audience: str
    secret_sha256: str
    created: datetime
    expires: datetime
    revoked: datetime | None = None

    def valid(self, audience: str, now: datetime) -> bool:
        """Return whether it is good for a server at a time."""
        return self.revoked is None and self.audience == audience and now < self.expires


_RECORDS = TypeAdapter(tuple[TokenRecord, ...])


class TokenStore:
    """The tokens in one file; changes of any process are seen at the next call."""

    def __init__(self, path: Path) -> None:
        """Open nothing yet.

        Args:
            path: The file; it need not exist.
        """
        self._path = path
        self._lock = threading.Lock()
        self._stamp: tuple[int, int, int] | None = None
        self._records: tuple[TokenRecord, ...] = ()

    def records(self) -> tuple[TokenRecord, ...]:
        """Return all tokens, oldest first.

        Raises:
            ServiceError: the file is damaged or cannot be read.
        """
        with self._lock:
            try:
                found = self._path.stat()
                stamp = (found.st_mtime_ns, found.st_ino, found.st_size)
                if stamp != self._stamp:
                    self._records = _RECORDS.validate_json(self._path.read_bytes())
                    self._stamp = stamp
            except FileNotFoundError:
                self._records, self._stamp = (), None
            except (OSError, ValidationError) as error:
                raise ServiceError(
                    "the file of API tokens cannot be read; restore it from a backup, or remove it "
                    "and issue the tokens again"
                ) from error
            return self._records

    def issue(
        self,
        name: str,
        *,
        roles: frozenset[Role],
        gates: frozenset[str],
        audience: str,
        now: datetime,
        expires: datetime,
    ) -> tuple[TokenRecord, str]:
        """Make a token; its text is told once and kept nowhere.

        Returns:
            What is kept, and the token's text.
        """
        token_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        record = TokenRecord(
            token_id, name, roles, gates, audience, _hash(secret), created=now, expires=expires
        )
        with self._writing():
            self._write((*self.records(), record))
        return record, f"{_PREFIX}_{token_id}_{secret}"

    def revoke(self, token_id: str, now: datetime) -> TokenRecord:
        """Make a token worthless from now on.

        Raises:
            ServiceError: there is no such token.
        """
        with self._writing():
            records = self.records()
            found = next((record for record in records if record.token_id == token_id), None)
            if found is None:
                raise ServiceError(
                    f"there is no token with the id {token_id!r}; see: facerec tokens list"
                )
            revoked = replace(found, revoked=found.revoked or now)
            self._write(tuple(revoked if record is found else record for record in records))
        return revoked

    def caller(self, text: str, *, audience: str, now: datetime) -> Caller:
        """Return who bears a token.

        Raises:
            UnauthenticatedError: it is unknown, altered, expired, revoked, or for another server.
            ServiceError: the file is damaged.
        """
        prefix, _, rest = text.partition("_")
        token_id, _, secret = rest.partition("_")
        digest = _hash(secret)
        for record in self.records():
            if (
                prefix == _PREFIX
                and record.token_id == token_id
                and hmac.compare_digest(record.secret_sha256, digest)
                and record.valid(audience, now)
            ):
                return Caller(f"token:{token_id}", record.roles, record.gates)
        raise UnauthenticatedError("the token is not valid")

    def _write(self, records: tuple[TokenRecord, ...]) -> None:
        """Replace the file as a whole, readable by its owner alone."""
        scratch = self._path.with_suffix(".new")
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "wb") as file:
            file.write(_RECORDS.dump_json(records, indent=1))
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(self._path)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Let one process at a time change the file."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        with open(descriptor, "wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
