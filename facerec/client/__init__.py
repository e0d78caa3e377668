"""The typed client for gates and enrolment desks; imports gRPC and the API's messages only."""

from facerec.client.async_gate_client import AsyncGateClient
from facerec.client.credentials import Tls
from facerec.client.gate_client import GateClient
from facerec.client.results import (
    AuthorizationOutcome,
    AuthorizeResult,
    Box,
    EnrolResult,
    ErasureReceipt,
    FoundFace,
    IdentificationOutcome,
    IdentifiedFace,
    IdentifyResult,
    ImageResult,
    Profile,
    ProfileState,
    VerificationOutcome,
    VerifyResult,
    WatchedDecision,
)
from facerec.errors import CallError

__all__ = [
    "AsyncGateClient",
    "AuthorizationOutcome",
    "AuthorizeResult",
    "Box",
    "CallError",
    "EnrolResult",
    "ErasureReceipt",
    "FoundFace",
    "GateClient",
    "IdentificationOutcome",
    "IdentifiedFace",
    "IdentifyResult",
    "ImageResult",
    "Profile",
    "ProfileState",
    "Tls",
    "VerificationOutcome",
    "VerifyResult",
    "WatchedDecision",
]
