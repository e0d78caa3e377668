"""Converting published weights to Keras and LiteRT, and proving the result."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras

from facerec.models.conversion.centerface import centerface_from_onnx
from facerec.models.conversion.dlib_resnet import dlib_resnet_from_dat
from facerec.models.conversion.sface import sface_from_onnx
from facerec.models.conversion.yunet import yunet_from_onnx
from facerec.models.export import export_litert
from facerec.models.generated_images import generated_images
from facerec.models.parity import (
    Reference,
    centerface_reference,
    check_parity,
    dlib_resnet_reference,
    sface_reference,
    yunet_reference,
)
from facerec.models.store import KERAS_FILE, LITERT_FILE
from facerec.models.workshop import ConvertJob

__all__ = ["ARCHITECTURES", "Architecture", "convert"]


@dataclass(frozen=True)
class Architecture:
    """How published weights of one architecture are read and their result is proved.

    Attributes:
        from_file: Builds the Keras network with the weights of a file.
        reference: Makes the source graph callable.
        image_shape: Count, height and width of the images they are compared on.
    """

    from_file: Callable[[Path], keras.Model]
    reference: Callable[[Path], Reference]
    image_shape: tuple[int, int, int]


ARCHITECTURES = {
    "yunet": Architecture(yunet_from_onnx, yunet_reference, (1, 192, 256)),
    "centerface": Architecture(centerface_from_onnx, centerface_reference, (1, 192, 256)),
    "dlib_resnet": Architecture(dlib_resnet_from_dat, dlib_resnet_reference, (2, 150, 150)),
    "sface": Architecture(sface_from_onnx, sface_reference, (2, 112, 112)),
}


def convert(job: ConvertJob) -> None:
    """Convert published weights into a folder with the Keras and the LiteRT network.

    Raises:
        ModelImportError: the file does not hold the architecture.
        ModelDamagedError: Keras or LiteRT gives other numbers than the source.
    """
    architecture = ARCHITECTURES[job.architecture]
    source, folder = Path(job.source), Path(job.folder)
    network = architecture.from_file(source)
    network.save(folder / KERAS_FILE)
    export_litert(network, folder / LITERT_FILE)
    images = generated_images(*architecture.image_shape)
    expected = architecture.reference(source)(images)
    check_parity(job.name, images, expected, network, folder / LITERT_FILE)
