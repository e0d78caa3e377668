"""A site's certificates and tokens, and a real server that is guarded by them."""

import socket
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc

from facerec.client import Tls
from facerec.settings import Settings
from facerec_identity.security.caller import Role
from facerec_identity.security.certificates import CertificateAuthority
from facerec_identity.security.tokens import TokenStore


def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


@dataclass(frozen=True)
class Site:
    """A home with an authority, a certified server and one client and token a role."""

    home: Path

    @classmethod
    def found(cls, home: Path) -> "Site":
        site = cls(home)
        site.authority.create("test site", datetime.now(UTC))
        site.certify_server()
        for role in Role:
            site.certify(role.value, [role])
        return site

    @property
    def pki(self) -> Path:
        return self.home / "pki"

    @property
    def authority(self) -> CertificateAuthority:
        return CertificateAuthority(self.pki)

    @property
    def tokens(self) -> TokenStore:
        return TokenStore(Settings(home=self.home).tokens_path)

    def certify_server(self) -> None:
        self.authority.issue_server(["127.0.0.1", "localhost"], 30, datetime.now(UTC))

    def certify(
        self, name: str, roles: Iterable[Role], lifetime: timedelta = timedelta(days=1)
    ) -> None:
        self.authority.issue_client(
            name, roles=sorted(roles), gates=["main"], lifetime=lifetime, now=datetime.now(UTC)
        )

    def token(self, *roles: Role, audience: str = "facerec", days: float = 1) -> str:
        now = datetime.now(UTC)
        return self.tokens.issue(
            "a client",
            roles=frozenset(roles),
            gates=frozenset({"main"}),
            audience=audience,
            now=now,
            expires=now + timedelta(days=days),
        )[1]

    def tls(self, name: str | None = None, authority: Path | None = None) -> Tls:
        """The certificates of a client; of one that has none when no name is given."""
        trusted = (authority or self.pki) / "ca.crt"
        if name is None:
            return Tls.from_files(trusted)
        return Tls.from_files(trusted, self.pki / f"{name}.crt", self.pki / f"{name}.key")


def ask(channel: grpc.Channel, method: str, token: str | None = None) -> grpc.StatusCode:
    """Make a call with an empty request, whatever kind it is, and return its code."""
    code, _ = ask_aloud(channel, method, token)
    return code


def ask_aloud(
    channel: grpc.Channel, method: str, token: str | None = None
) -> tuple[grpc.StatusCode, str]:
    """Make a call with an empty request and return its code and all that the server said."""
    metadata = () if token is None else (("authorization", token),)
    call = channel.stream_stream(method)(iter([b""]), metadata=metadata, timeout=30)
    try:
        for _ in call:
            call.cancel()
            return grpc.StatusCode.OK, ""
    except grpc.RpcError:
        trailing = {k: v for k, v in call.trailing_metadata() or () if k != "x-request-id"}
        return call.code(), f"{call.details()} {trailing}"
    return call.code(), ""
