"""Thresholds that say what they cost: measured false match rates of one embedding space."""

import math
from dataclasses import dataclass

from facerec.decision.likelihood_band import LikelihoodBand
from facerec.decision.rate_curve import RateCurve
from facerec.errors import OperatingPointError

__all__ = ["EXTRAPOLATED_BELOW", "LARGER_THAN_CALIBRATED", "OperatingPoint", "Provenance"]

EXTRAPOLATED_BELOW = 100
"""How many times lower than the lowest rate that its sample can show a rate may be asked for.

Tails fitted to one fold of LFW foretold the rate of 1e-5 of the other, half a decade under what
they could show, within their intervals (docs/accuracy.md). Farther down nothing was checked, so
two decades are a courtesy to small galleries; lower rates are refused."""
LARGER_THAN_CALIBRATED = 100
"""How many times more people than were calibrated on a searched gallery may hold."""


@dataclass(frozen=True)
class Provenance:
    """Where the rates of an operating point were measured.

    Attributes:
        data: The images, in words.
        people: Number of people.
        images: Number of images compared.
        comparisons: Number of non-mated comparisons of two images.
        pairs_of_people: Number of pairs of people among these; pairs that share a person are not
            independent either.
        smallest_claimable_fmr: 3 / `pairs_of_people`: the 95 % upper bound on a rate of which that
            many independent trials had shown no case (rule of three, ISO/IEC 19795-1 annex B).
        detector: Network that found the faces and landmarks.
        embedder: Network that made the embeddings.
        mirrored_chip: Whether the mirrored chip was embedded too.
        date: Day of the measurement, ISO 8601.
        remarks: What to know before relying on it.
        kind: ``"factory"``, ``"gallery"`` (the operator's own), ``"strangers"`` (people at the
            operator's cameras against the gallery) or ``"pictures"`` (a folder of people).
        mated: Number of mated comparisons, for the evidence; 0 when there were none.
        weights: Short hash of the embedder's weights.
        alike: Pairs of different people who look as alike as half of the mated comparisons: most
            often one person who is there twice, and the thresholds are too high by that. 0 where
            there were too few mated comparisons to tell.
    """

    data: str
    people: int
    images: int
    comparisons: int
    pairs_of_people: int
    smallest_claimable_fmr: float
    detector: str
    embedder: str
    mirrored_chip: bool
    date: str
    remarks: str
    kind: str = "factory"
    mated: int = 0
    weights: str = ""
    alike: int = 0


