"""AdminService over a real server: galleries, gates, operating points, networks, the journal."""

import fcntl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest

from facerec.assembly import open_gallery
from facerec.client import GateClient
from facerec.client.call_failures import stated_call_failures
from facerec.client.connection import Connection
from facerec.errors import CallError
from facerec.settings import Settings
from facerec.v1 import admin_service_pb2 as api
from facerec.v1 import gate_pb2
from facerec.v1.admin_service_pb2_grpc import AdminServiceStub
from tests.integration.identity.server_process import ServerProcess

SERVER = Connection("server", 60, None, None)


@dataclass(frozen=True)
class Office:
    home: Path
    address: str
    admin: AdminServiceStub


@pytest.fixture(scope="module")
def office(new_home: Callable[[], Path]) -> Iterator[Office]:
    home = new_home()
    (home / "facerec.toml").write_text('[gates.fixed]\ngalleries = ["default"]\n', "utf-8")
    with ServerProcess(home) as server, grpc.insecure_channel(server.address) as channel:
        yield Office(home, server.address, AdminServiceStub(channel))


@pytest.fixture(scope="module")
def admin(office: Office) -> AdminServiceStub:
    return office.admin


def failure(call: Callable[[], object]) -> tuple[str, str, str]:
    with pytest.raises(CallError) as caught, stated_call_failures(SERVER):
        call()
    return caught.value.status, caught.value.reason, caught.value.field


def names(admin: AdminServiceStub) -> list[str]:
    return [g.name for g in admin.ListGalleries(api.ListGalleriesRequest()).galleries]


def test_galleries_come_and_go(office: Office, portraits: dict[str, bytes]) -> None:
    admin = office.admin
    for _ in range(2):  # safe to repeat
        made = admin.CreateGallery(api.CreateGalleryRequest(gallery_id="staff"))
        assert made.gallery == api.Gallery(name="galleries/staff", profile_count=0)
    assert names(admin) == ["galleries/default", "galleries/staff"]
    page = admin.ListGalleries(api.ListGalleriesRequest(page_size=1))
    rest = admin.ListGalleries(
        api.ListGalleriesRequest(page_size=1, page_token=page.next_page_token)
    )
    assert [g.name for g in (*page.galleries, *rest.galleries)] == names(admin)
    with GateClient(office.address, timeout_s=60) as desk:
        desk.enrol("Ada", [portraits["obama-2012"]], profile_id="ada", galleries=["staff"])
    get = api.GetGalleryRequest(name="galleries/staff")
    assert admin.GetGallery(get).gallery.profile_count == 1
    full = api.DeleteGalleryRequest(name="galleries/staff")
    assert failure(lambda: admin.DeleteGallery(full))[:2] == (
        "FAILED_PRECONDITION",
        "STATE_CONFLICT",
    )
    with open_gallery(Settings(home=office.home)) as people:
        people.life_cycle.erase("ada")
    admin.DeleteGallery(full)
    assert failure(lambda: admin.GetGallery(get))[:2] == ("NOT_FOUND", "GALLERY_NOT_FOUND")
    bad = api.CreateGalleryRequest(gallery_id="No Good")
    assert failure(lambda: admin.CreateGallery(bad))[0] == "INVALID_ARGUMENT"


def gate(**policy: object) -> gate_pb2.Gate:
    return gate_pb2.Gate(
        policy=gate_pb2.GatePolicy(galleries=["galleries/default"], **policy)  # type: ignore[arg-type]
    )


