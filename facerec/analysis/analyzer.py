"""From an image to the faces in it, their quality and their embeddings."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from facerec.analysis.alignment import align
from facerec.analysis.detection import Detector
from facerec.analysis.embedding import Embedder
from facerec.analysis.faces import Faces
from facerec.analysis.quality import assess
from facerec.analysis.second_look import SecondLook
from facerec.analysis.stages import Stage, StageObserver, unobserved

__all__ = ["FaceAnalyzer"]


class FaceAnalyzer:
    """Detects, aligns, assesses and embeds; safe to call from several threads."""

    def __init__(
        self,
        detector: Detector,
        embedder: Embedder,
        *,
        min_face_px: int,
        min_detection_score: float,
        mirrored: bool,
        observe: StageObserver = unobserved,
        second_look: SecondLook | None = None,
    ) -> None:
        """Compose an analyzer.

        Args:
            detector: Finds faces.
            embedder: Embeds them.
            min_face_px: Smallest face side to find, in pixels of the image.
            min_detection_score: Least detection score of a face, 0..1.
            mirrored: Whether mirrored chips are embedded too.
            observe: Told of each stage as it begins and ends.
            second_look: Finds the landmarks by which mirrored chips are cut; None to mirror the
                first ones.
        """
        self._detector = detector
        self._embedder = embedder
        self._min_face_px = min_face_px
        self._min_detection_score = min_detection_score
        self._mirrored = mirrored
        self._observe = observe
        self._second_look = second_look if mirrored else None

    @property
    def embedding_space(self) -> str:
        """Id of the space of the embeddings."""
        return self._embedder.embedding_space

    def detect(self, image_bgr: NDArray[np.uint8], least_px: int = 0) -> Faces:
        """Find the faces of an image and assess their quality.

        Args:
            image_bgr: uint8 (height, width, 3).
            least_px: Smaller faces need not be found, pixels: twice that of the settings takes a
                third of the time.

        Returns:
            Faces with quality, without embeddings, best detection score first.

        Raises:
            ArrayError: the image is not uint8 (height, width, 3).
        """
        return self._found(image_bgr, least_px)[0]

    def embed(self, image_bgr: NDArray[np.uint8], faces: Faces) -> Faces:
        """Embed faces that were found in an image before.

        Args:
            image_bgr: The image in which they were found, or one that shows them in the same
                places.
            faces: Faces with landmarks.

        Returns:
            The same faces with embeddings.
        """
        return self._embedded(image_bgr, faces, self._chips(image_bgr, faces))

    def analyze(self, image_bgr: NDArray[np.uint8]) -> Faces:
        """Find, assess and embed the faces of an image; see `detect` and `embed`."""
        return self._embedded(image_bgr, *self._found(image_bgr))

    def _found(
        self, image_bgr: NDArray[np.uint8], least_px: int = 0
    ) -> tuple[Faces, NDArray[np.uint8]]:
        with self._observe(Stage.DETECT):
            faces = self._detector.detect(
                image_bgr,
                min_face_px=max(self._min_face_px, least_px),
                min_score=self._min_detection_score,
            )
        chips = self._chips(image_bgr, faces)
        with self._observe(Stage.ASSESS):
            quality = assess(image_bgr, faces, chips)
        return replace(faces, quality=quality), chips

    def _chips(self, image_bgr: NDArray[np.uint8], faces: Faces) -> NDArray[np.uint8]:
        with self._observe(Stage.ALIGN):
            return align(image_bgr, faces.landmarks_px, self._embedder.alignment)

    def _embedded(
        self, image_bgr: NDArray[np.uint8], faces: Faces, chips: NDArray[np.uint8]
    ) -> Faces:
        to_mirror = chips
        if self._second_look is not None:
            with self._observe(Stage.ALIGN):
                landmarks = self._second_look.landmarks(image_bgr, faces)
                to_mirror = align(image_bgr, landmarks, self._embedder.alignment)
        with self._observe(Stage.EMBED):
            made = self._embedder.embed_assessed(
                chips, mirrored=self._mirrored, mirror_of_bgr=to_mirror
            )
        quality = faces.quality
        if quality is not None and faces.recognisability is None:
            quality = replace(quality, overall=quality.overall * made.recognisability)
        return replace(
            faces,
            quality=quality,
            embeddings=made.vectors,
            recognisability=made.recognisability,
        )