@dataclass(frozen=True)
class OperatingPoint:
    """What thresholds cost in one embedding space, and where that was measured.

    Attributes:
        embedding_space: Space whose similarities these are.
        comparisons: Share of non-mated comparisons over thresholds: the false match rate.
        provenance: Where it was measured.
        name: Names it in every decision.
        searches: The same with every pair of people weighing the same, however many pictures
            there are of them: what one more person in a gallery adds. None to take `comparisons`.
        bands: Evidence by quality, least quality first; empty without mated comparisons.
    """

    embedding_space: str
    comparisons: RateCurve
    provenance: Provenance
    name: str = ""
    searches: RateCurve | None = None
    bands: tuple[LikelihoodBand, ...] = ()

    def threshold_at_fmr(self, fmr: float, references: int = 1) -> float:
        """Return the similarity at which a share `fmr` of non-mated claims would match.

        Args:
            fmr: False match rate, 0 < fmr < 1. A rate above the highest known gives the lowest
                knot, whose rate is smaller than asked for.
            references: Templates of one person of which the most alike one counts, from 1; see
                `threshold_at_fpir`.

        Raises:
            OperatingPointError: the rate is not between 0 and 1, or so low that the sample says
                nothing about it; the message says how many people it would need.
        """
        if not 0 < fmr < 1:
            raise OperatingPointError(
                f"a false match rate must lie between 0 and 1; received {fmr}"
            )
        each = _each_of(fmr, references)
        if each < self.lowest_fmr:
            raise OperatingPointError(self._too_few(each))
        return self.comparisons.similarity_at(each)

    def fmr_at(self, similarity: float) -> float:
        """Return the false match rate of the threshold `similarity`; falls as that rises."""
        return self.comparisons.rate_at(similarity)

    def fmr_interval_at(self, similarity: float) -> tuple[float, float]:
        """Return the 95 % interval, over people, of the false match rate of a threshold."""
        return self.comparisons.interval_at(similarity)

    def threshold_at_fpir(self, fpir: float, searched: int, templates: int = 0) -> float:
        """Return the threshold at which a share `fpir` of strangers would match anybody.

        A stranger is compared with n templates. Were these comparisons independent, one at least
        would match with the chance ``1 - (1 - fmr) ** n``, so each may match with
        ``fmr = 1 - (1 - fpir) ** (1 / n)``. Some strangers look like many people and others like
        nobody, and templates of one person resemble each other, which can only lower the share of
        strangers that match anybody (Jensen's inequality): the formula errs towards safety.
        Galleries resampled from LFW give its rate within 2 % with one template a person, and .8 to
        .9 of it with three (docs/accuracy.md).

        Args:
            fpir: False-positive identification rate, 0 < fpir < 1.
            searched: Number of people in the gallery; an empty one is treated as one of one person.
            templates: Number of templates compared, where a person scores as the best of theirs; no
                fewer than `searched` are counted.

        Raises:
            OperatingPointError: the rate is not between 0 and 1, or the gallery is much larger
                than the sample says anything about; the message says how many people it would need.
        """
        if not 0 < fpir < 1:
            raise OperatingPointError(
                f"a false-positive identification rate must lie between 0 and 1; received {fpir}"
            )
        if searched > self.largest_gallery:
            raise OperatingPointError(
                f"the operating point {self.name or 'in use'} was measured on "
                f"{self.provenance.people} people and holds for galleries of up to "
                f"{self.largest_gallery}; this one holds {searched}: calibrate on at least "
                f"{math.ceil(searched / LARGER_THAN_CALIBRATED)} people (facerec calibrate)"
            )
        each = _each_of(fpir, max(searched, templates, 1))
        if each < self.lowest_fmr:
            raise OperatingPointError(self._too_few(each))
        return self._searches.similarity_at(each)

    def fpir_at(self, similarity: float, templates: int) -> float:
        """Return the share of strangers that a gallery of so many templates would name."""
        return _any_of(self._searches.rate_at(similarity), templates)

    def fpir_interval_at(self, similarity: float, templates: int) -> tuple[float, float]:
        """Return the 95 % interval, over people, of the false-positive identification rate."""
        low, high = self._searches.interval_at(similarity)
        return _any_of(low, templates), _any_of(high, templates)

    def log_likelihood_ratio(self, similarity: float, quality: float = 1.0) -> float | None:
        """Return what a similarity is worth as evidence; None when no mated pairs were measured.

        Args:
            similarity: Of the comparison.
            quality: Overall quality of the worse of the two faces, 0..1.
        """
        fitting = [band for band in self.bands if band.least_quality <= quality]
        return fitting[-1].log_likelihood_ratio(similarity) if fitting else None

    @property
    def lowest_fmr(self) -> float:
        """Lowest false match rate that may be asked for."""
        return self.provenance.smallest_claimable_fmr / EXTRAPOLATED_BELOW

    def lowest_fpir(self, templates: int) -> float:
        """Return the lowest rate that may be asked for in a gallery of so many templates."""
        return _any_of(self.lowest_fmr * (1 + 1e-9), templates)

    @property
    def largest_gallery(self) -> int:
        """Largest number of people for which a false-positive identification rate is known."""
        return self.provenance.people * LARGER_THAN_CALIBRATED

    def is_measured(self, fmr: float) -> bool:
        """Say whether enough people were seen to measure the rate, rather than extrapolate."""
        return fmr >= self.comparisons.rates[-1]

    def fitting(self, embedding_space: str) -> "OperatingPoint":
        """Return the operating point itself, if it is one of that space.

        Raises:
            OperatingPointError: it was measured in another space.
        """
        if embedding_space != self.embedding_space:
            raise OperatingPointError(
                f"the operating point {self.name} was measured in the embedding space "
                f"{self.embedding_space}; faces are embedded in {embedding_space}: run "
                "facerec calibrate, or choose another one with facerec operating-points use"
            )
        return self

    def _too_few(self, fmr: float) -> str:
        pairs = math.ceil(3 / (fmr * EXTRAPOLATED_BELOW) * (1 - 1e-9))
        people = math.ceil((1 + math.sqrt(1 + 8 * pairs)) / 2)
        return (
            f"a false match rate of {fmr:.2g} cannot be had from the operating point "
            f"{self.name or 'in use'}: its {self.provenance.people} people show rates down to "
            f"{self.provenance.smallest_claimable_fmr:.2g} and foretell them to "
            f"{self.lowest_fmr:.2g}; at least {people} people ({pairs} pairs of people) are needed"
        )

    @property
    def _searches(self) -> RateCurve:
        return self.comparisons if self.searches is None else self.searches


def _any_of(rate: float, comparisons: int) -> float:
    """Return the chance that one at least of so many independent comparisons matches."""
    if rate >= 1:
        return 1.0
    return -math.expm1(max(comparisons, 1) * math.log1p(-rate))


def _each_of(rate: float, comparisons: int) -> float:
    """Return the rate of each of so many comparisons of which one at least matches at `rate`."""
    return rate if comparisons <= 1 else -math.expm1(math.log1p(-rate) / comparisons)
