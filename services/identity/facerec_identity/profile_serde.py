"""Between messages about enrolled people and the types of facerec."""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from facerec.decision.enrolment import AssessedPicture
from facerec.decision.enrolment_check import Overrides
from facerec.errors import RequestError
from facerec.gallery.life_cycle import ProfileChange, Receipt, Validity
from facerec.gallery.profile import Profile, ProfileState, Retention, Template
from facerec.v1 import enrollment_service_pb2 as enrollment
from facerec.v1 import profile_pb2
from facerec_identity.enrolment import (
    Enrolment,
    NewPerson,
    TemplateAddition,
    profile_id_of_request,
)
from facerec_identity.face_reader import RequestImage
from facerec_identity.resource_names import (
    gallery_from_proto,
    gallery_to_proto,
    profile_id_from_proto,
    profile_name_to_proto,
    template_name_to_proto,
)
from facerec_identity.serde import image_from_proto, reason_to_proto

__all__ = [
    "ProfileUpdate",
    "addition_to_proto",
    "enrolment_image_from_proto",
    "enrolment_to_proto",
    "images_from_proto",
    "new_person_from_proto",
    "profile_to_proto",
    "receipt_to_proto",
    "template_to_proto",
    "timestamp_to_proto",
    "update_from_proto",
    "version_from_proto",
]

_MOST_IMAGES = 50
_MOST_ATTRIBUTES = 32
_LONGEST_ATTRIBUTE_NAME = 64
_LONGEST_ATTRIBUTE = 1000
_LONGEST_CONSENT = 500
_LONGEST_EXTERNAL_ID = 200
_LONGEST_SOURCE = 200

_STATES = {
    ProfileState.ACTIVE: profile_pb2.Profile.STATE_ACTIVE,
    ProfileState.SUSPENDED: profile_pb2.Profile.STATE_SUSPENDED,
    ProfileState.EXPIRED: profile_pb2.Profile.STATE_EXPIRED,
}
_SETTABLE_STATES = {
    profile_pb2.Profile.STATE_ACTIVE: ProfileState.ACTIVE,
    profile_pb2.Profile.STATE_SUSPENDED: ProfileState.SUSPENDED,
}


@dataclass(frozen=True)
class ProfileUpdate:
    """A change of a profile that a request asks for.

    Attributes:
        profile_id: Whose.
        version: Version that the caller has seen; None for any.
        change: Makes the change out of the profile as it is now.
    """

    profile_id: str
    version: int | None
    change: Callable[[Profile], ProfileChange]


def new_person_from_proto(
    request: enrollment.CreateProfileRequest, default_gallery: str, client: str
) -> NewPerson:
    """Return who is to be enrolled.

    Args:
        request: The request.
        default_gallery: Gallery of people for whom none is named.
        client: Who asks.

    Raises:
        RequestError: a field does not hold what it must.
    """
    profile = request.profile
    if not profile.display_name.strip():
        raise RequestError("must hold the person's name", field="profile.display_name")
    request_id = _uuid(request.request_id, "request_id") if request.request_id else ""
    chosen = request.profile_id
    if request_id and not chosen:
        chosen = profile_id_of_request(client, request_id)
    return NewPerson(
        name=profile.display_name,
        galleries=_galleries_from_proto(profile, "profile.galleries") or (default_gallery,),
        profile_id=chosen or None,
        consent=_at_most(_LONGEST_CONSENT, profile.consent, "profile.consent"),
        id_is_chosen=bool(request.profile_id),
        request_id=request_id,
        external_id=_external_id(profile),
        attributes=_attributes(profile),
        valid_from=_moment(profile, "valid_from_time"),
        valid_until=_moment(profile, "valid_until_time"),
        overrides=Overrides(
            double=request.allow_same_person, outliers=request.allow_disagreeing_images
        ),
    )


def images_from_proto(
    request: enrollment.CreateProfileRequest,
) -> tuple[list[RequestImage], list[str]]:
    """Return the pictures to enrol from and where each came from.

    Raises:
        RequestError: there is none, or there are too many.
    """
    if not 1 <= len(request.images) <= _MOST_IMAGES:
        raise RequestError(
            f"must hold 1 to {_MOST_IMAGES} pictures; received {len(request.images)}",
            field="images",
        )
    both = [
        enrolment_image_from_proto(entry, f"images[{i}]") for i, entry in enumerate(request.images)
    ]
    return [image for image, _ in both], [source for _, source in both]


