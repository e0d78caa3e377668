"""Where the server listens, and where it may."""

import ipaddress
import socket
from dataclasses import dataclass
from typing import Self

from facerec.errors import ServiceError

__all__ = ["ListenAddress"]


@dataclass(frozen=True)
class ListenAddress:
    """A host and a port.

    Attributes:
        host: An IP address without brackets, or ``localhost``.
        port: 0 to 65535; 0 lets the system choose a free one.
    """

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``HOST:PORT``, an IPv6 host in brackets.

        Raises:
            ServiceError: it is nothing of the kind.
        """
        host, colon, port = text.rpartition(":")
        bracketed = host.startswith("[") and host.endswith("]")
        if bracketed:
            host = host[1:-1]
        valid_port = port.isascii() and port.isdigit() and int(port) <= 65535
        if not colon or not valid_port or not _is_host(host) or (":" in host) != bracketed:
            raise ServiceError(
                f"listen must be HOST:PORT with an IP address or localhost, such as "
                f"127.0.0.1:50051 or [::1]:50051; received {text!r}"
            )
        return cls(host, int(port))

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback

    def require_loopback(self) -> None:
        """Refuse what other machines could reach: pictures of faces would travel in clear.

        Raises:
            ServiceError: the address is not a loopback address.
        """
        if not self.loopback:
            raise ServiceError(
                f"refusing to listen on {self}: without TLS everybody on the network could read "
                "the faces; make certificates with `facerec pki init` and `facerec pki issue "
                "--host NAME`, or listen on 127.0.0.1"
            )

    def require_free(self) -> None:
        """Refuse a port that cannot be opened, with the system's reason.

        gRPC's own error says neither why nor where, and writes to stderr besides.

        Raises:
            ServiceError: another program listens there, or the system does not allow it.
        """
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # As gRPC does, lest the connections of a server that has just ended count as a server.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except OSError as error:
                raise ServiceError(
                    f"cannot listen on {self}: {(error.strerror or str(error)).lower()}; "
                    "choose another with --listen HOST:PORT"
                ) from error


def _is_host(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
