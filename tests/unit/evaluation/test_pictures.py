"""Folders, pairs files, group labels, boxes and the cache: sound ones and every bad one."""

import json
from pathlib import Path
from typing import Never

import numpy as np
import pytest

from facerec.errors import EvaluationError
from facerec.evaluation.pictures.acquisition import Acquirer
from facerec.evaluation.pictures.face_table import Acquisition, FaceTable
from facerec.evaluation.pictures.folder import find_people, find_strangers
from facerec.evaluation.pictures.groups_file import read_groups
from facerec.evaluation.pictures.pairs_file import read_pairs
from facerec.evaluation.pictures.template_cache import TemplateCache, content_hash
from facerec.evaluation.protocols.detection import detect_all, read_boxes
from facerec.evaluation.protocols.video import read_clips


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


def test_a_folder_that_may_not_be_read_is_refused_in_words(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may read everything, so the system's own answer is made here."""

    def denied(folder: Path) -> Never:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(Path, "iterdir", denied)
    for read in (find_people, find_strangers):
        with pytest.raises(EvaluationError, match="cannot be read: Permission denied"):
            read(root)


@pytest.mark.parametrize("kind", ["pairs", "groups", "boxes", "clips"])
def test_a_mark_of_byte_order_is_no_part_of_the_first_word(
    kind: str, root: Path, tmp_path: Path
) -> None:
    """Spreadsheets put one before what they save as UTF-8."""
    path = tmp_path / "given"
    text = {
        "pairs": "1\nAda\t1\t2\nAda\t1\tBob\t1\n",
        "groups": "person,group\nAda,x\n",
        "boxes": '{"a.jpg": [[1, 2, 3, 4]]}',
        "clips": "clip,person\nBob/Bob_0001.jpg,Bob\n",
    }[kind]
    path.write_text(text, encoding="utf-8-sig")
    found = {
        "pairs": lambda: read_pairs(path, find_people(root)),
        "groups": lambda: read_groups(path, find_people(root)),
        "boxes": lambda: read_boxes(path),
        "clips": lambda: read_clips(root, path),
    }[kind]()
    assert len(found) in (1, 2, 3)


def test_pairs_by_hand(root: Path, tmp_path: Path) -> None:
    text = "2\t1\nAda\t1\t2\nAda\t1\tBob\t1\nEve\t1\t3\nBob\t1\tEve\t2\n"
    found = read_pairs(pairs(tmp_path, text), find_people(root))
    assert found.pairs.tolist() == [[0, 1], [0, 2], [3, 5], [2, 4]]
    assert found.mated.tolist() == [True, False, True, False]
    assert found.folds.tolist() == [0, 0, 1, 1]
    assert found.people_of_fold(1) == {"Bob", "Eve"}
    assert found.names[1] == "Ada/Ada_0001|Bob/Bob_0001"
    single = read_pairs(pairs(tmp_path, "1\nAda\t1\t2\nAda\t1\tBob\t1\n"), find_people(root))
    assert single.folds.tolist() == [0, 0]


def test_missing_pictures_are_named_once(root: Path, tmp_path: Path) -> None:
    text = "1\nAda\t1\t9\nAda\t9\tZoe\t1\n"
    found = read_pairs(pairs(tmp_path, text), find_people(root))
    assert found.missing == ("Ada/Ada_0009", "Zoe/Zoe_0001")
    assert found.pairs.tolist() == [[0, -1], [-1, -1]]


def test_pairs_of_other_pictures_altogether_are_refused(root: Path, tmp_path: Path) -> None:
    text = "1\nAda\t7\t9\nAda\t9\tZoe\t1\n"
    with pytest.raises(EvaluationError, match=r"none of the 3 pictures .* Ada/Ada_0007"):
        read_pairs(pairs(tmp_path, text), find_people(root))


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


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a.jpg": [[1, 2, 3, 4]], "b.jpg": []}', r"none of the 2 annotated .* first is a\.jpg"),
        ('{"a.jpg": []}', "no face is annotated"),
    ],
)
def test_annotations_that_nothing_can_be_judged_by_are_refused(
    text: str, words: str, root: Path, tmp_path: Path
) -> None:
    path = tmp_path / "boxes.json"
    path.write_text(text)

    class Unused:
        def detect(self, *_given: object, **_named: object) -> None:
            raise AssertionError("there is no image")

    with pytest.raises(EvaluationError, match=words):
        detect_all(read_boxes(path), root, Unused(), lambda *_: None, min_face_px=1, max_pixels=100)


def row(value: float) -> FaceTable:
    made = FaceTable.failed(Acquisition.NO_FACE, 4)
    made.embeddings[:] = value
    return made


def test_the_cache_gives_back_what_was_kept_and_spaces_never_mix(tmp_path: Path) -> None:
    cache = TemplateCache(tmp_path / "cache", "space", "settings")
    cache.add(["a", "b"], [row(1), row(2)])
    cache.add(["c"], [row(3)])
    known = cache.load()
    assert {name: float(known[name].embeddings[0, 0]) for name in known} == {"a": 1, "b": 2, "c": 3}
    (folder,) = (path for path in (tmp_path / "cache").iterdir())
    assert folder.stat().st_mode & 0o077 == folder.parent.stat().st_mode & 0o077 == 0
    assert not TemplateCache(tmp_path / "cache", "other", "settings").load()
    assert not TemplateCache(tmp_path / "cache", "space", "other").load()


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


def test_a_picture_that_changed_since_it_was_hashed_is_not_kept_as_what_it_was(
    root: Path,
) -> None:
    cache = TemplateCache(root.parent / "cache", "space", "settings")
    paths = [root / path for path in find_people(root).paths]

    class Analyzer:
        """Loading the networks takes a while, in which somebody replaces a file."""

    def load() -> list:
        paths[1].write_bytes(b"something else")
        paths[2].unlink()
        return [Analyzer()]

    acquirer = Acquirer(load, cache, max_pixels=100, embedding_size=4)
    table = acquirer.acquire(paths, lambda *_: None)
    assert table.count(Acquisition.UNREADABLE) == 6  # none of these bytes is a picture
    known = cache.load()
    assert len(known) == 5 and content_hash(b"something else") in known
    assert content_hash(b"Ada2") not in known
