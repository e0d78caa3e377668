"""What Prometheus reads of a real server."""

import re
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from facerec.client import CallError, GateClient
from facerec.errors import ServiceError
from facerec_identity.metrics import Metrics, MetricsPort
from tests.conftest import ROOT
from tests.integration.identity.server_process import ServerProcess
from tests.integration.identity.site import free_address


def figures(address: str) -> dict[tuple[str, ...], float]:
    """Every figure by its name and the values of its labels, in the order of the labels' names."""
    with urllib.request.urlopen(f"http://{address}/metrics") as answer:
        text = answer.read().decode("utf-8")
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_calls_stages_and_decisions_are_counted(
    new_home: Callable[[], Path], portraits: dict[str, bytes]
) -> None:
    home, address = new_home(), free_address()
    (home / "facerec.toml").write_text('[gates.main]\ngalleries = ["default"]\n', "utf-8")
    with (
        ServerProcess(home, FACEREC_SERVER__METRICS_LISTEN=address) as server,
        GateClient(server.address, timeout_s=60) as gate,
    ):
        gate.enrol("Obama", [portraits["obama-2012"]])
        for _ in range(2):
            assert gate.authorize("main", portraits["obama-2009"]).granted
        for broken in (b"", b"x", b"y"):
            with pytest.raises(CallError):
                gate.authorize("main", broken)
        # A call is counted once it is over, which is just after its caller has the answer.
        found, ends = figures(address), time.monotonic() + 10
        while found["facerec_call_seconds_count", "Authorize"] < 5 and time.monotonic() < ends:
            found = figures(address)
        assert server.messages() == ""
    assert found["facerec_calls_total", "OK", "Authorize"] == 2
    assert found["facerec_calls_total", "INVALID_ARGUMENT", "Authorize"] == 3
    assert found["facerec_calls_total", "OK", "CreateProfile"] == 1
    assert found["facerec_call_seconds_count", "Authorize"] == 5
    assert found["facerec_gate_decisions_total", "main", "granted"] == 2
    assert ("facerec_gate_decisions_total", "main", "retry") not in found
    for stage in ("detect", "align", "assess", "embed"):
        assert found["facerec_stage_seconds_count", stage] == 3
        assert found["facerec_stage_seconds_sum", stage] > 0
    # Three faces with their mirrored chips, and the run that warms the network.
    assert (found["facerec_batch_views_count",], found["facerec_batch_views_sum",]) == (4, 8)
    assert found["facerec_gallery_revision",] >= 1
    assert (found["facerec_profiles",], found["facerec_templates",]) == (1, 1)
    assert found["facerec_analysis_waiting_calls",] == 0
    # What the dashboard shows is told.
    shown = re.findall(r"facerec_\w+", (ROOT / "deploy/grafana/facerec.json").read_text("utf-8"))
    assert len(set(shown)) > 8
    assert set(shown) <= {key[0] for key in found}


def test_calls_in_flight_are_embedded_in_one_run_and_answered_as_alone(
    new_home: Callable[[], Path], portraits: dict[str, bytes]
) -> None:
    address = free_address()
    joining = {
        "FACEREC_SERVER__METRICS_LISTEN": address,
        "FACEREC_SERVER__BATCH_WAIT_MS": "50",
        "FACEREC_SERVER__ANALYSIS_WORKERS": "4",
    }
    home = new_home()
    with ServerProcess(home) as alone, GateClient(alone.address, timeout_s=60) as gate:
        gate.enrol("Obama", [portraits["obama-2012"]])
        expected = {key: seen(gate, picture) for key, picture in portraits.items()}
    with (
        ServerProcess(home, **joining) as server,
        GateClient(server.address, timeout_s=60) as gate,
        ThreadPoolExecutor(8) as threads,
    ):
        asked = [*portraits] * 3
        answers = threads.map(lambda key: seen(gate, portraits[key]), asked)
        for key, answer in zip(asked, answers, strict=True):
            assert answer[:2] == expected[key][:2]
            # float32 sums of another order
            assert answer[2] == pytest.approx(expected[key][2], abs=1e-4)
        found = figures(address)
    runs, views = found["facerec_batch_views_count",], found["facerec_batch_views_sum",]
    assert views == 2 * (len(asked) + 1)
    assert runs < len(asked)


def test_the_frames_of_a_stream_are_timed_while_it_lasts(
    new_home: Callable[[], Path], portraits: dict[str, bytes]
) -> None:
    """One by one: a gate's stream lasts for days, and its sum would be a single sample then."""
    home, address = new_home(), free_address()
    (home / "facerec.toml").write_text('[gates.main]\ngalleries = ["default"]\n', "utf-8")
    counted: list[float] = []

    def frames() -> Iterator[tuple[bytes, float]]:
        for index in range(3):
            yield portraits["collins"], index / 5
            for _ in range(600):  # until it was analysed, so that none is dropped
                counted.append(figures(address).get(("facerec_stage_seconds_count", "detect"), 0))
                if counted[-1] > index:
                    break
                time.sleep(0.1)

    with (
        ServerProcess(home, FACEREC_SERVER__METRICS_LISTEN=address) as server,
        GateClient(server.address, timeout_s=60) as gate,
    ):
        list(gate.stream_authorize("main", frames()))
        found, ends = figures(address), time.monotonic() + 10
        while ("facerec_calls_total", "OK", "StreamAuthorize") not in found:
            assert time.monotonic() < ends
            found = figures(address)
        assert server.messages() == ""
    assert counted[-1] == 3
    for stage in ("decode", "detect", "align"):
        assert found["facerec_stage_seconds_count", stage] == 3
    assert found["facerec_queue_seconds_count", "StreamAuthorize"] == 3


def seen(gate: GateClient, picture: bytes) -> tuple[str, str, float]:
    (face,) = gate.identify(picture, main_only=True).faces
    assert face.similarity is not None
    return face.outcome, face.profile_id, face.similarity


def test_metrics_stay_on_this_machine() -> None:
    with pytest.raises(ServiceError, match="this machine only"):
        MetricsPort("0.0.0.0:0", Metrics())
