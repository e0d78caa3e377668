"""`facerec watch`, on people before a webcam and on what is no film at all."""

import csv
import os
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import cv2
import pytest

from facerec.video import open_source
from tests.e2e.conftest import COMMAND, Facerec
from tests.integration.video.films import write_film

ENROLLED = ("A", "B", "C")


@pytest.fixture
def clips(data_dir: Path) -> dict[str, list[Path]]:
    """The gate clips of each person; who is enrolled is enrolled from the first."""
    folder = data_dir / "gate_clips"
    people: dict[str, list[Path]] = {}
    with (folder / "labels.csv").open(encoding="utf-8") as labels:
        for row in csv.DictReader(labels):
            people.setdefault(row["person"], []).append(folder / row["clip"])
    return people


def save_frames(clip: Path, folder: Path, *, shares: tuple[float, ...]) -> list[Path]:
    """Save the frames at some shares of a clip's length as PNG."""
    folder.mkdir(parents=True)
    with open_source(str(clip)) as source:
        frames = [frame.image_bgr for frame in source]
    paths = []
    for share in shares:
        path = folder / f"{clip.stem}-{share}.png"
        assert cv2.imwrite(str(path), frames[int(share * (len(frames) - 1))])
        paths.append(path)
    return paths


@pytest.fixture
def enrolled(facerec: Facerec, clips: dict[str, list[Path]], tmp_path: Path) -> None:
    for name in ENROLLED:
        pictures = save_frames(clips[name][0], tmp_path / name, shares=(0.1, 0.5, 0.9))
        # In bird.mkv and book.mkv a second person stands partly at the edge.
        done = facerec("enroll", name, *pictures, "--largest", "--json")
        assert done.code == 0, done.err


@pytest.mark.usefixtures("enrolled")
def test_enrolled_people_are_named_and_others_never(
    facerec: Facerec, clips: dict[str, list[Path]]
) -> None:
    watched = {clip.stem: name for name in ENROLLED for clip in clips[name]}
    watched |= {clip.stem: "" for clip in clips["D"]}
    sources = [clip for person in clips.values() for clip in person]
    done = facerec("watch", *sources, "--json")
    assert done.code == 0, done.err
    named: dict[str, list[str]] = {camera: [] for camera in watched}
    for event in done.records:
        if event["data"]["outcome"] == "identified":
            named[event["data"]["camera"]].append(event["data"]["name"])
    # Each clip shows one enrolled person or none; whoever else passes has no name to be given.
    assert {camera: sorted(set(names)) for camera, names in named.items()} == {
        camera: [name] if name else [] for camera, name in watched.items()
    }
    strangers = [e["data"] for e in done.records if not watched[e["data"]["camera"]]]
    assert {data["outcome"] for data in strangers} <= {"unknown", "undecided"}
    assert {data["camera"] for data in strangers} == {clip.stem for clip in clips["D"]}


@pytest.mark.usefixtures("enrolled")
def test_an_event_says_all_that_scripts_rely_on(
    facerec: Facerec, clips: dict[str, list[Path]]
) -> None:
    done = facerec("watch", clips["A"][1], "--json", "--camera-name", "east gate")
    assert done.code == 0, done.err
    event = next(e for e in done.records if e["data"]["outcome"] == "identified")
    assert event["specversion"] == "1.0"
    assert event["source"] == "/facerec/cameras/east%20gate"
    assert event["type"]
    assert event["id"]
    data = event["data"]
    expected = {
        *("outcome", "profile_id", "name", "camera", "track_id"),
        *("first_seen", "decided", "latency_s", "frames", "reasons"),
    }
    assert expected <= set(data)
    assert data["name"] == "A"
    assert data["camera"] == "east gate"
    assert data["reasons"] == []
    assert data["frames"] >= 3
    first, decided = (datetime.fromisoformat(data[key]) for key in ("first_seen", "decided"))
    assert first.utcoffset() is not None
    assert 0 < data["latency_s"] <= 0.5
    assert (decided - first).total_seconds() == pytest.approx(data["latency_s"], abs=2e-3)


def test_a_stranger_before_an_empty_gallery_is_told_once_and_the_film_shows_it(
    facerec: Facerec, clips: dict[str, list[Path]], tmp_path: Path
) -> None:
    film = tmp_path / "out" / "annotated.mp4"
    clip = clips["D"][1]
    done = facerec("watch", clip, "--output", film)
    assert done.code == 0, done.err
    assert done.out.count("unknown") == 1, done.out
    assert "empty_gallery" in done.out
    assert "nobody is enrolled" in done.err
    assert f"Annotated film: {film}" in done.err
    with open_source(str(clip)) as original, open_source(str(film)) as annotated:
        assert annotated.resolution_wh == original.resolution_wh
        pairs = list(zip(original, annotated, strict=True))
    # The stranger's box is vermilion, a colour that the clip itself does not show so much of.
    last = pairs[-1]
    assert _orange(last[1].image_bgr) > _orange(last[0].image_bgr) + 500


