"""Speed, memory and exactness of the gallery's search at a given size, on made-up templates.

Templates are clustered as faces are: each person is a random direction, and their templates lie
about it with the mated similarity that SFace shows on LFW (about 0.65 in the mean); probes are
further looks at enrolled people. Different people are as unlike as SFace finds them: its non-mated
similarities on LFW have a mean of .003 and a deviation of .092, those of random directions of 128
numbers 0 and .088. Everything goes through a real database, so that opening it is
measured too.
"""

import gc
import os
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from facerec.errors import EvaluationError
from facerec.gallery.gallery import Gallery
from facerec.gallery.profile import NewProfile, NewTemplate
from facerec.gallery.vector_scan import CODED_AT_MOST, COMPRESSED_FROM

__all__ = ["SearchTimes", "fill_with_people", "measure_search", "resident_bytes"]

_SPACE = "benchmark"
_MATED_SIMILARITY = 0.65
"""Two looks at a person: the square of a template's similarity to the person's direction."""
_PEOPLE_AT_ONCE = 10_000
_WARM_UP = 10
"""Searches that are run and not counted."""


@dataclass(frozen=True)
class SearchTimes:
    """What searching cost.

    Attributes:
        templates: Templates searched, one a person.
        index: How they are searched.
        probes: Number of searches that were timed.
        p50_ms: Median time of one search, through the gallery's front door.
        p99_ms: The time that 99 of 100 searches keep to.
        recall_at_1: Share of probes whose best person is the one of a search by NumPy.
        largest_score_error: Largest difference of a best score to NumPy's.
        bytes_per_template: Memory that the process grew by when it opened the gallery, a template.
        open_from_snapshot_s: Time from opening the gallery to its first answer.
        open_from_database_s: The same without a snapshot.
    """

    templates: int
    index: str
    probes: int
    p50_ms: float
    p99_ms: float
    recall_at_1: float
    largest_score_error: float
    bytes_per_template: float
    open_from_snapshot_s: float
    open_from_database_s: float


def fill_with_people(path: Path, count: int, size: int, seed: int = 0) -> NDArray[np.float32]:
    """Enrol `count` people of one template each in a new gallery; return the templates (n, d)."""
    rng = np.random.default_rng(seed)
    embeddings = _looks(rng, _directions(rng, count, size))
    with Gallery.open(path) as gallery:
        for start in range(0, count, _PEOPLE_AT_ONCE):
            gallery.enrol_many(
                [
                    NewProfile(
                        "somebody",
                        [NewTemplate(embedding, _SPACE, 1.0, "benchmark")],
                        ["default"],
                        profile_id=f"p-{start + number:09d}",
                    )
                    for number, embedding in enumerate(embeddings[start : start + _PEOPLE_AT_ONCE])
                ]
            )
    return embeddings


def measure_search(
    path: Path, embeddings: NDArray[np.float32], probes: int, seed: int = 1
) -> SearchTimes:
    """Open the gallery that `fill_with_people` made, without and with a snapshot, and search it.

    Args:
        path: The gallery's database.
        embeddings: What it holds.
        probes: How many searches to time, at least 1.
        seed: Of the probes.

    Raises:
        EvaluationError: a search answered with nobody.
    """
    rng = np.random.default_rng(seed)
    chosen = rng.integers(0, len(embeddings), probes)
    looks = _looks(rng, embeddings[chosen])
    from_database_s = _open_without_snapshot(path, looks[0])
    gc.collect()
    before = resident_bytes()
    started = perf_counter()
    with Gallery.open(path) as gallery:
        _best(gallery, looks[0])
        from_snapshot_s = perf_counter() - started
        grown = resident_bytes() - before
        for look in looks[:_WARM_UP]:
            _best(gallery, look)
        times, found = [], []
        for look in looks:
            started = perf_counter()
            found.append(_best(gallery, look))
            times.append(perf_counter() - started)
    right, errors = 0, []
    for look, (profile_id, similarity) in zip(looks, found, strict=True):
        # Afterwards, since it reads so much that the next search would begin with a cold cache.
        exact = embeddings @ look
        right += profile_id == f"p-{int(exact.argmax()):09d}"
        errors.append(abs(similarity - float(exact.max())))
    p50, p99 = np.percentile(times, [50, 99]) * 1000
    return SearchTimes(
        templates=len(embeddings),
        index=_index_of(len(embeddings), embeddings.shape[1]),
        probes=probes,
        p50_ms=float(p50),
        p99_ms=float(p99),
        recall_at_1=right / probes,
        largest_score_error=max(errors),
        bytes_per_template=grown / len(embeddings),
        open_from_snapshot_s=from_snapshot_s,
        open_from_database_s=from_database_s,
    )


def resident_bytes() -> int:
    """Return the memory that this process has in use (Linux's ``/proc``)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _index_of(count: int, size: int) -> str:
    if count < COMPRESSED_FROM:
        return "exact: all scored in float32"
    scanned = "4 bits a number" if size <= CODED_AT_MOST else "half precision"
    return f"exact: scanned in {scanned}, scored in float32"


def _open_without_snapshot(path: Path, look: NDArray[np.float32]) -> float:
    """Time the way from the database to an answer, and leave a snapshot."""
    started = perf_counter()
    with Gallery.open(path) as gallery:
        _best(gallery, look)
        taken = perf_counter() - started
        gallery.save_snapshot()
    return taken


def _best(gallery: Gallery, look: NDArray[np.float32]) -> tuple[str, float]:
    found = gallery.search(look, embedding_space=_SPACE)
    if not len(found):
        raise EvaluationError("a search of the benchmark's gallery answered with nobody")
    return found.profile_ids[0], float(found.similarities[0])


def _directions(rng: np.random.Generator, count: int, size: int) -> NDArray[np.float32]:
    return _unit(rng.standard_normal((count, size), dtype=np.float32))


def _looks(rng: np.random.Generator, directions: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return one look at each person, whose similarity to the direction is sqrt(mated)."""
    noise = _directions(rng, *directions.shape)
    noise -= np.einsum("ij,ij->i", noise, directions)[:, None] * directions
    noise = _unit(noise)
    along = np.float32(np.sqrt(_MATED_SIMILARITY))
    return _unit(along * directions + np.float32(np.sqrt(1 - _MATED_SIMILARITY)) * noise)


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors
