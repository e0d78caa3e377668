"""``facerec identify`` and ``facerec verify`` as a user types them, on real photographs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.e2e.conftest import COMMAND, Facerec

Pictures = dict[str, Path]


@pytest.fixture(scope="session")
def enrolled_home(home: Path, pictures: Pictures, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with Obama from a picture of 2012, and Biden; made by the command, once."""
    path = tmp_path_factory.mktemp("enrolled")
    (path / "models").symlink_to(home / "models")
    for name, key in (("Barack Obama", "obama-2012"), ("Joe Biden", "biden-2010")):
        options = ["--id", name.split()[1].lower(), "--home", str(path)]
        subprocess.run([COMMAND, "enroll", name, str(pictures[key]), *options], check=True)
    return path


@pytest.fixture
def enrolled(enrolled_home: Path, own_home: Path) -> None:
    """Make the test's home one like that."""
    (own_home / "models").unlink()
    shutil.copytree(enrolled_home, own_home, symlinks=True, dirs_exist_ok=True)


@pytest.mark.usefixtures("enrolled")
def test_enrolled_people_are_named_from_other_pictures_and_strangers_are_not(
    facerec: Facerec, pictures: Pictures
) -> None:
    images = [pictures[key] for key in ("obama-2009", "obama-2010", "collins")]
    done = facerec("identify", *images, "--json")
    assert done.code == 0, done.err
    earlier, late, stranger = done.records
    assert [record["image"] for record in done.records] == [str(image) for image in images]
    for record in (earlier, late):
        (face,) = record["faces"]
        assert (face["decision"], face["profile_id"]) == ("identified", "obama")
        assert (face["name"], face["reasons"]) == ("Barack Obama", [])
        assert face["score"] >= face["threshold"]
        assert face["margin"] > 0.05
    (face,) = stranger["faces"]
    assert (face["decision"], face["profile_id"], face["name"]) == ("unknown", None, None)
    assert face["reasons"] == ["below_threshold"]
    assert face["score"] < face["threshold"]
    left, top, right, bottom = face["box"]
    assert 0 < left < right < 512 and 0 < top < bottom < 512


@pytest.mark.usefixtures("enrolled")
def test_every_face_of_a_picture_is_decided_on(
    facerec: Facerec, pictures: Pictures, tmp_path: Path
) -> None:
    parts = [
        cv2.resize(cv2.imread(str(pictures[key])), (500, 500))
        for key in ("collins", "obama-2010", "biden-2010")
    ]
    image = tmp_path / "three.png"
    cv2.imwrite(str(image), np.hstack(parts))
    faces = facerec("identify", image, "--json").record["faces"]
    by_place = [face["name"] for face in sorted(faces, key=lambda face: face["box"][0])]
    assert by_place == [None, "Barack Obama", "Joe Biden"]
    text = facerec("identify", image).out
    assert "3 face(s)" in text
    assert "Joe Biden at " in text


@pytest.mark.usefixtures("enrolled")
def test_a_bad_probe_is_undecided_not_unknown(
    facerec: Facerec, pictures: Pictures, tmp_path: Path
) -> None:
    image = tmp_path / "blurred.png"
    sharp = cv2.resize(cv2.imread(str(pictures["obama-2009"])), (500, 500))
    cv2.imwrite(str(image), cv2.GaussianBlur(sharp, (0, 0), 11))
    (face,) = facerec("identify", image, "--json").record["faces"]
    assert (face["decision"], face["name"]) == ("undecided", None)
    assert face["reasons"] == ["blurred"]
    answer = facerec("verify", image, "--profile", "obama", "--json").record
    assert (answer["match"], answer["decision"]) == (False, "undecided")


def test_an_empty_gallery_knows_nobody(facerec: Facerec, pictures: Pictures) -> None:
    (face,) = facerec("identify", pictures["collins"], "--json").record["faces"]
    assert (face["decision"], face["reasons"]) == ("unknown", ["empty_gallery"])
    assert face["score"] is None


@pytest.mark.usefixtures("enrolled")
def test_the_asked_rate_moves_the_threshold(facerec: Facerec, pictures: Pictures) -> None:
    thresholds = [
        facerec("identify", pictures["collins"], "--fpir", rate, "--json").record["faces"][0][
            "threshold"
        ]
        for rate in ("0.1", "0.001")
    ]
    assert thresholds == sorted(thresholds)
    assert thresholds[0] < thresholds[-1]


