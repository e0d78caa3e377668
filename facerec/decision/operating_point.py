"""Thresholds that say what they cost: measured false match rates of one embedding space."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from facerec.errors import OperatingPointError

__all__ = ["OperatingPoint", "Provenance"]


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


@dataclass(frozen=True)
class OperatingPoint:
    """The measured upper tail of non-mated similarities in one embedding space.

    Between two knots the logarithm of the rate is taken as linear in the similarity. Beyond the
    last one, where too few comparisons were seen to measure, the rate is *extrapolated*: it goes on
    falling exponentially as it does over the last measured decade. That is an assumption (the tail
    of the normal distribution that such similarities resemble falls faster), not a measurement;
    `is_measured` says on which side a rate lies.

    Attributes:
        embedding_space: Space whose similarities these are.
        similarities: Knots, strictly rising cosine similarities, -1..1.
        fmrs: Share of non-mated comparisons at or above each knot, strictly falling, 0..1.
        provenance: Where they were measured.
    """

    embedding_space: str
    similarities: tuple[float, ...]
    fmrs: tuple[float, ...]
    provenance: Provenance

    def __post_init__(self) -> None:
        s, f = np.array(self.similarities, float), np.array(self.fmrs, float)
        if len(s) < 2 or s.shape != f.shape:
            raise OperatingPointError(
                f"an operating point must have at least two knots, each a similarity and a rate; "
                f"received {len(s)} and {len(f)}"
            )
        if not (np.all(np.diff(s) > 0) and np.all(np.diff(f) < 0) and 0 < f[-1] and f[0] <= 1):
            raise OperatingPointError(
                "the knots of an operating point must have rising similarities and falling rates "
                "between 0 and 1"
            )

    def threshold_at_fmr(self, fmr: float) -> float:
        """Return the similarity at which a share `fmr` of non-mated comparisons would match.

        Args:
            fmr: False match rate of one comparison, 0 < fmr < 1. A rate above the highest known
                gives the lowest knot, whose rate is smaller than asked for.

        Raises:
            OperatingPointError: the rate is not between 0 and 1.
        """
        if not 0 < fmr < 1:
            raise OperatingPointError(
                f"a false match rate must lie between 0 and 1; received {fmr}"
            )
        log_rates = np.log(self.fmrs)
        wanted = math.log(fmr)
        if wanted < log_rates[-1]:
            return float(self.similarities[-1] + (wanted - log_rates[-1]) / self._tail_slope)
        return float(np.interp(-wanted, -log_rates, self.similarities))

    def fmr_at(self, similarity: float) -> float:
        """Return the false match rate of the threshold `similarity`; falls as that rises."""
        log_rates = np.log(self.fmrs)
        beyond = similarity - self.similarities[-1]
        if beyond > 0:
            return float(math.exp(log_rates[-1] + beyond * self._tail_slope))
        return float(math.exp(np.interp(similarity, self.similarities, log_rates)))

    def threshold_at_fpir(self, fpir: float, searched: int) -> float:
        """Return the threshold at which a share `fpir` of strangers would match anybody.

        A stranger is compared with `searched` people. Were these comparisons independent, one at
        least would match with the chance ``1 - (1 - fmr) ** searched``, so each may match with
        ``fmr = 1 - (1 - fpir) ** (1 / searched)``.

        Args:
            fpir: False-positive identification rate, 0 < fpir < 1.
            searched: Number of people in the gallery; an empty one is treated as one of one person.

        Raises:
            OperatingPointError: the rate is not between 0 and 1.
        """
        if not 0 < fpir < 1:
            raise OperatingPointError(
                f"a false-positive identification rate must lie between 0 and 1; received {fpir}"
            )
        return self.threshold_at_fmr(-math.expm1(math.log1p(-fpir) / max(searched, 1)))

    def is_measured(self, fmr: float) -> bool:
        """Say whether enough comparisons were seen to measure the rate, rather than extrapolate."""
        return fmr >= self.fmrs[-1]

    @cached_property
    def _tail_slope(self) -> float:
        """Change of the logarithm of the rate with similarity over the last decade; negative."""
        decade = [i for i, fmr in enumerate(self.fmrs) if fmr >= 10 * self.fmrs[-1]]
        start = decade[-1] if decade else 0
        fall = math.log(self.fmrs[-1]) - math.log(self.fmrs[start])
        return fall / (self.similarities[-1] - self.similarities[start])
