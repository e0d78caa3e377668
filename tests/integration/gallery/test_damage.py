"""Databases that are damaged, foreign, too new, full or read-only: a clear line each."""

import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from facerec.errors import GalleryDamagedError, GalleryError
from facerec.gallery.audit.event import AuditKind
from facerec.gallery.audit.reading import AuditFilter
from facerec.gallery.gallery import Gallery
from tests.integration.gallery.test_gallery import SPACE, template, unit


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A gallery of 200 people, closed."""
    file = tmp_path / "gallery.db"
    with Gallery.open(file) as gallery:
        for number in range(4):
            templates = [template(50 * number + i) for i in range(50)]
            gallery.enrol(f"P{number}", templates)
    return file


def use(path: Path) -> None:
    """Do what needs every template."""
    with Gallery.open(path) as gallery:
        gallery.list()
        gallery.search(unit(1), embedding_space=SPACE)


def sql(path: Path, statement: str, *values: object) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement, values)
    connection.commit()
    connection.close()


@pytest.mark.parametrize("keep", [0, 1, 100, 511, 512, 4096, 0.5])
def test_truncated_file(path: Path, keep: float) -> None:
    size = path.stat().st_size
    os.truncate(path, int(size * keep if 0 < keep < 1 else keep))
    with pytest.raises(GalleryDamagedError, match=str(path)):
        use(path)


def test_file_that_is_no_database(path: Path) -> None:
    path.write_bytes(b"this is not a database, it is a letter " * 1000)
    with pytest.raises(GalleryDamagedError, match=f"{path} cannot be read as a gallery"):
        use(path)


def test_pages_overwritten(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[8192:] = os.urandom(len(content) - 8192)
    path.write_bytes(content)
    with pytest.raises(GalleryDamagedError, match=str(path)):
        use(path)


def test_database_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    sql(path, "CREATE TABLE songs (title TEXT)")
    before = path.read_bytes()
    with pytest.raises(GalleryDamagedError, match="not one of facerec's"):
        use(path)
    assert path.read_bytes()[100:] == before[100:]


def test_table_lost(path: Path) -> None:
    sql(path, "DROP TABLE membership")
    with pytest.raises(GalleryDamagedError, match="lacks tables"):
        use(path)


def test_revision_lost(path: Path) -> None:
    sql(path, "DELETE FROM home")
    with pytest.raises(GalleryDamagedError, match="does not say which version"):
        use(path)


def test_revision_lost_while_it_is_open(path: Path) -> None:
    with Gallery.open(path) as gallery:
        sql(path, "DELETE FROM home")
        with pytest.raises(GalleryDamagedError, match=f"{path} is damaged .*revision is missing"):
            gallery.create_gallery("another")


@pytest.mark.parametrize(
    "embedding",
    [
        b"",
        b"abc",
        unit(1)[:8].astype("<f4").tobytes(),
        np.full(16, np.nan, "<f4").tobytes(),
        (unit(1) * 2).astype("<f4").tobytes(),
    ],
)
def test_damaged_template_is_not_searched(path: Path, embedding: bytes) -> None:
    sql(path, "UPDATE template SET embedding = ? WHERE number = 7", embedding)
    with pytest.raises(GalleryDamagedError, match=f"{path} is damaged"):
        use(path)


def test_file_made_by_a_newer_version(path: Path) -> None:
    sql(path, "UPDATE home SET schema_version = 999")
    with pytest.raises(GalleryError, match=r"newer facerec \(schema 999; .*upgrade facerec"):
        use(path)


def test_folder_where_the_file_should_be(tmp_path: Path) -> None:
    (tmp_path / "gallery.db").mkdir()
    with pytest.raises(GalleryError, match="must be a file"):
        use(tmp_path / "gallery.db")


def test_home_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(GalleryError, match=r"cannot make .*--home"):
        use(tmp_path / "file" / "home" / "gallery.db")


def test_home_that_nobody_may_look_into(path: Path) -> None:
    path.parent.chmod(0o000)
    done = subprocess.run(
        [sys.executable, "-c", ENROL, str(path), "--as-nobody"],
        capture_output=True,
        text=True,
        cwd=ROOT,  # for the import of tests
        check=False,
    )
    path.parent.chmod(0o755)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("cannot look into")


ROOT = Path(__file__).resolve().parents[3]

ENROL = """
import os, sys, tempfile
from pathlib import Path
from facerec.errors import GalleryError
from facerec.gallery.gallery import Gallery
from tests.integration.gallery.test_gallery import template
with tempfile.TemporaryDirectory() as folder, Gallery.open(Path(folder) / "gallery.db") as gallery:
    gallery.enrol("N", [template(1)])  # whatever is imported late is imported now
