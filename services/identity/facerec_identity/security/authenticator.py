"""Tells who calls, from a certificate, a token, or the connection itself."""

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from facerec.errors import ServiceError, UnauthenticatedError
from facerec_identity.security.caller import Caller, Role
from facerec_identity.security.certificates import read_client
from facerec_identity.security.revocations import RevokedCertificates
from facerec_identity.security.tokens import TokenStore

__all__ = ["Authenticator"]

_logger = logging.getLogger(__name__)

_SCHEME = "bearer "

_TRANSPORT = "transport_security_type"
_IN_CLEAR = b"insecure"
"""How gRPC's authentication context names a connection without TLS."""

Metadata = Iterable[tuple[str, str | bytes]]


def _now() -> datetime:
    return datetime.now(UTC)


class Authenticator:
    """Knows the callers of one server."""

    def __init__(
        self,
        *,
        tokens: TokenStore | None,
        revoked: RevokedCertificates | None,
        audience: str,
        local_roles: Iterable[Role],
        clock: Callable[[], datetime] = _now,
    ) -> None:
        """Compose.

        Args:
            tokens: Tokens that are known; None for none.
            revoked: Certificates that are not taken any more; None for none.
            audience: What tokens must be issued for.
            local_roles: Roles of a caller that shows nothing, on this machine and without TLS.
            clock: Returns the present time, UTC.
        """
        self._tokens = tokens
        self._revoked = revoked
        self._audience = audience
        self._local_roles = frozenset(local_roles)
        self._clock = clock

    def caller(self, connection: Mapping[str, Iterable[bytes]], metadata: Metadata) -> Caller:
        """Return who calls.

        Args:
            connection: gRPC's authentication context. A connection without TLS is one of this
                machine: beyond it the server does not listen without.
            metadata: Of the call.

        Raises:
            UnauthenticatedError: nobody that is known, whatever the cause.
        """
        try:
            chain = list(connection.get("x509_pem_cert", ()))
            if chain:
                return self._certified(chain[0])
            header = next((value for key, value in metadata if key == "authorization"), None)
            if header is not None:
                return self._bearer(header)
        except ServiceError as error:
            if not isinstance(error, UnauthenticatedError):
                _logger.error("nobody is let in: %s", error)
            raise UnauthenticatedError("the credentials are not valid") from error
        if self._local_roles and list(connection.get(_TRANSPORT, ())) == [_IN_CLEAR]:
            return Caller("local", self._local_roles, every_gate=True)
        raise UnauthenticatedError("the call carries no credentials")

    def _certified(self, pem: bytes) -> Caller:
        client = read_client(pem)
        # TLS looked when the connection was made; it may have been open for weeks.
        expired = client.expires <= self._clock()
        if expired or (self._revoked is not None and client.serial in self._revoked):
            raise UnauthenticatedError("the certificate has expired or was revoked")
        return client.caller

    def _bearer(self, header: str | bytes) -> Caller:
        text = header.decode("latin-1") if isinstance(header, bytes) else header
        if self._tokens is None or not text.lower().startswith(_SCHEME):
            raise UnauthenticatedError("the token is not valid")
        return self._tokens.caller(
            text[len(_SCHEME) :].strip(), audience=self._audience, now=self._clock()
        )
