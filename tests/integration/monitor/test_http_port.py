"""The port on which the monitor says how it is doing."""

import urllib.request
from contextlib import closing
from socket import AF_INET6, socket

import pytest
from prometheus_client import CollectorRegistry

from facerec.errors import ServiceError
from facerec_monitor.http_port import HttpPort


def has_ipv6() -> bool:
    try:
        with closing(socket(AF_INET6)) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_it_listens_on_addresses_of_either_kind(host: str) -> None:
    if host == "[::1]" and not has_ipv6():
        pytest.skip("this machine has no IPv6")
    with HttpPort(f"{host}:0", CollectorRegistry(), lambda: ()) as port:
        with urllib.request.urlopen(f"http://{port.address}/livez") as answer:
            assert (answer.status, answer.read()) == (200, b"ok\n")
        with pytest.raises(ServiceError, match="cannot listen"):
            HttpPort(port.address, CollectorRegistry(), lambda: ())
