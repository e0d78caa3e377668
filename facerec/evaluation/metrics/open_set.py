"""Errors of 1:N identification when some probes show nobody in the gallery."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facerec.errors import ArrayError
from facerec.evaluation.metrics.rates import RateAtRate, least_claimable
from facerec.gallery.index.person_score import MAXIMUM, PersonScore, lengths_of_means

__all__ = [
    "IDENTIFICATION_RATES",
    "ReferenceGallery",
    "SearchScores",
    "cumulative_match",
    "fnir_at_fpir",
    "fpir_threshold",
    "search_all",
]

IDENTIFICATION_RATES = (0.1, 0.03, 0.01, 0.003, 0.001)
"""False-positive identification rates at which FNIR is stated; .003 is NIST FRTE 1:N's."""


@dataclass(frozen=True, eq=False)
class SearchScores:
    """What searching a gallery gave for probes of enrolled people and for strangers.

    Attributes:
        own: float32 (m,) best score of a mated probe against its own person; -inf where the probe
            was not acquired or its person failed to enrol.
        rank: int32 (m,) place of its own person among all, 1 = first; gallery size + 1 for -inf.
        own_people: int32 (m,) person of each mated probe.
        stranger: float32 (s,) best score of each stranger's probe against anybody; -inf where it
            was not acquired.
        stranger_people: int32 (s,) person of each stranger's probe.
        searched: Number of people in the gallery.
        stranger_named: int32 (s,) the enrolled person that scored best; -1 where none did.
    """

    own: NDArray[np.float32]
    rank: NDArray[np.int32]
    own_people: NDArray[np.int32]
    stranger: NDArray[np.float32]
    stranger_people: NDArray[np.int32]
    searched: int
    stranger_named: NDArray[np.int32]

    @property
    def rank1(self) -> float:
        """Share of mated probes whose own person comes first, whatever the score."""
        return float(np.mean(self.rank == 1)) if len(self.rank) else 0.0

    def fnir_at(self, threshold: float, rank: int = 1) -> float:
        """Return FNIR(N, R, T): mated probes not named within `rank` at `threshold`."""
        return float(np.mean((self.own < threshold) | (self.rank > rank)))

    def fpir_at(self, threshold: float) -> float:
        """Return FPIR(N, T): strangers' probes that name anybody at `threshold`."""
        return float(np.mean(self.stranger >= threshold))


def search_all(
    embeddings: NDArray[np.float32],
    people: NDArray[np.int32],
    acquired: NDArray[np.bool_],
    references: NDArray[np.intp],
    probes: NDArray[np.intp],
    strangers: NDArray[np.intp],
    score: PersonScore = MAXIMUM,
) -> SearchScores:
    """Search a gallery made of `references` with every probe.

    Args:
        embeddings: float32 (n, d), unit length.
        people: int32 (n,) person of each image.
        acquired: bool (n,) whether the image gave a template.
        references: Rows that are enrolled.
        probes: Rows of enrolled people that are searched for.
        strangers: Rows of people who are not enrolled.
        score: How a person is scored by their references.
    """
    enrolled = references[acquired[references]]
    enrolled = enrolled[np.argsort(people[enrolled], kind="stable")]
    if not len(enrolled):
        raise ArrayError("no reference gave a template, so nobody can be searched")
    names, starts = np.unique(people[enrolled], return_index=True)
    scored = ReferenceGallery(embeddings[enrolled], starts, score)
    own = np.full(len(probes), -np.inf, np.float32)
    rank = np.full(len(probes), len(names) + 1, np.int32)
    stranger = np.full(len(strangers), -np.inf, np.float32)
    named = np.full(len(strangers), -1, np.int32)
    column = np.searchsorted(names, people[probes])
    known = acquired[probes] & (names[np.minimum(column, len(names) - 1)] == people[probes])
    for part in _blocks(np.flatnonzero(known)):
        scores = scored.scores(embeddings[probes[part]])
        own[part] = scores[np.arange(len(part)), column[part]]
        # A tie counts against the probe: another person is as good an answer.
        rank[part] = (scores >= own[part, None]).sum(axis=1)
    for part in _blocks(np.flatnonzero(acquired[strangers])):
        scores = scored.scores(embeddings[strangers[part]])
        stranger[part] = scores.max(axis=1)
        named[part] = names[scores.argmax(axis=1)]
    return SearchScores(own, rank, people[probes], stranger, people[strangers], len(names), named)


class ReferenceGallery:
    """Enrolled templates, a person's together, and how people are scored by them."""

    def __init__(
        self, embeddings: NDArray[np.float32], starts: NDArray[np.intp], score: PersonScore
    ) -> None:
        """Enrol people.

        Args:
            embeddings: float32 (r, d), unit length, a person's together.
            starts: intp (p,): where each person's begin; the first is 0.
            score: How a person is scored by them.
        """
        self._embeddings = embeddings
        self._starts = starts
        self._score = score
        self._lengths = lengths_of_means(embeddings, starts)

    def scores(self, probes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Score p people for each of n probes (n, d): float32 (n, p)."""
        similarities = probes @ self._embeddings.T
        people = len(self._starts)
        every = np.arange(len(probes))[:, None] * similarities.shape[1] + self._starts
        scores = self._score.scores(
            similarities.reshape(-1), every.reshape(-1), np.tile(self._lengths, len(probes))
        )
        return scores.reshape(len(probes), people)


def fpir_threshold(stranger: NDArray[np.float32], fpir: float) -> float:
    """Return the lowest threshold at which no more than `fpir` of strangers' probes are named."""
    if not len(stranger):
        raise ArrayError("a false-positive identification rate needs at least one stranger")
    descending = np.sort(stranger)[::-1]
    allowed = int(np.floor(fpir * len(descending) * (1 + 1e-12)))
    if allowed >= len(descending):
        return -1.0
    return float(np.nextafter(descending[allowed], np.float32(2)))


def fnir_at_fpir(
    scores: SearchScores, rates: tuple[float, ...] = IDENTIFICATION_RATES
) -> tuple[RateAtRate, ...]:
    """Return FNIR at FPIRs; where there are too few strangers (rule of three), a lower bound."""
    answers = []
    for rate in rates:
        claimable = least_claimable(len(scores.stranger))
        threshold = fpir_threshold(scores.stranger, max(rate, min(claimable, 1.0)))
        answers.append(RateAtRate(rate, scores.fnir_at(threshold), threshold, rate < claimable))
    return tuple(answers)


def cumulative_match(scores: SearchScores, ranks: int = 20) -> NDArray[np.float64]:
    """Return the share of mated probes whose person is within rank 1, 2, ... `ranks`."""
    counts = np.bincount(np.minimum(scores.rank, ranks + 1), minlength=ranks + 2)[1 : ranks + 1]
    return np.cumsum(counts) / max(len(scores.rank), 1)


def _blocks(rows: NDArray[np.intp], size: int = 512) -> list[NDArray[np.intp]]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]