def _orange(image_bgr: object) -> int:
    """How many pixels are of the hue and strength of the stranger's colour."""
    hsv = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2HSV)  # type: ignore[call-overload]
    return int(cv2.countNonZero(cv2.inRange(hsv, (8, 180, 150), (18, 255, 255))))


def test_no_more_frames_are_looked_at_than_asked_for(
    facerec: Facerec, clips: dict[str, list[Path]], tmp_path: Path
) -> None:
    film = tmp_path / "few.mkv"
    done = facerec("watch", clips["A"][0], "--max-frames", "7", "--output", film)
    assert done.code == 0, done.err
    with open_source(str(film)) as source:
        assert sum(1 for _ in source) == 7


def test_several_sources_have_names_and_films_of_their_own(
    facerec: Facerec, clips: dict[str, list[Path]], tmp_path: Path
) -> None:
    clip = clips["A"][0]
    done = facerec("watch", clip, clip, "--json", "--output", tmp_path / "seen.mp4")
    assert done.code == 0, done.err
    assert {event["data"]["camera"] for event in done.records} == {clip.stem, f"{clip.stem}-2"}
    assert sorted(path.name for path in tmp_path.glob("seen*")) == [
        f"seen-{clip.stem}-2.mp4",
        f"seen-{clip.stem}.mp4",
    ]


def test_ctrl_c_ends_the_watch_in_order(
    own_home: Path, clips: dict[str, list[Path]], tmp_path: Path
) -> None:
    film = tmp_path / "seen.mp4"
    command = [COMMAND, "watch", str(clips["C"][0]), "--realtime", "--output", str(film)]
    with subprocess.Popen(
        [*command, "--home", str(own_home)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()  # the stranger has been told, two more seconds of film remain
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert b"Traceback" not in err
    with open_source(str(film)) as seen, open_source(str(clips["C"][0])) as whole:
        assert 0 < sum(1 for _ in seen) < sum(1 for _ in whole)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("missing.mp4", None, "does not exist"),
        ("empty.mp4", b"", "is empty"),
        ("letter.mp4", b"Dear Sir or Madam,\n" * 99, "not a video"),
    ],
)
def test_what_is_no_film_is_one_clear_line(
    facerec: Facerec, tmp_path: Path, name: str, content: bytes | None, says: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    film = tmp_path / "annotated.mp4"
    done = facerec("watch", path, "--json", "--output", film)
    assert done.code == 1
    assert done.out == ""
    told = [line for line in done.err.splitlines() if "nobody is enrolled" not in line]
    assert len(told) == 1, done.err
    assert says in told[0]
    assert not list(tmp_path.glob("*annotated*")), "nothing half-written stays"


def test_one_bad_source_of_two_stops_before_anything_is_watched(
    facerec: Facerec, tmp_path: Path
) -> None:
    good = write_film(tmp_path / "good.mp4", 5)
    done = facerec("watch", good, tmp_path / "bad.mp4", "--output", tmp_path / "seen.mp4")
    assert done.code == 1
    assert "bad.mp4 does not exist" in done.err
    assert not list(tmp_path.glob("*seen*"))


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (("--output", "seen.gif"), "use one of .mp4"),
        (("--gallery", "nobody-made-this"), "nobody-made-this"),
        (("--camera-name", "a", "--camera-name", "b"), "--camera-name"),
        (("--fpir", "2"), "target_fpir"),
    ],
)
def test_what_cannot_be_is_said(
    facerec: Facerec, tmp_path: Path, flags: tuple[str, ...], says: str
) -> None:
    film = write_film(tmp_path / "film.mp4", 5)
    done = facerec("watch", film, *flags)
    assert done.code == 1, done.err
    assert says in done.err
    assert done.out == ""


def test_two_sources_may_not_be_given_one_name(facerec: Facerec, tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", 5)
    done = facerec("watch", film, film, "--camera-name", "a", "--camera-name", "a")
    assert done.code == 1
    assert "two sources are named a" in done.err


def test_a_source_is_never_written_over(facerec: Facerec, tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", 5)
    before = film.read_bytes()
    done = facerec("watch", film, "--output", tmp_path / "." / "film.mp4")
    assert done.code == 1
    assert "is a source" in done.err
    assert film.read_bytes() == before


def test_a_film_without_people_tells_nothing(facerec: Facerec, tmp_path: Path) -> None:
    done = facerec("watch", write_film(tmp_path / "film.mp4", 5), "--json")
    assert done.code == 0, done.err
    assert done.out == ""


def test_a_damaged_network_is_named_with_what_to_do(facerec: Facerec, own_home: Path) -> None:
    (own_home / "models").unlink()
    done = facerec("watch", "film.mp4")
    assert done.code == 1
    assert "models pull" in done.err


def test_watching_loads_no_tensorflow(own_home: Path, tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", 3)
    code = (
        "import sys\n"
        "from facerec.cli.app import app\n"
        f"app(['watch', {str(film)!r}, '--home', {str(own_home)!r}], standalone_mode=False)\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    loaded = set(done.stdout.split())
    assert "cv2" in loaded
    assert not loaded & {"tensorflow", "keras", "onnx", "onnxruntime", "torch"}
