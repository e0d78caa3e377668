"""Samplers and splits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facerec.errors import TrainingError
from facerec.training.sampling import Sampler, split_people

PEOPLE = np.repeat(np.arange(6, dtype=np.int32), [1, 2, 3, 10, 1, 5])


def test_every_picture_comes_once_a_pass() -> None:
    sampler = Sampler(PEOPLE, 4, 0, seed=3)
    drawn = np.concatenate([sampler.rows(step) for step in range(11)])  # 44 = two passes of 22
    assert sampler.steps_a_pass == 6
    assert sorted(drawn[:22]) == sorted(drawn[22:]) == list(range(22))
    assert list(drawn[:22]) != list(drawn[22:])


def test_every_person_comes_once_a_pass_with_as_many_pictures() -> None:
    sampler = Sampler(PEOPLE, 6, 3, seed=3)
    assert sampler.steps_a_pass == 3
    rows = np.concatenate([sampler.rows(step) for step in range(3)])
    people, counts = np.unique(PEOPLE[rows], return_counts=True)
    assert list(people) == list(range(6))
    assert set(counts) == {3}
    assert len(set(rows[PEOPLE[rows] == 3])) == 3  # different pictures of who has enough


def test_a_step_is_the_same_whenever_it_is_asked_for() -> None:
    for per_person in (0, 2):
        forward = [Sampler(PEOPLE, 4, per_person, 9).rows(step) for step in range(30)]
        fresh = Sampler(PEOPLE, 4, per_person, 9)
        for step in (29, 3, 17):
            assert np.array_equal(fresh.rows(step), forward[step])
        other = Sampler(PEOPLE, 4, per_person, 10)
        assert any(not np.array_equal(other.rows(s), forward[s]) for s in range(5))


def test_pictures_a_person_must_divide_the_batch() -> None:
    with pytest.raises(TrainingError, match="multiple of per_person"):
        Sampler(PEOPLE, 5, 2, 0)


@given(
    st.lists(st.integers(1, 6), min_size=4, max_size=40), st.floats(0.05, 0.6), st.integers(0, 99)
)
def test_splits_never_share_a_person(counts: list[int], share: float, seed: int) -> None:
    people = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    if max(counts) == 1:
        with pytest.raises(TrainingError, match="one picture only"):
            split_people(people, share, seed)
        return
    learned, held = split_people(people, share, seed)
    assert not set(people[learned]) & set(people[held])
    assert sorted([*learned, *held]) == list(range(len(people)))
    assert len(set(people[held])) >= 2 and len(set(people[learned])) >= 1
    assert np.bincount(people[held]).max() > 1


def test_one_person_is_not_enough() -> None:
    with pytest.raises(TrainingError, match="shows 1 person"):
        split_people(np.zeros(9, np.int32), 0.1, 0)
    with pytest.raises(TrainingError, match="every person has one picture only"):
        split_people(np.arange(9, dtype=np.int32), 0.1, 0)