def enrolment_image_from_proto(
    entry: enrollment.EnrollmentImage, field: str
) -> tuple[RequestImage, str]:
    """Return a picture to enrol from, and where it came from.

    Raises:
        RequestError: that is said in too many words.
    """
    source = _at_most(_LONGEST_SOURCE, entry.source, f"{field}.source")
    return image_from_proto(entry.image, f"{field}.image"), source


def enrolment_to_proto(enrolment: Enrolment) -> enrollment.CreateProfileResponse:
    """Return what became of an enrolment."""
    profile = enrolment.profile
    return enrollment.CreateProfileResponse(
        profile=None if profile is None else profile_to_proto(profile, enrolment.version),
        images=[_picture_to_proto(picture) for picture in enrolment.pictures],
    )


def profile_to_proto(profile: Profile, version: int | None = None) -> profile_pb2.Profile:
    """Return one profile, with its etag if the version is known."""
    return profile_pb2.Profile(
        name=profile_name_to_proto(profile.profile_id),
        display_name=profile.name,
        galleries=[gallery_to_proto(name) for name in profile.galleries],
        state=_STATES[profile.state],
        consent=profile.consent,
        template_count=profile.templates,
        create_time=timestamp_to_proto(profile.created),
        etag="" if version is None else str(version),
        external_id=profile.external_id,
        attributes=dict(profile.attributes),
        valid_from_time=timestamp_to_proto(profile.valid_from),
        valid_until_time=timestamp_to_proto(profile.valid_until),
        last_seen_time=timestamp_to_proto(profile.last_seen),
        erase_time=timestamp_to_proto(profile.retention.erase_on),
        erase_unseen_days=profile.retention.erase_unseen_days or 0,
    )


def version_from_proto(etag: str, field: str) -> int | None:
    """Return the version that an etag stands for; None for an empty one.

    Raises:
        RequestError: it is none that the server gave out.
    """
    if not etag:
        return None
    if not (etag.isascii() and etag.isdigit() and len(etag) < 20):
        raise RequestError("is not an etag of a profile", field=field)
    return int(etag)


def update_from_proto(request: enrollment.UpdateProfileRequest) -> ProfileUpdate:
    """Return the change that a request asks for.

    Raises:
        RequestError: a field does not hold what it must, or the mask names none that can change.
    """
    given, paths = request.profile, set(request.update_mask.paths)
    known = _CHANGES.keys() | _JOINT
    if not paths or paths - known:
        raise RequestError(
            f"must name fields that can be changed: {', '.join(sorted(known))}",
            field="update_mask",
        )
    asked = ProfileChange()
    for path in sorted(paths & _CHANGES.keys()):
        asked = _CHANGES[path](asked, given)
    validity = Validity(_moment(given, "valid_from_time"), _moment(given, "valid_until_time"))
    if given.erase_unseen_days < 0:
        raise RequestError("must not be negative", field="profile.erase_unseen_days")
    retention = Retention(_moment(given, "erase_time"), given.erase_unseen_days or None)
    return ProfileUpdate(
        profile_id_from_proto(given.name, "profile.name"),
        version_from_proto(given.etag, "profile.etag"),
        lambda now: _joined(asked, now, paths, validity, retention),
    )


def _joined(
    asked: ProfileChange, now: Profile, paths: Set[str], validity: Validity, retention: Retention
) -> ProfileChange:
    """Return a change with what is stored in pairs, of which one may stay as it is now."""
    if paths & _VALIDITY:
        begins = validity.begins if "valid_from_time" in paths else now.valid_from
        ends = validity.ends if "valid_until_time" in paths else now.valid_until
        asked = replace(asked, validity=Validity(begins, ends))
    if paths & _RETENTION:
        present = now.retention
        date = retention.erase_on if "erase_time" in paths else present.erase_on
        unseen = "erase_unseen_days" in paths
        days = retention.erase_unseen_days if unseen else present.erase_unseen_days
        asked = replace(asked, retention=Retention(date, days))
    return asked


def receipt_to_proto(receipt: Receipt) -> enrollment.ErasureReceipt:
    """Return the receipt of an erasure."""
    return enrollment.ErasureReceipt(
        receipt_id=receipt.receipt_id,
        cause=receipt.reason.value,
        erase_time=timestamp_to_proto(receipt.erased),
        template_count=receipt.templates,
        evidence_sha256=receipt.evidence_sha256,
    )


