"""StreamAuthorize and WatchDecisions over a real server, with the demo's film as the camera."""

import asyncio
import itertools
import queue
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, closing
from dataclasses import dataclass
from pathlib import Path

import cv2
import grpc
import pytest

from facerec.client import AsyncGateClient, GateClient, WatchedDecision
from facerec.client.call_failures import stated_call_failures
from facerec.client.connection import Connection
from facerec.client.sent_frames import SentFrame
from facerec.errors import CallError
from facerec.v1 import image_pb2, reason_pb2
from facerec.v1 import verification_service_pb2 as api
from facerec.v1.verification_service_pb2_grpc import VerificationServiceStub
from facerec_identity.security.caller import Role
from tests.integration.identity.pictures import decoded, encoded, nobody, of_height
from tests.integration.identity.server_process import ServerProcess, facerec
from tests.integration.identity.site import Site

GATES = """
[gates.main]
galleries = ["default"]
min_frames = 3

[gates.other]
galleries = ["default"]

[gates.vault]
galleries = ["default"]
refuse_repeats = true
"""
SERVER = Connection("server", 60, None, None)
GRANTED = api.AUTHORIZATION_OUTCOME_GRANTED
DENIED = api.AUTHORIZATION_OUTCOME_DENIED
UNKNOWN = api.AUTHORIZATION_OUTCOME_UNKNOWN
RETRY = api.AUTHORIZATION_OUTCOME_RETRY


@dataclass(frozen=True)
class Building:
    site: Site
    server: ServerProcess
    gate: VerificationServiceStub
    client: GateClient


@pytest.fixture(scope="module")
def building(new_home: Callable[[], Path], portraits: dict[str, bytes]) -> Iterator[Building]:
    home = new_home()
    (home / "facerec.toml").write_text(GATES, "utf-8")
    with (
        ServerProcess(home) as server,
        grpc.insecure_channel(server.address) as channel,
        GateClient(server.address, timeout_s=60) as client,
    ):
        client.enrol("Obama", [portraits["obama-2012"]], profile_id="obama")
        yield Building(Site(home), server, VerificationServiceStub(channel), client)


def config(gate: str = "main") -> api.StreamAuthorizeRequest:
    return api.StreamAuthorizeRequest(config=api.StreamAuthorizeConfig(gate=f"gates/{gate}"))


def frame(data: bytes, clock_s: float | None = None) -> api.StreamAuthorizeRequest:
    message = api.GateFrame(image=image_pb2.Image(data=data))
    if clock_s is not None:
        message.capture_offset.FromMilliseconds(round(clock_s * 1000))
    return api.StreamAuthorizeRequest(frame=message)


def standing(portrait: bytes) -> list[bytes]:
    """A person before a camera that trembles a little, so that no two frames are equal."""
    image = of_height(decoded(portrait), 480)
    shifted = [
        cv2.copyMakeBorder(image, i, 4 - i, i, 4 - i, cv2.BORDER_REPLICATE) for i in range(4)
    ]
    return [encoded(picture) for picture in shifted]


class Camera:
    """Sends a frame whenever the last one was taken up, as fast as the server can."""

    def __init__(self, gate: VerificationServiceStub, name: str = "main") -> None:
        self._frames: queue.Queue[api.StreamAuthorizeRequest | None] = queue.Queue()
        self._frames.put(config(name))
        self.answers = gate.StreamAuthorize(iter(self._frames.get, None), timeout=120)

    def send(self, data: bytes, clock_s: float | None = None) -> None:
        self._frames.put(frame(data, clock_s))

    def close(self) -> None:
        self._frames.put(None)


def visit(
    building: Building, portrait: bytes, gate: str = "main"
) -> list[api.StreamAuthorizeResponse]:
    """Show a person until a decision is there and a second longer; return all answers.

    However slow the machine: the frames' own clock says how long that was for the camera.
    """
    camera, pictures = Camera(building.gate, gate), standing(portrait)
    decided = threading.Event()

    def show() -> None:
        left = 10
        for i in itertools.count():
            camera.send(pictures[i % 4], i * 0.1)
            time.sleep(0.15)
            left -= decided.is_set()
            if not left:
                return camera.close()

    showing = threading.Thread(target=show)
    showing.start()
    told = []
    try:
        for answer in camera.answers:
            told.append(answer)
            if answer.HasField("decision"):
                decided.set()
    finally:
        decided.set()
        showing.join()
    return told


def test_one_decision_over_several_frames(building: Building, portraits: dict[str, bytes]) -> None:
    # The gate asks for three frames, which one picture never is.
    alone = building.client.authorize("main", portraits["obama-2009"])
    assert (alone.outcome, alone.reasons) == ("retry", ("too_few_sightings",))
    ready, *told = visit(building, portraits["obama-2009"])
    assert ready.HasField("ready")
    (decision,) = [answer for answer in told if answer.HasField("decision")]
    assert (decision.decision.outcome, decision.decision.profile) == (GRANTED, "profiles/obama")
    assert decision.analyzed_frame_count >= 3
    assert not decision.decision.reasons and decision.decision.decision_id


