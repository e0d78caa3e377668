"""An integrator's process pays for gRPC and nothing else; the server's never for TensorFlow."""

import subprocess
import sys

import pytest

HEAVY = {
    "cv2",
    "faiss",
    "sqlalchemy",
    "tensorflow",
    "keras",
    "onnx",
    "onnxruntime",
    "ai_edge_litert",
}


def loaded_by(statement: str) -> set[str]:
    code = (
        f"{statement}\nimport sys\nprint(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_client_imports_gRPC_alone() -> None:
    loaded = loaded_by("import facerec.client")
    assert {"grpc", "google"} <= loaded
    assert not loaded & (HEAVY | {"numpy", "pydantic", "typer"})


@pytest.mark.parametrize("module", ["facerec_identity.server", "facerec.cli.app"])
def test_the_server_imports_no_TensorFlow(module: str) -> None:
    assert not loaded_by(f"import {module}") & {"tensorflow", "keras", "onnx", "onnxruntime"}
