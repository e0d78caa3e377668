"""Whom the TLS handshake lets in, and what it tells the others: nothing."""

import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from facerec.client import CallError, GateClient, Tls
from facerec_identity.security.caller import Role
from tests.integration.identity.server_process import ServerProcess
from tests.integration.identity.site import Site


@pytest.fixture(scope="module")
def site(new_home: Callable[[], Path]) -> Site:
    return Site.found(new_home())


@pytest.fixture(scope="module")
def guarded(site: Site) -> Iterator[ServerProcess]:
    with ServerProcess(site.home) as running:
        yield running


def no_certificate(site: Site, elsewhere: Path) -> Tls | None:
    return site.tls()


def no_tls(site: Site, elsewhere: Path) -> Tls | None:
    return None


def expired(site: Site, elsewhere: Path) -> Tls | None:
    site.certify("expired", [Role.ADMINISTRATOR], lifetime=timedelta(seconds=-1))
    return site.tls("expired")


def of_another_authority(site: Site, elsewhere: Path) -> Tls | None:
    other = Site.found(elsewhere)
    theirs = other.tls("administrator")
    return Tls(site.tls().authority, theirs.certificate, theirs.key)


def of_a_server(site: Site, elsewhere: Path) -> Tls | None:
    return site.tls("server")


REFUSED = "refused the connection's certificate: it has expired, is of another authority"


@pytest.mark.parametrize(
    ("bad", "reason", "said"),
    [
        (no_certificate, "CERTIFICATE_REFUSED", "this client shows none"),
        (expired, "CERTIFICATE_REFUSED", REFUSED),
        (of_another_authority, "CERTIFICATE_REFUSED", REFUSED),
        (of_a_server, "CERTIFICATE_REFUSED", REFUSED),
        (no_tls, "UNREACHABLE", "connect with TLS"),
    ],
)
def test_without_a_good_certificate_there_is_no_connection(
    site: Site,
    guarded: ServerProcess,
    tmp_path: Path,
    bad: Callable[[Site, Path], Tls | None],
    reason: str,
    said: str,
) -> None:
    """TLS ends the handshake, so not even a call begins; a good token does not help there."""
    tls, token = bad(site, tmp_path), site.token(Role.ADMINISTRATOR)
    with GateClient(guarded.address, timeout_s=30, tls=tls, token=token) as gate:
        with pytest.raises(CallError) as caught:
            gate.profile("p")
    status = "UNAUTHENTICATED" if reason == "CERTIFICATE_REFUSED" else "UNAVAILABLE"
    assert (caught.value.status, caught.value.reason) == (status, reason)
    assert said in str(caught.value)
    assert "is `facerec serve` running" in str(caught.value) or reason == "CERTIFICATE_REFUSED"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_refused_certificate_is_told_nothing_at_all(
    site: Site, guarded: ServerProcess, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    """Without a certificate, with an ended, foreign or wrong one: the same, not one byte of HTTP/2.

    Not even TLS's own alert, which would tell the cause; the server closes the connection.
    """
    expired(site, tmp_path)
    foreign = Site.found(tmp_path / "other")
    shown = {
        "good": site.pki / "gate.crt",
        "none": None,
        "expired": site.pki / "expired.crt",
        "foreign": foreign.pki / "gate.crt",
        "a server's": site.pki / "server.crt",
    }
    heard = {
        name: heard_by(guarded.address, site.pki / "ca.crt", certificate, version)
        for name, certificate in shown.items()
    }
    assert heard.pop("good")[3:4] == b"\x04"  # HTTP/2 settings: it would tell, if it let us in
    assert set(heard.values()) == {b""}, heard


def heard_by(
    address: str, authority: Path, certificate: Path | None, version: ssl.TLSVersion
) -> bytes:
    """What a server sends first, within TLS, to who shows a certificate; b"" when it closes."""
    tls = ssl.create_default_context(cafile=str(authority))
    tls.minimum_version = tls.maximum_version = version
    tls.set_alpn_protocols(["h2"])
    if certificate is not None:
        tls.load_cert_chain(certificate, certificate.with_suffix(".key"))
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), 30) as plain:
        try:
            with tls.wrap_socket(plain, server_hostname=host) as guarded_socket:
                return guarded_socket.recv(100)
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionResetError):
            return b""


def test_tls_to_a_server_without_it(server: ServerProcess, site: Site) -> None:
    with GateClient(server.address, timeout_s=30, tls=site.tls("gate")) as gate:
        with pytest.raises(CallError, match="does not speak TLS") as caught:
            gate.profile("p")
    assert caught.value.reason == "UNREACHABLE"