def test_verify_compares_two_pictures(facerec: Facerec, pictures: Pictures) -> None:
    same = facerec("verify", pictures["obama-2012"], pictures["obama-2009"], "--json")
    assert same.code == 0, same.err
    assert same.record["match"] is True
    assert same.record["score"] >= same.record["threshold"]
    assert same.record["fmr"] == pytest.approx(1e-4)
    assert same.record["reasons"] == []
    different = facerec("verify", pictures["obama-2012"], pictures["collins"], "--json").record
    assert different["match"] is False
    assert different["reasons"] == ["below_threshold"]
    stricter = facerec(
        "verify", pictures["obama-2012"], pictures["obama-2009"], "--fmr", "1e-6", "--json"
    ).record
    assert stricter["threshold"] > same.record["threshold"]
    assert stricter["score"] == pytest.approx(same.record["score"], abs=1e-6)
    assert "match" in facerec("verify", pictures["obama-2012"], pictures["obama-2009"]).out


@pytest.mark.usefixtures("enrolled")
def test_verify_compares_with_a_profile(facerec: Facerec, pictures: Pictures) -> None:
    claims = [(pictures["obama-2010"], "obama"), (pictures["obama-2010"], "biden")]
    answers = [facerec("verify", p, "--profile", i, "--json").record["match"] for p, i in claims]
    assert answers == [True, False]
    unknown = facerec("verify", pictures["collins"], "--profile", "ghost")
    assert unknown.code == 1
    assert "no profile has the id 'ghost'" in unknown.err


def test_verify_without_one_clear_face_is_undecided(
    facerec: Facerec, pictures: Pictures, tmp_path: Path
) -> None:
    nobody = tmp_path / "nobody.png"
    cv2.imwrite(str(nobody), np.full((300, 300, 3), 127, np.uint8))
    answer = facerec("verify", pictures["collins"], nobody, "--json")
    assert answer.code == 0
    assert (answer.record["match"], answer.record["score"]) == (False, None)
    assert answer.record["reasons"] == ["no_face"]
    pair = tmp_path / "pair.png"
    twice = cv2.resize(cv2.imread(str(pictures["collins"])), (512, 512))
    cv2.imwrite(str(pair), np.hstack([twice, twice]))
    several = facerec("verify", pictures["collins"], pair, "--json").record
    assert (several["match"], several["reasons"]) == (False, ["several_faces"])
    assert facerec("verify", pictures["collins"], pair, "--largest", "--json").record["match"]


@pytest.mark.parametrize("count", [1, 3])
def test_verify_of_other_than_two_pictures_is_wrong_usage(
    facerec: Facerec, pictures: Pictures, count: int
) -> None:
    done = facerec("verify", *[pictures["collins"]] * count)
    assert done.code == 2
    assert "two pictures, or one picture and --profile" in done.err.replace("\n", " ")


BAD_PICTURES = {
    "missing.jpg": None,
    "empty.jpg": b"",
    "text.jpg": b"this is no picture, whatever its name says\n",
    "cut.jpg": b"\xff\xd8\xff\xe0\x00\x10JFIF",
}


