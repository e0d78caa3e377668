"""From the picture of a request to faces with embeddings."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facerec.analysis.analyzer import FaceAnalyzer
from facerec.analysis.faces import Faces
from facerec.analysis.image_decoding import decode_image
from facerec.analysis.main_face import largest_first
from facerec.errors import ImageError, RequestImageError
from facerec_identity.call_record import ServiceStage, observe_stage
from facerec_identity.worker_pool import CallGuard

__all__ = ["FaceReader", "RequestImage"]


@dataclass(frozen=True)
class RequestImage:
    """A picture as it came in a request.

    Attributes:
        data: Encoded bytes.
        field: Path of the bytes in the request, for messages.
    """

    data: bytes
    field: str


@dataclass(frozen=True)
class FaceReader:
    """Reads faces from the pictures of requests; safe to use from several threads.

    Attributes:
        analyzer: Finds, assesses and embeds faces.
        max_image_pixels: Pictures of more pixels are refused before they are decoded.
    """

    analyzer: FaceAnalyzer
    max_image_pixels: int

    def read(self, image: RequestImage, guard: CallGuard, *, most: int | None = None) -> Faces:
        """Return the faces of a picture, largest first, assessed and embedded.

        Args:
            image: The picture.
            guard: Checked between the stages.
            most: Return only that many of the largest; None for all.

        Raises:
            RequestImageError: the bytes are not a picture that can be taken.
            DeadlineError: the caller no longer waits.
        """
        pixels = self.decode(image)
        guard.check()
        found = self.analyzer.detect(pixels)
        guard.check()
        return self.analyzer.embed(pixels, found[largest_first(found)[:most]])

    def decode(self, image: RequestImage) -> NDArray[np.uint8]:
        """Return the pixels of a picture, uint8 BGR (height, width, 3).

        Raises:
            RequestImageError: the bytes are not a picture that can be taken.
        """
        try:
            with observe_stage(ServiceStage.DECODE):
                return decode_image(image.data, max_pixels=self.max_image_pixels)
        except ImageError as error:
            raise RequestImageError(str(error), field=image.field) from error