def template_to_proto(template: Template) -> profile_pb2.Template:
    """Return what may be told of a template."""
    return profile_pb2.Template(
        name=template_name_to_proto(template.profile_id, template.template_id),
        embedding_space=template.embedding_space,
        quality=template.quality,
        source=template.source,
        create_time=timestamp_to_proto(template.created),
    )


def addition_to_proto(addition: TemplateAddition) -> enrollment.CreateTemplateResponse:
    """Return what became of one more picture."""
    template = addition.template
    return enrollment.CreateTemplateResponse(
        template=None if template is None else template_to_proto(template),
        image=_picture_to_proto(addition.picture),
    )


def timestamp_to_proto(moment: datetime | None) -> Timestamp | None:
    """Return a moment; None for none."""
    if moment is None:
        return None
    made = Timestamp()
    made.FromDatetime(moment)
    return made


def _moment(profile: profile_pb2.Profile, name: str) -> datetime | None:
    """Return a time of a profile, UTC; None when it is not set."""
    if not profile.HasField(name):  # type: ignore[arg-type]  # its type lists all names
        return None
    try:
        found: datetime = getattr(profile, name).ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise RequestError("is not a moment of the calendar", field=f"profile.{name}") from error
    return found


def _state(profile: profile_pb2.Profile) -> ProfileState:
    if profile.state not in _SETTABLE_STATES:
        raise RequestError("must be STATE_ACTIVE or STATE_SUSPENDED", field="profile.state")
    return _SETTABLE_STATES[profile.state]


def _galleries_from_proto(profile: profile_pb2.Profile, field: str) -> tuple[str, ...]:
    names = [gallery_from_proto(n, f"{field}[{i}]") for i, n in enumerate(profile.galleries)]
    return tuple(dict.fromkeys(names))


def _external_id(profile: profile_pb2.Profile) -> str:
    return _at_most(_LONGEST_EXTERNAL_ID, profile.external_id, "profile.external_id")


def _attributes(profile: profile_pb2.Profile) -> Mapping[str, str]:
    field = "profile.attributes"
    if len(profile.attributes) > _MOST_ATTRIBUTES:
        raise RequestError(f"must hold at most {_MOST_ATTRIBUTES}", field=field)
    return {
        _at_most(_LONGEST_ATTRIBUTE_NAME, name, field): _at_most(_LONGEST_ATTRIBUTE, value, field)
        for name, value in sorted(profile.attributes.items())
    }


def _at_most(length: int, text: str, field: str) -> str:
    if len(text) > length:
        raise RequestError(
            f"must have at most {length} characters; received {len(text)}", field=field
        )
    return text


def _uuid(text: str, field: str) -> str:
    """Return a UUID in one form, whatever the case of its digits."""
    try:
        return str(UUID(text))
    except ValueError as error:
        raise RequestError("must be a UUID such as uuid4() makes", field=field) from error


def _picture_to_proto(picture: AssessedPicture) -> enrollment.EnrollmentImageResult:
    accepted = picture.template is not None
    return enrollment.EnrollmentImageResult(
        outcome=enrollment.ENROLLMENT_OUTCOME_ACCEPTED
        if accepted
        else enrollment.ENROLLMENT_OUTCOME_REJECTED,
        reasons=[reason_to_proto(reason) for reason in picture.reasons],
    )


_CHANGES: Mapping[str, Callable[[ProfileChange, profile_pb2.Profile], ProfileChange]] = {
    "display_name": lambda change, given: replace(change, name=given.display_name),
    "galleries": lambda change, given: replace(
        change, galleries=_galleries_from_proto(given, "profile.galleries")
    ),
    "state": lambda change, given: replace(change, state=_state(given)),
    "external_id": lambda change, given: replace(change, external_id=_external_id(given)),
    "attributes": lambda change, given: replace(change, attributes=_attributes(given)),
}
"""What each field of the mask changes."""

_VALIDITY = {"valid_from_time", "valid_until_time"}
_RETENTION = {"erase_time", "erase_unseen_days"}
_JOINT = _VALIDITY | _RETENTION
"""Fields that are stored in pairs: to change one, the other must be known."""
