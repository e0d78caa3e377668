"""The one table of who may call what."""

from facerec.v1 import admin_service_pb2, enrollment_service_pb2, verification_service_pb2
from facerec_identity.security.caller import Role

__all__ = ["ACCESS", "PUBLIC"]

_VERIFICATION = verification_service_pb2.DESCRIPTOR.services_by_name["VerificationService"]
_ENROLLMENT = enrollment_service_pb2.DESCRIPTOR.services_by_name["EnrollmentService"]
_ADMIN = admin_service_pb2.DESCRIPTOR.services_by_name["AdminService"]

_ASK = frozenset({Role.GATE, Role.ENROLLER, Role.ADMINISTRATOR})
_PASS = frozenset({Role.GATE, Role.ADMINISTRATOR})
_WATCH = frozenset({Role.GATE, Role.AUDITOR, Role.ADMINISTRATOR})
_ENROL = frozenset({Role.ENROLLER, Role.ADMINISTRATOR})
_READ = frozenset({Role.ENROLLER, Role.AUDITOR, Role.ADMINISTRATOR})
_AUDIT = frozenset({Role.AUDITOR, Role.ADMINISTRATOR})
_ADMINISTER = frozenset({Role.ADMINISTRATOR})

ACCESS: dict[str, frozenset[Role]] = {
    f"/{_VERIFICATION.full_name}/Verify": _ASK,
    f"/{_VERIFICATION.full_name}/Identify": _ASK,
    f"/{_VERIFICATION.full_name}/Authorize": _PASS,
    f"/{_VERIFICATION.full_name}/StreamAuthorize": _PASS,
    f"/{_VERIFICATION.full_name}/WatchDecisions": _WATCH,
    f"/{_ENROLLMENT.full_name}/CreateProfile": _ENROL,
    f"/{_ENROLLMENT.full_name}/GetProfile": _READ,
    f"/{_ENROLLMENT.full_name}/ListProfiles": _READ,
    f"/{_ENROLLMENT.full_name}/UpdateProfile": _ENROL,
    f"/{_ENROLLMENT.full_name}/EraseProfile": _ENROL,
    f"/{_ENROLLMENT.full_name}/CreateTemplate": _ENROL,
    f"/{_ENROLLMENT.full_name}/ListTemplates": _READ,
    f"/{_ENROLLMENT.full_name}/DeleteTemplate": _ENROL,
    f"/{_ENROLLMENT.full_name}/BatchEnroll": _ENROL,
    f"/{_ADMIN.full_name}/ListGalleries": _READ,
    f"/{_ADMIN.full_name}/GetGallery": _READ,
    f"/{_ADMIN.full_name}/CreateGallery": _ADMINISTER,
    f"/{_ADMIN.full_name}/DeleteGallery": _ADMINISTER,
    f"/{_ADMIN.full_name}/ListGates": _AUDIT,
    f"/{_ADMIN.full_name}/GetGate": _AUDIT,
    f"/{_ADMIN.full_name}/CreateGate": _ADMINISTER,
    f"/{_ADMIN.full_name}/UpdateGate": _ADMINISTER,
    f"/{_ADMIN.full_name}/DeleteGate": _ADMINISTER,
    f"/{_ADMIN.full_name}/ListOperatingPoints": _AUDIT,
    f"/{_ADMIN.full_name}/ListModels": _AUDIT,
    f"/{_ADMIN.full_name}/GetStatistics": _AUDIT,
    f"/{_ADMIN.full_name}/ListAuditEntries": _AUDIT,
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": frozenset(Role),
}
"""Roles that may call a method, by its path; a method without a row is nobody's."""

PUBLIC = frozenset(f"/grpc.health.v1.Health/{method}" for method in ("Check", "List", "Watch"))
"""Methods that need no credentials beyond those of the connection: an orchestrator has none."""
