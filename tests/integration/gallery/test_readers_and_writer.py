"""Eight readers and one writer: readers never fail, never see half a change, and hardly wait."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from facerec.gallery.gallery import Gallery
from facerec.gallery.profile import NewProfile, NewTemplate, ProfileState
from tests.integration.gallery.test_gallery import SPACE, template, unit

READERS = 8
PEOPLE = 2000


def pair(seed: int) -> list[NewTemplate]:
    """Two opposite templates: who is wholly there has a similarity of at least 0 to anything."""
    return [template(seed), NewTemplate(-unit(seed), SPACE, 1.0, "")]


def read(
    gallery: Gallery,
    number: int,
    done: threading.Event,
    times: list[float],
    problems: list[BaseException],
) -> None:
    rng, revision = np.random.default_rng(number), 0
    try:
        while not done.is_set():
            probe = rng.normal(size=16).astype(np.float32)
            probe /= np.linalg.norm(probe)
            started = time.perf_counter()
            found = gallery.search(probe, embedding_space=SPACE, k=5)
            times.append(time.perf_counter() - started)
            assert found.revision >= revision
            revision = found.revision
            assert len(set(found.profile_ids)) == 5
            assert float(found.similarities.min()) >= -1e-6
            assert found.templates == 2 * found.searched >= 2 * PEOPLE
    except BaseException as problem:
        problems.append(problem)


def write(gallery: Gallery, seconds: float, first: int) -> int:
    """Enrol, suspend and erase, six at least; each change must be seen by the next search.

    Returns:
        How many were enrolled.
    """
    changes, until = 0, time.monotonic() + seconds
    while changes < 6 or time.monotonic() < until:
        seed = 10_000 + first + changes
        profile = gallery.enrol("N", pair(seed))
        assert found(gallery, seed) == profile.profile_id
        if changes % 3 == 1:
            gallery.set_state(profile.profile_id, ProfileState.SUSPENDED)
        if changes % 3 == 2:
            gallery.life_cycle.erase(profile.profile_id)
        assert (found(gallery, seed) == profile.profile_id) == (changes % 3 == 0)
        changes += 1
    return changes


def found(gallery: Gallery, seed: int) -> str:
    return gallery.search(unit(seed), embedding_space=SPACE).profile_ids[0]


def read_for(
    gallery: Gallery, seconds: float, *, writing: bool, first: int = 0
) -> tuple[float, int]:
    """Return the readers' p99 in seconds and the number of changes that were made meanwhile."""
    done = threading.Event()
    times, problems = [list[float]() for _ in range(READERS)], list[BaseException]()
    readers = [
        threading.Thread(target=read, args=(gallery, n, done, times[n], problems))
        for n in range(READERS)
    ]
    for reader in readers:
        reader.start()
    try:
        changes = write(gallery, seconds, first) if writing else 0
        done.wait(0 if writing else seconds)
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert problems == []
    return float(np.percentile(np.concatenate(times), 99)), changes


@pytest.fixture
def gallery(tmp_path: Path) -> Gallery:
    gallery = Gallery.open(tmp_path / "gallery.db")
    gallery.enrol_many([NewProfile("N", pair(n), ["default"]) for n in range(PEOPLE)])
    return gallery


def test_eight_readers_and_a_writer(gallery: Gallery) -> None:
    with gallery:
        _, changes = read_for(gallery, 3, writing=True)
        assert changes >= 6


@pytest.mark.slow
def test_readers_hardly_wait_for_a_writer_in_a_minute(gallery: Gallery) -> None:
    """Rounds of both, alternated, so that what else the machine does falls on both."""
    ratios, changes = [], 0
    with gallery:
        read_for(gallery, 1, writing=False)
        for _ in range(5):
            alone, _ = read_for(gallery, 5, writing=False)
            together, made = read_for(gallery, 12, writing=True, first=changes)
            ratios.append(together / alone)
            changes += made
            print(f"p99 alone {alone * 1e3:.1f} ms, with a writer {together * 1e3:.1f} ms", made)
    assert changes > 100
    assert np.median(ratios) <= 3
