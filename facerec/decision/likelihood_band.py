"""What a similarity is worth as evidence, for faces of a band of quality."""

from dataclasses import dataclass

__all__ = ["LikelihoodBand"]


@dataclass(frozen=True)
class LikelihoodBand:
    """An affine map from similarity to the natural logarithm of the likelihood ratio.

    The likelihood ratio says how many times more often a comparison of one person gives such a
    similarity than one of two people; times the odds before the comparison it gives the odds after
    (Bruemmer and du Preez, 'Application-independent evaluation of speaker detection', Computer
    Speech and Language 20, 2006).

    Attributes:
        least_quality: Overall quality, of the worse of two faces, from which the band begins.
        slope: Rise of the logarithm with the similarity, positive.
        offset: Its value at similarity 0.
    """

    least_quality: float
    slope: float
    offset: float

    def log_likelihood_ratio(self, similarity: float) -> float:
        """Return the natural logarithm of the likelihood ratio."""
        return self.slope * similarity + self.offset
