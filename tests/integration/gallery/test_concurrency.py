"""Several threads and several processes on one home."""

import subprocess
import sys
import threading
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from facerec.gallery.gallery import Gallery
from facerec.gallery.index import keeper
from facerec.gallery.profile import NewProfile, NewTemplate, ProfileState
from facerec.gallery.times import utc_now
from tests.integration.gallery.test_gallery import SPACE, template, unit

ROOT = Path(__file__).resolve().parents[3]

ENROL_MANY = """
import sys
from pathlib import Path
from facerec.gallery.gallery import Gallery
from tests.integration.gallery.test_gallery import template
first, count = int(sys.argv[2]), int(sys.argv[3])
with Gallery.open(Path(sys.argv[1])) as gallery:
    for seed in range(first, first + count):
        gallery.enrol("N", [template(seed)], profile_id=f"n{seed}")
        print(seed, flush=True)
"""


def enrolling(path: Path, first: int, count: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", ENROL_MANY, str(path), str(first), str(count)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,  # for the import of tests
    )


def test_an_enrolment_of_another_process_is_seen_by_the_next_search(tmp_path: Path) -> None:
    """For who asks for the revision that the enrolment made."""
    path = tmp_path / "gallery.db"
    with Gallery.open(path) as gallery:
        assert gallery.search(unit(1), embedding_space=SPACE).revision == 1
        process = enrolling(path, 0, 30)
        assert process.stdout is not None
        for line in process.stdout:  # the other process has committed what it printed
            seed = int(line)
            candidates = gallery.search(unit(seed), embedding_space=SPACE, min_revision=seed + 2)
            assert candidates.profile_ids[0] == f"n{seed}"
            assert candidates.searched >= seed + 1
        process.stdout.close()
        assert process.wait() == 0


def test_processes_that_write_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "gallery.db"
    processes = [enrolling(path, 1000 * n, 40) for n in range(3)]
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    with Gallery.open(path) as gallery:
        assert len(gallery.list()) == 120
        assert gallery.revision == 121  # the default gallery, and each enrolment
        for seed in (0, 39, 1000, 2039):
            found = gallery.search(unit(seed), embedding_space=SPACE)
            assert found.profile_ids[0] == f"n{seed}"


def test_readers_never_see_half_of_a_change(tmp_path: Path) -> None:
    """A person's two templates are opposite, so that one of them matches any probe.

    With both of them a search always finds a similarity of at least 0; with half of a person, or
    with a person who is neither wholly there nor wholly gone, it would not.
    """
    with Gallery.open(tmp_path / "gallery.db") as gallery:
        gallery.enrol("always", [template(0), NewTemplate(-unit(0), SPACE, 1.0, "")])
        done, problems = threading.Event(), list[BaseException]()
        searches = [0] * 4

        def read(number: int) -> None:
            try:
                rng, revision = np.random.default_rng(number), 0
                while not done.is_set():
                    probe = rng.normal(size=16).astype(np.float32)
                    probe /= np.linalg.norm(probe)
                    found = gallery.search(probe, embedding_space=SPACE, k=1000)
                    assert found.revision >= revision
                    revision = found.revision
                    assert len(found) == found.searched == len(set(found.profile_ids))
                    assert float(found.similarities.min()) >= -1e-6
                    searches[number] += 1
            except BaseException as problem:
                problems.append(problem)

        readers = [threading.Thread(target=read, args=(n,)) for n in range(4)]
        for reader in readers:
            reader.start()
        for seed in range(1, 151):
            pair = [template(seed), NewTemplate(-unit(seed), SPACE, 1.0, "")]
            profile = gallery.enrol("N", pair)
            if seed % 3 == 0:
                gallery.set_state(profile.profile_id, ProfileState.SUSPENDED)
        done.set()
        for reader in readers:
            reader.join()
        assert problems == []
        assert min(searches) > 0
        assert gallery.search(unit(1), embedding_space=SPACE).searched == 101


def test_a_change_counts_though_another_thread_was_opening_the_indexes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That thread may have read the database before the change, and end after it.

    Answers of the database are taken to hold for long, so that it does not depend on the moment.
    """
    monkeypatch.setattr(keeper, "_ASK_AGAIN_S", 60.0)
    monkeypatch.setattr(keeper, "_ASK_AT_LEAST_S", 60.0)
    path, opened, acknowledged = tmp_path / "gallery.db", threading.Event(), threading.Event()

    def clock() -> datetime:  # which a search asks for first
        if acknowledged.is_set() and threading.current_thread().name != "opening":
            opened.wait()
        return utc_now()

    with Gallery.open(path) as gallery:
        gallery.enrol_many([NewProfile("N", [template(n)], ["default"]) for n in range(1500)])
    for seed in range(10_000, 10_008):
        opened.clear()
        acknowledged.clear()
        with Gallery.open(path, clock=clock) as gallery:

            def open_indexes(gallery: Gallery = gallery) -> None:
                gallery.search(unit(1), embedding_space=SPACE)
                opened.set()

            opening = threading.Thread(target=open_indexes, name="opening")
            opening.start()
            profile = gallery.enrol("N", [template(seed)])
            acknowledged.set()
            found = gallery.search(unit(seed), embedding_space=SPACE)
            assert found.profile_ids[0] == profile.profile_id
            opening.join()


def test_a_process_killed_at_any_moment_leaves_what_it_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "gallery.db"
    Gallery.open(path).close()
    acknowledged = set[str]()
    for attempt in range(5):
        process = enrolling(path, 10_000 * attempt, 10_000)
        assert process.stdout is not None
        for _ in range(3 + 7 * attempt):
            acknowledged.add(f"n{int(process.stdout.readline())}")
        process.kill()
        acknowledged.update(f"n{int(line)}" for line in process.stdout if line.endswith("\n"))
        process.stdout.close()
        process.wait()
        with Gallery.open(path) as gallery:
            stored = {profile.profile_id for profile in gallery.list()}
            assert acknowledged <= stored
            assert len(stored - acknowledged) <= attempt + 1  # one each, stored but not printed
            searched = gallery.search(unit(0), embedding_space=SPACE).searched
            assert searched == len(stored)
