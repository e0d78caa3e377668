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


def pair(seed: int) -> list[NewTemplate]:
    """Two opposite templates: who is wholly there has a similarity of at least 0 to anything."""
    return [template(seed), NewTemplate(-unit(seed), SPACE, 1.0, "")]


def read(
    gallery: Gallery, number: int, until: float, times: list[float], problems: list[BaseException]
) -> None:
    rng, revision = np.random.default_rng(number), 0
    try:
        while time.monotonic() < until:
            probe = rng.normal(size=16).astype(np.float32)
            probe /= np.linalg.norm(probe)
            started = time.perf_counter()
            found = gallery.search(probe, embedding_space=SPACE, k=5)
            times.append(time.perf_counter() - started)
            assert found.revision >= revision
            revision = found.revision
            assert len(set(found.profile_ids)) == 5
            assert float(found.similarities.min()) >= -1e-6
            time.sleep(0.005)
    except BaseException as problem:
        problems.append(problem)


def read_for(gallery: Gallery, seconds: float, *, writing: bool) -> tuple[float, int]:
    """Return the readers' p99 in seconds and the number of changes that were made meanwhile."""
    until = time.monotonic() + seconds
    times, problems = [list[float]() for _ in range(READERS)], list[BaseException]()
    readers = [
        threading.Thread(target=read, args=(gallery, n, until, times[n], problems))
        for n in range(READERS)
    ]
    for reader in readers:
        reader.start()
    changes = 0
    while writing and time.monotonic() < until:
        profile = gallery.enrol("N", pair(10_000 + changes))
        if changes % 3 == 1:
            gallery.set_state(profile.profile_id, ProfileState.SUSPENDED)
        if changes % 3 == 2:
            gallery.life_cycle.erase(profile.profile_id)
        changes += 1
    for reader in readers:
        reader.join()
    assert problems == []
    return float(np.percentile(np.concatenate(times), 99)), changes


@pytest.mark.slow
def test_eight_readers_and_a_writer_for_a_minute(tmp_path: Path) -> None:
    with Gallery.open(tmp_path / "gallery.db") as gallery:
        people = [NewProfile("N", pair(n), ["default"]) for n in range(2000)]
        gallery.enrol_many(people)
        alone, _ = read_for(gallery, 20, writing=False)
        together, changes = read_for(gallery, 60, writing=True)
        print(f"p99 alone {alone * 1e3:.1f} ms, with a writer {together * 1e3:.1f} ms", changes)
        assert changes > 100
