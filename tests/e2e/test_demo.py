"""`facerec demo`: the whole path on real photographs, without a network once they are there."""

import os
import shutil
import subprocess
from pathlib import Path

import cv2
import pytest

from facerec.video import open_source
from tests.e2e.conftest import COMMAND, Facerec, Finished

# The discard port: whoever asks a registry fails at once.
OFFLINE = {
    "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
    "PIP_EXTRA_INDEX_URL": "",
    "PIP_FIND_LINKS": "",
    "PIP_CONFIG_FILE": os.devnull,
}


@pytest.fixture
def offline_home(own_home: Path, home: Path, pictures: dict[str, Path]) -> Path:
    """A home with networks and photographs in it, and no way to get others."""
    assert all(path.is_relative_to(home) for path in pictures.values())
    (own_home / "cache").symlink_to(home / "cache")
    return own_home


def run_offline(*arguments: str, home: Path) -> Finished:
    done = subprocess.run(
        [COMMAND, *arguments, "--home", str(home)],
        env={**os.environ, **OFFLINE},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Finished(done.returncode, done.stdout, done.stderr)


def test_the_demo_shows_what_it_promises_without_a_network(offline_home: Path) -> None:
    done = run_offline("demo", "--json", home=offline_home)
    assert done.code == 0, done.out + done.err
    record = done.record
    assert record["passed"] is True
    answers = [(c["step"], c["subject"], c["answered"]) for c in record["checks"]]
    assert answers == [
        ("enrol", "Barack Obama", "enrolled"),
        ("enrol", "Eileen Collins", "enrolled"),
        ("watch", "Barack Obama", "Barack Obama"),
        ("watch", "Joe Biden", "unknown"),
        ("watch", "Eileen Collins", "Eileen Collins"),
        ("Verify", "Barack Obama as Barack Obama", "match"),
        ("Verify", "Joe Biden as Barack Obama", "no_match"),
        ("Identify", "Barack Obama", "Barack Obama"),
        ("Identify", "Joe Biden", "unknown"),
    ]
    files = {what: Path(path) for what, path in record["files"].items()}
    assert all(path.is_relative_to(offline_home / "demo") for path in files.values())
    for what in ("film", "annotated"):
        with open_source(str(files[what])) as source:
            assert sum(1 for _ in source) == 240
            assert source.resolution_wh == (1280, 720)
    sheet = cv2.imread(str(files["contact_sheet"]))
    assert sheet is not None
    assert min(sheet.shape[:2]) > 900
    assert len(files["events"].read_text(encoding="utf-8").splitlines()) == 3
    assert not (offline_home / "gallery.db").exists(), "the user's own gallery is not touched"


def test_the_photographs_are_needed_and_the_failure_says_why(own_home: Path, home: Path) -> None:
    shutil.copytree(home / "cache" / "packages", own_home / "cache" / "packages")
    for path in (own_home / "cache" / "packages").rglob("obama*.jpg"):
        path.unlink()
    archives = own_home / "cache" / "packages" / "archives"
    shutil.rmtree(archives, ignore_errors=True)
    done = run_offline("demo", home=own_home)
    assert done.code == 1
    failure = done.err.strip().splitlines()[-1]
    assert "face-recognition 1.3.0 cannot be downloaded" in failure


def test_the_own_camera_demo_enrols_watches_and_passes_the_gate(
    facerec: Facerec, data_dir: Path, tmp_path: Path
) -> None:
    clip = data_dir / "gate_clips" / "learn.mkv"
    folder = tmp_path / "mine"
    flags = ("--name", "Ada", "--consent", "--output", folder, "--json")
    done = facerec("demo", "--camera", clip, *flags)
    assert done.code == 0, done.out + done.err
    assert [(c["step"], c["answered"]) for c in done.record["checks"]] == [
        ("watch", "Ada"),
        ("Verify", "match"),
        ("Identify", "Ada"),
    ]
    assert (folder / "contact-sheet.png").is_file()
    assert (folder / "annotated.mp4").is_file()
    listed = facerec("profiles", "list", "--json", home=folder / "home").record
    assert [(p["name"], p["templates"]) for p in listed] == [("Ada", 3)]


def test_nobody_is_enrolled_without_name_and_consent(facerec: Facerec, own_home: Path) -> None:
    done = facerec("demo", "--camera", "0", "--name", "Ada")
    assert done.code == 1
    assert "--consent" in done.err
    assert not (own_home / "demo").exists()


def test_without_a_camera_the_failure_is_one_line(facerec: Facerec) -> None:
    done = facerec("demo", "--camera", "63", "--name", "Ada", "--consent", "--json")
    assert done.code == 1
    assert done.out == ""
    assert "camera 63 cannot be opened" in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_a_folder_that_cannot_be_made_is_said(facerec: Facerec, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = facerec("demo", "--output", tmp_path / "file" / "demo")
    assert done.code == 1
    assert "--output" in done.err
