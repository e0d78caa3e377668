"""Between messages about what the server holds and the types of facerec."""

from datetime import UTC, datetime

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from pydantic import ValidationError

from facerec.decision.operating_point import OperatingPoint
from facerec.decision.recognizer import Recognizer
from facerec.errors import RequestError
from facerec.gallery.audit.entry import AuditEntry
from facerec.gallery.audit.event import AuditKind
from facerec.gallery.audit.reading import AuditFilter
from facerec.models.listing import ListedModel, ModelState
from facerec.settings import GateSettings
from facerec.v1 import admin_service_pb2 as api
from facerec.v1 import gate_pb2
from facerec_identity.gates import Gate
from facerec_identity.profile_serde import timestamp_to_proto
from facerec_identity.resource_names import (
    gallery_from_proto,
    gallery_to_proto,
    gate_to_proto,
    profile_id_from_proto,
    profile_name_to_proto,
)

__all__ = [
    "audit_filter_from_proto",
    "entry_to_proto",
    "gate_to_message",
    "model_to_proto",
    "operating_point_to_proto",
    "policy_from_proto",
]

_MODEL_STATES = {
    ModelState.AVAILABLE: api.Model.STATE_AVAILABLE,
    ModelState.INSTALLED: api.Model.STATE_INSTALLED,
    ModelState.OUTDATED: api.Model.STATE_OUTDATED,
    ModelState.DAMAGED: api.Model.STATE_DAMAGED,
}


def policy_from_proto(policy: gate_pb2.GatePolicy, field: str) -> GateSettings:
    """Return what a gate asks.

    Raises:
        RequestError: a field does not hold what it must.
    """
    names = list(policy.galleries)
    known = list(policy.known_galleries)
    try:
        return GateSettings(
            galleries=tuple(
                gallery_from_proto(name, f"{field}.galleries[{i}]") for i, name in enumerate(names)
            ),
            known_galleries=tuple(
                gallery_from_proto(name, f"{field}.known_galleries[{i}]")
                for i, name in enumerate(known)
            ),
            zone=tuple((point.x, point.y) for point in policy.zone),
            min_face_px=policy.min_face_px,
            nearest_only=not policy.every_face,
            min_frames=policy.min_frames or 1,
            cool_down_s=policy.cool_down.ToNanoseconds() / 1e9,
            refuse_repeats=policy.refuse_repeats,
            schedule=tuple(policy.schedule),
            time_zone=policy.time_zone or "UTC",
        )
    except ValidationError as error:
        fault = error.errors()[0]
        name = ".".join(str(part) for part in fault["loc"])
        raise RequestError(fault["msg"].lower(), field=f"{field}.{name}") from error


def gate_to_message(gate: Gate) -> gate_pb2.Gate:
    """Return one gate."""
    policy, cool_down = gate.policy, Duration()
    cool_down.FromNanoseconds(round(policy.cool_down_s * 1e9))
    return gate_pb2.Gate(
        name=gate_to_proto(gate.name),
        fixed=gate.fixed,
        etag=gate.etag,
        policy=gate_pb2.GatePolicy(
            galleries=map(gallery_to_proto, policy.galleries),
            known_galleries=map(gallery_to_proto, policy.known_galleries),
            zone=[gate_pb2.RelativePoint(x=x, y=y) for x, y in policy.zone],
            min_face_px=policy.min_face_px,
            every_face=not policy.nearest_only,
            min_frames=policy.min_frames,
            cool_down=cool_down if policy.cool_down_s else None,
            refuse_repeats=policy.refuse_repeats,
            schedule=policy.schedule,
            time_zone=policy.time_zone,
        ),
    )


def operating_point_to_proto(
    point: OperatingPoint, name: str, recognizer: Recognizer | None
) -> api.OperatingPoint:
    """Return one operating point; with what the server decides at if it is in use.

    Args:
        point: Which.
        name: Under which it is known.
        recognizer: What decides by it; None when it is not in use.
    """
    provenance = point.provenance
    message = api.OperatingPoint(
        name=f"operatingPoints/{name}",
        embedding_space=point.embedding_space,
        in_use=recognizer is not None,
        data=provenance.data,
        people_count=provenance.people,
        comparison_count=provenance.comparisons,
    )
    if recognizer is not None:
        message.verification_threshold = point.threshold_at_fmr(recognizer.target_fmr)
        message.target_fmr = recognizer.target_fmr
        message.target_fpir = recognizer.target_fpir
    return message


def model_to_proto(model: ListedModel) -> api.Model:
    """Return one network."""
    return api.Model(
        name=f"models/{model.name}",
        task=model.task,
        version=model.version,
        license=model.license,
        state=_MODEL_STATES[model.state],
        embedding_space=model.embedding_space,
    )


def audit_filter_from_proto(request: api.ListAuditEntriesRequest) -> AuditFilter:
    """Return which entries of the journal are wanted.

    Raises:
        RequestError: a field does not hold what it must.
    """
    unknown = sorted(set(request.kinds) - set(AuditKind))
    if unknown:
        raise RequestError(f"must be of: {', '.join(AuditKind)}", field="kinds")
    return AuditFilter(
        since=_moment(request.since_time, "since_time") if request.HasField("since_time") else None,
        until=_moment(request.until_time, "until_time") if request.HasField("until_time") else None,
        kinds=tuple(map(AuditKind, request.kinds)),
        profile_id=profile_id_from_proto(request.profile, "profile") if request.profile else None,
        actor=request.actor,
        request_id=request.request_id,
    )


def entry_to_proto(entry: AuditEntry) -> api.AuditEntry:
    """Return one entry of the journal."""
    event = entry.event
    profile_id = event.profile_id
    return api.AuditEntry(
        number=entry.number,
        record_time=timestamp_to_proto(entry.recorded),
        kind=event.kind.value,
        outcome=event.outcome,
        actor=entry.actor,
        request_id=entry.request_id,
        subject=entry.subject,
        profile="" if profile_id is None else profile_name_to_proto(profile_id),
        reasons=event.reasons,
        place=event.place,
        embedding_space=event.embedding_space,
        operating_point=event.operating_point,
        similarity=event.score,
        threshold=event.threshold,
        gallery_revision=event.revision,
        note=event.note,
        sha256=entry.sha256,
    )


def _moment(time: Timestamp, field: str) -> datetime:
    try:
        found: datetime = time.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise RequestError("is not a moment of the calendar", field=field) from error
    return found
