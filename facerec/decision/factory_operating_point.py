"""The operating points that come with the default networks."""

import json
from dataclasses import asdict
from importlib import resources

from facerec.decision.operating_point import OperatingPoint, Provenance
from facerec.errors import OperatingPointError

__all__ = ["factory_operating_point", "operating_point_from_json", "operating_point_to_json"]


def factory_operating_point(embedding_space: str) -> OperatingPoint:
    """Return the operating point that was measured for a space before facerec was released.

    Raises:
        OperatingPointError: there is none for that space.
    """
    folder = resources.files("facerec.decision") / "factory"
    known = []
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".json"):
            point = operating_point_from_json(file.read_text("utf-8"))
            if point.embedding_space == embedding_space:
                return point
            known.append(point.embedding_space)
    raise OperatingPointError(
        f"no error rates are known for the embedding space {embedding_space}, so there is no "
        f"threshold to decide with; spaces with known rates: {', '.join(known) or 'none'}"
    )


def operating_point_to_json(point: OperatingPoint) -> str:
    """Return the text of an operating point's file."""
    return json.dumps(asdict(point), indent=2) + "\n"


def operating_point_from_json(text: str) -> OperatingPoint:
    """Return the operating point that a file describes.

    Raises:
        OperatingPointError: the text is not one.
    """
    try:
        record = json.loads(text)
        return OperatingPoint(
            embedding_space=str(record["embedding_space"]),
            similarities=tuple(float(value) for value in record["similarities"]),
            fmrs=tuple(float(value) for value in record["fmrs"]),
            provenance=Provenance(**record["provenance"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise OperatingPointError(f"an operating point's file is damaged: {error}") from error
