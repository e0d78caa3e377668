"""Saying at once that an operating point refuses the rates that decisions here are made at."""

from typing import TYPE_CHECKING

from facerec.cli.console import warn

if TYPE_CHECKING:
    from facerec.decision.operating_point import OperatingPoint
    from facerec.settings import Settings

__all__ = ["warn_where_refused"]


def warn_where_refused(point: "OperatingPoint", settings: "Settings") -> None:
    """Warn when an operating point that is now in use refuses the target rates of the settings.

    Every decision would be refused, too, and a gate would let nobody in before somebody found out.
    """
    from facerec.errors import OperatingPointError

    decision, people = settings.decision, _largest_gallery(settings)
    try:
        point.threshold_at_fmr(decision.target_fmr)
        point.threshold_at_fpir(decision.target_fpir, people)
    except OperatingPointError as error:
        warn(
            f"decisions at the rates of the settings (FMR {decision.target_fmr:g}; FPIR "
            f"{decision.target_fpir:g} among {people} people) are refused from now on: {error}. To "
            "go back: facerec operating-points use factory"
        )


def _largest_gallery(settings: "Settings") -> int:
    """Return the number of people in the largest gallery of the home, 1 where there is none."""
    from facerec.assembly import open_gallery

    if not (settings.database_path.exists() or settings.database.url.get_secret_value()):
        return 1
    with open_gallery(settings) as people:
        return max([1, *people.people_by_gallery().values()])
