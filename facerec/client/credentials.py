"""How a client shows who it is."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import grpc

from facerec.errors import ServiceError

__all__ = ["Tls", "token_metadata"]

_LOOPBACK = ("127.0.0.1:", "[::1]:", "localhost:")


@dataclass(frozen=True)
class Tls:
    """Certificates of one connection, as PEM.

    Attributes:
        authority: Certificate of the authority that the server's must be from.
        certificate: The client's own certificate; None for one that has none.
        key: Its private key.
    """

    authority: bytes
    certificate: bytes | None = None
    key: bytes | None = field(default=None, repr=False)

    @classmethod
    def from_files(
        cls, authority: Path, certificate: Path | None = None, key: Path | None = None
    ) -> Self:
        """Read PEM files, such as those of ``facerec pki``.

        Raises:
            ServiceError: one cannot be read, or one of certificate and key is missing.
        """
        if (certificate is None) != (key is None):
            raise ServiceError("give both of the client's certificate and its key, or neither")
        try:
            return cls(
                authority.read_bytes(),
                None if certificate is None else certificate.read_bytes(),
                None if key is None else key.read_bytes(),
            )
        except OSError as error:
            raise ServiceError(
                f"{error.filename} cannot be read: {(error.strerror or '').lower()}"
            ) from error

    def credentials(self) -> grpc.ChannelCredentials:
        """Return gRPC's form of it."""
        return grpc.ssl_channel_credentials(self.authority, self.key, self.certificate)


def token_metadata(
    target: str, tls: Tls | None, token: str | None
) -> tuple[tuple[str, str], ...] | None:
    """Return the metadata of every call that shows a token; None without one.

    Raises:
        ServiceError: it would travel in clear beyond this machine.
    """
    if token is None:
        return None
    if tls is None and not target.startswith(_LOOPBACK):
        raise ServiceError(f"an API token is sent over TLS only; give tls=... to reach {target}")
    return (("authorization", f"Bearer {token}"),)
