"""Proposals for faults of labels that were put in on purpose."""

from pathlib import Path

import numpy as np
import pytest

from facerec.errors import TrainingError
from facerec.training.cleaning import Fault, find_faults, read_review, write_proposals

LIMITS = {"same_from": 0.5, "other_below": 0.25}


def faces(person: int, count: int, seed: int) -> np.ndarray:
    centre = np.random.default_rng(person).standard_normal(64)
    noise = np.random.default_rng([person, seed]).standard_normal((count, 64))
    raw = centre + 0.4 * noise
    return (raw / np.linalg.norm(raw, axis=1, keepdims=True)).astype(np.float32)


def with_faults() -> tuple[np.ndarray, np.ndarray, tuple[str, ...], tuple[str, ...]]:
    """a: whole. b: one picture of somebody else. c: two people in one. d: a again. e: whole."""
    parts = [
        faces(1, 5, 0),
        np.concatenate([faces(2, 4, 0), faces(9, 1, 0)]),
        np.concatenate([faces(3, 5, 0), faces(4, 3, 0)]),
        faces(1, 3, 7),
        faces(5, 1, 0),
    ]
    people = np.concatenate([np.full(len(p), i, np.int32) for i, p in enumerate(parts)])
    sources = tuple(f"{'abcde'[p]}/{row}.jpg" for row, p in enumerate(people))
    return np.concatenate(parts), people, tuple("abcde"), sources


def test_faults_that_were_put_in_are_found_and_no_others() -> None:
    embeddings, people, names, sources = with_faults()
    found = find_faults(embeddings, people, names, sources, **LIMITS)
    assert {(p.fault, p.person, p.picture, p.other) for p in found} == {
        (Fault.SPLIT, "d", "", "a"),
        (Fault.OUTLIER, "b", "b/9.jpg", ""),
        *((Fault.MERGED, "c", f"c/{row}.jpg", "c (2)") for row in (15, 16, 17)),
    }


def test_only_what_a_reviewer_accepts_is_taken_up(tmp_path: Path) -> None:
    embeddings, people, names, sources = with_faults()
    found = find_faults(embeddings, people, names, sources, **LIMITS)
    path = tmp_path / "proposals.csv"
    write_proposals(path, found)
    untouched = read_review(path)
    assert not untouched.dropped and not untouched.renamed and not untouched.moved
    path.write_text(path.read_text().replace("\n,", "\nyes,"))
    review = read_review(path)
    assert review.dropped == {"b/9.jpg"}
    assert review.person_of("c/15.jpg", "c") == "c (2)"
    assert review.person_of("c/10.jpg", "c") == "c"
    assert review.person_of("d/1.jpg", "d") == "a"
    path.write_text(path.read_text().replace("\nyes,outlier", "\nperhaps,outlier"))
    with pytest.raises(TrainingError, match="accept must be yes, no or empty"):
        read_review(path)
