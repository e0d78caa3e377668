"""The operating points that come with the default networks."""

from importlib import resources

from facerec.decision.operating_point import OperatingPoint
from facerec.decision.operating_point_file import operating_point_from_json
from facerec.errors import OperatingPointError

__all__ = ["factory_operating_point", "factory_operating_points"]


def factory_operating_point(embedding_space: str) -> OperatingPoint:
    """Return the operating point that was measured for a space before facerec was released.

    Raises:
        OperatingPointError: there is none for that space.
    """
    known = factory_operating_points()
    for point in known:
        if point.embedding_space == embedding_space:
            return point
    spaces = ", ".join(point.embedding_space for point in known)
    raise OperatingPointError(
        f"no error rates are known for the embedding space {embedding_space}, so there is no "
        f"threshold to decide with; spaces with known rates: {spaces or 'none'}; run: "
        "facerec calibrate"
    )


def factory_operating_points() -> tuple[OperatingPoint, ...]:
    """Return all operating points that come with facerec."""
    folder = resources.files("facerec.decision") / "factory"
    files = sorted((file for file in folder.iterdir()), key=lambda file: file.name)
    return tuple(
        operating_point_from_json(file.read_text("utf-8"))
        for file in files
        if file.name.endswith(".json")
    )