@pytest.fixture(params=[*BAD_PICTURES, "folder.jpg"])
def bad_picture(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / str(request.param)
    content = BAD_PICTURES.get(request.param)
    if request.param == "folder.jpg":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    return path


def test_a_bad_picture_is_said_and_the_others_are_done(
    facerec: Facerec, pictures: Pictures, bad_picture: Path
) -> None:
    done = facerec("identify", bad_picture, pictures["collins"], "--json")
    assert done.code == 1
    assert [record["image"] for record in done.records] == [str(pictures["collins"])]
    assert bad_picture.name in done.err
    alone = facerec("verify", bad_picture, pictures["collins"], "--json")
    assert (alone.code, alone.out) == (1, "")
    assert bad_picture.name in alone.err


def test_unknown_gallery_is_said_with_those_that_there_are(
    facerec: Facerec, pictures: Pictures
) -> None:
    done = facerec("identify", pictures["collins"], "--gallery", "ghosts", "--json")
    assert (done.code, done.out) == (1, "")
    assert "no gallery is named 'ghosts'; there are: default" in done.err


@pytest.mark.parametrize("rate", ["0", "1", "-1", "nan"])
def test_a_rate_that_is_none_is_refused(facerec: Facerec, pictures: Pictures, rate: str) -> None:
    done = facerec("identify", pictures["collins"], "--fpir", rate)
    assert done.code in (1, 2)
    assert "fpir" in done.err


def test_networks_that_were_not_pulled_are_said(
    facerec: Facerec, pictures: Pictures, tmp_path: Path
) -> None:
    done = facerec("identify", pictures["collins"], home=tmp_path / "new")
    assert done.code == 1
    assert "not installed yet: yunet, sface, centerface; " in done.err


def test_a_damaged_network_is_said(
    facerec: Facerec, own_home: Path, home: Path, pictures: Pictures
) -> None:
    models = own_home / "models"
    models.unlink()
    for name in ("yunet", "sface", "centerface"):
        (models / name).mkdir(parents=True)
        for file in (home / "models" / name).iterdir():
            (models / name / file.name).symlink_to(file)
    damaged = models / "sface" / "model.tflite"
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.unlink()
    damaged.write_bytes(content)
    done = facerec("identify", pictures["collins"])
    assert done.code == 1
    assert "sface" in done.err
    assert "facerec models pull sface" in done.err


def test_a_damaged_database_is_said(facerec: Facerec, own_home: Path, pictures: Pictures) -> None:
    (own_home / "gallery.db").write_bytes(b"rubbish" * 1000)
    for command in (("identify", pictures["collins"]), ("profiles", "list")):
        done = facerec(*command)
        assert done.code == 1
        assert f"{own_home / 'gallery.db'} cannot be read as a gallery" in done.err.replace(
            "\n", " "
        )


PROBE = """
import sys
from facerec.cli.app import app
try:
    app(sys.argv[1:], standalone_mode=False)
finally:
    heavy = {"tensorflow", "keras", "grpc", "onnx", "onnxruntime"} & set(sys.modules)
    print("heavy:", *sorted(heavy), file=sys.stderr)
"""


@pytest.mark.usefixtures("enrolled")
def test_identify_imports_no_tensorflow(own_home: Path, pictures: Pictures) -> None:
    arguments = ["identify", str(pictures["obama-2009"]), "--home", str(own_home), "--json"]
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "FACEREC_INFERENCE__ENGINE": "litert"},
    )
    assert '"decision": "identified"' in done.stdout
    assert done.stderr.splitlines()[-1] == "heavy:"


@pytest.mark.usefixtures("enrolled")
def test_the_second_engine_decides_the_same(
    facerec: Facerec,
    own_home: Path,
    pictures: Pictures,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    probe = ("identify", pictures["obama-2009"], "--json")
    (first,) = facerec(*probe).record["faces"]
    monkeypatch.setenv("FACEREC_INFERENCE__ENGINE", "tensorflow")
    (second,) = facerec(*probe).record["faces"]
    assert (first["decision"], second["decision"]) == ("identified", "identified")
    assert second["score"] == pytest.approx(first["score"], abs=1e-3)


@pytest.mark.usefixtures("enrolled")
def test_lfw_people_are_told_apart(facerec: Facerec, data_dir: Path, tmp_path: Path) -> None:
    """The first picture of 40 people is enrolled; the second names them, strangers are unknown."""
    images = data_dir / "lfw_dev" / "images"
    people = sorted(p for p in images.iterdir() if len(list(p.glob("*.jpg"))) >= 2)[:40]
    strangers = [p for p in sorted(images.iterdir()) if len(list(p.glob("*.jpg"))) == 1][:40]
    for place in people:
        target = tmp_path / "people" / place.name
        target.mkdir(parents=True)
        first = min(place.glob("*.jpg"))
        (target / first.name).symlink_to(first)
    records = facerec("enroll", "--from", tmp_path / "people", "--json").records
    refused = {tuple(r["rejected"][0]["reasons"]) for r in records if not r["profile_id"]}
    assert refused <= {("several_faces",), ("turned_away",)}
    names = {r["name"] for r in records if r["profile_id"]}
    assert len(names) >= 35
    probes = [sorted(p.glob("*.jpg"))[1] for p in people]
    right, wrong = 0, 0
    for place, record in zip(people, facerec("identify", *probes, "--json").records, strict=True):
        name = place.name.replace("_", " ")
        named = {face["name"] for face in record["faces"]} - {None}
        right += named == {name}
        wrong += bool(named - {name})
    assert right >= len(names) - 3
    assert wrong == 0
    others = facerec("identify", *[next(p.glob("*.jpg")) for p in strangers], "--json").records
    assert sum(face["name"] is not None for r in others for face in r["faces"]) <= 2