def test_a_recording_does_not_open_the_vault_again(
    building: Building, portraits: dict[str, bytes]
) -> None:
    outcomes = []
    for who in ("obama-2009", "obama-2009", "obama-2012"):
        told = visit(building, portraits[who], "vault")
        outcomes += [answer.decision for answer in told if answer.HasField("decision")]
    assert [answer.outcome for answer in outcomes] == [GRANTED, DENIED, GRANTED]
    assert list(outcomes[1].reasons) == [reason_pb2.REASON_ATTACK_SUSPECTED]


def test_a_stranger_is_unknown_once(building: Building, portraits: dict[str, bytes]) -> None:
    told = visit(building, portraits["collins"])
    outcomes = [answer.decision.outcome for answer in told if answer.HasField("decision")]
    assert outcomes == [UNKNOWN]


def test_frames_that_come_too_fast_are_dropped(
    building: Building, portraits: dict[str, bytes]
) -> None:
    camera, pictures = Camera(building.gate), standing(portraits["obama-2009"])
    for i in range(200):
        camera.send(pictures[i % 4], i / 30)
    camera.close()
    last = list(camera.answers)[-1]
    assert last.dropped_frame_count + last.analyzed_frame_count <= 200
    assert last.dropped_frame_count > 100


def test_an_idle_stream_is_pinged(building: Building) -> None:
    camera = Camera(building.gate)
    assert next(camera.answers).HasField("ready")
    assert next(camera.answers).HasField("ping")
    camera.close()
    (last,) = camera.answers
    assert last.HasField("ping") and last.analyzed_frame_count == 0


@pytest.mark.parametrize(
    ("requests", "status", "reason"),
    [
        ([], "INVALID_ARGUMENT", "REQUEST_INVALID"),
        ([frame(b"x")], "INVALID_ARGUMENT", "REQUEST_INVALID"),
        ([config(), config()], "INVALID_ARGUMENT", "REQUEST_INVALID"),
        ([config(), frame(b"no picture")], "INVALID_ARGUMENT", "IMAGE_INVALID"),
        ([config("nowhere")], "NOT_FOUND", "GATE_NOT_FOUND"),
    ],
)
def test_what_ends_a_stream(
    building: Building, requests: list[api.StreamAuthorizeRequest], status: str, reason: str
) -> None:
    with pytest.raises(CallError) as caught, stated_call_failures(SERVER):
        list(building.gate.StreamAuthorize(iter(requests), timeout=60))
    assert (caught.value.status, caught.value.reason) == (status, reason)


def test_a_stream_ends_when_its_token_is_revoked(
    building: Building, portraits: dict[str, bytes]
) -> None:
    token = building.site.token(Role.GATE)
    with grpc.insecure_channel(building.server.address) as channel:
        gate = VerificationServiceStub(channel)
        hold = threading.Event()

        def requests() -> Iterator[api.StreamAuthorizeRequest]:
            yield config()
            hold.wait(60)

        call = gate.StreamAuthorize(
            requests(), timeout=60, metadata=(("authorization", f"Bearer {token}"),)
        )
        assert next(call).HasField("ready")
        done = facerec("tokens", "revoke", token.split("_")[1], home=building.site.home)
        assert done.returncode == 0, done.stderr
        with pytest.raises(CallError) as caught, stated_call_failures(SERVER):
            list(call)
        hold.set()
    assert caught.value.status == "UNAUTHENTICATED"


def test_a_camera_that_fails_is_not_taken_for_a_server_that_does(
    building: Building, portraits: dict[str, bytes]
) -> None:
    """Of which gRPC says no more than that it was iterating requests."""

    def frames() -> Iterator[SentFrame]:
        yield portraits["collins"], 0.0
        raise OSError("the camera was unplugged")

    with pytest.raises(OSError, match="unplugged"):
        list(building.client.stream_authorize("main", frames()))


@pytest.mark.parametrize("awaited", [False, True])
async def test_a_camera_of_an_event_loop(
    building: Building, portraits: dict[str, bytes], awaited: bool
) -> None:
    """The loop goes on while the camera waits; what it fails with is no CancelledError."""
    go_on = threading.Event()

    def frames() -> Iterator[SentFrame]:
        assert go_on.wait(60)  # for an answer, which this loop takes
        yield portraits["collins"], 0.0
        raise OSError("the camera was unplugged")

    async def frames_awaited() -> AsyncIterator[SentFrame]:
        assert await asyncio.to_thread(go_on.wait, 60)
        yield portraits["collins"], 0.0
        raise OSError("the camera was unplugged")

    camera = frames_awaited() if awaited else frames()
    answers = []
    async with AsyncGateClient(building.server.address) as gate:
        with pytest.raises(OSError, match="unplugged"):
            async for answer in gate.stream_authorize("main", camera):
                answers.append(answer)
                go_on.set()
    assert answers == [None, None]  # that it is ready, and that there are no more


