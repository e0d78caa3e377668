"""The whole cycle as a user types it: data, run, kill, resume, evaluate, package, import, use."""

import io
import os
import shutil
import signal
import subprocess
import time
import zipfile
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest

from facerec.client import GateClient
from facerec.training.record_file import ChipReader
from facerec.training.sampling import split_people
from facerec.training.whole_files import load_arrays
from tests.e2e.conftest import COMMAND, Facerec
from tests.integration.identity.server_process import ServerProcess

PEOPLE, PICTURES = 20, 4
SMALL = (
    "network=iresnet18-quarter", "chip_size_px=32", "embedding_size=32", "loss=cosface",
    "scale=16.0", "margin=0.15", "optimizer=adamw", "learning_rate=0.003", "epochs=2",
    "steps_per_epoch=12", "batch_size=16", "held_out_share=0.8", "averaging=0.8",
)  # fmt: skip


def made_up_person(face: np.ndarray, person: int, number: int) -> np.ndarray:
    """Bend and tint a photograph: the same for a person, a little otherwise for each picture."""
    lasting, passing = np.random.default_rng(person), np.random.default_rng([person, number])
    side = face.shape[0]
    coarse = lasting.uniform(-0.045, 0.045, (2, 5, 5)) * side
    bend = [cv2.resize(plane, (side, side), interpolation=cv2.INTER_CUBIC) for plane in coarse]
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    x, y = x + bend[0].astype(np.float32), y + bend[1].astype(np.float32)
    shift = passing.uniform(-0.02, 0.02, 2) * side
    bent = cv2.remap(face, x + np.float32(shift[0]), y + np.float32(shift[1]), cv2.INTER_LINEAR,
                     borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
    tint = lasting.uniform(0.75, 1.25, 3) * passing.uniform(0.9, 1.1)
    noise = passing.normal(0, 4, bent.shape)
    return np.clip(bent * tint + noise, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def people(tmp_path_factory, pictures: dict[str, Path]) -> Path:
    """A folder of folders: 20 made-up people, one with a single picture; one without a face."""
    root = tmp_path_factory.mktemp("training") / "people"
    bases = []
    for key in ("obama-2012", "collins", "biden-2010"):
        image = cv2.imread(str(pictures[key]))
        scale = 480 / max(image.shape[:2])
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        side = min(small.shape[:2])
        bases.append(small[:side, (small.shape[1] - side) // 2 :][:, :side])
    for person in range(PEOPLE):
        folder = root / f"person {person:02d}"
        folder.mkdir(parents=True)
        for number in range(PICTURES if person else 1):
            made = made_up_person(bases[person % len(bases)], person, number)
            cv2.imwrite(str(folder / f"{number}.png"), made)
    cv2.imwrite(str(root / "person 01" / "wall.png"), np.full((200, 200, 3), 128, np.uint8))
    (root / "person 02" / "broken.jpg").write_bytes(b"no picture")
    (root / "person 03" / "gone.jpg").symlink_to(root / "nowhere.jpg")
    return root


def settings(*more: str) -> list[str]:
    return [part for entry in (*SMALL, *more) for part in ("--set", entry)]


@pytest.mark.slow
def test_the_whole_cycle_survives_a_kill(facerec: Facerec, own_home, people, tmp_path) -> None:
    data = tmp_path / "data"
    done = facerec("train", "data", people, "--output", data, "--terms", "made up", "--json")
    assert done.code == 0, done.err
    dropped = done.record["dropped"]
    assert dropped["no_face"] >= 1 and dropped["unreadable"] == 1 and dropped["gone"] == 1
    assert done.record["pictures"] >= 0.8 * PEOPLE * PICTURES
    assert done.record["people_with_one_picture"] >= 1
    assert "wall.png,no_face" in (data / "dropped.csv").read_text()

    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert facerec("train", "run", data, "--output", whole, *settings()).code == 0
    run_until_killed(killed, data, own_home)
    state = load_arrays(killed / "checkpoint.npz")[1]
    assert state["epoch"] == 1
    again = facerec("train", "resume", killed)
    assert again.code == 0, again.err
    ours, theirs = (load_arrays(run / "checkpoint.npz")[0] for run in (killed, whole))
    assert all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))

    judged = facerec("train", "evaluate", killed, "--json").record
    assert 0 <= judged["eer"] < 0.5 and judged["people"] >= 12
    strangers = prepared_again(facerec, people, data, tmp_path)
    with_itself = facerec(
        "train", "evaluate", killed, "--data", strangers, "--against", whole, "--json"
    ).record
    assert with_itself["people"] == judged["people"] and with_itself["eer"] == judged["eer"]
    assert with_itself["difference"]["eer"] == 0
    assert with_itself["difference"]["tar_interval"] == [0, 0]  # the two are bit-equal
    refused = facerec("train", "evaluate", killed, "--data", data)
    assert refused.code == 1 and "people to judge on were learned from" in refused.err
    package = tmp_path / "mini.facerec"
    made = facerec("train", "package", killed, "--name", "mini", "--output", package, "--json")
    assert made.code == 0, made.err
    refuse_a_changed_package(facerec, package)
    use(facerec, own_home, people, package)

    shutil.rmtree(data)
    strangers.rename(data)  # other data by the same name: who was held out is not known any more
    refused = facerec("train", "package", killed, "--name", "anew", "--output", tmp_path / "anew")
    assert refused.code == 1 and not (tmp_path / "anew").exists()
    assert "has been made anew since" in refused.err


def prepared_again(facerec: Facerec, people: Path, data: Path, folder: Path) -> Path:
    """Prepare those whom the run held out once more, by a list, as data of their own."""
    reader, listed = ChipReader(data), folder / "strangers.csv"
    rows = split_people(reader.people, 0.8, 0)[1]
    lines = [f"{people / reader.sources[r]},{reader.names[reader.people[r]]}" for r in rows]
    listed.write_text("\n".join(["picture,person", *lines]) + "\n")
    made = facerec("train", "data", listed, "--output", folder / "strangers", "--json")
    assert made.code == 0 and made.record["pictures"] == len(rows), made.err
    return folder / "strangers"


def run_until_killed(run: Path, data: Path, home: Path) -> None:
    """Start a run and kill it without warning once its first epoch is kept."""
    command = [COMMAND, "train", "run", data, "--output", run, *settings(), "--home", home]
    child = subprocess.Popen(list(map(str, command)), stderr=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL)  # fmt: skip
    while child.poll() is None and not (run / "checkpoint.npz").exists():
        time.sleep(0.005)
    os.kill(child.pid, signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL


def refuse_a_changed_package(facerec: Facerec, package: Path) -> None:
    content = bytearray(package.read_bytes())
    content[len(content) // 2] ^= 1
    changed = package.with_name("changed.facerec")
    changed.write_bytes(content)
    refused = facerec("models", "import", changed, "--json")
    assert refused.code == 1 and "package" in refused.err
    assert len(refused.err.strip().splitlines()) == 1


def use(facerec: Facerec, home: Path, people: Path, package: Path) -> None:
    """Import the package; enrol, identify and serve with it, without Keras or TensorFlow."""
    models = home / "models"
    shared = models.resolve()
    models.unlink()
    models.mkdir()
    for network in ("yunet", "centerface", "sface"):
        (models / network).symlink_to(shared / network)
    taken = facerec("models", "import", package, "--json")
    assert taken.code == 0, taken.err
    assert taken.record["embedding_space"].startswith("mini-")
    assert taken.record["operating_point"] == "mini"
    card = (models / "mini" / "MODEL_CARD.md").read_text()
    for stated in ("Terms of the data: made up.", "95 % intervals over people", "Calibration: in",
                   "Intended use: ", "Limits: ", "Licence of the weights: "):  # fmt: skip
        assert stated in card
    (home / "facerec.toml").write_text(
        '[analysis]\nembedder = "mini"\n[decision]\ntarget_fpir = 0.2\n'
    )
    assert facerec("operating-points", "use", "mini").code == 0
    picture = people / "person 05" / "0.png"
    enrolled = facerec("enroll", "Somebody", picture, "--json")
    assert enrolled.code == 0, enrolled.err
    found = facerec("identify", picture, "--json")
    assert found.code == 0, found.err
    (face,) = found.record["faces"]
    assert face["score"] > 0.99
    with ServerProcess(home) as server, GateClient(server.address, timeout_s=30.0) as gate:
        (served,) = gate.identify(picture.read_bytes()).faces
        assert (served.display_name, served.outcome) == ("Somebody", face["decision"])
        assert served.similarity == pytest.approx(face["score"], abs=1e-5)
        assert f"{models / 'mini'}" in server.mapped_files()
        assert "tensorflow" not in server.mapped_files()


@pytest.mark.slow
def test_a_gentle_adaptation_is_kept_and_a_harmful_one_refused(
    facerec: Facerec, own_home: Path, people: Path, tmp_path: Path
) -> None:
    """Judged on six people, whom SFace tells apart without an error (seed 4 holds them out)."""
    data = tmp_path / "data"
    assert facerec("train", "data", people, "--output", data).code == 0

    def adapted(name: str, *more: object) -> tuple[dict, Path]:
        run = tmp_path / name
        few = ("epochs=1", "batch_size=8", "steps_per_epoch=4", "seed=4", "averaging=0.0")
        chosen = [part for entry in few for part in ("--set", entry)]
        done = facerec("train", "adapt", "sface", data, "--output", run, *chosen, *more, "--json")
        assert done.code == 0, done.err
        return done.record["people held out"], run

    found, run = adapted("kind", "--set", "learning_rate=0.00001")
    assert found["before"]["people"] == 6 and found["before"]["eer"] == found["after"]["eer"] == 0
    kept = load_arrays(run / "best.npz")[0]
    start = installed_weights(own_home, "sface")
    changed = [array.shape for array in kept if array.tobytes() not in start]
    assert len(kept) == len(start) and len(changed) == 6  # three kernels, a bias, two PReLUs
    made = facerec("train", "package", run, "--name", "ours", "--output", tmp_path / "kept")
    assert made.code == 0 and (tmp_path / "kept").exists(), made.err
    assert made.err == ""

    harm = ("--depth", "8", "--set", "learning_rate=0.05", "--set", "cosine_weight=0.0001")
    found, run = adapted("cruel", *harm)
    assert found["after"]["eer"] > 0.02 and found["after"]["tar_at_fmr_0.01"] < 0.95
    refused = facerec("train", "package", run, "--name", "worse", "--output", tmp_path / "worse")
    assert refused.code == 1 and not (tmp_path / "worse").exists()
    assert "worse than its start on people held out" in refused.err
    assert len(refused.err.strip().splitlines()) == 1


def installed_weights(home: Path, name: str) -> list[bytes]:
    """Return the content of every weight of an installed network."""
    found: list[bytes] = []
    with zipfile.ZipFile(home / "models" / name / "model.keras") as saved:
        weights = h5py.File(io.BytesIO(saved.read("model.weights.h5")))
    weights.visititems(
        lambda _, one: found.append(one[()].tobytes()) if isinstance(one, h5py.Dataset) else None
    )
    return found


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "nowhere", "--output", "run"), "holds no prepared data"),
        (("data", "nowhere", "--output", "made"), "there is no folder"),
        (("resume", "nowhere"), "is not the folder of a run"),
        (("evaluate", "nowhere"), "is not the folder of a run"),
        (("evaluate", "nowhere", "--against", "too"), "--against needs --data"),
        (("package", "nowhere", "--name=sface"), "is a network of the catalogue"),
        (("package", "nowhere", "--name=../ours"), "cannot be a network's name"),
        (("package", "nowhere", "--name=x", "--output=/no/x"), "there is no folder /no; make it"),
    ],
)
def test_what_is_not_there_is_one_clear_line(facerec: Facerec, tmp_path, arguments, said) -> None:
    verb, *rest = arguments
    placed = [value if value.startswith("-") else tmp_path / value for value in rest]
    done = facerec("train", verb, *placed)
    assert done.code == 1
    assert said in done.err and len(done.err.strip().splitlines()) == 1, done.err