if "--as-nobody" in sys.argv and os.getuid() == 0:
    os.setegid(65534)
    os.seteuid(65534)  # root may write everywhere
try:
    with Gallery.open(Path(sys.argv[1])) as gallery:
        for i in range(2000):
            gallery.enrol("N", [template(i)])
            print("enrolled", flush=True)
except GalleryError as error:
    print(error)
"""


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A folder that other users may look into, as pytest's own are not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.parametrize("there", [True, False])
def test_read_only_home(path: Path, open_to_all: Path, there: bool) -> None:
    path = shutil.copytree(path.parent, open_to_all / "home") / path.name
    if not there:
        path.unlink()
    path.parent.chmod(0o555)
    done = subprocess.run(
        [sys.executable, "-c", ENROL, str(path), "--as-nobody"],
        capture_output=True,
        text=True,
        cwd=ROOT,  # for the import of tests
        check=False,
    )
    assert done.returncode == 0, done.stderr
    path.parent.chmod(0o755)
    assert "enrolled" not in done.stdout
    # As root the test asks as somebody else, who may not read the file either.
    refused = ("open" if os.getuid() == 0 else "write") if there else "make"
    assert f"cannot {refused} {path}" in done.stdout


def test_full_disk_stores_the_whole_of_an_enrolment_or_nothing(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk; SQLite meets the same failed write."""
    path = tmp_path / "gallery.db"
    Gallery.open(path).close()
    limit = path.stat().st_size + 150_000

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = subprocess.run(
        [sys.executable, "-c", ENROL, str(path)],
        capture_output=True,
        text=True,
        cwd=ROOT,  # for the import of tests
        preexec_fn=full,
        check=True,
    )
    *enrolled, said = done.stdout.splitlines()
    assert 0 < len(enrolled) < 2000
    assert str(path) in said
    assert "full" in said
    with Gallery.open(path) as gallery:
        assert len(gallery.list()) == len(enrolled)
        assert {profile.templates for profile in gallery.list()} == {1}
        assert gallery.search(unit(0), embedding_space=SPACE).searched == len(enrolled)
        entries = gallery.journal.read(AuditFilter(kinds=(AuditKind.PROFILE_ENROLLED,)), limit=5000)
        assert len(entries) == len(enrolled)
        assert gallery.journal.verify().sound
        gallery.enrol("after", [template(9)])


BACK_UP = """
import resource, sys
from pathlib import Path
from facerec.errors import BackupError
from facerec.gallery.backup.backing_up import back_up
from facerec.gallery.gallery import Gallery
from facerec.gallery.times import utc_now
with Gallery.open(Path(sys.argv[1])) as gallery:
    gallery.list()
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
    try:
        back_up(gallery.database, Path(sys.argv[2]), {}, utc_now())
    except BackupError as error:
        print(error)
"""


def test_a_backup_to_a_full_disk_leaves_the_older_one(path: Path, tmp_path: Path) -> None:
    file = tmp_path / "backups" / "gallery.backup"
    file.parent.mkdir()
    file.write_bytes(b"the older one")
    done = subprocess.run(
        [sys.executable, "-c", BACK_UP, str(path), str(file)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    (said,) = done.stdout.splitlines()
    assert f"the backup {file} cannot be written" in said
    assert [left.name for left in file.parent.iterdir()] == ["gallery.backup"]
    assert file.read_bytes() == b"the older one"


def test_a_database_put_in_its_place_is_noticed(path: Path, tmp_path: Path) -> None:
    """A backup that is copied back has a lower revision than the index that is in memory."""
    backup = tmp_path / "backup.db"
    shutil.copy(path, backup)
    with Gallery.open(path) as gallery:
        late = gallery.enrol("late", [template(999)]).profile_id
        assert gallery.search(unit(999), embedding_space=SPACE).profile_ids[0] == late
    with Gallery.open(path) as gallery:
        assert gallery.search(unit(999), embedding_space=SPACE).searched == 5
        sql(path, "DELETE FROM change WHERE revision = (SELECT revision FROM home)")
        sql(path, "DELETE FROM profile WHERE profile_id = ?", late)
        sql(path, "UPDATE home SET revision = revision - 1")
        assert gallery.search(unit(999), embedding_space=SPACE).searched == 4
