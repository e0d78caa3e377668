"""Enrols a person from the pictures of a request."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from facerec.decision.enrolment import AssessedPicture, assess_picture
from facerec.decision.enrolment_check import EnrolmentCheck, Judgement, Overrides
from facerec.decision.enrolment_rules import Objection
from facerec.errors import (
    GalleryStateError,
    PicturesDisagreeError,
    ProfileExistsError,
    ProfileNotFoundError,
    RequestError,
    SamePersonError,
)
from facerec.gallery.gallery import Gallery
from facerec.gallery.identifiers import check_profile_id
from facerec.gallery.profile import Profile, Template
from facerec_identity.face_reader import FaceReader, RequestImage
from facerec_identity.worker_pool import CallGuard

__all__ = ["Enrolment", "NewPerson", "Registrar", "TemplateAddition", "profile_id_of_request"]

_ID_BYTES = 10
"""80 bits of a hash: that two request ids of UUID's 122 bits meet there is out of the question."""


@dataclass(frozen=True)
class NewPerson:
    """Who is to be enrolled.

    Attributes:
        name: Display name.
        galleries: Names of galleries, at least one.
        profile_id: Id to use; None for a random one.
        consent: Reference to the evidence of consent; "" when none given.
        request_id: The caller's id of the request, which then is worth one enrolment; "" for none.
        external_id: Id in the enroller's own records; "" for none.
        attributes: What else to keep, by name.
        valid_from: Matched from this moment, UTC; None for always.
        valid_until: No longer matched from this moment, UTC; None for never.
        id_is_chosen: The caller chose the id; otherwise it follows from that of the request.
        overrides: Which objections against the enrolment the enroller has decided against.
    """

    name: str
    galleries: tuple[str, ...]
    profile_id: str | None
    consent: str
    request_id: str = ""
    external_id: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    id_is_chosen: bool = False
    overrides: Overrides = field(default_factory=Overrides)


@dataclass(frozen=True, eq=False)
class Enrolment:
    """What became of an enrolment.

    Attributes:
        profile: The new profile; None when no picture could be used.
        version: The profile's version; 0 without one.
        pictures: One result a picture, in the order of the request.
    """

    profile: Profile | None
    version: int
    pictures: tuple[AssessedPicture, ...]


@dataclass(frozen=True, eq=False)
class TemplateAddition:
    """What became of one more picture of a person.

    Attributes:
        template: What it was made into, now or before; None when it was not used.
        picture: What was found.
    """

    template: Template | None
    picture: AssessedPicture


def profile_id_of_request(client: str, request_id: str) -> str:
    """Return the id that the profile of a request gets.

    It follows from the request alone, so a repetition finds what was stored on any server of the
    home, at any time, without a record of requests.

    Args:
        client: Who makes the request; the same id of another client is another request.
        request_id: The client's id of it.
    """
    digest = hashlib.sha256(f"{client}\n{request_id}".encode()).digest()
    return "p-" + base64.b32encode(digest[:_ID_BYTES]).decode("ascii").lower()


