"""A disk that is full, a real and small one: nothing half-written, people found, and on it goes."""

import subprocess
import sys
from pathlib import Path

from facerec.gallery.audit.event import AuditKind
from facerec.gallery.audit.reading import AuditFilter
from facerec.gallery.gallery import Gallery
from tests.integration.gallery.test_gallery import SPACE, unit
from tests.integration.gallery.test_read_only_home import ROOT, unshared

MOUNTED = 'mount -t tmpfs -o size=3m tmpfs "$1" && shift && exec "$@"'
"""Gives one command a small disk, in a mount namespace of its own."""

FILL = """
import shutil, sys
from pathlib import Path
from facerec.errors import GalleryError
from facerec.gallery.gallery import Gallery
from tests.integration.gallery.test_gallery import SPACE, template, unit
disk, copy = Path(sys.argv[1]), Path(sys.argv[2])
ballast = disk / "ballast"
ballast.write_bytes(bytes(300_000))

def enrol(gallery, number):
    try:
        gallery.enrol(f"Person {number}", [template(number)], profile_id=f"p{number}")
    except GalleryError as error:
        return str(error)

with Gallery.open(disk / "home" / "gallery.db") as gallery:
    for number in range(5000):
        said = enrol(gallery, number)
        if said:
            break
    print(number)
    print(said)
    print(enrol(gallery, number) == said)
    print(gallery.search(unit(0), embedding_space=SPACE).searched, len(gallery.list()))
    try:
        gallery.save_snapshot()
    except GalleryError as error:
        print(error)
    shutil.copytree(disk / "home", copy / "while-full")
    ballast.unlink()
    print(enrol(gallery, number), gallery.get(f"p{number}").templates)
    print(gallery.life_cycle.erase("p0").templates)
shutil.copytree(disk / "home", copy / "after")
with ballast.open("wb", buffering=0) as file:
    try:
        while file.write(bytes(4096)):
            pass
    except OSError:
        pass
try:
    Gallery.open(disk / "home" / "gallery.db")
except GalleryError as error:
    print(error)
"""


def test_a_full_disk_stores_the_whole_of_an_enrolment_or_nothing(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    python = [sys.executable, "-c", FILL, str(disk), str(tmp_path)]
    done = subprocess.run(
        [*unshared(), "sh", "-c", MOUNTED, "sh", str(disk), *python],
        capture_output=True,
        text=True,
        cwd=ROOT,  # for the import of tests
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    number = int(lines[0])
    assert number > 20
    assert lines[1].endswith("is full; nothing was stored: free some space")
    assert lines[2:4] == ["True", f"{number} {number}"]
    assert "cannot be written: No space left on device" in lines[4]
    assert lines[5:7] == ["None 1", "1"]
    # SQLite itself says no more than that it could not write.
    assert "is full" in lines[7] and lines[7].endswith("free some space")
    assert list(disk.iterdir()) == []  # that it was a disk of its own
    check(tmp_path / "while-full", [f"p{n}" for n in range(number)], enrolled=number)
    check(tmp_path / "after", [f"p{n}" for n in range(1, number + 1)], enrolled=number + 1)


def check(home: Path, people: list[str], enrolled: int) -> None:
    """Hold that exactly these people are there, whole, and so many enrolments are on record."""
    assert not list(home.glob("*.new-*"))
    with Gallery.open(home / "gallery.db") as gallery:
        assert [profile.profile_id for profile in gallery.list()] == people
        assert {profile.templates for profile in gallery.list()} == {1}
        found = gallery.search(unit(7), embedding_space=SPACE)
        assert (found.profile_ids[0], found.searched) == ("p7", len(people))
        entries = gallery.journal.read(AuditFilter(kinds=(AuditKind.PROFILE_ENROLLED,)), limit=9999)
        assert len(entries) == enrolled
        assert gallery.journal.verify().sound
