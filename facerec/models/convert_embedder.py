"""Converting a user's ONNX embedder of a known layout, and proving the result; imports Keras."""

from pathlib import Path

from facerec.errors import ModelImportError
from facerec.models.conversion.embedder_layouts import embedder_from_onnx
from facerec.models.export import export_litert
from facerec.models.generated_images import generated_images
from facerec.models.parity import check_parity, embedder_reference
from facerec.models.store import KERAS_FILE, LITERT_FILE
from facerec.models.workshop import ConvertEmbedderJob

__all__ = ["convert_embedder"]


def convert_embedder(job: ConvertEmbedderJob) -> None:
    """Convert an embedder into a folder with the Keras and the LiteRT network.

    Raises:
        ModelImportError: the file is not of the layout, or takes chips of another size.
        ModelDamagedError: Keras or LiteRT gives other numbers than the graph.
    """
    source, folder = Path(job.source), Path(job.folder)
    first, second, third = job.offset
    network = embedder_from_onnx(
        source, job.architecture, job.color_order, (first, second, third), job.scale
    )
    side = int(network.input_shape[1])
    if side != job.chip_size_px:
        raise ModelImportError(
            f"the network takes chips of {side} pixels; --chip-size says {job.chip_size_px}"
        )
    network.save(folder / KERAS_FILE)
    export_litert(network, folder / LITERT_FILE)
    images = generated_images(2, side, side)
    expected = embedder_reference(source, job.color_order, tuple(job.offset), job.scale)(images)
    check_parity(job.name, images, expected, network, folder / LITERT_FILE)
