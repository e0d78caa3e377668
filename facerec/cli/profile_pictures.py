"""``facerec profiles add-pictures``: more templates of somebody who is enrolled."""

from pathlib import Path
from typing import Annotated

import typer

from facerec.cli import enrolment_options as option
from facerec.cli.console import Home, Json, stated_failures
from facerec.cli.enroll import show_result, warn_of_others
from facerec.cli.options import Largest

__all__ = ["add_pictures"]


def add_pictures(
    profile_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the person.")],
    images: Annotated[list[Path], typer.Argument(help="Pictures of the person.")],
    largest: Largest = False,
    accept_poor: option.AcceptPoor = False,
    accept_duplicate: option.AcceptDuplicate = False,
    accept_outliers: option.AcceptOutliers = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Add pictures to a person; they must show the person who is enrolled."""
    with stated_failures():
        from facerec.assembly import build_analyzer, build_enrolment_check, open_gallery
        from facerec.cli.enrolling import Enroller, EnrolmentOptions
        from facerec.decision.enrolment_check import Overrides
        from facerec.settings import load_settings

        settings = load_settings(home)
        overrides = Overrides(accept_duplicate, accept_outliers)
        options = EnrolmentOptions((), "", largest, accept_poor, overrides)
        with open_gallery(settings) as gallery:
            gallery.get(profile_id)
            analyzer = build_analyzer(settings)
            check = build_enrolment_check(settings, gallery, analyzer.embedding_space)
            warn_of_others(gallery, analyzer.embedding_space)
            enroller = Enroller(settings, analyzer, gallery, options, check)
            result = enroller.add_pictures(profile_id, images)
        show_result(result, as_json)
        if result.profile_id is None or (result.rejected and result.already_enrolled):
            raise typer.Exit(1)
