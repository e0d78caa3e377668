"""Enrols a person from the pictures of a request."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from facerec.decision.enrolment import AssessedPicture, assess_picture
from facerec.errors import ProfileExistsError, ProfileNotFoundError
from facerec.gallery.gallery import Gallery
from facerec.gallery.identifiers import check_profile_id
from facerec.gallery.profile import Profile
from facerec_identity.face_reader import FaceReader, RequestImage
from facerec_identity.worker_pool import CallGuard

__all__ = ["Enrolment", "NewPerson", "Registrar"]


@dataclass(frozen=True)
class NewPerson:
    """Who is to be enrolled.

    Attributes:
        name: Display name.
        galleries: Names of galleries, at least one.
        profile_id: Id to use; None for a random one.
        consent: Reference to the evidence of consent; "" when none given.
    """

    name: str
    galleries: tuple[str, ...]
    profile_id: str | None
    consent: str


@dataclass(frozen=True, eq=False)
class Enrolment:
    """What became of an enrolment.

    Attributes:
        profile: The new profile; None when no picture could be used.
        pictures: One result a picture, in the order of the request.
    """

    profile: Profile | None
    pictures: tuple[AssessedPicture, ...]


@dataclass(frozen=True)
class Registrar:
    """Enrols people; safe to use from several threads.

    Attributes:
        reader: Decodes the pictures, and holds the analyzer that makes the templates.
        gallery: Where people are enrolled.
        min_quality: Least overall quality of a picture, 0..1.
    """

    reader: FaceReader
    gallery: Gallery
    min_quality: float

    def enrol(
        self,
        person: NewPerson,
        images: Sequence[RequestImage],
        sources: Sequence[str],
        guard: CallGuard,
    ) -> Enrolment:
        """Enrol a person from the pictures that are fit for it; all is stored, or nothing is.

        Args:
            person: Who.
            images: Pictures of one person each.
            sources: Where each picture came from, in the enroller's words.
            guard: Checked between the pictures, last before anything is stored.

        Raises:
            RequestImageError: the bytes of one are not a picture that can be taken.
            ProfileExistsError: the id is taken.
            GalleryNotFoundError: no gallery has a given name.
            GalleryError: the name or the id is not fit.
            DeadlineError: the caller no longer waits.
        """
        self._refuse_early(person)
        pictures = []
        for image, source in zip(images, sources, strict=True):
            guard.check()
            pictures.append(self._assess(image, source))
        guard.check()
        templates = [found.template for found in pictures if found.template is not None]
        if not templates:
            return Enrolment(None, tuple(pictures))
        profile = self.gallery.enrol(
            person.name,
            templates,
            galleries=person.galleries,
            profile_id=person.profile_id,
            consent=person.consent,
        )
        return Enrolment(profile, tuple(pictures))

    def _refuse_early(self, person: NewPerson) -> None:
        """Spare the analysis where storing would fail; storing checks again."""
        self.gallery.require_galleries(person.galleries)
        if person.profile_id is None:
            return
        check_profile_id(person.profile_id)
        try:
            self.gallery.get(person.profile_id)
        except ProfileNotFoundError:
            return
        raise ProfileExistsError(
            f"a profile with the id {person.profile_id!r} exists; choose another"
        )

    def _assess(self, image: RequestImage, source: str) -> AssessedPicture:
        return assess_picture(
            self.reader.analyzer,
            self.reader.decode(image),
            source=source,
            min_quality=self.min_quality,
            content_sha256=hashlib.sha256(image.data).hexdigest(),
        )
