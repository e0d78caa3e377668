"""Labels that are wrong: proposed, reviewed, and taken up by the next preparation."""

import csv
from pathlib import Path

import cv2
import numpy as np

from tests.e2e.conftest import Facerec


def test_what_a_reviewer_accepts_is_corrected(
    facerec: Facerec, pictures: dict[str, Path], tmp_path: Path
) -> None:
    people = mislabelled(pictures, tmp_path / "people")
    assert facerec("train", "data", people, "--output", tmp_path / "data").code == 0
    listed = tmp_path / "proposals.csv"
    found = facerec("train", "clean", tmp_path / "data", "--output", listed, "--json")
    assert found.code == 0, found.err
    proposed = {(p["fault"], p["person"], p["picture"], p["other"])
                for p in found.record["proposals"]}  # fmt: skip
    assert proposed == {
        ("outlier", "Barack", "Barack/collins.png", ""),
        ("split", "Joe again", "", "Joe"),
    }
    nothing = facerec(
        "train", "data", people, "--output", tmp_path / "same", "--reviewed", listed, "--json"
    ).record
    assert (nothing["pictures"], nothing["people"], nothing["dropped"]) == (8, 3, {})

    with listed.open(newline="") as opened:
        rows = [{**row, "accept": "yes"} for row in csv.DictReader(opened)]
    with listed.open("w", newline="") as opened:
        table = csv.DictWriter(opened, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    done = facerec(
        "train", "data", people, "--output", tmp_path / "data2", "--reviewed", listed, "--json"
    ).record
    assert (done["pictures"], done["people"]) == (7, 2)
    assert done["dropped"] == {"reviewed_out": 1}
    assert "Barack/collins.png,reviewed_out" in (tmp_path / "data2" / "dropped.csv").read_text()


def mislabelled(pictures: dict[str, Path], root: Path) -> Path:
    """Lay out two people in three folders, one of them with a picture of a third."""
    shown = {
        "Barack": ["obama-2012"] * 3 + ["collins"],
        "Joe": ["biden-2010"] * 2,
        "Joe again": ["biden-2010"] * 2,
    }
    for number, (person, keys) in enumerate(shown.items()):
        (root / person).mkdir(parents=True)
        for take, key in enumerate(keys):
            image = cv2.imread(str(pictures[key]))
            scale = (400 + 30 * take + 10 * number) / max(image.shape[:2])
            small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            name = "collins.png" if key == "collins" else f"{take}.png"
            shown_brighter = np.clip(small * (0.8 + 0.1 * take), 0, 255).astype(np.uint8)
            cv2.imwrite(str(root / person / name), shown_brighter)
    return root
