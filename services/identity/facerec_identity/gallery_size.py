"""How much is enrolled, counted again only when it has changed."""

from facerec.gallery.gallery import Gallery
from facerec.gallery.storage.counting import GalleryCounts

__all__ = ["CountsByRevision"]


class CountsByRevision:
    """The counts of one gallery, for metrics that are read often; for one thread at a time."""

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery
        self._revision = -1
        self._counts = GalleryCounts(0, 0)

    def now(self) -> GalleryCounts:
        """Return how much is enrolled now."""
        revision = self._gallery.revision
        if revision != self._revision:
            self._counts, self._revision = self._gallery.counts(), revision
        return self._counts
