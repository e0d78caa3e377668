"""What a user is told of each way in which gRPC says that no server was reached."""

from typing import Any

import grpc
import pytest

from facerec.client import Tls
from facerec.client.call_failures import stated_call_failures
from facerec.client.connection import Connection
from facerec.errors import CallError

# What gRPC 1.85 says of real servers, sockets and addresses; the addresses are replaced.
_BEGUN = "failed to connect to all addresses; last error: "
_CLOSED = f"{_BEGUN}UNAVAILABLE: ipv4:10.0.0.9:443: Socket closed"
_NOBODY = [
    f"{_BEGUN}UNKNOWN: ipv4:10.0.0.9:443: Failed to connect to remote host: {why}"
    for why in (
        "Connection refused",
        "getsockopt(SO_ERROR): Connection reset by peer",
        "getsockopt(SO_ERROR): No route to host",
        "getsockopt(SO_ERROR): Connection timed out",
        "Timeout occurred: FD Shutdown",
    )
] + [
    f"{_BEGUN}FAILED_PRECONDITION: ipv4:10.0.0.9:443: connect failed: addr: ipv4:10.0.0.9:443 "
    "error: Network is unreachable",
    f"{_BEGUN}UNAVAILABLE: ipv4:10.0.0.9:443: "
    "Handshake read failed (recvmsg:Connection reset by peer (104))",
    f"{_BEGUN}UNAVAILABLE: ipv4:10.0.0.9:443: Handshake read failed (Endpoint closing)",
    f"{_BEGUN}UNAVAILABLE: ipv4:10.0.0.9:443: Handshake read failed (Socket closed)",
    f"{_BEGUN}UNAVAILABLE: connection attempt timed out before receiving SETTINGS frame",
    "errors resolving gate.invalid:443: [field:hostname lookup error:address lookup failed for "
    "gate.invalid:443: Domain name not found]",
    "DNS resolution failed for gate.invalid:443",
]
_SHOWN = Tls(b"authority", b"certificate", b"key")
_SHOWS_NONE = Tls(b"authority")


class Failed(grpc.RpcError):
    """What a call over a channel raises."""

    def __init__(self, details: str) -> None:
        super().__init__(details)
        self._details = details

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNAVAILABLE

    def details(self) -> str:
        return self._details

    def trailing_metadata(self) -> Any:
        return ()


def told(details: str, tls: Tls | None) -> CallError:
    with (
        pytest.raises(CallError) as caught,
        stated_call_failures(Connection.to("10.0.0.9:443", timeout_s=1, tls=tls, token=None)),
    ):
        raise Failed(details)
    refused = caught.value.reason == "CERTIFICATE_REFUSED"
    assert caught.value.status == ("UNAUTHENTICATED" if refused else "UNAVAILABLE")
    return caught.value


@pytest.mark.parametrize("details", _NOBODY)
@pytest.mark.parametrize("tls", [None, _SHOWS_NONE, _SHOWN], ids=["plain", "none", "shown"])
def test_a_server_that_is_not_reached_blames_no_certificate(details: str, tls: Tls | None) -> None:
    error = told(details, tls)
    assert error.reason == "UNREACHABLE"
    assert str(error).startswith("no server answers at 10.0.0.9:443; is `facerec serve` running")
    assert "certificate" not in str(error) or tls is None


@pytest.mark.parametrize(
    "details",
    [
        _CLOSED,
        f"{_BEGUN}UNAVAILABLE: ipv4:10.0.0.9:443: recvmsg:Connection reset by peer (104)",
        f"{_BEGUN}UNKNOWN: ipv4:10.0.0.9:443: Tls handshake failed (TSI_PROTOCOL_FAILURE): "
        "SSL_ERROR_SSL: error:10000416:SSL routines:OPENSSL_internal:SSLV3_ALERT_CERTIFICATE_"
        "UNKNOWN: Invalid certificate verification context: OK",
        f"{_BEGUN}UNKNOWN: ipv4:10.0.0.9:443: Tls handshake failed (TSI_PROTOCOL_FAILURE): "
        "SSL_ERROR_SSL: error:10000418:SSL routines:OPENSSL_internal:TLSV1_ALERT_UNKNOWN_CA: OK",
    ],
)
def test_a_server_that_closes_after_the_handshake_refused_the_certificate(details: str) -> None:
    assert told(details, _SHOWN).reason == "CERTIFICATE_REFUSED"
    assert "refused the connection's certificate" in str(told(details, _SHOWN))
    assert told(details, _SHOWS_NONE).reason == "CERTIFICATE_REFUSED"
    assert "this client shows none" in str(told(details, _SHOWS_NONE))


def test_without_tls_a_server_that_closes_may_want_it() -> None:
    assert told(_CLOSED, None).reason == "UNREACHABLE"
    assert "connect with TLS" in str(told(_CLOSED, None))


def test_the_server_s_own_certificate_is_another_matter() -> None:
    text = f"{_BEGUN}UNKNOWN: ipv4:10.0.0.9:443: Tls handshake failed: CERTIFICATE_VERIFY_FAILED"
    assert told(text, _SHOWN).reason == "UNREACHABLE"
    assert "does not trust for that name" in str(told(text, _SHOWN))


@pytest.mark.parametrize("details", ["Socket closed", "recvmsg:Connection reset by peer"])
def test_a_connection_that_is_lost_was_made_before(details: str) -> None:
    assert "was lost during the call" in str(told(details, _SHOWN))
