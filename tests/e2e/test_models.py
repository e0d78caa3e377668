"""``facerec models``, as a user types it."""

import json
import shutil
from pathlib import Path

import pytest

from tests.e2e.conftest import Facerec


@pytest.fixture
def writable_home(home: Path, tmp_path: Path) -> Path:
    """A home of one's own with YuNet in it, to damage at will."""
    path = tmp_path / "writable"
    shutil.copytree(home / "models" / "yunet", path / "models" / "yunet")
    return path


def test_the_list_has_the_keys_that_scripts_rely_on(facerec: Facerec, writable_home: Path) -> None:
    done = facerec("models", "list", "--json", home=writable_home)
    assert done.code == 0
    rows = {row["name"]: row for row in done.record}
    assert set(rows) == {"yunet", "sface", "centerface", "dlib-resnet"}
    keys = {"name", "task", "version", "license", "state", "embedding_space"}
    assert all(set(row) == keys for row in rows.values())
    assert rows["yunet"]["state"] == "installed"
    assert rows["sface"]["state"] == "available"
    assert rows["sface"]["embedding_space"].startswith("sface-fb143eea0783-p")
    shown = facerec("models", "list", home=writable_home)
    assert "sface" in shown.out and "available" in shown.out


def test_a_damaged_network_shows_and_says_what_to_do(facerec: Facerec, writable_home: Path) -> None:
    with (writable_home / "models" / "yunet" / "model.tflite").open("r+b") as file:
        file.seek(1000)
        file.write(b"damage")
    done = facerec("models", "verify", "--json", home=writable_home)
    assert done.code == 1
    assert done.record == [{"name": "yunet", "intact": False}]
    assert "facerec models pull yunet --force" in done.err
    listed = facerec("models", "list", "--json", home=writable_home).record
    assert next(row for row in listed if row["name"] == "yunet")["state"] == "damaged"


def test_verify_finds_intact_networks_intact(facerec: Facerec, writable_home: Path) -> None:
    done = facerec("models", "verify", "yunet", home=writable_home)
    assert (done.code, done.out.split()) == (0, ["yunet", "intact"])


def test_pulling_what_is_there_is_quick_and_answers_in_json(facerec, writable_home) -> None:
    done = facerec("models", "pull", "yunet", "--json", home=writable_home)
    assert done.code == 0
    assert [row["name"] for row in done.record] == ["yunet"]


def test_a_wrong_name_gets_a_hint(facerec: Facerec) -> None:
    done = facerec("models", "pull", "sfase")
    assert (done.code, done.out) == (1, "")
    assert "did you mean sface?" in done.err


@pytest.mark.parametrize("command", ["verify", "export"])
def test_what_is_not_installed_says_how_to_pull_it(facerec, tmp_path, command: str) -> None:
    more = ["--output", tmp_path / "x.tflite"] if command == "export" else []
    done = facerec("models", command, "sface", *more, home=tmp_path)
    assert done.code == 1
    assert "run: facerec models pull sface" in " ".join(done.err.split())


def test_export_writes_the_file(facerec: Facerec, writable_home: Path, tmp_path: Path) -> None:
    target = tmp_path / "net.tflite"
    done = facerec("models", "export", "yunet", "--output", target, "--json", home=writable_home)
    assert done.code == 0
    assert done.record["output"] == str(target)
    assert target.read_bytes() == (writable_home / "models/yunet/model.tflite").read_bytes()


def test_import_takes_a_litert_detector_and_lists_it(facerec, writable_home: Path) -> None:
    source = writable_home / "models" / "yunet" / "model.tflite"
    options = ["--name", "mine", "--task", "detector", "--architecture", "yunet", "--json"]
    done = facerec("models", "import", source, *options, home=writable_home)
    assert done.code == 0, done.err
    assert json.loads(done.out)["name"] == "mine"
    listed = facerec("models", "list", "--json", home=writable_home).record
    assert {"name": "mine", "state": "installed"}.items() <= listed[-1].items()


@pytest.mark.parametrize(
    "arguments",
    [
        ["pull", "yunet", "--all"],
        ["export", "yunet", "--output", "x", "--format", "caffe"],
        ["import", "x.tflite", "--name", "n", "--task", "poet"],
        ["import", "x.tflite", "--name", "n", "--task", "embedder", "--color-order", "gbr"],
        ["import", "x.tflite", "--name", "n", "--task", "embedder", "--scale", "2"],
        [
            "import",
            "x.tflite",
            "--name",
            "n",
            "--task",
            "embedder",
            "--color-order",
            "rgb",
            "--offset",
            "1,2",
        ],
    ],
    ids=["names and all", "format", "task", "colours", "scale without colours", "two offsets"],
)
def test_wrong_usage_is_exit_code_2(facerec: Facerec, arguments: list[str]) -> None:
    done = facerec("models", *arguments)
    assert (done.code, done.out) == (2, "")
