"""Where the server may listen."""

import pytest

from facerec.errors import ServiceError
from facerec_identity.listen_address import ListenAddress


@pytest.mark.parametrize("text", ["127.0.0.1:50051", "localhost:0", "[::1]:65535", "127.8.0.1:1"])
def test_loopback_is_allowed(text: str) -> None:
    address = ListenAddress.parse(text)
    address.require_loopback()
    assert str(address) == text


@pytest.mark.parametrize("text", ["0.0.0.0:50051", "[::]:50051", "192.168.1.7:1", "[fe80::1]:9"])
def test_the_network_is_refused_without_tls(text: str) -> None:
    address = ListenAddress.parse(text)
    assert str(address) == text
    with pytest.raises(ServiceError, match="TLS"):
        address.require_loopback()


NO_ADDRESSES = (
    *("", ":", "127.0.0.1", ":50051", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1"),
    *("::1:50051", "127.0.0.1:x", "gate.example:1", "[127.0.0.1]:1", "unix:/tmp/socket"),
    *("1.2.3:4", "[::1]", "127.0.0.1:\u0661"),
)


@pytest.mark.parametrize("text", NO_ADDRESSES)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ServiceError, match="HOST:PORT"):
        ListenAddress.parse(text)
