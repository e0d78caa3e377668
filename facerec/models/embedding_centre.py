"""The centres of embeddings that come with facerec; made by benchmarks/embedding_centre.py."""

import json
from importlib import resources

from facerec.inference import EmbeddingCentre

__all__ = ["centre_file_name", "read_centre"]


def centre_file_name(name: str, weights_sha256: str) -> str:
    """Return the name of the file with the centre of a network's embeddings."""
    return f"{name}-{weights_sha256[:12]}.json"


def read_centre(name: str, weights_sha256: str) -> EmbeddingCentre:
    """Return the centre of the embeddings of a network of the catalogue, which must have one."""
    folder = resources.files("facerec.models") / "embedding_centres"
    text = (folder / centre_file_name(name, weights_sha256)).read_text("utf-8")
    record = json.loads(text)
    return EmbeddingCentre(
        int(record["version"]), tuple(map(float, record["vector"])), str(record["provenance"])
    )
