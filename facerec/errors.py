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
    │   ├── ProfileNotFoundError
    │   ├── ProfileExistsError
    │   └── EmbeddingSpaceError    templates of two embedding spaces would have been compared
    ├── OperatingPointError        no threshold is known for the rate that was asked for
    └── ServiceError               the server cannot start, or a client call failed
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


class ProfileNotFoundError(GalleryError):
    """No profile has that id."""


class ProfileExistsError(GalleryError):
    """A profile with that id exists already."""


class EmbeddingSpaceError(GalleryError):
    """Templates of different embedding spaces would have been compared."""


class OperatingPointError(FaceRecError):
    """No threshold is known for the error rate that was asked for."""


class ServiceError(FaceRecError):
    """The server cannot start, or a call to it failed."""
