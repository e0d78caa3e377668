"""Turns gRPC's errors into ours."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from facerec.client.connection import Connection
from facerec.errors import CallError

__all__ = ["CERTIFICATE_REFUSED", "TOO_LARGE", "UNREACHABLE", "stated_call_failures"]

UNREACHABLE = "UNREACHABLE"
"""`CallError.reason` when no facerec server was reached."""

CERTIFICATE_REFUSED = "CERTIFICATE_REFUSED"
"""`CallError.reason` when a server ended the connection because of the client's certificate."""

TOO_LARGE = "MESSAGE_TOO_LARGE"
"""`CallError.reason` of a request that is larger than the server takes. One that is more than twice
as large is refused by gRPC itself, which sends no details."""

_NOT_CONNECTED = "failed to connect to all addresses"
"""How gRPC begins what it says of a connection that was never made, unlike one that was lost."""

_NOBODY_THERE = (
    *("No address", "resolution failed", "errors resolving", "Connection refused"),
    *("Failed to connect to remote host", "connect failed"),
)
"""What it says when no TCP connection came about: not with that name, there, or in time."""

_CLOSED_ON_US = re.compile(
    r"(?<!Handshake read failed \()(Socket closed|recvmsg: ?Connection reset by peer)"
    r"|_ALERT_(\w*CERTIFICATE|UNKNOWN_CA)"
)
"""What it says when the server closes once the handshake is over on this side, and nothing else is
wrong: in TLS 1.3 it is only then that a server sees the client's certificate. Servers of other
makes, or of TLS 1.2, send an alert that says so."""

M = TypeVar("M", bound=Message)

_DETAILS_KEY = "grpc-status-details-bin"
"""Trailing metadata that carries a google.rpc.Status."""


@contextmanager
def stated_call_failures(connection: Connection) -> Iterator[None]:
    """Raise `CallError` for every failed call over a connection."""
    try:
        yield
    except grpc.RpcError as error:
        raise _call_error(error, connection) from error


def _call_error(error: Any, connection: Connection) -> CallError:
    """Return our error for a `grpc.RpcError`, whose attributes its types do not declare."""
    status = _rich_status(error)
    info = _detail(status, error_details_pb2.ErrorInfo())
    request = _detail(status, error_details_pb2.BadRequest())
    retry = _detail(status, error_details_pb2.RetryInfo())
    status, message = error.code().name, error.details() or ""
    reason = "" if info is None else info.reason
    if info is None and error.code() is grpc.StatusCode.UNAVAILABLE:
        message, reason = _unreachable(message, connection)
        # To try again, as callers do who see UNAVAILABLE, would be in vain.
        if reason == CERTIFICATE_REFUSED:
            status = grpc.StatusCode.UNAUTHENTICATED.name
    elif error.code() is grpc.StatusCode.CANCELLED:
        # Nobody here cancels: gRPC's server says so of a call that arrives while its port closes.
        status, reason = grpc.StatusCode.UNAVAILABLE.name, UNREACHABLE
        message = f"the server at {connection.target} stopped before it took the call; try again"
    elif info is None and error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
        message, reason = f"the message is larger than the server takes ({message})", TOO_LARGE
    violations = () if request is None else request.field_violations
    return CallError(
        message,
        status=status,
        reason=reason,
        field=violations[0].field if violations else "",
        retry_after_s=None if retry is None else retry.retry_delay.ToMilliseconds() / 1000,
    )


def _unreachable(details: str, connection: Connection) -> tuple[str, str]:
    """Say why no server was reached, as far as gRPC tells it, and return the reason's word."""
    nobody = f"no server answers at {connection.target}; is `facerec serve` running there?"
    if any(words in details for words in _NOBODY_THERE):
        return nobody, UNREACHABLE
    if connection.tls is None:
        return f"{nobody} If it has certificates, connect with TLS", UNREACHABLE
    if "WRONG_VERSION_NUMBER" in details:
        return f"the server at {connection.target} does not speak TLS", UNREACHABLE
    if "CERTIFICATE_VERIFY_FAILED" in details or "Hostname" in details or "Peer name" in details:
        return (
            f"the server at {connection.target} shows a certificate that this client does not "
            "trust for that name; give the authority that issued it, and the name that it is for"
        ), UNREACHABLE
    if not details.startswith(_NOT_CONNECTED):
        return f"the connection to {connection.target} was lost during the call", UNREACHABLE
    if not _CLOSED_ON_US.search(details):
        return nobody, UNREACHABLE
    if connection.tls.certificate is None:
        return (
            f"the server at {connection.target} refused the connection: it asks for a client's "
            "certificate, and this client shows none; see facerec pki issue"
        ), CERTIFICATE_REFUSED
    return (
        f"the server at {connection.target} refused the connection's certificate: it has expired, "
        "is of another authority than the server's clients, or is not one of a client"
    ), CERTIFICATE_REFUSED


def _rich_status(error: Any) -> status_pb2.Status:
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS_KEY:
            return status_pb2.Status.FromString(value)
    return status_pb2.Status()


def _detail(status: status_pb2.Status, empty: M) -> M | None:
    """Return the detail of a status that has the type of `empty`."""
    return next((empty for detail in status.details if detail.Unpack(empty)), None)
