"""A gate's question, on real faces, through a real server with two gates."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from facerec.assembly import open_gallery
from facerec.client import AsyncGateClient, AuthorizationOutcome, CallError, GateClient
from facerec.gallery.profile import ProfileState
from facerec.settings import Settings
from facerec_identity.security.caller import Role
from tests.integration.identity import pictures
from tests.integration.identity.lossy_way import lossy_way
from tests.integration.identity.server_process import ServerProcess
from tests.integration.identity.site import Site

GATES = """
[gates.main]
galleries = ["staff"]
known_galleries = ["visitors"]

[gates.lounge]
galleries = ["visitors"]

[gates.vault]
galleries = ["staff"]
refuse_repeats = true

[gates.archive]
galleries = ["staff"]
refuse_repeats = true
"""


@pytest.fixture(scope="module")
def site(new_home: Callable[[], Path]) -> Site:
    home = new_home()
    (home / "facerec.toml").write_text(GATES, "utf-8")
    with open_gallery(Settings(home=home)) as people:
        people.create_gallery("staff")
        people.create_gallery("visitors")
    return Site(home)


@pytest.fixture(scope="module")
def building(site: Site, portraits: dict[str, bytes]) -> Iterator[ServerProcess]:
    settings = {"FACEREC_SERVER__LOG_LEVEL": "info", "FACEREC_SERVER__LOG_FORMAT": "json"}
    with ServerProcess(site.home, **settings) as running:
        with GateClient(running.address, timeout_s=60) as desk:
            desk.enrol("Obama", [portraits["obama-2012"]], profile_id="obama", galleries=["staff"])
            desk.enrol(
                "Biden", [portraits["biden-2010"]], profile_id="biden", galleries=["visitors"]
            )
        yield running


@pytest.fixture(scope="module")
def gate(site: Site, building: ServerProcess) -> Iterator[GateClient]:
    """A client that may speak for the gate ``main`` alone."""
    with GateClient(building.address, timeout_s=60, token=site.token(Role.GATE)) as client:
        yield client


@pytest.mark.parametrize(
    ("picture", "outcome", "profile_id", "reasons"),
    [
        ("obama-2009", AuthorizationOutcome.GRANTED, "obama", ()),
        ("biden-2010", AuthorizationOutcome.DENIED, "biden", ("not_admitted",)),
        ("collins", AuthorizationOutcome.UNKNOWN, None, ("below_threshold",)),
        (None, AuthorizationOutcome.RETRY, None, ("no_face",)),
    ],
)
def test_what_a_gate_is_told(
    building: ServerProcess,
    gate: GateClient,
    portraits: dict[str, bytes],
    picture: str | None,
    outcome: AuthorizationOutcome,
    profile_id: str | None,
    reasons: tuple[str, ...],
) -> None:
    data = pictures.nobody() if picture is None else portraits[picture]
    result = gate.authorize("main", data)
    assert result.outcome is outcome
    assert result.granted == (outcome is AuthorizationOutcome.GRANTED)
    assert (result.profile_id, result.reasons) == (profile_id, reasons)
    assert (result.display_name is None) == (profile_id is None)
    assert (result.face is None) == (picture is None)
    assert result.operating_point and 0 < result.target_fpir < 1
    lines = [json.loads(line) for line in building.messages().splitlines() if line[:1] == "{"]
    (line,) = [line for line in lines if line.get("decision_id") == result.decision_id]
    assert (line["gate"], line["outcome"]) == ("main", outcome.value)
    assert line["profile_id"] == (profile_id or "")
    assert line["code"] == "OK"


def test_a_picture_opens_the_vault_once(
    building: ServerProcess, portraits: dict[str, bytes]
) -> None:
    """What is sent again, in another file too, is a typed answer, in the journal as well."""
    with GateClient(building.address, timeout_s=60) as vault:
        assert vault.authorize("vault", portraits["obama-2009"]).granted
        pixels = pictures.decoded(portraits["obama-2009"])
        for data in (portraits["obama-2009"], pictures.encoded(pixels, ".png")):
            again = vault.authorize("vault", data)
            assert again.outcome is AuthorizationOutcome.DENIED
            assert (again.reasons, again.profile_id) == (("attack_suspected",), "obama")
        assert vault.authorize("vault", portraits["obama-2012"]).granted
        # The main gate does not ask for it.
        assert vault.authorize("main", portraits["obama-2009"]).granted
        assert vault.authorize("main", portraits["obama-2009"]).granted


def test_a_lost_answer_is_no_attack(building: ServerProcess, portraits: dict[str, bytes]) -> None:
    """The client repeats the call by itself, and hears what it would have heard."""
    with (
        lossy_way(building.address) as way,
        GateClient(way.address, timeout_s=60) as archive,
    ):
        assert archive.authorize("archive", portraits["obama-2009"]).granted
        assert way.lost == 1
        again = archive.authorize("archive", portraits["obama-2009"])
    assert again.reasons == ("attack_suspected",)


def test_another_gate_has_other_people(
    building: ServerProcess, portraits: dict[str, bytes]
) -> None:
    """The lounge does not even know the staff."""
    with GateClient(building.address, timeout_s=60) as anywhere:
        assert anywhere.authorize("lounge", portraits["biden-2010"]).granted
        told = anywhere.authorize("lounge", portraits["obama-2009"])
    assert told.outcome is AuthorizationOutcome.UNKNOWN


def test_a_client_speaks_for_its_own_gates_only(
    gate: GateClient, portraits: dict[str, bytes]
) -> None:
    """And is not told whether another gate exists."""
    for other in ("lounge", "nowhere"):
        with pytest.raises(CallError) as caught:
            gate.authorize(other, portraits["obama-2009"])
        assert caught.value.status == "PERMISSION_DENIED"


def test_a_gate_that_is_not_set_up(building: ServerProcess, portraits: dict[str, bytes]) -> None:
    with GateClient(building.address, timeout_s=60) as anywhere:
        with pytest.raises(CallError) as caught:
            anywhere.authorize("nowhere", portraits["obama-2009"])
    assert (caught.value.status, caught.value.reason) == ("NOT_FOUND", "GATE_NOT_FOUND")


async def test_who_is_suspended_stays_outside(
    site: Site, building: ServerProcess, portraits: dict[str, bytes]
) -> None:
    async with AsyncGateClient(building.address, timeout_s=60) as anywhere:
        with open_gallery(Settings(home=site.home)) as people:
            people.set_state("obama", ProfileState.SUSPENDED)
            suspended = await anywhere.authorize("main", portraits["obama-2009"])
            people.set_state("obama", ProfileState.ACTIVE)
            # Who is taken out counts at once; who is put in by another process, within moments.
            for _ in range(200):
                if (again := await anywhere.authorize("main", portraits["obama-2009"])).granted:
                    break
    assert suspended.outcome is AuthorizationOutcome.UNKNOWN
    assert again.granted
