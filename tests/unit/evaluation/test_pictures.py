"""Folders, pairs files, group labels, boxes and the cache: sound ones and every bad one."""

import json
from pathlib import Path

import numpy as np
import pytest

from facerec.errors import EvaluationError
from facerec.evaluation.pictures.acquisition import Acquirer
from facerec.evaluation.pictures.face_table import Acquisition, FaceTable
from facerec.evaluation.pictures.folder import find_people, find_strangers
from facerec.evaluation.pictures.groups_file import read_groups
from facerec.evaluation.pictures.pairs_file import read_pairs
from facerec.evaluation.pictures.template_cache import TemplateCache, content_hash
from facerec.evaluation.protocols.detection import read_boxes


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for person, count in (("Ada", 2), ("Bob", 1), ("Eve", 3)):
        folder = tmp_path / "pictures" / person
        folder.mkdir(parents=True)
        for i in range(1, count + 1):
            (folder / f"{person}_{i:04d}.jpg").write_bytes(f"{person}{i}".encode())
    (tmp_path / "pictures" / "empty").mkdir()
    (tmp_path / "pictures" / "Ada" / "notes.txt").write_text("no picture")
    return tmp_path / "pictures"


def test_one_folder_a_person(root: Path) -> None:
    found = find_people(root)
    assert found.names == ("Ada", "Bob", "Eve")
    assert found.people.tolist() == [0, 0, 1, 2, 2, 2]
    assert found.paths[0] == "Ada/Ada_0001.jpg"
    some = found.only(found.rows_of(frozenset({"Bob", "Eve"})))
    assert (some.names, some.people.tolist()) == (("Bob", "Eve"), [0, 1, 1, 1])


def test_an_empty_or_missing_folder_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="one folder a person"):
        find_people(tmp_path)
    with pytest.raises(EvaluationError, match="there is no folder"):
        find_people(tmp_path / "nowhere")


def test_strangers_may_lie_in_one_folder(root: Path, tmp_path: Path) -> None:
    assert find_strangers(root).names == ("Ada", "Bob", "Eve")
    flat = tmp_path / "flat"
    flat.mkdir()
    for name in ("a.jpg", "b.png"):
        (flat / name).write_bytes(b"x")
    assert find_strangers(flat).people.tolist() == [0, 1]


def pairs(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "pairs.txt"
    path.write_text(text)
    return path


def test_pairs_by_hand(root: Path, tmp_path: Path) -> None:
    text = "2\t1\nAda\t1\t2\nAda\t1\tBob\t1\nEve\t1\t3\nBob\t1\tEve\t2\n"
    found = read_pairs(pairs(tmp_path, text), find_people(root))
    assert found.pairs.tolist() == [[0, 1], [0, 2], [3, 5], [2, 4]]
    assert found.mated.tolist() == [True, False, True, False]
    assert found.folds.tolist() == [0, 0, 1, 1]
    assert found.people_of_fold(1) == {"Bob", "Eve"}
    single = read_pairs(pairs(tmp_path, "1\nAda\t1\t2\nAda\t1\tBob\t1\n"), find_people(root))
    assert single.folds.tolist() == [0, 0]


def test_missing_pictures_are_named_once(root: Path, tmp_path: Path) -> None:
    text = "1\nAda\t1\t9\nAda\t9\tZoe\t1\n"
    found = read_pairs(pairs(tmp_path, text), find_people(root))
    assert found.missing == ("Ada/Ada_0009", "Zoe/Zoe_0001")
    assert found.pairs.tolist() == [[0, -1], [-1, -1]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1"),
        ("Ada 1 2\n", "line 1"),
        ("0 300\n", "at least 1"),
        ("1\nAda\tx\t2\nAda\t1\tBob\t1\n", "line 2"),
        ("1\nAda\t1\t2\nAda\tBob\n", "line 3"),
        ("2 300\nAda\t1\t2\n", "holds 1 pairs"),
    ],
)
def test_a_malformed_pairs_file_names_the_line(
    text: str, words: str, root: Path, tmp_path: Path
) -> None:
    with pytest.raises(EvaluationError, match=words):
        read_pairs(pairs(tmp_path, text), find_people(root))


