"""What a collector is sent: a real OTLP receiver, a real server, real calls."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as collector
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import (
    TraceServiceServicer,
    add_TraceServiceServicer_to_server,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from facerec.client import CallError, GateClient
from facerec.errors import SettingsError
from facerec.settings import ServerSettings, load_settings
from facerec.v1 import image_pb2
from facerec.v1 import verification_service_pb2 as verification
from facerec.v1.verification_service_pb2_grpc import VerificationServiceStub
from facerec_identity.tracing import build_traces
from tests.integration.identity.server_process import ServerProcess, facerec
from tests.integration.identity.site import free_address

STAGES = {
    *("admission", "decode", "detect", "align", "assess", "embed"),
    *("search", "decide", "journal"),
}
SECRET_NAME = "Barack Hussein"
GATE = '[gates.main]\ngalleries = ["default"]\n'


class Collector(TraceServiceServicer):
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.services: set[str] = set()
        self.sent = b""

    def Export(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.sent += request.SerializeToString()
        for resource in request.resource_spans:
            named = {a.key: a.value.string_value for a in resource.resource.attributes}
            self.services.add(named["service.name"])
            for scope in resource.scope_spans:
                self.spans.extend(scope.spans)
        return collector.ExportTraceServiceResponse()

    def children(self, root: Span) -> list[Span]:
        return [span for span in self.spans if span.parent_span_id == root.span_id]


@contextmanager
def collecting() -> Iterator[tuple[Collector, str]]:
    server, kept = grpc.server(futures.ThreadPoolExecutor(2)), Collector()
    add_TraceServiceServicer_to_server(kept, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield kept, f"http://127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


@pytest.fixture(scope="module")
def traced(
    new_home: Callable[[], Path], portraits: dict[str, bytes]
) -> Iterator[tuple[Collector, Path]]:
    """A server that answered some calls and was stopped, and what its collector has."""
    home = new_home()
    (home / "facerec.toml").write_text(GATE, "utf-8")
    with collecting() as (kept, endpoint):
        with (
            ServerProcess(home, FACEREC_SERVER__TRACE_ENDPOINT=endpoint) as server,
            GateClient(server.address, timeout_s=60) as gate,
        ):
            gate.enrol(SECRET_NAME, [portraits["obama-2012"]], profile_id="p-secret")
            assert gate.authorize("main", portraits["obama-2009"]).profile_id == "p-secret"
            gate.identify(portraits["collins"])
            with pytest.raises(CallError):
                gate.identify(b"no picture")
            frames = [(portraits["obama-2009"], i / 5) for i in range(4)]
            list(gate.stream_authorize("main", frames))
            with grpc.insecure_channel(server.address) as channel:
                VerificationServiceStub(channel).Identify(
                    verification.IdentifyRequest(image=image_pb2.Image(data=portraits["collins"])),
                    metadata=(
                        ("traceparent", f"00-{'ab' * 16}-{'cd' * 8}-01"),
                        ("x-request-id", "gate-7"),
                    ),
                )
                with pytest.raises(grpc.RpcError):
                    channel.unary_unary("/x.Y/Nothing")(b"")
        yield kept, home


def roots(kept: Collector, name: str) -> list[Span]:
    return [span for span in kept.spans if span.name.endswith(name)]


def attributes(span: Span) -> dict[str, str | int]:
    return {a.key: a.value.string_value or a.value.int_value for a in span.attributes}


def test_a_call_is_a_span_and_each_of_its_stages_one_within_it(
    traced: tuple[Collector, Path],
) -> None:
    kept, _ = traced
    assert kept.services == {"facerec"}
    (root,) = roots(kept, "/Authorize")
    assert root.kind == Span.SPAN_KIND_SERVER
    assert root.name == "facerec.v1.VerificationService/Authorize"
    stages = kept.children(root)
    assert {span.name for span in stages} == STAGES
    for span in stages:
        assert span.trace_id == root.trace_id
        assert root.start_time_unix_nano <= span.start_time_unix_nano
        assert span.start_time_unix_nano <= span.end_time_unix_nano <= root.end_time_unix_nano
    took = {span.name: span.end_time_unix_nano - span.start_time_unix_nano for span in stages}
    assert took["embed"] > took["decide"]
    told = attributes(root)
    assert told.pop("facerec.request_id")
    assert told == {
        "rpc.system": "grpc",
        "rpc.service": "facerec.v1.VerificationService",
        "rpc.method": "Authorize",
        "rpc.grpc.status_code": 0,
    }


def test_the_frames_of_a_stream_are_traced_while_it_lasts(traced: tuple[Collector, Path]) -> None:
    kept, _ = traced
    (root,) = roots(kept, "/StreamAuthorize")
    assert {"admission", "decode", "detect"} <= {span.name for span in kept.children(root)}


def test_a_caller_may_put_the_call_into_its_own_trace(traced: tuple[Collector, Path]) -> None:
    kept, _ = traced
    (root,) = [span for span in roots(kept, "/Identify") if span.trace_id == b"\xab" * 16]
    assert root.parent_span_id == b"\xcd" * 8
    assert attributes(root)["facerec.request_id"] == "gate-7"


def test_whose_fault_it_was(traced: tuple[Collector, Path]) -> None:
    kept, _ = traced
    by_code = {attributes(span)["rpc.grpc.status_code"]: span for span in roots(kept, "/Identify")}
    assert by_code.keys() == {0, 3}
    assert by_code[3].status.code == Status.STATUS_CODE_UNSET  # the caller's
    (unknown,) = roots(kept, "other")
    assert attributes(unknown)["rpc.grpc.status_code"] == 12
    assert unknown.status.code == Status.STATUS_CODE_ERROR


def test_nothing_of_a_person_is_told(
    traced: tuple[Collector, Path], portraits: dict[str, bytes]
) -> None:
    kept, _ = traced
    for secret in (SECRET_NAME.encode(), b"p-secret", portraits["obama-2009"][200:232]):
        assert secret not in kept.sent
    spoken = {key for span in kept.spans for key in attributes(span)}
    assert spoken <= {
        *("rpc.system", "rpc.service", "rpc.method", "rpc.grpc.status_code"),
        "facerec.request_id",
    }
    assert not any(span.events for span in kept.spans)


def test_the_standard_variable_names_the_collector(
    new_home: Callable[[], Path], portraits: dict[str, bytes]
) -> None:
    with collecting() as (kept, endpoint):
        with (
            ServerProcess(
                new_home(), OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, OTEL_SERVICE_NAME="north-gates"
            ) as server,
            GateClient(server.address, timeout_s=60) as gate,
        ):
            gate.identify(portraits["collins"])
        assert roots(kept, "/Identify")
        assert kept.services == {"north-gates"}


def test_a_collector_that_is_away_holds_nothing_up(
    new_home: Callable[[], Path], portraits: dict[str, bytes]
) -> None:
    nowhere = f"http://{free_address()}"
    with (
        ServerProcess(new_home(), FACEREC_SERVER__TRACE_ENDPOINT=nowhere) as server,
        GateClient(server.address, timeout_s=60) as gate,
    ):
        gate.identify(portraits["collins"])
        server.process.terminate()
        assert server.process.wait() == 0
        # One line for what was lost, not one for every try.
        lines = server.messages().splitlines()
        assert [line for line in lines if "Failed to export traces" not in line] == []


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstandard"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "two"),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "soon"),
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "many"),
    ],
)
def test_a_mistyped_standard_variable_is_named(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=f"{variable} says .*{value}") as caught:
        build_traces(ServerSettings(trace_endpoint="http://127.0.0.1:1"))
    assert "OTEL_SDK_DISABLED=true" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_mistyped_standard_variable_ends_the_command_in_one_line(
    new_home: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "x")
    done = facerec("serve", "--listen", "127.0.0.1:0", home=new_home())
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("facerec: OpenTelemetry does not take what OTEL_EXPORTER_OTLP_COMPR")


@pytest.mark.parametrize(
    ("variable", "within_s"),
    [
        (None, 2.0),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", None),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", None),
    ],
)
def test_a_collector_has_two_seconds_unless_a_standard_variable_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, variable: str | None, within_s: float | None
) -> None:
    """None leaves it to the exporter, which reads both variables."""
    from facerec_identity import traces

    class Exporter(traces.OTLPSpanExporter):
        def __init__(self, endpoint: str | None, *, timeout: float | None) -> None:
            super().__init__(endpoint, timeout=timeout)
            asked.append(timeout)

    asked: list[float | None] = []
    monkeypatch.setattr(traces, "OTLPSpanExporter", Exporter)
    if variable is not None:
        monkeypatch.setenv(variable, "7")
    traces.OtlpTraces("http://127.0.0.1:1", "facerec").close()
    assert asked == [within_s]


@pytest.mark.parametrize("fault", ["the port is taken", "the certificate is missing"])
def test_a_server_that_cannot_start_stops_sending(tmp_path: Path, fault: str) -> None:
    """Who embeds it would otherwise be left with its sender's thread."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = {
            "FACEREC_HOME": str(tmp_path),
            "FACEREC_SERVER__TRACE_ENDPOINT": "http://127.0.0.1:1",
            "FACEREC_SERVER__LISTEN": f"127.0.0.1:{taken.getsockname()[1]}",
        }
        if fault != "the port is taken":
            settings |= {
                "FACEREC_SERVER__TLS_CERTIFICATE": str(tmp_path / "none.crt"),
                "FACEREC_SERVER__TLS_KEY": str(tmp_path / "none.key"),
            }
        script = (
            "import asyncio, threading\n"
            "from facerec.errors import FaceRecError\n"
            "from facerec.settings import load_settings\n"
            "from facerec_identity.server import serve\n"
            "try:\n"
            "    asyncio.run(serve(load_settings(), print))\n"
            "except FaceRecError:\n"
            "    print([t.name for t in threading.enumerate() if 'Span' in t.name])\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, **settings},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.stdout == "[]\n", done.stderr


def test_an_endpoint_without_its_scheme_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"server\.trace_endpoint"):
        load_settings(server={"trace_endpoint": "localhost:4317"})


def test_switched_off_nothing_of_it_is_imported() -> None:
    script = (
        "import sys\n"
        "from facerec.settings import ServerSettings\n"
        "import facerec_identity.server\n"
        "from facerec_identity.tracing import build_traces\n"
        "assert build_traces(ServerSettings()) is None\n"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry')]\n"
    )
    clean = {key: value for key, value in os.environ.items() if not key.startswith("OTEL_")}
    done = subprocess.run(
        [sys.executable, "-c", script], env=clean, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
