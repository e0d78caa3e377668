"""Every error that facerec raises on purpose.

Results are not errors: no face, an unknown person, poor quality and a suspected attack are returned
as values. An error means that the question could not be asked, and its message says what was wrong
and what to do, without naming a person, a template or a secret.

    FaceRecError
    ├── SettingsError              a setting is unknown, malformed or contradictory
    ├── ImageError                 bytes that are not a picture we can take
    ├── SourceError                a camera or video that cannot be opened or read
    ├── ArrayError                 an array of the wrong shape, type or range reached the core
    ├── ModelError
    │   ├── ModelNotFoundError     not in the catalogue, or not pulled yet
    │   ├── ModelDamagedError      a weight file whose hash or contents are wrong
    │   └── ModelImportError       a user's own network that cannot be taken
    ├── DownloadError              a package file that cannot be had from the registry
    ├── GalleryError
    │   ├── GalleryNotFoundError
    │   ├── GalleryDamagedError    the database cannot be read as one of ours
    │   │   └── RecordDamagedError one record of it was changed, cut off or moved
    │   ├── BackupError            a backup cannot be written, or is damaged or another home's
    │   ├── MasterKeyError         what is stored cannot be opened with the key that is given
    │   ├── ProfileNotFoundError
    │   ├── ProfileExistsError
    │   │   └── SamePersonError    the person is enrolled under another profile
    │   ├── PicturesDisagreeError  the pictures of one person show several people
    │   ├── ProfileChangedError    somebody else changed the profile in the meantime
    │   ├── TemplateNotFoundError
    │   ├── GalleryStateError      what was asked does not fit what is stored now
    │   └── EmbeddingSpaceError    templates of two embedding spaces would have been compared
    ├── OperatingPointError        no threshold is known for the rate that was asked for
    ├── EvaluationError            test data that cannot be evaluated on
    ├── TrainingError              a network cannot be trained on that, or a run not gone on with
    └── ServiceError               the server cannot start, or a call to it failed
        ├── RequestError           a field of a request does not hold what it must
        │   └── RequestImageError  a picture in a request cannot be taken
        ├── GateNotFoundError      no gate has that name
        ├── GateExistsError        a gate has that name already
        ├── GateChangedError       somebody else changed the gate in the meantime
        ├── UnauthenticatedError   a caller that is not known
        ├── PermissionDeniedError  a caller that may not do what it asks
        ├── OverloadedError        more calls wait than the server takes on
        ├── NotReadyError          the server loads its networks, or is stopping
        ├── DeadlineError          the caller's deadline passed before the work was done
        └── CallError              a client's call failed; carries its status and reason
"""


class FaceRecError(Exception):
    """Root of all errors raised on purpose; ``str()`` is one line fit to show to a user."""


class SettingsError(FaceRecError):
    """A setting is unknown, malformed or contradictory."""


class ImageError(FaceRecError):
    """The bytes are not a picture that can be taken."""


class SourceError(FaceRecError):
    """A camera or video cannot be opened or read."""


class ArrayError(FaceRecError, ValueError):
    """An array has the wrong shape, type or range."""


class ModelError(FaceRecError):
    """A network cannot be used."""


class ModelNotFoundError(ModelError):
    """The network is not in the catalogue or has not been pulled."""


class ModelDamagedError(ModelError):
    """A file of a network has another hash or shape than its manifest says."""


class ModelImportError(ModelError):
    """A user's own network cannot be taken."""


class DownloadError(FaceRecError):
    """A package file cannot be had from the package registry."""


class GalleryError(FaceRecError):
    """The gallery cannot do what was asked."""


class GalleryNotFoundError(GalleryError):
    """No gallery has that name."""


class GalleryDamagedError(GalleryError):
    """The database cannot be read as a gallery."""


class RecordDamagedError(GalleryDamagedError):
    """One record of a gallery's database was changed, cut off or put in another's place."""


class BackupError(GalleryError):
    """A backup cannot be written, or is damaged or another home's."""


class MasterKeyError(GalleryError):
    """The master key is missing, malformed, or not the one that opens what is stored."""


class ProfileNotFoundError(GalleryError):
    """No profile has that id."""


class ProfileExistsError(GalleryError):
    """A profile with that id exists already."""


class SamePersonError(ProfileExistsError):
    """The person who is to be enrolled seems to be enrolled under another profile."""


class PicturesDisagreeError(GalleryError):
    """The pictures that are to be of one person show several people."""


class ProfileChangedError(GalleryError):
    """A profile is not any more as it was when it was read."""


class TemplateNotFoundError(GalleryError):
    """The person has no such template."""


class GalleryStateError(GalleryError):
    """What was asked cannot be done as things are stored now, such as deleting a full gallery."""


class EmbeddingSpaceError(GalleryError):
    """Templates of different embedding spaces would have been compared."""


class OperatingPointError(FaceRecError):
    """No threshold is known for the error rate that was asked for."""


class EvaluationError(FaceRecError):
    """Test data is missing, malformed, or too little for what was asked."""


class TrainingError(FaceRecError):
    """Training data, settings or a run's folder do not allow what was asked."""


class ServiceError(FaceRecError):
    """The server cannot start, or a call to it failed."""


class RequestError(ServiceError):
    """A field of a request does not hold what it must.

    Attributes:
        field: Path of the field in the request's message, such as ``images[2].image.data``; "" when
            the request as a whole is meant.
    """

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.field = field


class RequestImageError(RequestError):
    """A picture in a request cannot be taken."""


class GateNotFoundError(ServiceError):
    """No gate has that name."""


class GateExistsError(ServiceError):
    """A gate of that name exists already."""


class GateChangedError(ServiceError):
    """A gate is not any more as it was when it was read."""


class UnauthenticatedError(ServiceError):
    """The caller is not known: no credentials, or such as are not valid."""


class PermissionDeniedError(ServiceError):
    """The caller is known and may not do what it asks."""


class OverloadedError(ServiceError):
    """More calls wait than the server takes on.

    Attributes:
        retry_after_s: When a repetition is likely to be taken, in seconds from now.
    """

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class MessageTooLargeError(ServiceError):
    """A request is larger than the server takes.

    Attributes:
        max_bytes: What it takes.
    """

    def __init__(self, message: str, *, max_bytes: int) -> None:
        super().__init__(message)
        self.max_bytes = max_bytes


class NotReadyError(ServiceError):
    """The server does not answer yet, or not any more: it loads its networks or is stopping."""


class DeadlineError(ServiceError):
    """The caller's deadline passed before the work was done."""


class CallError(ServiceError):
    """A client's call failed.

    Attributes:
        status: Name of the gRPC status code, such as ``"NOT_FOUND"``.
        reason: The server's stable word for what was wrong, such as ``"PROFILE_NOT_FOUND"``;
            ``"UNREACHABLE"`` when no facerec server was reached, ``"CERTIFICATE_REFUSED"`` (with
            the status UNAUTHENTICATED) when one ended the connection because of the client's
            certificate.
        field: Path of the request's field that was wrong; "" when that was not said.
        retry_after_s: When the server asks to try again, in seconds; None when it did not ask.
    """

    def __init__(
        self,
        message: str,
        *,
        status: str,
        reason: str = "",
        field: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.field = field
        self.retry_after_s = retry_after_s