def test_a_pairs_file_that_is_no_text(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "pairs.txt"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(EvaluationError, match="cannot be read as text"):
        read_pairs(path, find_people(root))


def test_groups_by_hand(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "groups.csv"
    path.write_text("group,person\nx,Eve\ny,Ada\n")
    assert read_groups(path, find_people(root)) == ("y", "", "x")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "columns person and group"),
        ("name,group\nAda,x\n", "columns person and group"),
        ("person,group\nAda\n", "line 2: must have 2 cells"),
        ("person,group\nAda,x\nAda,y\n", "line 3"),
        ("person,group\nZoe,x\n", "names nobody"),
    ],
)
def test_labels_in_a_wrong_format_are_refused(
    text: str, words: str, root: Path, tmp_path: Path
) -> None:
    path = tmp_path / "groups.csv"
    path.write_text(text)
    with pytest.raises(EvaluationError, match=words):
        read_groups(path, find_people(root))


def test_boxes_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "boxes.json"
    marks = [[1, 2], [3, 4], [5, 6], [7, 8], [9, 10]]
    faces = [[10, 20, 30, 40], {"box": [0, 0, 5, 5], "landmarks": marks}]
    path.write_text(json.dumps({"a.jpg": faces, "b.jpg": []}))
    first, second = read_boxes(path)
    assert first.boxes_xyxy_px.tolist() == [[10, 20, 40, 60], [0, 0, 5, 5]]
    assert np.isnan(first.landmarks_px[0]).all()
    assert first.landmarks_px[1].tolist() == marks
    assert second.boxes_xyxy_px.shape == (0, 4)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"a": 1}', '{"a": [[1, 2, 3]]}', '{"a": [[1, 2, 0, 4]]}',
     '{"a": [["x", 2, 3, 4]]}', '{"a": [{"landmarks": []}]}'],
)  # fmt: skip
def test_malformed_boxes_are_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "boxes.json"
    path.write_text(text)
    with pytest.raises(EvaluationError, match=r"boxes\.json"):
        read_boxes(path)


def row(value: float) -> FaceTable:
    made = FaceTable.failed(Acquisition.NO_FACE, 4)
    made.embeddings[:] = value
    return made


def test_the_cache_gives_back_what_was_kept_and_spaces_never_mix(tmp_path: Path) -> None:
    cache = TemplateCache(tmp_path, "space", "settings")
    cache.add(["a", "b"], [row(1), row(2)])
    cache.add(["c"], [row(3)])
    known = cache.load()
    assert {name: float(known[name].embeddings[0, 0]) for name in known} == {"a": 1, "b": 2, "c": 3}
    assert not TemplateCache(tmp_path, "other", "settings").load()
    assert not TemplateCache(tmp_path, "space", "other").load()


def test_a_damaged_or_unfinished_part_is_as_good_as_none(tmp_path: Path) -> None:
    cache = TemplateCache(tmp_path, "space", "settings")
    cache.add(["a"], [row(1)])
    cache.add(["b"], [row(2)])
    first, second = sorted(tmp_path.rglob("*.npz"))
    first.write_bytes(first.read_bytes()[:200])
    (second.parent / "x.unfinished").write_bytes(b"")
    assert len(cache.load()) == 1


def test_only_unknown_content_is_analysed_and_lost_files_are_counted(root: Path) -> None:
    cache = TemplateCache(root.parent / "cache", "space", "settings")
    every = find_people(root)
    paths = [root / path for path in every.paths]
    cache.add([content_hash(path.read_bytes()) for path in paths], [row(i) for i in range(6)])
    told = []

    def never() -> list:
        raise AssertionError("nothing is left to analyse")

    acquirer = Acquirer(never, cache, max_pixels=100, embedding_size=4)
    (root / "renamed.jpg").write_bytes(paths[0].read_bytes())
    wanted = [*paths, root / "renamed.jpg", root / "gone.jpg"]
    table = acquirer.acquire(wanted, lambda done, total: told.append((done, total)))
    assert table.embeddings[:, 0].tolist() == [0, 1, 2, 3, 4, 5, 0, 0]
    assert table.count(Acquisition.UNREADABLE) == 1
    assert told == [(8, 8)]
