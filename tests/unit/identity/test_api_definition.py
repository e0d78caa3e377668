"""The API's definition and the code generated from it."""

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from facerec.decision.decision import Reason
from facerec.decision.gate_answer import GateReason
from facerec.v1 import enrollment_service_pb2, reason_pb2, verification_service_pb2

ROOT = Path(__file__).resolve().parents[3]
BUF = Path(sysconfig.get_path("scripts")) / "buf"


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_generated_code_is_fresh() -> None:
    done = run(sys.executable, "scripts/generate_protos.py", "--check")
    assert done.returncode == 0, done.stderr


def test_the_written_api_is_fresh() -> None:
    done = run(sys.executable, "scripts/generate_api_docs.py", "--check")
    assert done.returncode == 0, done.stderr
    text = (ROOT / "docs/api.md").read_text("utf-8")
    for file in (enrollment_service_pb2, verification_service_pb2):
        for service in file.DESCRIPTOR.services_by_name.values():
            assert all(f"### {service.name}.{m.name}\n" in text for m in service.methods)


def test_stale_code_is_noticed(tmp_path: Path) -> None:
    """The check above would say so."""
    for folder in ("proto", "scripts", "facerec/v1"):
        (tmp_path / folder).mkdir(parents=True)
        for file in (ROOT / folder).rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                copy = tmp_path / file.relative_to(ROOT)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(file.read_bytes())
    proto = tmp_path / "proto/facerec/v1/image.proto"
    proto.write_text(proto.read_text("utf-8").replace("bytes data = 1;", "bytes data = 2;"))
    done = run(sys.executable, tmp_path / "scripts/generate_protos.py", "--check")
    assert done.returncode == 1
    assert "image_pb2.py" in done.stderr


@pytest.mark.parametrize("arguments", [["lint"], ["format", "--diff", "--exit-code"]])
def test_the_definition_is_clean(arguments: list[str]) -> None:
    done = run(BUF, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr


def test_reasons_are_the_same_words_on_both_sides() -> None:
    api = {value.name for value in reason_pb2.Reason.DESCRIPTOR.values}
    assert api - {"REASON_UNSPECIFIED"} == {
        f"REASON_{reason.name}" for reason in (*Reason, *GateReason)
    }
    assert [reason.value for reason in Reason] == [reason.name.lower() for reason in Reason]


def test_requests_and_responses_are_used_once() -> None:
    """So that each can grow by itself."""
    messages = [
        message.full_name
        for file in (enrollment_service_pb2, verification_service_pb2)
        for service in file.DESCRIPTOR.services_by_name.values()
        for method in service.methods
        for message in (method.input_type, method.output_type)
    ]
    assert len(messages) >= 10
    assert len(set(messages)) == len(messages)
