"""Turns gRPC's errors into ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from facerec.errors import CallError

__all__ = ["stated_call_failures"]

M = TypeVar("M", bound=Message)

_DETAILS_KEY = "grpc-status-details-bin"
"""Trailing metadata that carries a google.rpc.Status."""


@contextmanager
def stated_call_failures(target: str) -> Iterator[None]:
    """Raise `CallError` for every failed call to a server.

    Args:
        target: Address of the server, for messages about the connection.
    """
    try:
        yield
    except grpc.RpcError as error:
        raise _call_error(error, target) from error


def _call_error(error: Any, target: str) -> CallError:
    """Return our error for a `grpc.RpcError`, whose attributes its types do not declare."""
    status = _rich_status(error)
    info = _detail(status, error_details_pb2.ErrorInfo())
    request = _detail(status, error_details_pb2.BadRequest())
    retry = _detail(status, error_details_pb2.RetryInfo())
    message = error.details() or ""
    if info is None and error.code() is grpc.StatusCode.UNAVAILABLE:
        message = (
            f"no server answers at {target}; is `facerec serve` running there, and does it take "
            "this client's certificate?"
        )
    violations = () if request is None else request.field_violations
    return CallError(
        message,
        status=error.code().name,
        reason="" if info is None else info.reason,
        field=violations[0].field if violations else "",
        retry_after_s=None if retry is None else retry.retry_delay.ToMilliseconds() / 1000,
    )


def _rich_status(error: Any) -> status_pb2.Status:
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS_KEY:
            return status_pb2.Status.FromString(value)
    return status_pb2.Status()


def _detail(status: status_pb2.Status, empty: M) -> M | None:
    """Return the detail of a status that has the type of `empty`."""
    return next((empty for detail in status.details if detail.Unpack(empty)), None)
