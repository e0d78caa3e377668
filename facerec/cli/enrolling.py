"""Enrolling people from picture files, as ``facerec enroll`` does."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from facerec.analysis.analyzer import FaceAnalyzer
from facerec.analysis.image_decoding import read_image
from facerec.decision.enrolment import assess_picture
from facerec.errors import GalleryError, ImageError, SourceError
from facerec.gallery.gallery import Gallery
from facerec.gallery.identifiers import check_display_name
from facerec.gallery.profile import NewTemplate, Profile
from facerec.settings import Settings

__all__ = [
    "Enroller",
    "EnrolmentOptions",
    "EnrolmentResult",
    "Person",
    "RejectedPicture",
    "people_of_folder",
    "person_of_pictures",
]

_PICTURE_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
"""Which files of a person's folder are taken for pictures; others may be notes."""

UNREADABLE = "unreadable"
"""The reason, beside those of `facerec.decision`, for which a file is rejected."""


@dataclass(frozen=True)
class Person:
    """Somebody to enrol: a name, and the files of their pictures."""

    name: str
    pictures: tuple[Path, ...]


@dataclass(frozen=True)
class EnrolmentOptions:
    """How to enrol.

    Attributes:
        galleries: Galleries to put people into.
        profile_id: Id to use; None for a random one.
        consent: Where the evidence of consent is.
        largest: Take the largest face where a picture shows several.
        force: Take the largest face whatever its quality.
    """

    galleries: tuple[str, ...]
    profile_id: str | None = None
    consent: str = ""
    largest: bool = False
    force: bool = False


@dataclass(frozen=True)
class RejectedPicture:
    """A picture that no template was made of.

    Attributes:
        image: Its file.
        reasons: Stable words why.
        detail: More about an unreadable file; else "".
    """

    image: Path
    reasons: tuple[str, ...]
    detail: str = ""


@dataclass(frozen=True)
class EnrolmentResult:
    """What came of one person.

    Attributes:
        profile_id: Their profile; None when they could not be enrolled.
        name: Their name.
        templates: Templates that the profile now holds.
        rejected: Pictures that were not used.
        already_enrolled: The profile existed, and nothing was added to its templates.
        problem: Why they could not be enrolled; "" when they are.
    """

    profile_id: str | None
    name: str
    templates: int
    rejected: tuple[RejectedPicture, ...] = ()
    already_enrolled: bool = False
    problem: str = ""


def person_of_pictures(name: str, pictures: Sequence[Path]) -> Person:
    """Return one person.

    Raises:
        GalleryError: the name is not fit for one.
    """
    return Person(check_display_name(name), tuple(pictures))


def people_of_folder(folder: Path) -> tuple[Person, ...]:
    """Return the people of a folder with one folder each, in order of name.

    The folder's name is the person's, with ``_`` for a space; pictures are known by their suffix.

    Raises:
        SourceError: it is not such a folder.
    """
    if not folder.is_dir():
        raise SourceError(f"{folder} is not a folder; give one that holds one folder a person")
    people = tuple(
        Person(entry.name.replace("_", " "), _pictures(entry))
        for entry in sorted(folder.iterdir())
        if entry.is_dir() and not entry.name.startswith(".")
    )
    if not people:
        raise SourceError(f"{folder} holds no folder; give one that holds one folder a person")
    return people


class Enroller:
    """Enrols people one after the other with the same networks, gallery and options."""

    def __init__(
        self,
        settings: Settings,
        analyzer: FaceAnalyzer,
        gallery: Gallery,
        options: EnrolmentOptions,
    ) -> None:
        self._settings = settings
        self._analyzer = analyzer
        self._gallery = gallery
        self._options = options

    def enrol(self, person: Person) -> EnrolmentResult:
        """Enrol one person, or say why not.

        Raises:
            GalleryError: the gallery cannot store anybody, for instance because the disk is full.
        """
        try:
            name = check_display_name(person.name)
        except GalleryError as error:
            return EnrolmentResult(None, person.name, 0, problem=str(error))
        hashes = {path: _sha256_of(path) for path in person.pictures}
        profile = self._enrolled_before(name, set(hashes.values()))
        known = self._gallery.enrolled_content(name).get(profile.profile_id) if profile else None
        templates: list[NewTemplate] = []
        rejected: list[RejectedPicture] = []
        for path, sha256 in hashes.items():
            if sha256 not in (known or ()):
                self._assess(path, sha256, templates, rejected)
        if profile is not None:
            return self._extend(profile, templates, tuple(rejected))
        if not templates:
            problem = "none of the pictures can be used" if hashes else "there are no pictures"
            return EnrolmentResult(None, name, 0, tuple(rejected), problem=problem)
        profile = self._gallery.enrol(
            name,
            templates,
            galleries=self._options.galleries,
            profile_id=self._options.profile_id,
            consent=self._options.consent,
        )
        return EnrolmentResult(profile.profile_id, name, profile.templates, tuple(rejected))

    def _enrolled_before(self, name: str, hashes: set[str]) -> Profile | None:
        """Return the profile of that name, and id if one is asked for, that has such a picture."""
        for profile_id, content in self._gallery.enrolled_content(name).items():
            if content & hashes and self._options.profile_id in (None, profile_id):
                return self._gallery.get(profile_id)
        return None

    def _assess(
        self,
        path: Path,
        sha256: str,
        templates: list[NewTemplate],
        rejected: list[RejectedPicture],
    ) -> None:
        """Make a template of a picture and add it, or the picture, to one of the lists."""
        try:
            image = read_image(path, max_pixels=self._settings.analysis.max_image_pixels)
        except ImageError as error:
            rejected.append(RejectedPicture(path, (UNREADABLE,), str(error)))
            return
        picture = assess_picture(
            self._analyzer,
            image,
            source=path.name,
            content_sha256=sha256,
            min_quality=self._settings.decision.min_quality,
            largest=self._options.largest,
            force=self._options.force,
        )
        if picture.template is None:
            reasons = tuple(reason.value for reason in picture.reasons)
            rejected.append(RejectedPicture(path, reasons))
        else:
            templates.append(picture.template)

    def _extend(
        self,
        profile: Profile,
        templates: Sequence[NewTemplate],
        rejected: tuple[RejectedPicture, ...],
    ) -> EnrolmentResult:
        """Add to a profile what it lacks."""
        if templates:
            profile = self._gallery.add_templates(profile.profile_id, templates)
        if not set(self._options.galleries) <= set(profile.galleries):
            profile = self._gallery.add_to_galleries(profile.profile_id, self._options.galleries)
        return EnrolmentResult(
            profile.profile_id,
            profile.name,
            profile.templates,
            rejected,
            already_enrolled=not templates,
        )


def _pictures(folder: Path) -> tuple[Path, ...]:
    return tuple(
        path
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in _PICTURE_SUFFIXES and not path.name.startswith(".")
    )


def _sha256_of(path: Path) -> str:
    """Return the hash of a file's content; "" when it cannot be read, which reading it will say."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