@dataclass(frozen=True)
class Registrar:
    """Enrols people; safe to use from several threads.

    Attributes:
        reader: Decodes the pictures, and holds the analyzer that makes the templates.
        gallery: Where people are enrolled.
        min_quality: Least overall quality of a picture, 0..1.
        check: Holds who is to be enrolled against everybody enrolled.
        keep_images: Whether the pictures are kept, sealed, beside their templates.
    """

    reader: FaceReader
    gallery: Gallery
    min_quality: float
    check: EnrolmentCheck
    keep_images: bool = False

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
            SamePersonError: the person is enrolled already.
            PicturesDisagreeError: the pictures show several people.
            GalleryStateError: the request was made before and its person erased since.
            GalleryNotFoundError: no gallery has a given name.
            GalleryError: the name or the id is not fit.
            DeadlineError: the caller no longer waits.
        """
        self.gallery.require_galleries(person.galleries)
        if (before := self._enrolled_before(person, images)) is not None:
            return before
        pictures = []
        for image, source in zip(images, sources, strict=True):
            guard.check()
            pictures.append(self._assess(image, source))
        guard.check()
        templates = [found.template for found in pictures if found.template is not None]
        if not templates:
            return Enrolment(None, 0, tuple(pictures))
        judged = self.check.judge(templates, name=person.name, overrides=person.overrides)
        _refuse(judged)
        try:
            profile = self.gallery.enrol(
                person.name,
                judged.templates,
                galleries=person.galleries,
                profile_id=person.profile_id,
                consent=person.consent,
                external_id=person.external_id,
                attributes=person.attributes,
                valid_from=person.valid_from,
                valid_until=person.valid_until,
                compared=judged.against,
            )
        except ProfileExistsError:
            # The same request may have been worked on at the same time, here or on another server.
            if (meanwhile := self._enrolled_before(person, images)) is not None:
                return meanwhile
            raise
        return Enrolment(
            profile, self.gallery.life_cycle.version(profile.profile_id), tuple(pictures)
        )

    def add_template(
        self, profile_id: str, image: RequestImage, source: str, guard: CallGuard
    ) -> TemplateAddition:
        """Add a template to a person from one picture; one that is there already stays alone.

        Raises:
            RequestImageError: the bytes are not a picture that can be taken.
            ProfileNotFoundError: no profile has that id.
            SamePersonError: the picture shows somebody who is enrolled under another profile.
            PicturesDisagreeError: it does not show the person of that profile.
            DeadlineError: the caller no longer waits.
        """
        content = _content_of(image)
        if (known := self._template_of(profile_id, content)) is not None:
            return TemplateAddition(known, AssessedPicture(known, ()))
        picture = self._assess(image, source)
        guard.check()
        if picture.template is None:
            return TemplateAddition(None, picture)
        name = self.gallery.get(profile_id).name
        judged = self.check.judge([picture.template], name=name, profile_id=profile_id)
        _refuse(judged)
        self.gallery.add_templates(profile_id, judged.templates)
        return TemplateAddition(self._template_of(profile_id, content), picture)

    def _template_of(self, profile_id: str, content: str) -> Template | None:
        """Return the template of a person that was made of a picture's file."""
        theirs = self.gallery.templates(profile_id)
        return next((found for found in theirs if found.content_sha256 == content), None)

    def _enrolled_before(
        self, person: NewPerson, images: Sequence[RequestImage]
    ) -> Enrolment | None:
        """Return what a request with this id stored before; None if it is to be worked on.

        It also spares the analysis where storing would fail; storing checks again.
        """
        if person.profile_id is None:
            return None
        check_profile_id(person.profile_id)
        try:
            profile = self.gallery.get(person.profile_id)
        except ProfileNotFoundError:
            follows = person.request_id and not person.id_is_chosen  # from the request's id
            if follows and self.gallery.life_cycle.receipt_of(person.profile_id):
                raise GalleryStateError(
                    "this request was worked on before and its person was erased since; to enrol "
                    "them again, make a request with a new id"
                ) from None
            return None
        taken = f"a profile with the id {person.profile_id!r} exists; choose another"
        if not person.request_id:
            raise ProfileExistsError(taken)
        stored = {t.content_sha256: t for t in self.gallery.templates(person.profile_id)}
        asked = [_content_of(image) for image in images]
        if not stored.keys() <= set(asked) or profile.name != " ".join(person.name.split()):
            if person.id_is_chosen:
                raise ProfileExistsError(taken)
            raise RequestError(
                "was used for another request, or the profile was changed since; make a new one "
                "for each request",
                field="request_id",
            )
        pictures = tuple(AssessedPicture(stored.get(content), ()) for content in asked)
        return Enrolment(profile, self.gallery.life_cycle.version(profile.profile_id), pictures)

    def _assess(self, image: RequestImage, source: str) -> AssessedPicture:
        picture = assess_picture(
            self.reader.analyzer,
            self.reader.decode(image),
            source=source,
            min_quality=self.min_quality,
            content_sha256=_content_of(image),
        )
        if picture.template is None or not self.keep_images:
            return picture
        return replace(picture, template=replace(picture.template, image=image.data))


def _refuse(judged: Judgement) -> None:
    """Raise what speaks against an enrolment; all pictures are taken, or none is."""
    if judged.refusal is Objection.ALREADY_ENROLLED:
        raise SamePersonError(
            f"same person already enrolled as profiles/{judged.doubles[0].profile_id}; add the "
            "pictures to that profile"
        )
    outliers_stand = Objection.NOT_LIKE_THE_OTHERS in judged.accepted
    if judged.refusal or (judged.outliers and not outliers_stand):
        which = ", ".join(str(i + 1) for i in judged.outliers)
        raise PicturesDisagreeError(
            f"of the pictures with a clear face, number {which} shows somebody else; leave it out"
            if which
            else "the pictures show different people; send those of one"
        )


def _content_of(image: RequestImage) -> str:
    return hashlib.sha256(image.data).hexdigest()
