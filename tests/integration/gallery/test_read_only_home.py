"""A home on a file system that nobody can write to: a backup's medium, a snapshot, an image."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from facerec.gallery.gallery import Gallery
from tests.integration.gallery.test_gallery import template

ROOT = Path(__file__).resolve().parents[3]

READ = """
import sys
from pathlib import Path
from facerec.errors import GalleryError
from facerec.gallery.gallery import Gallery
from tests.integration.gallery.test_gallery import SPACE, template, unit
with Gallery.open(Path(sys.argv[1])) as gallery:
    for search in range(2):
        print(gallery.search(unit(1), embedding_space=SPACE).profile_ids[0])
    print(len(gallery.list()), len(gallery.pages.page(limit=1).profiles), gallery.get("p2").name)
    gallery.life_cycle.note_seen("p1")
    try:
        gallery.enrol("N", [template(3)])
    except GalleryError as error:
        print(error)
"""

NAMESPACES = (("unshare", "--mount"), ("unshare", "--user", "--map-root-user", "--mount"))
"""Root needs no user namespace, and has none to be had in a chroot; others need one."""

MOUNTED = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"'
"""Makes a folder read-only for one command, in a mount namespace of its own."""


def unshared() -> tuple[str, ...]:
    """Return what gives a command a mount namespace here; without one an ordinary user skips."""
    for way in NAMESPACES:
        if subprocess.run([*way, "true"], capture_output=True, check=False).returncode == 0:
            return way
    assert os.getuid() != 0, "root must be able to mount a folder for one command"
    pytest.skip("this machine lets no ordinary user mount a folder for one command")


@pytest.mark.parametrize("snapshot", [True, False])
def test_people_are_found_and_listed_where_nothing_can_be_written(
    tmp_path: Path, snapshot: bool
) -> None:
    home = tmp_path / "home 100%?"
    with Gallery.open(home / "gallery.db") as gallery:
        for n in (1, 2):
            gallery.enrol(f"Person {n}", [template(n)], profile_id=f"p{n}")
        if snapshot:
            gallery.save_snapshot()
    before = {path.name: path.read_bytes() for path in home.iterdir()}
    assert shutil.which("unshare"), "util-linux is needed to mount a folder read-only"
    python = [sys.executable, "-c", READ, str(home / "gallery.db")]
    done = subprocess.run(
        [*unshared(), "sh", "-c", MOUNTED, "sh", str(home), *python],
        capture_output=True,
        text=True,
        cwd=ROOT,  # for the import of tests
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:3] == ["p1", "p1", "2 1 Person 2"]
    assert lines[3] == f"cannot write {home / 'gallery.db'}: it or its folder is read-only"
    assert {path.name: path.read_bytes() for path in home.iterdir()} == before
