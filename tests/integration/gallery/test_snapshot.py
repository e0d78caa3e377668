"""The index snapshot: used when it is whole, noticed when not, gone when somebody is erased."""

import shutil
import sqlite3
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from facerec.errors import GalleryDamagedError
from facerec.gallery.gallery import Gallery
from facerec.gallery.index import cluster_scan
from facerec.gallery.index.cluster_scan import CLUSTERED_FROM
from facerec.gallery.index.rules import IndexRules
from facerec.gallery.profile import NewProfile, ProfileState
from tests.integration.gallery.test_gallery import SPACE, template, unit


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A gallery of 60 people in two galleries and two spaces, with a snapshot, closed."""
    file = tmp_path / "home" / "gallery.db"
    with Gallery.open(file) as gallery:
        gallery.create_gallery("staff")
        people = [
            NewProfile(
                f"Person {n}",
                [template(n), template(n, "dlib-1", 8)],
                ["default", "staff"] if n % 3 else ["staff"],
                profile_id=f"p{n}",
            )
            for n in range(60)
        ]
        gallery.enrol_many(people)
        assert gallery.save_snapshot()
    assert snapshot_of(file).is_file()
    return file


def snapshot_of(path: Path) -> Path:
    return path.with_name("gallery.db.index")


def answers(gallery: Gallery) -> list[tuple[tuple[str, ...], int]]:
    found = []
    for seed in (1, 3, 59, 1000):
        for galleries in (["default"], ["staff"], ["default", "staff"]):
            for space, size in ((SPACE, 16), ("dlib-1", 8)):
                candidates = gallery.search(
                    unit(seed, size), embedding_space=space, galleries=galleries, k=99
                )
                found.append((candidates.profile_ids, candidates.searched))
    return found


def spoil_the_database(path: Path) -> None:
    """Make every template there unreadable, so that only the snapshot can have answered."""
    connection = sqlite3.connect(path)
    connection.execute("UPDATE template SET embedding = zeroblob(length(embedding))")
    connection.commit()
    connection.close()


def expected(path: Path, tmp_path: Path) -> list[tuple[tuple[str, ...], int]]:
    """Return the answers of a copy without a snapshot."""
    copy = tmp_path / "copy"
    shutil.copytree(path.parent, copy)
    snapshot_of(copy / path.name).unlink(missing_ok=True)
    with Gallery.open(copy / path.name) as gallery:
        return answers(gallery)


def test_a_new_process_answers_from_the_snapshot_alone(path: Path, tmp_path: Path) -> None:
    right = expected(path, tmp_path)
    spoil_the_database(path)
    with Gallery.open(path) as gallery:
        assert answers(gallery) == right
    snapshot_of(path).unlink()
    with Gallery.open(path) as gallery, pytest.raises(GalleryDamagedError):
        answers(gallery)


def test_changes_since_the_snapshot_are_seen(path: Path, tmp_path: Path) -> None:
    with Gallery.open(path) as gallery:
        gallery.enrol("New", [template(1000)], profile_id="new")
        gallery.set_state("p1", ProfileState.SUSPENDED)
        gallery.add_templates("p2", [template(3)])
        gallery.add_to_galleries("p3", ["default"])
        gallery.create_gallery("empty")
    assert snapshot_of(path).exists()
    right = expected(path, tmp_path)
    with Gallery.open(path) as gallery:
        assert answers(gallery) == right
        assert gallery.search(unit(1000), embedding_space=SPACE).profile_ids[0] == "new"
        assert "p1" not in right[0][0]


@pytest.mark.parametrize("damage", ["cut", "longer", "flipped", "empty", "swapped", "missing"])
def test_a_snapshot_that_is_not_whole_is_noticed_and_not_used(
    path: Path, tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    right = expected(path, tmp_path)
    file = snapshot_of(path)
    content = bytearray(file.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "longer":
        content += b"more"
    elif damage == "flipped":
        content[int(np.random.default_rng(0).integers(len(content)))] ^= 1
    elif damage == "empty":
        content = bytearray()
    elif damage == "swapped":  # an older snapshot of the same home
        with Gallery.open(path) as gallery:
            gallery.save_snapshot()
    file.write_bytes(content)
    if damage == "missing":
        file.unlink()
    with Gallery.open(path) as gallery:
        assert answers(gallery) == right
    assert f"{file} cannot be used" in caplog.text
    assert "reading the database instead" in caplog.text


def test_any_flipped_byte_is_noticed(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    content = snapshot_of(path).read_bytes()
    for place in np.random.default_rng(1).integers(0, len(content), 40):
        changed = bytearray(content)
        changed[place] ^= 1
        snapshot_of(path).write_bytes(changed)
        caplog.clear()
        with Gallery.open(path) as gallery:
            assert gallery.search(unit(1), embedding_space=SPACE).profile_ids[0] == "p1"
        assert "cannot be used" in caplog.text


def test_a_snapshot_tells_nothing(path: Path) -> None:
    content = snapshot_of(path).read_bytes()
    assert snapshot_of(path).stat().st_mode & 0o777 == 0o600
    for word in (b"p17p18", b"members/staff", SPACE.encode()):  # as its plain arrays have them
        assert word not in content
    for n in range(60):
        assert unit(n).tobytes()[:8] not in content


def test_erasing_somebody_erases_the_snapshot_and_every_copy_of_it(
    path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    copy = tmp_path / "copy.index"
    shutil.copy(snapshot_of(path), copy)
    with Gallery.open(path) as gallery:
        gallery.life_cycle.erase("p1")
        assert not snapshot_of(path).exists()
    shutil.copy(copy, snapshot_of(path))
    with Gallery.open(path) as gallery:
        found = gallery.search(unit(1), embedding_space=SPACE, galleries=["staff"], k=99)
        assert "p1" not in found.profile_ids
        assert found.searched == 59
        gallery.save_snapshot()
    with Gallery.open(path) as gallery:
        assert gallery.search(unit(1), embedding_space=SPACE, galleries=["staff"]).searched == 59


def test_a_snapshot_from_before_an_erasure_is_not_kept(path: Path) -> None:
    """The one process has an index in memory while the other one erases."""
    with Gallery.open(path) as behind, Gallery.open(path) as other:
        behind.search(unit(1), embedding_space=SPACE)
        other.life_cycle.erase("p1")
        assert behind._keeper.save() is False
        assert [file.name for file in path.parent.glob("*.index*")] == []
        assert behind.save_snapshot() is True  # which brings the index up to date first


def test_a_new_master_key_leaves_the_snapshot_of_use(path: Path, tmp_path: Path) -> None:
    right = expected(path, tmp_path)
    with Gallery.open(path) as gallery:
        gallery.rotate_master_key()
    spoil_the_database(path)
    with Gallery.open(path) as gallery:
        assert answers(gallery) == right


def test_a_snapshot_is_written_once_it_is_worth_it(tmp_path: Path) -> None:
    path = tmp_path / "gallery.db"
    with Gallery.open(path, snapshot_every=10) as gallery:
        for n in range(9):
            gallery.enrol("N", [template(n)])
        gallery.search(unit(1), embedding_space=SPACE)
    assert not snapshot_of(path).exists()
    with Gallery.open(path, snapshot_every=10) as gallery:
        gallery.enrol("N", [template(9)])
        gallery.search(unit(1), embedding_space=SPACE)
    assert snapshot_of(path).exists()
    assert [file.name for file in tmp_path.glob("*.new-*")] == []


def test_lists_that_were_measured_are_not_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a gallery that is searched approximately, beside one that is not; both after changes."""
    rules, path = IndexRules(approximate_from=CLUSTERED_FROM), tmp_path / "gallery.db"
    with Gallery.open(path, rules=rules) as gallery:
        gallery.create_gallery("a-b")
        every = [NewProfile("N", [template(n)], ["default"]) for n in range(CLUSTERED_FROM)]
        gallery.enrol_many([*every, NewProfile("N", [template(10**6)], ["a-b"])])
        found = gallery.search(unit(3), embedding_space=SPACE)
        assert found.index.startswith("ivf: ")
        gallery.enrol("N", [template(CLUSTERED_FROM)])
        gallery.life_cycle.erase(gallery.search(unit(4), embedding_space=SPACE).profile_ids[0])
        gallery.enrol("N", [template(4)])
        assert gallery.save_snapshot()

    def refuse(*_: object) -> NoReturn:
        raise AssertionError("it was measured again")

    monkeypatch.setattr(cluster_scan, "_measured", refuse)
    with Gallery.open(path, rules=rules) as gallery:
        again = gallery.search(unit(3), embedding_space=SPACE)
        assert (again.index, again.profile_ids[0]) == (found.index, found.profile_ids[0])
        assert again.templates == CLUSTERED_FROM + 1
        assert (
            gallery.search(unit(10**6), embedding_space=SPACE, galleries=["a-b"]).index == "exact"
        )
    snapshot_of(path).unlink()
    with Gallery.open(path, rules=rules) as gallery, pytest.raises(AssertionError, match="again"):
        gallery.search(unit(3), embedding_space=SPACE)