def test_a_gate_that_is_set_up_answers_at_once(office: Office, portraits: dict[str, bytes]) -> None:
    admin = office.admin
    with GateClient(office.address, timeout_s=60) as client:
        client.enrol("Barack", [portraits["obama-2012"]], profile_id="barack")
        made = admin.CreateGate(api.CreateGateRequest(gate_id="north", gate=gate())).gate
        assert made.name == "gates/north" and not made.fixed
        assert client.authorize("north", portraits["obama-2009"]).granted
        # Everybody stands outside of a zone in the corner; then nobody may pass at any hour.
        made.policy.zone.extend(
            gate_pb2.RelativePoint(x=x, y=y) for x, y in ((0, 0), (0.05, 0), (0, 0.05))
        )
        zoned = admin.UpdateGate(api.UpdateGateRequest(gate=made)).gate
        assert zoned.etag != made.etag and len(zoned.policy.zone) == 3
        answer = client.authorize("north", portraits["obama-2009"])
        assert (answer.outcome, answer.reasons) == ("retry", ("outside_zone",))
        stale = api.UpdateGateRequest(gate=made)
        assert failure(lambda: admin.UpdateGate(stale))[:2] == ("ABORTED", "GATE_CHANGED")
        del zoned.policy.zone[:]
        zoned.policy.refuse_repeats = True
        once = admin.UpdateGate(api.UpdateGateRequest(gate=zoned)).gate
        assert once.policy.refuse_repeats
        assert client.authorize("north", portraits["obama-2009"]).granted
        repeated = client.authorize("north", portraits["obama-2009"])
        assert (repeated.outcome, repeated.reasons) == ("denied", ("attack_suspected",))
        zoned = gate_pb2.Gate.FromString(once.SerializeToString())
        zoned.policy.refuse_repeats = False
        zoned.policy.cool_down.FromSeconds(3600)
        cool = admin.UpdateGate(api.UpdateGateRequest(gate=zoned)).gate
        assert client.authorize("north", portraits["obama-2009"]).granted
        again = client.authorize("north", portraits["obama-2009"])
        assert (again.outcome, again.reasons) == ("denied", ("cooling_down",))
        assert again.wait_s is not None and 3500 < again.wait_s <= 3600
        admin.DeleteGate(api.DeleteGateRequest(name="gates/north", etag=cool.etag))
        assert failure(lambda: client.authorize("north", portraits["obama-2009"]))[1] == (
            "GATE_NOT_FOUND"
        )
        client.erase("barack")
    kinds = ["gate_created", "gate_updated", "gate_deleted"]
    listed = admin.ListAuditEntries(api.ListAuditEntriesRequest(kinds=kinds)).entries
    assert [entry.kind for entry in listed] == [
        *("gate_created", *["gate_updated"] * 3, "gate_deleted"),
    ]
    assert {entry.place for entry in listed} == {"north"}


def test_a_change_whose_caller_has_left_is_in_the_journal_all_the_same(office: Office) -> None:
    """The change waits for another process that keeps the file, longer than its caller does."""
    request = api.CreateGateRequest(gate_id="slow", gate=gate())
    with (office.home / "gates.lock").open("wb") as kept:
        fcntl.flock(kept, fcntl.LOCK_EX)
        with pytest.raises(grpc.RpcError) as caught:
            office.admin.CreateGate(request, timeout=2)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    entries = api.ListAuditEntriesRequest(kinds=["gate_created"])
    for _ in range(600):
        told = {entry.place for entry in office.admin.ListAuditEntries(entries).entries}
        if "slow" in told:
            break
        time.sleep(0.05)
    assert "slow" in told
    assert office.admin.GetGate(api.GetGateRequest(name="gates/slow")).gate
    office.admin.DeleteGate(api.DeleteGateRequest(name="gates/slow"))


def test_gates_of_the_settings_file_are_changed_there(admin: AdminServiceStub) -> None:
    fixed = admin.GetGate(api.GetGateRequest(name="gates/fixed")).gate
    assert fixed.fixed
    assert fixed in admin.ListGates(api.ListGatesRequest()).gates
    for call in (
        lambda: admin.UpdateGate(api.UpdateGateRequest(gate=fixed)),
        lambda: admin.DeleteGate(api.DeleteGateRequest(name="gates/fixed")),
    ):
        assert failure(call)[:2] == ("FAILED_PRECONDITION", "STATE_CONFLICT")
    again = api.CreateGateRequest(gate_id="fixed", gate=gate())
    assert failure(lambda: admin.CreateGate(again))[:2] == ("ALREADY_EXISTS", "GATE_EXISTS")


