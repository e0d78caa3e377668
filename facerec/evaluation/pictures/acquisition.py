"""Turning pictures into templates: each content once, on several threads, resumable."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from queue import SimpleQueue

import numpy as np

from facerec.analysis.analyzer import FaceAnalyzer
from facerec.analysis.image_decoding import decode_image, read_picture_file
from facerec.analysis.main_face import main_face
from facerec.errors import ImageError
from facerec.evaluation.pictures.face_table import Acquisition, FaceTable
from facerec.evaluation.pictures.template_cache import TemplateCache, content_hash

__all__ = ["Acquirer", "acquire_face"]

PART_SIZE = 128
"""Pictures in a part of the cache: what a run that is cut off may have to do again."""


def acquire_face(
    data: bytes, analyzer: FaceAnalyzer, *, max_pixels: int, embedding_size: int
) -> FaceTable:
    """Make the template of the subject of one picture.

    Returns:
        One row; a picture that cannot be read or shows no face is a result, not an error.
    """
    try:
        image = decode_image(data, max_pixels=max_pixels)
    except ImageError:
        return FaceTable.failed(Acquisition.UNREADABLE, embedding_size)
    faces = analyzer.detect(image)
    subject = main_face(faces, image.shape)
    if subject is None:
        return FaceTable.failed(Acquisition.NO_FACE, embedding_size)
    return FaceTable.of_face(analyzer.embed(image, faces[np.array([subject])]), len(faces))


@dataclass(frozen=True)
class Acquirer:
    """Makes templates of pictures and keeps them.

    Attributes:
        load_analyzers: Gives one a thread; called only when there is a picture to analyse.
        cache: Where templates are kept.
        max_pixels: Pictures of more pixels are refused.
        embedding_size: Numbers in an embedding.
    """

    load_analyzers: Callable[[], Sequence[FaceAnalyzer]]
    cache: TemplateCache
    max_pixels: int
    embedding_size: int

    def acquire(self, paths: Sequence[Path], advance: Callable[[int, int], None]) -> FaceTable:
        """Return the subject's face of every picture, a row a picture.

        Args:
            paths: Files; one that is gone or unreadable is a failure to acquire.
            advance: Told how many of how many pictures are done.
        """
        known = dict(self.cache.load())
        hashes = [self._hash_of(path) for path in paths]
        wanted = {h: path for h, path in zip(hashes, paths, strict=True) if h and h not in known}
        done = len(paths) - len(wanted)
        advance(done, len(paths))
        for part in _parts(self._analysed(wanted.values()) if wanted else iter(())):
            self.cache.add([h for h, _ in part], [row for _, row in part])
            known.update(part)
            done += len(part)
            advance(done, len(paths))
        lost = FaceTable.failed(Acquisition.UNREADABLE, self.embedding_size)
        return FaceTable.joined([known.get(h, lost) for h in hashes])

    def _analysed(self, wanted: Iterable[Path]) -> Iterator[tuple[str, FaceTable]]:
        analyzers = self.load_analyzers()
        free: SimpleQueue[FaceAnalyzer] = SimpleQueue()
        for analyzer in analyzers:
            free.put(analyzer)

        def one(path: Path) -> tuple[str, FaceTable] | None:
            # Read once more, for all pictures together may not fit into memory: one that was lost
            # or changed since it was hashed must not be kept as what it was.
            try:
                data = read_picture_file(path, max_pixels=self.max_pixels)
            except ImageError:
                return None
            analyzer = free.get()
            try:
                row = acquire_face(
                    data, analyzer, max_pixels=self.max_pixels, embedding_size=self.embedding_size
                )
            finally:
                free.put(analyzer)
            return content_hash(data), row

        with ThreadPoolExecutor(len(analyzers)) as pool:
            yield from (made for made in pool.map(one, wanted) if made is not None)

    def _hash_of(self, path: Path) -> str:
        """Return the content hash of a file, "" when it cannot be read."""
        try:
            return content_hash(read_picture_file(path, max_pixels=self.max_pixels))
        except ImageError:
            return ""


def _parts(
    results: Iterator[tuple[str, FaceTable]],
) -> Iterator[list[tuple[str, FaceTable]]]:
    while part := list(islice(results, PART_SIZE)):
        yield part
