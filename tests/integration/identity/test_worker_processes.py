"""Several processes on one address: what they share, and what happens when one is killed."""

import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from facerec.client import CallError, GateClient
from facerec.v1 import admin_service_pb2 as admin
from facerec.v1 import image_pb2
from facerec.v1 import verification_service_pb2 as verification
from facerec.v1.admin_service_pb2_grpc import AdminServiceStub
from facerec.v1.verification_service_pb2_grpc import VerificationServiceStub
from tests.integration.identity.pictures import decoded, encoded, of_height
from tests.integration.identity.server_process import ServerProcess

WORKERS = "2"
ALONE = (("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0))
"""Otherwise channels of the same options share one connection, and so one of the processes."""
RETRYABLE = {"UNAVAILABLE", "RESOURCE_EXHAUSTED"}


def workers_of(server: ServerProcess) -> list[int]:
    pid = server.process.pid
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]


@pytest.fixture
def pair(new_home: Callable[[], Path]) -> Iterator[ServerProcess]:
    settings = {"FACEREC_SERVER__LOG_LEVEL": "info", "FACEREC_SERVER__LOG_FORMAT": "json"}
    with ServerProcess(new_home(), FACEREC_SERVER__WORKERS=WORKERS, **settings) as server:
        yield server


def channel_to_each(server: ServerProcess) -> dict[str, grpc.Channel]:
    """Connections until every process has been met, by when the process started."""
    met: dict[str, grpc.Channel] = {}
    while len(met) < int(WORKERS):
        channel = grpc.insecure_channel(server.address, options=ALONE)
        told = AdminServiceStub(channel).GetStatistics(admin.GetStatisticsRequest(), timeout=30)
        met.setdefault(told.start_time.ToJsonString(), channel)
    return met


def test_what_one_enrols_all_know_at_their_next_call(
    pair: ServerProcess, portraits: dict[str, bytes]
) -> None:
    channels = channel_to_each(pair)
    with GateClient(pair.address, timeout_s=60) as desk:
        desk.enrol("Obama", [portraits["obama-2012"]], profile_id="obama")
        for channel in channels.values():
            told = AdminServiceStub(channel).GetStatistics(admin.GetStatisticsRequest())
            assert told.profile_count == 1
            channel.close()
        desk.erase("obama")
    assert set(map(os.getpgid, workers_of(pair))) == {os.getpgid(pair.process.pid)}


def test_killing_a_worker_under_load_loses_no_accepted_enrolment(
    pair: ServerProcess, portraits: dict[str, bytes]
) -> None:
    picture = encoded(of_height(decoded(portraits["obama-2012"]), 360))
    accepted: list[str] = []
    failures: list[CallError] = []
    stop = threading.Event()

    def desk(number: int) -> None:
        count = 0
        with GateClient(pair.address, timeout_s=60) as gate:
            while not stop.is_set():
                count += 1
                try:
                    wanted = f"ada-{number}-{count}"
                    made = gate.enrol("Ada", [picture], profile_id=wanted, allow_same_person=True)
                except CallError as error:
                    failures.append(error)
                    continue
                assert made.profile is not None
                accepted.append(made.profile.profile_id)

    with ThreadPoolExecutor(4) as threads:
        desks = [threads.submit(desk, number) for number in range(4)]

        def wait_for(count: int) -> None:
            while len(accepted) < count and not any(desk.done() for desk in desks):
                time.sleep(0.05)

        try:
            wait_for(10)
            # The desks share one connection, which is to one of them; then to one of the new.
            for worker in workers_of(pair):
                os.kill(worker, signal.SIGKILL)
                wait_for(len(accepted) + 10)
                while len(workers_of(pair)) < 2 or worker in workers_of(pair):
                    time.sleep(0.05)
        finally:
            stop.set()
        for done in desks:
            done.result()
    assert {error.status for error in failures} <= RETRYABLE, failures
    with GateClient(pair.address, timeout_s=60) as gate:
        stored = {profile.profile_id for profile in gate.profiles()}
    assert set(accepted) <= stored
    assert len(accepted) == len(set(accepted))


def test_stopping_under_load_breaks_no_call(
    pair: ServerProcess, portraits: dict[str, bytes]
) -> None:
    """Callers that repeat nothing, each on a connection of its own: every answer arrives."""
    picture = encoded(of_height(decoded(portraits["obama-2012"]), 360))
    request = verification.IdentifyRequest(image=image_pb2.Image(data=picture))
    begun = threading.Semaphore(0)

    def ask(_: int) -> tuple[int, grpc.StatusCode]:
        answered = 0
        with grpc.insecure_channel(pair.address, options=ALONE) as channel:
            while True:
                try:
                    VerificationServiceStub(channel).Identify(request, timeout=60)
                except grpc.RpcError as error:
                    begun.release(3)
                    return answered, error.code()
                answered += 1
                begun.release()

    with ThreadPoolExecutor(6) as threads:
        asking = [threads.submit(ask, number) for number in range(6)]
        for _ in range(3 * len(asking)):
            begun.acquire()
        pair.process.send_signal(signal.SIGTERM)
        answered, ends = zip(*(done.result() for done in asking), strict=True)
    assert pair.process.wait() == 0
    lines = [json.loads(line) for line in pair.messages().splitlines() if line[:1] == "{"]
    codes = Counter(line["code"] for line in lines if "rpc" in line)
    # None was cut off while it was worked on, and what was answered was received.
    assert codes.keys() <= {"OK", "UNAVAILABLE"}
    assert codes["OK"] == sum(answered) >= 18
    # CANCELLED is what gRPC says of a call that comes while the port closes.
    assert set(ends) <= {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}


def test_workers_end_with_the_process_that_started_them(new_home: Callable[[], Path]) -> None:
    with ServerProcess(new_home(), FACEREC_SERVER__WORKERS=WORKERS) as server:
        workers = workers_of(server)
        assert len(workers) == 2
        server.process.kill()
        server.process.wait()
        while any(Path(f"/proc/{pid}").exists() for pid in workers):
            time.sleep(0.05)


def test_a_taken_address_is_refused(pair: ServerProcess, new_home: Callable[[], Path]) -> None:
    other = ServerProcess(new_home(), FACEREC_SERVER__WORKERS=WORKERS)
    with pytest.raises(AssertionError, match=r"did not start.*cannot listen"):
        with other.listening_at(pair.address):
            pass
