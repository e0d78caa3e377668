"""The one table from errors to gRPC statuses, and the status message made of it."""

from dataclasses import dataclass

import grpc
from google.protobuf import any_pb2, duration_pb2, message
from google.rpc import error_details_pb2, status_pb2

from facerec import errors

__all__ = ["DOMAIN", "STATUSES", "ErrorStatus", "status_of"]

DOMAIN = "facerec"
"""``domain`` of every ErrorInfo: reasons are unique within it."""


@dataclass(frozen=True)
class ErrorStatus:
    """What a caller is told of one class of errors.

    Attributes:
        code: The canonical code.
        reason: Stable word for programs, UPPER_SNAKE_CASE (google.aip.dev/193).
        public_message: What people are told instead of the error's own text; "" tells the text,
            which then must not speak of the server's inside, such as its files.
        retry_after_s: Sent as RetryInfo; None for none (or for the error's own).
    """

    code: grpc.StatusCode
    reason: str
    public_message: str = ""
    retry_after_s: float | None = None


_INTERNAL = grpc.StatusCode.INTERNAL
_INVALID = grpc.StatusCode.INVALID_ARGUMENT
_PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
_FAULT = "the server could not answer because of a fault of its own; its log says more"
_MODEL = "the server's networks cannot be used; its operator must run: facerec models verify"
_SETUP = "the server is not set up for this call; its log says more"
_STRANGER = "the call carries no valid credentials"

UNEXPECTED = ErrorStatus(_INTERNAL, "INTERNAL", _FAULT)
"""For every exception that is not one of ours."""