def decisions(
    watcher: Iterator[api.WatchDecisionsResponse], count: int
) -> list[api.WatchDecisionsResponse]:
    found = []
    for message in watcher:
        if message.HasField("decision"):
            found.append(message)
            if len(found) == count:
                break
    return found


def test_watchers_miss_nothing_and_hear_nothing_twice(
    building: Building, portraits: dict[str, bytes]
) -> None:
    watch = building.gate.WatchDecisions
    watcher = watch(api.WatchDecisionsRequest(), timeout=120)
    begin = next(watcher)
    assert not begin.HasField("decision") and begin.resume_token
    asked = [
        building.client.authorize("other", portraits["obama-2009"]),
        building.client.authorize("other", portraits["collins"]),
        building.client.authorize("main", nobody()),
    ]
    heard = decisions(watcher, 3)
    watcher.cancel()
    assert [m.decision.decision_id for m in heard] == [a.decision_id for a in asked]
    assert [m.decision.outcome for m in heard] == [GRANTED, UNKNOWN, RETRY]
    assert [m.decision.profile for m in heard] == ["profiles/obama", "", ""]
    assert heard[1].decision.reasons == [reason_pb2.REASON_BELOW_THRESHOLD]
    assert heard[0].decision.HasField("similarity") and heard[0].decision.client == "local"
    # Resume after the first; from before all; and with those of one gate only.
    later = watch(api.WatchDecisionsRequest(resume_token=heard[0].resume_token), timeout=60)
    assert decisions(later, 2) == heard[1:]
    later.cancel()
    one = api.WatchDecisionsRequest(gates=["gates/main"], resume_token=begin.resume_token)
    filtered = watch(one, timeout=60)
    assert decisions(filtered, 1) == heard[2:]
    filtered.cancel()


def test_a_gate_watches_its_own_gates_without_scores(
    building: Building, portraits: dict[str, bytes]
) -> None:
    token = building.site.token(Role.GATE)  # for the gate main
    metadata = (("authorization", f"Bearer {token}"),)
    watch = building.gate.WatchDecisions
    for gates in ([], ["gates/other"], ["gates/main", "gates/other"]):
        request = api.WatchDecisionsRequest(gates=gates)
        with pytest.raises(CallError) as caught, stated_call_failures(SERVER):
            next(watch(request, timeout=60, metadata=metadata))
        assert caught.value.status == "PERMISSION_DENIED"
    watcher = watch(api.WatchDecisionsRequest(gates=["gates/main"]), timeout=60, metadata=metadata)
    next(watcher)
    building.client.authorize("main", portraits["obama-2009"])
    (told,) = decisions(watcher, 1)
    watcher.cancel()
    assert not told.decision.HasField("similarity") and not told.decision.HasField("threshold")


async def test_the_clients_watch(building: Building, portraits: dict[str, bytes]) -> None:
    """One waits for what comes, one of asyncio goes on after what it knows."""
    with closing(building.client.watch_decisions(["main"])) as watcher:
        begin = next(watcher)
        assert begin.resume_token and (begin.outcome, begin.decided) == (None, None)
        asked = building.client.authorize("main", portraits["collins"])
        heard = next(told for told in watcher if told.outcome is not None)
    assert (heard.decision_id, heard.gate, heard.client) == (asked.decision_id, "main", "local")
    assert (heard.outcome, heard.reasons) == (asked.outcome, asked.reasons)
    assert heard.profile_id is None and heard.decided is not None
    async with AsyncGateClient(building.server.address) as gate:
        again = gate.watch_decisions(["main"], resume_token=begin.resume_token)
        async with aclosing(again) as awaited:
            assert [told async for told in taken(awaited)] == [heard]
        with pytest.raises(CallError) as caught:
            await anext(gate.watch_decisions(resume_token="x"))
    assert (caught.value.status, caught.value.field) == ("INVALID_ARGUMENT", "resume_token")


async def taken(watcher: AsyncIterator[WatchedDecision]) -> AsyncIterator[WatchedDecision]:
    """Pass on what is told until the first decision."""
    async for told in watcher:
        if told.outcome is not None:
            yield told
            return


@pytest.mark.parametrize("token", ["x", "ZGVjaXNpb25zOi0x", "ZGVjaXNpb25zOng=", "é"])
def test_tokens_that_were_never_given_out(building: Building, token: str) -> None:
    request = api.WatchDecisionsRequest(resume_token=token)
    with pytest.raises(CallError) as caught, stated_call_failures(SERVER):
        next(building.gate.WatchDecisions(request, timeout=60))
    assert (caught.value.status, caught.value.field) == ("INVALID_ARGUMENT", "resume_token")
