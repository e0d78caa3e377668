"""Options that several commands share, and the settings that they make."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from facerec.settings import Settings

__all__ = ["Fmr", "Fpir", "InGallery", "Largest", "decision_settings"]

InGallery = Annotated[
    list[str] | None,
    typer.Option("--gallery", help="Gallery; may be given several times.  [default: default]"),
]
Largest = Annotated[
    bool, typer.Option("--largest", help="Take the largest face where a picture shows several.")
]
Fpir = Annotated[
    float | None,
    typer.Option("--fpir", help="Share of strangers that may be named, such as 0.01."),
]
Fmr = Annotated[
    float | None,
    typer.Option("--fmr", help="Share of comparisons of two people that may match, as 0.0001."),
]


def decision_settings(
    home: Path | None, *, fpir: float | None = None, fmr: float | None = None
) -> "Settings":
    """Load the settings with the error rates that flags ask for.

    Raises:
        SettingsError: a setting is unknown or does not fit.
    """
    from facerec.settings import load_settings

    rates: dict[str, Any] = {}
    if fpir is not None:
        rates["target_fpir"] = fpir
    if fmr is not None:
        rates["target_fmr"] = fmr
    return load_settings(home, decision=rates) if rates else load_settings(home)
