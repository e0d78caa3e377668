"""Made-up people whose templates lie as those of real ones do, in any number.

Fitted to what SFace makes of folds 1 and 2 of LFW (1,156 people, originals and mirrored), by
`benchmarks/embedding_spread.py`, which prints both beside each other:

- People differ nearly alike in all directions: the variances of their mean templates fall evenly on
  a logarithmic scale, by e^1.65 from the largest to the least of 128, as if there were 105 equal
  ones. (So clusters help little. Templates in tight clusters would be found much faster.)
- Different people's templates have similarities of 0 in the mean, and .092 in deviation.
- Two looks at a person have a similarity of .65 in the median; 1 in 20 is below .43 to .45. What a
  look shares with the person's direction is as Beta(9, 4.6) says for 96 of 100, and 0 to .6 for
  the others, the bad ones.
- What differs from look to look is spread evenly over all directions.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facerec.gallery.index.cluster_scan import looks_alike

__all__ = ["Population"]

_FALL = 1.65
_SHARED_A, _SHARED_B = 9.0, 4.6
_BAD_LOOKS, _BAD_SHARED = 0.04, 0.6
_BLOCK = 50_000
"""People who are made at a time."""
_LOOKED_AT = 8
"""Blocks whose people are looked at again."""

_Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Population:
    """People, the same ones for the same seed.

    Attributes:
        count: How many.
        size: Numbers in a template.
        seed: Whose.
    """

    count: int
    size: int
    seed: int = 0

    def enrolled(self, told: Callable[[int], None] = lambda _: None) -> _Vectors:
        """Return a template of each, float32 (count, size), unit length.

        Args:
            told: Called with how many more are made.
        """
        templates = np.empty((self.count, self.size), np.float32)

        def fill(start: int) -> int:
            _, looks = self._block(start)
            templates[start : start + len(looks)] = looks
            return len(looks)

        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            for made in pool.map(fill, range(0, self.count, _BLOCK)):
                told(made)
        return templates

    def looked_at(self, wanted: int) -> tuple[NDArray[np.int64], _Vectors]:
        """Return other looks at some of them: whose, int64 (n,), and probes, float32 (n, size)."""
        rng = np.random.default_rng([self.seed, 1])
        starts = np.arange(0, self.count, _BLOCK)
        chosen = rng.choice(starts, min(_LOOKED_AT, len(starts)), replace=False)
        rows, probes = [], []
        for start, share in zip(
            chosen, np.array_split(np.arange(wanted), len(chosen)), strict=True
        ):
            directions, _ = self._block(int(start))
            row = rng.integers(0, len(directions), len(share))
            rows.append(row + start)
            probes.append(_looks(rng, directions[row]))
        return np.concatenate(rows), np.concatenate(probes)

    def strangers(self, wanted: int) -> _Vectors:
        """Return looks at people who are not among them, float32 (n, size), unit length."""
        rng = np.random.default_rng([self.seed, 2])
        return _looks(rng, self._directions(rng, wanted))

    def _block(self, start: int) -> tuple[_Vectors, _Vectors]:
        """Return the directions and enrolled looks of the people from a number on."""
        rng = np.random.default_rng([self.seed, 0, start])
        directions = self._directions(rng, min(_BLOCK, self.count - start))
        return directions, _looks(rng, directions)

    def _directions(self, rng: np.random.Generator, count: int) -> _Vectors:
        spread = np.exp(-_FALL / 2 * np.linspace(0, 1, self.size)).astype(np.float32)
        vectors = rng.standard_normal((count, self.size), dtype=np.float32) * spread
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors, np.float32)


def _looks(rng: np.random.Generator, directions: _Vectors) -> _Vectors:
    """Return one look at the person of each direction."""
    shared = rng.beta(_SHARED_A, _SHARED_B, len(directions))
    bad = rng.random(len(directions)) < _BAD_LOOKS
    shared[bad] = rng.uniform(0, _BAD_SHARED, int(bad.sum()))
    return looks_alike(directions, np.sqrt(shared), rng)
