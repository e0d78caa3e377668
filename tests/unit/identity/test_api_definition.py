"""The API's definition and the code generated from it."""

import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from facerec.decision.decision import Reason
from facerec.decision.gate_answer import GateReason
from facerec.v1 import (
    admin_service_pb2,
    enrollment_service_pb2,
    reason_pb2,
    verification_service_pb2,
)

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


def test_a_break_of_the_api_is_noticed(tmp_path: Path) -> None:
    """As `make lint` looks for one since the last commit; clients that are in use would break."""
    shutil.copytree(ROOT / "proto", tmp_path / "proto")
    shutil.copy(ROOT / "buf.yaml", tmp_path)
    same = run(BUF, "breaking", tmp_path, "--against", ROOT)
    assert same.returncode == 0, same.stdout
    proto = tmp_path / "proto/facerec/v1/image.proto"
    text = proto.read_text("utf-8")
    proto.write_text(text.replace("bytes data = 1;", "string data = 1;"))
    changed = run(BUF, "breaking", tmp_path, "--against", ROOT)
    assert changed.returncode != 0
    assert 'changed type from "bytes" to "string"' in changed.stdout
    assert "buf breaking" in (ROOT / "Makefile").read_text("utf-8").replace("$(BIN)/", "")


def test_no_request_names_a_file_or_an_address() -> None:
    """A server that fetches what a caller names would read its own files for strangers."""

    def fields(message: Descriptor) -> Iterator[FieldDescriptor]:
        for field in message.fields:
            yield field
            if field.message_type is not None:
                yield from fields(field.message_type)

    asked = [
        field.full_name
        for file in (admin_service_pb2, enrollment_service_pb2, verification_service_pb2)
        for service in file.DESCRIPTOR.services_by_name.values()
        for method in service.methods
        for field in fields(method.input_type)
    ]
    words = ("path", "file", "url", "uri", "host", "address", "folder", "dir")
    # The paths of a field mask are those of a message's fields.
    named = {name for name in asked if {*name.rsplit(".")[-1].split("_")} & {*words, "paths"}}
    assert named <= {"google.protobuf.FieldMask.paths"}, named
    assert "facerec.v1.Image.data" in asked


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
