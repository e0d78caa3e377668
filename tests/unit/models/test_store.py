"""The folder of installed networks: what is put in comes out, and damage is noticed and named."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from facerec.errors import ModelDamagedError, ModelNotFoundError
from facerec.inference import ModelManifest, ModelTask
from facerec.models.catalogue import find
from facerec.models.file_hash import sha256_of
from facerec.models.store import KERAS_FILE, LITERT_FILE, MANIFEST_FILE, ModelStore


def install(store: ModelStore, name: str = "sface", content: bytes = b"network") -> ModelManifest:
    entry = find("sface")
    with store.new_folder() as folder:
        (folder / LITERT_FILE).write_bytes(content)
        (folder / KERAS_FILE).write_bytes(content * 2)
        manifest = ModelManifest(
            name=name,
            task=entry.task,
            architecture=entry.architecture,
            version=entry.version,
            license=entry.license,
            source=entry.source,
            weights_sha256=entry.weights.member_sha256,
            preprocessing=entry.preprocessing,
            alignment=entry.alignment,
            embedding_size=entry.embedding_size,
            embedding_space=entry.embedding_space,
            files={file: sha256_of(folder / file) for file in (LITERT_FILE, KERAS_FILE)},
            centre=entry.centre,
        )
        store.install(manifest, folder)
    return manifest


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


def folder_of(store: ModelStore, name: str = "sface") -> Path:
    return store.file(name, MANIFEST_FILE).parent


def test_a_manifest_comes_back_as_it_was_written(store: ModelStore) -> None:
    manifest = install(store)
    assert store.installed() == (manifest,)
    assert store.require("sface", ModelTask.EMBEDDER) == manifest
    assert store.verify("sface") == manifest
    assert store.file("sface", LITERT_FILE).read_bytes() == b"network"


def test_a_manifest_from_before_there_were_centres_has_none(store: ModelStore) -> None:
    manifest = install(store)
    path = store.file("sface", MANIFEST_FILE)
    record = json.loads(path.read_text())
    assert len(record.pop("centre")["vector"]) == 128
    path.write_text(json.dumps(record))
    assert store.require("sface", ModelTask.EMBEDDER) == replace(manifest, centre=None)


def test_a_detector_without_alignment_comes_back_too(store: ModelStore) -> None:
    with store.new_folder() as folder:
        (folder / LITERT_FILE).write_bytes(b"x")
        manifest = replace(
            install(store),
            name="finder",
            task=ModelTask.DETECTOR,
            alignment=None,
            files={LITERT_FILE: sha256_of(folder / LITERT_FILE)},
        )
        store.install(manifest, folder)
    assert store.require("finder", ModelTask.DETECTOR) == manifest


def test_an_empty_store_says_what_to_run(store: ModelStore) -> None:
    assert store.installed() == ()
    with pytest.raises(ModelNotFoundError, match="run: facerec models pull sface"):
        store.require("sface", ModelTask.EMBEDDER)


def test_a_network_of_the_other_task_is_refused(store: ModelStore) -> None:
    install(store)
    with pytest.raises(ModelNotFoundError, match="of task embedder; one of task detector"):
        store.require("sface", ModelTask.DETECTOR)


@pytest.mark.parametrize("name", ["", ".", "..", "../models", "sface/", ".new-x", "/etc"])
def test_names_that_are_no_folder_of_ours_are_not_found(store: ModelStore, name: str) -> None:
    install(store)
    with pytest.raises(ModelNotFoundError):
        store.require(name, ModelTask.EMBEDDER)
    with pytest.raises(ModelNotFoundError):
        store.file(name, LITERT_FILE)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b"Network"),
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(b""),
        lambda path: path.unlink(),
    ],
    ids=["one byte changed", "truncated", "empty", "gone"],
)
def test_a_damaged_file_is_named_with_what_to_do(store: ModelStore, damage) -> None:
    install(store)
    damage(store.file("sface", LITERT_FILE))
    for check in (store.verify, lambda name: store.require(name, ModelTask.EMBEDDER)):
        with pytest.raises(ModelDamagedError, match="facerec models pull sface --force") as caught:
            check("sface")
        assert LITERT_FILE in str(caught.value)


def test_require_leaves_files_alone_that_serving_does_not_read(store: ModelStore) -> None:
    install(store)
    store.file("sface", KERAS_FILE).write_bytes(b"damaged")
    store.require("sface", ModelTask.EMBEDDER)
    with pytest.raises(ModelDamagedError, match=KERAS_FILE):
        store.verify("sface")


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[: len(text) // 2],
        lambda text: "[]",
        lambda text: json.dumps({**json.loads(text), "task": "poet"}),
        lambda text: json.dumps({k: v for k, v in json.loads(text).items() if k != "files"}),
        lambda text: json.dumps({**json.loads(text), "more": 1}),
    ],
    ids=["empty", "half", "no object", "unknown task", "a key less", "a key more"],
)
def test_a_damaged_manifest_is_named_and_not_listed(store: ModelStore, damage) -> None:
    install(store)
    path = store.file("sface", MANIFEST_FILE)
    path.write_text(damage(path.read_text()))
    assert store.installed() == ()
    assert store.names() == ("sface",)
    with pytest.raises(ModelDamagedError, match="facerec models pull sface --force"):
        store.require("sface", ModelTask.EMBEDDER)


def test_installing_again_replaces_everything(store: ModelStore) -> None:
    install(store, content=b"old")
    (folder_of(store) / "left.over").touch()
    install(store, content=b"new")
    assert store.file("sface", LITERT_FILE).read_bytes() == b"new"
    assert sorted(os.listdir(folder_of(store))) == sorted([MANIFEST_FILE, KERAS_FILE, LITERT_FILE])
    assert store.names() == ("sface",)


def test_work_that_fails_leaves_what_was_there(store: ModelStore, tmp_path: Path) -> None:
    manifest = install(store)
    with pytest.raises(RuntimeError), store.new_folder() as folder:
        (folder / LITERT_FILE).write_bytes(b"half")
        raise RuntimeError
    assert store.verify("sface") == manifest
    assert sorted(os.listdir(tmp_path / "models")) == [".lock", "sface"]


def test_what_a_killed_process_left_is_removed_and_work_in_hand_is_not(
    store: ModelStore, tmp_path: Path
) -> None:
    abandoned = tmp_path / "models" / ".new-killed" / "model"
    abandoned.mkdir(parents=True)
    (abandoned / LITERT_FILE).write_bytes(b"half")
    with store.new_folder() as in_hand:
        install(store)
        assert in_hand.is_dir()
        assert not abandoned.exists()
    assert store.names() == ("sface",)


def test_everyone_may_read_an_installed_network(store: ModelStore) -> None:
    """A server often runs as another user than the one who pulled."""
    before = os.umask(0o022)
    try:
        install(store)
    finally:
        os.umask(before)
    assert folder_of(store).stat().st_mode & 0o055 == 0o055
