"""How a client shows who it is."""

import ssl
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
            ServiceError: one cannot be read, one of certificate and key is missing, or they do not
                belong together.
        """
        if (certificate is None) != (key is None):
            raise ServiceError("give both of the client's certificate and its key, or neither")
        try:
            _try_out(authority, certificate, key)
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


def _try_out(authority: Path, certificate: Path | None, key: Path | None) -> None:
    """Load files as a connection will: gRPC would say of what is wrong that no server answers.

    Raises:
        ServiceError: what is in them cannot be used.
        OSError: one cannot be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(authority)
    except ssl.SSLError as error:
        raise ServiceError(f"{authority} holds no certificate of an authority, PEM") from error
    if certificate is None or key is None:
        return
    for path in (certificate, key):
        path.open("rb").close()  # whose error names the file, which load_cert_chain's does not
    try:
        # Without a password OpenSSL would ask for one on the terminal.
        context.load_cert_chain(certificate, key, password="")
    except ssl.SSLError as error:
        raise ServiceError(
            f"{certificate} and {key} are no certificate and its key: either they do not belong "
            "together, or one is no PEM file, or the key has a password"
        ) from error


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