STATUSES: dict[type[errors.FaceRecError], ErrorStatus] = {
    errors.FaceRecError: UNEXPECTED,
    errors.SettingsError: ErrorStatus(_PRECONDITION, "SETTINGS_INVALID", _SETUP),
    errors.ImageError: ErrorStatus(_INVALID, "IMAGE_INVALID"),
    errors.SourceError: ErrorStatus(_INTERNAL, "SOURCE_UNREADABLE", _FAULT),
    errors.ArrayError: ErrorStatus(_INTERNAL, "ARRAY_INVALID", _FAULT),
    errors.ModelError: ErrorStatus(_INTERNAL, "MODEL_UNUSABLE", _MODEL),
    errors.ModelNotFoundError: ErrorStatus(_PRECONDITION, "MODEL_NOT_FOUND", _MODEL),
    errors.ModelDamagedError: ErrorStatus(_INTERNAL, "MODEL_DAMAGED", _MODEL),
    errors.ModelImportError: ErrorStatus(_INTERNAL, "MODEL_UNUSABLE", _MODEL),
    errors.DownloadError: ErrorStatus(_INTERNAL, "MODEL_UNUSABLE", _MODEL),
    errors.GalleryError: ErrorStatus(_INVALID, "REQUEST_INVALID"),
    errors.GalleryNotFoundError: ErrorStatus(grpc.StatusCode.NOT_FOUND, "GALLERY_NOT_FOUND"),
    errors.GalleryDamagedError: ErrorStatus(_INTERNAL, "GALLERY_DAMAGED", _FAULT),
    errors.RecordDamagedError: ErrorStatus(_INTERNAL, "GALLERY_DAMAGED", _FAULT),
    errors.BackupError: ErrorStatus(_INTERNAL, "BACKUP_UNUSABLE", _FAULT),
    errors.MasterKeyError: ErrorStatus(_INTERNAL, "GALLERY_LOCKED", _FAULT),
    errors.ProfileNotFoundError: ErrorStatus(grpc.StatusCode.NOT_FOUND, "PROFILE_NOT_FOUND"),
    errors.ProfileExistsError: ErrorStatus(grpc.StatusCode.ALREADY_EXISTS, "PROFILE_EXISTS"),
    errors.SamePersonError: ErrorStatus(grpc.StatusCode.ALREADY_EXISTS, "SAME_PERSON_ENROLLED"),
    errors.PicturesDisagreeError: ErrorStatus(_INVALID, "PICTURES_DISAGREE"),
    errors.ProfileChangedError: ErrorStatus(grpc.StatusCode.ABORTED, "PROFILE_CHANGED"),
    errors.TemplateNotFoundError: ErrorStatus(grpc.StatusCode.NOT_FOUND, "TEMPLATE_NOT_FOUND"),
    errors.GalleryStateError: ErrorStatus(_PRECONDITION, "STATE_CONFLICT"),
    errors.EmbeddingSpaceError: ErrorStatus(_PRECONDITION, "EMBEDDING_SPACE_MISMATCH"),
    errors.EvaluationError: ErrorStatus(_INTERNAL, "EVALUATION_FAULT", _FAULT),
    errors.TrainingError: ErrorStatus(_INTERNAL, "TRAINING_FAULT", _FAULT),
    errors.OperatingPointError: ErrorStatus(_PRECONDITION, "NO_OPERATING_POINT", _SETUP),
    errors.ServiceError: ErrorStatus(_INTERNAL, "SERVICE_FAULT", _FAULT),
    errors.RequestError: ErrorStatus(_INVALID, "REQUEST_INVALID"),
    errors.RequestImageError: ErrorStatus(_INVALID, "IMAGE_INVALID"),
    errors.GateNotFoundError: ErrorStatus(grpc.StatusCode.NOT_FOUND, "GATE_NOT_FOUND"),
    errors.GateExistsError: ErrorStatus(grpc.StatusCode.ALREADY_EXISTS, "GATE_EXISTS"),
    errors.GateChangedError: ErrorStatus(grpc.StatusCode.ABORTED, "GATE_CHANGED"),
    errors.UnauthenticatedError: ErrorStatus(
        grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED", _STRANGER
    ),
    errors.PermissionDeniedError: ErrorStatus(
        grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED"
    ),
    errors.OverloadedError: ErrorStatus(grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED"),
    errors.MessageTooLargeError: ErrorStatus(
        grpc.StatusCode.RESOURCE_EXHAUSTED, "MESSAGE_TOO_LARGE"
    ),
    errors.NotReadyError: ErrorStatus(grpc.StatusCode.UNAVAILABLE, "NOT_READY", retry_after_s=1.0),
    errors.DeadlineError: ErrorStatus(grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED"),
    errors.CallError: ErrorStatus(_INTERNAL, "SERVICE_FAULT", _FAULT),
}
"""Every class of errors by itself: a new one has no status until somebody decides which."""


def status_of(error: Exception) -> status_pb2.Status:
    """Return what the caller is told of an exception.

    Args:
        error: Any exception; one that the table does not know reveals nothing but that it was.

    Returns:
        A status with an ErrorInfo, and a BadRequest or RetryInfo where they apply.
    """
    known = (
        STATUSES.get(type(error), UNEXPECTED)
        if isinstance(error, errors.FaceRecError)
        else (UNEXPECTED)
    )
    text = known.public_message or str(error)
    info = error_details_pb2.ErrorInfo(reason=known.reason, domain=DOMAIN)
    details: list[message.Message] = [info]
    if isinstance(error, errors.RequestError) and error.field:
        info.metadata["field"] = error.field
        violation = error_details_pb2.BadRequest.FieldViolation(
            field=error.field, description=text, reason=known.reason
        )
        details.append(error_details_pb2.BadRequest(field_violations=[violation]))
    if isinstance(error, errors.MessageTooLargeError):
        info.metadata["max_bytes"] = str(error.max_bytes)
    retry_after_s = known.retry_after_s
    if isinstance(error, errors.OverloadedError):
        retry_after_s = error.retry_after_s
    if retry_after_s is not None:
        delay = duration_pb2.Duration()
        delay.FromMilliseconds(round(retry_after_s * 1000))
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    return status_pb2.Status(
        code=known.code.value[0], message=text, details=[_packed(detail) for detail in details]
    )


def _packed(detail: message.Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(detail)
    return packed
