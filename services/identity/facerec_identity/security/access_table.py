"""The one table of who may call what."""

from facerec.v1 import enrollment_service_pb2, verification_service_pb2
from facerec_identity.security.caller import Role

__all__ = ["ACCESS", "PUBLIC"]

_VERIFICATION = verification_service_pb2.DESCRIPTOR.services_by_name["VerificationService"]
_ENROLLMENT = enrollment_service_pb2.DESCRIPTOR.services_by_name["EnrollmentService"]

_ASK = frozenset({Role.GATE, Role.ENROLLER, Role.ADMINISTRATOR})
_PASS = frozenset({Role.GATE, Role.ADMINISTRATOR})
_ENROL = frozenset({Role.ENROLLER, Role.ADMINISTRATOR})
_READ = frozenset({Role.ENROLLER, Role.AUDITOR, Role.ADMINISTRATOR})

ACCESS: dict[str, frozenset[Role]] = {
    f"/{_VERIFICATION.full_name}/Verify": _ASK,
    f"/{_VERIFICATION.full_name}/Identify": _ASK,
    f"/{_VERIFICATION.full_name}/Authorize": _PASS,
    f"/{_ENROLLMENT.full_name}/CreateProfile": _ENROL,
    f"/{_ENROLLMENT.full_name}/GetProfile": _READ,
    f"/{_ENROLLMENT.full_name}/ListProfiles": _READ,
    f"/{_ENROLLMENT.full_name}/UpdateProfile": _ENROL,
    f"/{_ENROLLMENT.full_name}/EraseProfile": _ENROL,
    f"/{_ENROLLMENT.full_name}/CreateTemplate": _ENROL,
    f"/{_ENROLLMENT.full_name}/ListTemplates": _READ,
    f"/{_ENROLLMENT.full_name}/DeleteTemplate": _ENROL,
    f"/{_ENROLLMENT.full_name}/BatchEnroll": _ENROL,
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": frozenset(Role),
}
"""Roles that may call a method, by its path; a method without a row is nobody's."""

PUBLIC = frozenset(f"/grpc.health.v1.Health/{method}" for method in ("Check", "List", "Watch"))
"""Methods that need no credentials beyond those of the connection: an orchestrator has none."""
