"""Operating points as JSON files."""

import json
from dataclasses import asdict
from typing import Any

from facerec.decision.likelihood_band import LikelihoodBand
from facerec.decision.operating_point import OperatingPoint, Provenance
from facerec.decision.pareto_tail import ParetoTail
from facerec.decision.rate_curve import RateCurve
from facerec.errors import OperatingPointError

__all__ = ["operating_point_from_json", "operating_point_to_json"]


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
            comparisons=_curve(record["comparisons"]),
            provenance=Provenance(**record["provenance"]),
            name=str(record["name"]),
            searches=None if record["searches"] is None else _curve(record["searches"]),
            bands=tuple(LikelihoodBand(**band) for band in record["bands"]),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise OperatingPointError(f"an operating point's file is damaged: {error}") from error


def _curve(record: dict[str, Any]) -> RateCurve:
    numbers = {
        key: tuple(float(value) for value in record[key])
        for key in ("similarities", "rates", "lows", "highs")
    }
    tail = None if record["tail"] is None else ParetoTail(**record["tail"])
    return RateCurve(tail=tail, **numbers)
