"""What goes wrong with training data and runs, as a user meets it: one clear line each."""

import os
import signal
import subprocess
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.e2e.conftest import COMMAND, Facerec


@pytest.fixture(scope="module")
def one_person(tmp_path_factory, pictures: dict[str, Path]) -> Path:
    """One folder: two pictures with a face, a wall, a file that is gone, one that is none."""
    folder = tmp_path_factory.mktemp("pictures") / "one" / "somebody"
    folder.mkdir(parents=True)
    for key in ("obama-2012", "biden-2010"):
        image = cv2.imread(str(pictures[key]))
        scale = 480 / max(image.shape[:2])
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(folder / f"{key}.png"), small)
    cv2.imwrite(str(folder / "wall.png"), np.full((200, 200, 3), 128, np.uint8))
    (folder / os.fsdecode(b"br\xf6ken.jpg")).write_bytes(b"no picture")  # no UTF-8
    (folder / "gone.jpg").symlink_to(folder / "nowhere.jpg")
    return folder.parent


def test_one_person_is_too_few_and_what_was_dropped_is_told(
    facerec: Facerec, one_person: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    done = facerec("train", "data", one_person, "--output", data)
    assert done.code == 0, done.err
    assert "2 chip(s) of 1 people" in done.out
    for reason in ("no_face", "unreadable", "gone"):
        assert f"dropped 1: {reason}" in done.out
    dropped = (data / "dropped.csv").read_bytes()
    for line in (b"wall.png,no_face", b"gone.jpg,gone", b"br\xf6ken.jpg,unreadable"):
        assert line in dropped
    again = facerec("train", "data", one_person, "--output", data)
    assert again.code == 1 and "exists already" in again.err
    run = facerec("train", "run", data, "--output", tmp_path / "run")
    assert run.code == 1 and not (tmp_path / "run").exists()
    assert "the data shows 1 person(s); at least 4 are needed" in run.err
    assert len(run.err.strip().splitlines()) == 1
    odd = facerec("train", "run", data, "--output", tmp_path / "run", "--set", "seed=-1")
    assert odd.code == 1 and odd.err == "facerec: seed must be 0 or more; received -1\n"
    few = facerec("train", "data", one_person, "--output", tmp_path / "x", "--min-pictures", "3")
    assert few.code == 1 and "nothing is left to learn from" in few.err
    assert not list(tmp_path.glob(".x*")) and not (tmp_path / "x").exists()


def test_a_preparation_that_was_killed_is_begun_again(
    facerec: Facerec, own_home: Path, one_person: Path, tmp_path: Path
) -> None:
    many = tmp_path / "many"
    (many / "somebody").mkdir(parents=True)
    picture = (one_person / "somebody" / "obama-2012.png").read_bytes()
    for number in range(400):  # each its own content, so none is a duplicate
        (many / "somebody" / f"{number:03d}.png").write_bytes(picture + bytes([number % 256, 1]))
    data, remains = tmp_path / "data", tmp_path / ".data.unfinished"
    command = [COMMAND, "train", "data", many, "--output", data, "--home", own_home]
    child = subprocess.Popen(list(map(str, command)), stderr=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL)  # fmt: skip
    while child.poll() is None and not (remains / "shard-00000.chips").exists():
        time.sleep(0.005)
    busy = facerec("train", "data", one_person, "--output", data)
    os.kill(child.pid, signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    assert busy.code == 1 and f"another process makes {data}" in busy.err
    assert remains.is_dir() and not data.exists()
    (remains / "shard-00009.chips").write_bytes(b"more of the remains")
    (remains / "put here" / "by somebody").mkdir(parents=True)

    done = facerec("train", "data", one_person, "--output", data)
    assert done.code == 0, done.err
    assert f"an earlier preparation of {data} was cut off; beginning it again" in done.err
    assert not remains.exists() and not (data / "shard-00009.chips").exists()
    assert "2 chip(s) of 1 people" in done.out
