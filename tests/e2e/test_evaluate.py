"""``facerec evaluate``, ``calibrate`` and ``operating-points`` as a user types them."""

import json
from pathlib import Path

import pytest

from tests.e2e.conftest import Facerec


@pytest.fixture
def people(data_dir: Path, tmp_path: Path) -> Path:
    """Twelve people with three to five pictures and eight with one, of the development data."""
    source = data_dir / "lfw_dev" / "images"
    root = tmp_path / "people"
    root.mkdir()
    folders = sorted(source.iterdir())
    several = [f for f in folders if 3 <= len(list(f.iterdir())) <= 5][:12]
    single = [f for f in folders if len(list(f.iterdir())) == 1][:8]
    for folder in (*several, *single):
        (root / folder.name).symlink_to(folder)
    return root


def first_pair(people: Path) -> str:
    names = sorted(folder.name for folder in people.iterdir())
    several = [name for name in names if len(list((people / name).iterdir())) > 1]
    return f"1\n{several[0]}\t1\t2\n{several[0]}\t1\t{several[1]}\t1\n"


def test_verification(facerec: Facerec, people: Path, tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.txt"
    pairs.write_text(first_pair(people))
    done = facerec(
        "evaluate", "verification", "--images", people, "--pairs", pairs, "--json",
        "--report", tmp_path / "report",
    )  # fmt: skip
    assert done.code == 0, done.err
    record = done.record
    assert {
        "accuracy", "accuracy_std", "tar_at_far", "eer", "fta", "counts", "intervals",
    } <= set(record)  # fmt: skip
    assert record["accuracy"] == 1.0
    assert record["counts"]["people"] == 20
    assert record["tar_at_far"]["1e-1"] > 0.95
    assert "1e-6" in record["tar_at_far_at_most"]  # too few comparisons to show it
    page = (tmp_path / "report" / "index.html").read_text()
    assert "Worst errors" in page and page.count("data:image/png") > 8
    again = facerec(
        "evaluate", "verification", "--images", people, "--json", "--no-pictures",
        "--report", tmp_path / "again",
    )  # fmt: skip
    assert again.record["eer"] == record["eer"]  # from the cache
    assert "Worst errors" not in (tmp_path / "again" / "index.html").read_text()
    compared = facerec(
        "evaluate", "compare", tmp_path / "report", tmp_path / "again", "--json", home=None
    )
    assert compared.record["measures"]
    for measure in compared.record["measures"].values():
        assert measure["difference"] == 0 and measure["p_value"] == 1.0


def test_identification(facerec: Facerec, people: Path, tmp_path: Path) -> None:
    done = facerec(
        "evaluate", "identification", "--images", people, "--json", "--report", tmp_path / "r"
    )
    assert done.code == 0, done.err
    record = done.record
    assert {"fnir_at_fpir", "rank1", "fta", "fte", "counts", "intervals"} <= set(record)
    assert record["counts"]["enrolled"] == 12 and record["counts"]["strangers"] == 8
    assert set(record["by_references"]) == {"1", "2"}
    assert record["rank1"] > 0.9
    assert "0.01" in record["fnir_at_fpir_at_least"]  # eight strangers cannot show 1 %
    assert (tmp_path / "r" / "cmc_1.png").exists() and (tmp_path / "r" / "cmc_2.png").exists()


def test_groups_are_told_apart(facerec: Facerec, people: Path, tmp_path: Path) -> None:
    labels = tmp_path / "groups.csv"
    names = sorted(folder.name for folder in people.iterdir())
    rows = (f"{name},{'even' if i % 2 == 0 else 'odd'}" for i, name in enumerate(names))
    labels.write_text("\n".join(["person,group", *rows]) + "\n", encoding="utf-8-sig")
    for protocol, rates in (
        ("verification", ("fnmr", "fmr")),
        ("identification", ("fnir", "fpir")),
    ):
        done = facerec(
            "evaluate", protocol, "--images", people, "--groups", labels, "--json",
            "--report", tmp_path / protocol,
        )  # fmt: skip
        assert done.code == 0, done.err
        assert [entry["group"] for entry in done.record["groups"]] == ["even", "odd"]
        for entry in done.record["groups"]:
            for rate in rates:
                low, high = entry[f"{rate}_interval"]
                assert low <= entry[rate] <= high
                assert low < high  # so few people show nothing for certain
        assert "<td>even</td>" in (tmp_path / protocol / "index.html").read_text()


def test_detection(facerec: Facerec, data_dir: Path, tmp_path: Path) -> None:
    boxes = json.loads((data_dir / "fddb_dev" / "boxes_xywh.json").read_text())
    some = dict(list(boxes.items())[:15]) | {"missing.jpg": [[1, 1, 10, 10]]}
    path = tmp_path / "boxes.json"
    path.write_text(json.dumps(some))
    images = data_dir / "fddb_dev" / "images"
    done = facerec("evaluate", "detection", "--images", images, "--boxes", path, "--json")
    assert done.code == 0, done.err
    record = done.record
    assert 0.8 < record["ap50"] <= 1.0
    assert record["fta"] == pytest.approx(1 / 16)
    assert record["counts"]["failed_images"] == 1


def test_a_missing_picture_is_named_and_strict_stops(
    facerec: Facerec, people: Path, tmp_path: Path
) -> None:
    pairs = tmp_path / "pairs.txt"
    pairs.write_text(first_pair(people).replace("\t1\t2\n", "\t1\t99\n"))
    given = ("evaluate", "verification", "--images", people, "--pairs", pairs, "--json")
    done = facerec(*given)
    assert done.code == 0 and "_0099" in done.err
    assert done.record["counts"]["missing"] == 1
    assert done.record["accuracy"] == 0.5
    assert done.record["fta"] > 0
    stopped = facerec(*given, "--strict")
    assert stopped.code == 1 and "_0099" in stopped.err and stopped.out == ""


def test_bad_data_is_said_in_one_line(facerec: Facerec, people: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    alone = tmp_path / "alone"
    alone.mkdir()
    only = next(f for f in people.iterdir() if len(list(f.iterdir())) > 2)
    (alone / only.name).symlink_to(only.resolve())
    labels = tmp_path / "labels.csv"
    labels.write_text("name;group\n")
    for arguments, words in (
        (("verification", "--images", empty), "one folder a person"),
        (("identification", "--images", tmp_path / "nowhere"), "there is no folder"),
        (("verification", "--images", alone), "at least two people"),
        (("identification", "--images", alone), "no strangers"),
        (("verification", "--images", people, "--groups", labels), "columns person and group"),
        (("detection", "--images", empty, "--boxes", labels), "cannot be read as JSON"),
        (("compare", empty, alone), "not the folder of a report"),
    ):
        at_home = {} if arguments[0] != "compare" else {"home": None}
        done = facerec("evaluate", *arguments, **at_home)
        assert done.code == 1, (arguments, done.err)
        assert words in done.err.replace("\n", " ")
        assert done.out == ""


def test_a_person_without_a_face_is_counted(facerec: Facerec, people: Path) -> None:
    import cv2
    import numpy as np

    folder = people / "Zz_Nobody"
    folder.mkdir()
    for i in (1, 2):
        grey = np.full((120, 120, 3), 127, np.uint8)
        grey[:5] = i  # so that the two differ
        cv2.imwrite(str(folder / f"Zz_Nobody_{i:04d}.png"), grey)
    (folder / "Zz_Nobody_0003.jpg").write_bytes(b"no picture")
    done = facerec("evaluate", "verification", "--images", people, "--json")
    assert done.code == 0, done.err
    counts = done.record["counts"]
    assert (counts["no_face"], counts["unreadable"], counts["people"]) == (2, 1, 21)
    assert counts["mated_comparisons_failed"] == 3
    searched = facerec("evaluate", "identification", "--images", people, "--json")
    assert searched.record["counts"]["failed_enrolments"] == 1
    assert searched.record["fte"] == pytest.approx(1 / 13)


def test_calibration(facerec: Facerec, people: Path, tmp_path: Path) -> None:
    done = facerec("calibrate", "--images", people, "--name", "office", "--json")
    assert done.code == 0, done.err
    record = done.record
    assert record["provenance"]["people"] == 20 and record["provenance"]["kind"] == "pictures"
    assert 0.1 < record["fmr"]["0.01"]["threshold"] < 0.6
    assert "refused" in record["fmr"]["1e-06"]  # 190 pairs of people say nothing of that
    low, high = record["fmr"]["0.01"]["interval_of_a_test"]
    assert (
        low <= record["fmr"]["0.01"]["interval"][0] < record["fmr"]["0.01"]["interval"][1] <= high
    )
    # Nor of the 1e-4 that claims are decided at by default: nobody should find out at the gate.
    assert "refused from now on" in done.err and "use factory" in done.err
    listed = {p["name"]: p for p in facerec("operating-points", "list", "--json").record}
    assert listed["office"]["in_use"] and not listed["factory-sface"]["in_use"]
    one = next(people.iterdir())
    picture = next(one.iterdir())
    refused = facerec("verify", picture, picture, "--fmr", "1e-6", "--json")
    assert refused.code == 1 and "people" in refused.err and "needed" in refused.err
    decided = facerec("verify", picture, picture, "--fmr", "0.01", "--json")
    assert decided.record["match"] and decided.record["operating_point"] == "office"
    assert facerec("operating-points", "use", "factory").code == 0
    decided = facerec("verify", picture, picture, "--json")
    assert decided.record["operating_point"] == "factory-sface"
    again = facerec("operating-points", "use", "office", "--json")
    assert again.record == {"in_use": "office"} and "refused from now on" in again.err
    shown = facerec("operating-points", "show", "office", "--json").record
    assert shown["fmr"] == record["fmr"]
    assert "threshold 0." in facerec("operating-points", "show", "factory-sface").out
    unfit = facerec("calibrate", "--images", people, "--name", "My Office")
    assert unfit.code == 1 and "small letters" in unfit.err
    unknown = facerec("operating-points", "use", "nowhere")
    assert unknown.code == 1 and "office" in unknown.err


def test_calibration_on_the_gallery_and_with_strangers(
    facerec: Facerec, people: Path, tmp_path: Path
) -> None:
    nobody = facerec("calibrate")
    assert nobody.code == 1 and "nobody is enrolled" in nobody.err
    assert facerec("enroll", "--from", people, "--json").code == 0
    own = facerec("calibrate", "--json")
    assert own.code == 0, own.err
    assert own.record["provenance"]["kind"] == "gallery"
    strangers = tmp_path / "strangers"
    strangers.mkdir()
    for folder in list(people.iterdir())[:10]:
        picture = next(folder.iterdir())
        (strangers / picture.name).write_bytes(picture.read_bytes())
    given = facerec("calibrate", "--strangers", strangers, "--name", "gate", "--keep", "--json")
    assert given.code == 0, given.err
    assert given.record["provenance"]["kind"] == "strangers"
    # All ten "strangers" are enrolled, which a guard who films a gate does not notice.
    assert "some of the strangers may be enrolled" in given.err
    assert not given.record["in_use"]
    assert facerec("calibrate", "--images", people, "--strangers", strangers).code == 2


def test_video(facerec: Facerec, data_dir: Path, tmp_path: Path) -> None:
    clips = data_dir / "gate_clips"
    labels = tmp_path / "labels.csv"
    labels.write_text("clip,person\nagain.mkv,A\nbrother.mkv,A\nbird.mkv,B\nmilk.mkv,B\n")
    done = facerec(
        "evaluate", "video", "--clips", clips, "--labels", labels, "--json",
        "--report", tmp_path / "r",
    )  # fmt: skip
    assert done.code == 0, done.err
    tracks = done.record["tracks"]
    assert (tracks["right"], tracks["wrong"], tracks["missed"]) == (2, 0, 0)
    assert tracks["strangers"] >= 2  # each of the two, not enrolled
    assert 0 < done.record["time_to_decision_s"]["p50"] < 2
    assert "brother.mkv" in (tmp_path / "r" / "index.html").read_text()
    labels.write_text("clip,person\nagain.mkv,A\n")
    alone = facerec("evaluate", "video", "--clips", clips, "--labels", labels)
    assert alone.code == 1 and "second clip" in alone.err
    labels.write_text("clip,person\nnowhere.mkv,A\n")
    missing = facerec("evaluate", "video", "--clips", clips, "--labels", labels)
    assert missing.code == 1 and "line 2" in missing.err
