"""Which pictures a step sees: a pure function of seed and step, so that any step can be redone."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from facerec.errors import TrainingError

__all__ = ["Sampler", "split_people"]


@dataclass(frozen=True, eq=False)
class Sampler:
    """Draws the pictures of each step.

    Attributes:
        people: int32 (n,) person of each picture, 0-based without gaps.
        batch_size: Pictures a step.
        per_person: 0: every picture once a pass, whosever it is. k from 1: balanced by person:
            every person once a pass, with k different pictures (or some twice, of a person who has
            fewer), so that somebody with 500 pictures does not outweigh somebody with two.
        seed: Of all draws.
    """

    people: NDArray[np.int32]
    batch_size: int
    per_person: int
    seed: int

    def __post_init__(self) -> None:
        if self.per_person and self.batch_size % self.per_person:
            raise TrainingError(
                f"batch_size {self.batch_size} must be a multiple of per_person {self.per_person}"
            )
        _ = self._rows_by_person  # made once, before threads ask

    @property
    def steps_a_pass(self) -> int:
        """Steps in which every picture (or person) comes once, rounded up."""
        units = self._units
        a_step = self.batch_size // max(self.per_person, 1)
        return -(-units // a_step)

    def rows(self, step: int) -> NDArray[np.intp]:
        """Return the pictures of a step: intp (batch_size,).

        Passes follow each other without a gap: a step that ends one pass begins the next.
        """
        a_step = self.batch_size // max(self.per_person, 1)
        places = np.arange(step * a_step, (step + 1) * a_step)
        passes, places = np.divmod(places, self._units)
        orders = {int(p): _order(self.seed, int(p), self._units) for p in np.unique(passes)}
        drawn = [int(orders[int(p)][i]) for p, i in zip(passes, places, strict=True)]
        if not self.per_person:
            return np.array(drawn, np.intp)
        return np.concatenate(
            [self._of_person(person, int(p)) for person, p in zip(drawn, passes, strict=True)]
        )

    @property
    def _units(self) -> int:
        return len(self._rows_by_person) if self.per_person else len(self.people)

    @property
    def _rows_by_person(self) -> list[NDArray[np.intp]]:
        return _grouped(self.people.tobytes())

    def _of_person(self, person: int, number_of_pass: int) -> NDArray[np.intp]:
        rows = self._rows_by_person[person]
        random = np.random.default_rng([self.seed, 1, number_of_pass, person])
        times = -(-self.per_person // len(rows))
        return np.concatenate([random.permutation(rows) for _ in range(times)])[: self.per_person]


@lru_cache(maxsize=2)
def _grouped(people: bytes) -> list[NDArray[np.intp]]:
    numbers = np.frombuffer(people, np.int32)
    order = np.argsort(numbers, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(numbers[order])) + 1)


@lru_cache(maxsize=4)
def _order(seed: int, number_of_pass: int, count: int) -> NDArray[np.intp]:
    return np.random.default_rng([seed, 0, number_of_pass]).permutation(count)


def split_people(
    people: NDArray[np.int32], held_out_share: float, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Split pictures in two parts that share no person.

    Args:
        people: int32 (n,), 0-based without gaps.
        held_out_share: Share of the people that are held out, above 0 and under 1.
        seed: Of the draw.

    Returns:
        Rows of the larger part, rows of the people held out. Half of those held out, at least one,
        are drawn from people with several pictures, since without them nobody can be compared with
        himself.

    Raises:
        TrainingError: there are not people enough for two of them on each side.
    """
    pictures = np.bincount(people)
    count = len(pictures)
    wanted = max(2, round(count * held_out_share))
    several = np.flatnonzero(pictures > 1)
    if count < 4:
        raise TrainingError(
            f"the data shows {count} person(s); at least 4 are needed, to learn from two and to "
            "judge on two others"
        )
    if not len(several):
        raise TrainingError(
            "every person has one picture only, so nobody can be compared with himself; give at "
            "least one person two"
        )
    random = np.random.default_rng([seed, 2])
    first = random.permutation(several)[: max(1, min(wanted // 2, len(several) // 2))]
    rest = random.permutation(np.setdiff1d(np.arange(count), first))
    held = np.concatenate([first, rest[: wanted - len(first)]])
    inside = np.isin(people, held)
    return np.flatnonzero(~inside), np.flatnonzero(inside)
