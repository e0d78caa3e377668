"""Turns gRPC's errors into ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from facerec.client.connection import Connection
from facerec.errors import CallError

__all__ = ["TOO_LARGE", "UNREACHABLE", "stated_call_failures"]

UNREACHABLE = "UNREACHABLE"
"""`CallError.reason` when no facerec server was reached."""

TOO_LARGE = "MESSAGE_TOO_LARGE"
"""`CallError.reason` of a request that gRPC itself refused; it sends no details."""

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
        message, reason = _unreachable(message, connection), UNREACHABLE
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


def _unreachable(details: str, connection: Connection) -> str:
    """Say why no server was reached, as far as gRPC tells it."""
    nobody = f"no server answers at {connection.target}; is `facerec serve` running there?"
    if "refused" in details or "No address" in details or "resolution failed" in details:
        return nobody
    if connection.tls is None:
        return f"{nobody} If it has certificates, connect with TLS"
    if "CERTIFICATE_VERIFY_FAILED" in details or "Hostname" in details or "Peer name" in details:
        return (
            f"the server at {connection.target} shows a certificate that this client does not "
            "trust for that name; give the authority that issued it, and the name that it is for"
        )
    return (
        f"the connection to {connection.target} was closed while it was made; is this client's "
        "certificate valid, and issued by the authority that the server knows?"
    )


def _rich_status(error: Any) -> status_pb2.Status:
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS_KEY:
            return status_pb2.Status.FromString(value)
    return status_pb2.Status()


def _detail(status: status_pb2.Status, empty: M) -> M | None:
    """Return the detail of a status that has the type of `empty`."""
    return next((empty for detail in status.details if detail.Unpack(empty)), None)
