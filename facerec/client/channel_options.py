"""How the client's connection behaves: what is repeated, and how a dead one is noticed."""

import json
from collections.abc import Sequence

from facerec.v1 import enrollment_service_pb2, verification_service_pb2

__all__ = ["channel_options"]

_SAFE_METHODS = {
    verification_service_pb2.DESCRIPTOR.services_by_name["VerificationService"].full_name: (
        "Verify",
        "Identify",
        "Authorize",
    ),
    enrollment_service_pb2.DESCRIPTOR.services_by_name["EnrollmentService"].full_name: (
        "GetProfile",
        "ListProfiles",
        "ListTemplates",
        "CreateProfile",
        "CreateTemplate",
        "EraseProfile",
    ),
}
"""Calls that change nothing, or nothing more when they are repeated. An enrolment may have been
stored although its answer was lost; its request id makes a second one harmless."""

_RETRY_POLICY = {
    "maxAttempts": 4,
    "initialBackoff": "0.1s",
    "maxBackoff": "1s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"],
}
"""gRFC A6. Only UNAVAILABLE: an overloaded server must not be asked again by everybody at once."""

_KEEPALIVE_MS = 30_000
"""Ping this often: routers forget a silent connection after a minute or more."""

_KEEPALIVE_TIMEOUT_MS = 10_000


def channel_options() -> Sequence[tuple[str, str | int]]:
    """Return the options of a channel."""
    names = [
        {"service": service, "method": method}
        for service, methods in _SAFE_METHODS.items()
        for method in methods
    ]
    config = {"methodConfig": [{"name": names, "retryPolicy": _RETRY_POLICY}]}
    return (
        ("grpc.enable_retries", 1),
        ("grpc.service_config", json.dumps(config)),
        ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
        ("grpc.keepalive_timeout_ms", _KEEPALIVE_TIMEOUT_MS),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
    )
