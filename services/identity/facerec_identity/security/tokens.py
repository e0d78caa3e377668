"""API tokens: for callers that cannot use a certificate.

A token is 32 random bytes behind its id. Only its SHA-256 is kept: a fast hash is enough, because
nobody can guess 256 random bits (OWASP's slow hashes are for passwords).
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter

from facerec.errors import ServiceError, UnauthenticatedError
from facerec_identity.security.caller import Caller, Role
from facerec_identity.shared_file import SharedFile

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
        self._file = SharedFile(
            path,
            _RECORDS,
            (),
            damaged="the file of API tokens cannot be read; restore it from a backup, or remove it "
            "and issue the tokens again",
        )

    def records(self) -> tuple[TokenRecord, ...]:
        """Return all tokens, oldest first.

        Raises:
            ServiceError: the file is damaged or cannot be read.
        """
        return self._file.read()

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
        self._file.change(lambda records: (*records, record))
        return record, f"{_PREFIX}_{token_id}_{secret}"

    def revoke(self, token_id: str, now: datetime) -> TokenRecord:
        """Make a token worthless from now on.

        Raises:
            ServiceError: there is no such token.
        """

        def revoking(records: tuple[TokenRecord, ...]) -> tuple[TokenRecord, ...]:
            if all(record.token_id != token_id for record in records):
                raise ServiceError(
                    f"there is no token with the id {token_id!r}; see: facerec tokens list"
                )
            return tuple(
                replace(record, revoked=record.revoked or now)
                if record.token_id == token_id
                else record
                for record in records
            )

        records = self._file.change(revoking)
        return next(record for record in records if record.token_id == token_id)

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


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
