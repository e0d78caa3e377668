"""`TensorFlowSession` keeps the contract of `InferenceSession` and gives LiteRT's numbers.

In a process of its own: TensorFlow would stay loaded in the process of all other tests.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROBE = """
import json, sys, threading
from pathlib import Path
import numpy as np
from facerec.errors import ArrayError, ModelDamagedError
from facerec.inference.litert_session import LiteRtSession
from facerec.inference.tensorflow_session import TensorFlowSession

models, damaged = Path(sys.argv[1]), Path(sys.argv[2])
found = {}
rng = np.random.default_rng(0)
shapes = {"yunet": [(1, 96, 128, 3), (1, 64, 64, 3), (2, 64, 64, 3)],
          "sface": [(1, 112, 112, 3), (3, 112, 112, 3)]}
for name, sizes in shapes.items():
    tensorflow = TensorFlowSession(models / name / "model.keras", 2)
    litert = LiteRtSession(models / name / "model.tflite", 2)
    for shape in sizes:
        batch = rng.integers(0, 256, shape, np.uint8)
        a, b = tensorflow.run(batch), litert.run(batch)
        assert a.dtype == np.float32 and a.shape == b.shape, (a.dtype, a.shape, b.shape)
        if name == "sface":
            a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b))
        found[f"{name} {shape}"] = float(np.abs(a - b).max())
    kept = a.copy()
    tensorflow.run(rng.integers(0, 256, shape, np.uint8))
    assert np.array_equal(a, kept)

refused = []
for wrong in (np.zeros((1, 112, 112, 3), np.float32), np.zeros((112, 112, 3), np.uint8),
              np.zeros((0, 112, 112, 3), np.uint8), np.zeros((1, 90, 112, 3), np.uint8)):
    try:
        tensorflow.run(wrong)
    except ArrayError as error:
        refused.append(str(error))
images = [rng.integers(0, 256, (1, 112, 112, 3), np.uint8) for _ in range(4)]
expected = [tensorflow.run(image) for image in images]
mixed = []
def work(i):
    for _ in range(5):
        if not np.allclose(tensorflow.run(images[i]), expected[i], atol=1e-4):
            mixed.append(i)
threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
[t.start() for t in threads]; [t.join() for t in threads]
broken = []
for path in (damaged, damaged.with_name("missing.keras")):
    try:
        TensorFlowSession(path, 1)
    except ModelDamagedError as error:
        broken.append(str(error))
print(json.dumps({"differences": found, "refused": refused, "mixed": mixed, "broken": broken}))
"""


@pytest.fixture(scope="module")
def probed(home: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    damaged = tmp_path_factory.mktemp("damaged") / "model.keras"
    damaged.write_bytes((home / "models" / "yunet" / "model.keras").read_bytes()[:5000])
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(home / "models"), str(damaged)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_numbers_equal_litert_s(probed: dict[str, Any]) -> None:
    assert len(probed["differences"]) == 5
    for case, difference in probed["differences"].items():
        # YuNet's numbers reach tens, unit embeddings one.
        assert difference < (1e-4 if case.startswith("sface") else 1e-3), case


def test_other_batches_are_refused(probed: dict[str, Any]) -> None:
    assert len(probed["refused"]) == 4
    assert all("batch must be uint8" in message for message in probed["refused"])


def test_threads_do_not_mix_their_images(probed: dict[str, Any]) -> None:
    assert probed["mixed"] == []


def test_damaged_and_missing_files_are_named(probed: dict[str, Any]) -> None:
    damaged, missing = probed["broken"]
    assert "model.keras is not a readable Keras network" in damaged
    assert "missing.keras" in missing
    assert "\n" not in damaged + missing