@pytest.mark.parametrize(
    ("gate_id", "policy", "reason"),
    [
        ("", {}, "REQUEST_INVALID"),
        ("a/b", {}, "REQUEST_INVALID"),
        ("x", {"schedule": ["some day"]}, "REQUEST_INVALID"),
        ("x", {"time_zone": "Moon/Tranquility"}, "REQUEST_INVALID"),
        ("x", {"min_face_px": -1}, "REQUEST_INVALID"),
        ("x", {"min_face_px": float("nan")}, "REQUEST_INVALID"),
        ("x", {"min_frames": -1}, "REQUEST_INVALID"),
        ("x", {"zone": [gate_pb2.RelativePoint(x=2, y=0)]}, "REQUEST_INVALID"),
        ("x", {"known_galleries": ["galleries/none"]}, "GALLERY_NOT_FOUND"),
    ],
)
def test_policies_that_make_no_sense(
    admin: AdminServiceStub, gate_id: str, policy: dict[str, object], reason: str
) -> None:
    request = api.CreateGateRequest(gate_id=gate_id, gate=gate(**policy))
    assert failure(lambda: admin.CreateGate(request))[1] == reason
    empty = api.CreateGateRequest(gate_id="x", gate=gate_pb2.Gate())
    assert failure(lambda: admin.CreateGate(empty))[1] == "REQUEST_INVALID"
    assert [g.name for g in admin.ListGates(api.ListGatesRequest()).gates] == ["gates/fixed"]


def test_what_the_server_decides_by(admin: AdminServiceStub) -> None:
    points = admin.ListOperatingPoints(api.ListOperatingPointsRequest()).operating_points
    (used,) = [point for point in points if point.in_use]
    models = admin.ListModels(api.ListModelsRequest()).models
    (embedder,) = [m for m in models if m.embedding_space == used.embedding_space]
    assert embedder.state == api.Model.STATE_INSTALLED
    assert 0 < used.target_fmr < 1 and -1 < used.verification_threshold < 1
    assert used.people_count > 0 and used.comparison_count > 0


def test_statistics_count_what_was_done(office: Office, portraits: dict[str, bytes]) -> None:
    before = office.admin.GetStatistics(api.GetStatisticsRequest())
    with GateClient(office.address, timeout_s=60) as client:
        client.enrol("Ada", [portraits["obama-2012"], portraits["obama-2009"]], profile_id="two")
        client.authorize("fixed", portraits["obama-2010"])
        after = office.admin.GetStatistics(api.GetStatisticsRequest())
        client.erase("two")
    assert after.profile_count == before.profile_count + 1
    assert after.template_count == before.template_count + 2
    assert after.gallery_revision > before.gallery_revision
    assert after.last_audit_number > before.last_audit_number
    (fixed,) = [g for g in after.gates if g.gate == "gates/fixed"]
    assert fixed.granted_count == 1


def test_the_journal_page_by_page(office: Office, portraits: dict[str, bytes]) -> None:
    admin = office.admin
    with GateClient(office.address, timeout_s=60) as client:
        client.enrol("Ada", [portraits["obama-2012"]], profile_id="ada")
        about = api.ListAuditEntriesRequest(profile="profiles/ada")
        (enrolled,) = admin.ListAuditEntries(about).entries
        assert (enrolled.kind, enrolled.profile) == ("profile_enrolled", "profiles/ada")
        assert enrolled.actor == "local" and enrolled.request_id
        client.erase("ada")
    everything = admin.ListAuditEntries(api.ListAuditEntriesRequest(page_size=1000)).entries
    request, found = api.ListAuditEntriesRequest(page_size=2), []
    while True:
        page = admin.ListAuditEntries(request)
        assert 1 <= len(page.entries) <= 2
        found += page.entries
        request.page_token = page.next_page_token
        if not page.next_page_token:
            break
    assert [e.number for e in found[: len(everything)]] == [e.number for e in everything]
    # Whom it was about nobody can tell any more; that it was somebody, and who did it, stays.
    (gone,) = [e for e in everything if e.number == enrolled.number]
    assert gone.profile == "" and gone.subject == enrolled.subject
    first = admin.ListAuditEntries(api.ListAuditEntriesRequest(page_size=1))
    other = api.ListAuditEntriesRequest(page_token=first.next_page_token, actor="local")
    assert failure(lambda: admin.ListAuditEntries(other))[2] == "page_token"
    unknown = api.ListAuditEntriesRequest(kinds=["no such kind"])
    assert failure(lambda: admin.ListAuditEntries(unknown))[2] == "kinds"
