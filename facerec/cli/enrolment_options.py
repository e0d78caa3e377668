"""The options of ``facerec enroll`` and of the commands that add to what it made."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "AcceptDuplicate",
    "AcceptOutliers",
    "AcceptPoor",
    "Attribute",
    "CreateGallery",
    "EvidenceOfConsent",
    "ExternalId",
    "From",
    "Images",
    "Name",
    "NewId",
    "Report",
    "ValidFrom",
    "ValidUntil",
]

Name = Annotated[str | None, typer.Argument(help="The person's name.")]
Images = Annotated[list[Path] | None, typer.Argument(help="Pictures of the person.")]
From = Annotated[
    Path | None,
    typer.Option(
        "--from", help="Enrol many: a folder that holds one folder a person, or a .csv file."
    ),
]
CreateGallery = Annotated[
    bool, typer.Option("--create-gallery", help="Make galleries that do not exist yet.")
]
NewId = Annotated[
    str | None, typer.Option("--id", help="Id for the person.  [default: a random one]")
]
ExternalId = Annotated[
    str, typer.Option("--external-id", help="The person's id in your own records.")
]
EvidenceOfConsent = Annotated[
    str, typer.Option("--consent", help="Where the evidence of the person's consent is.")
]
Attribute = Annotated[
    list[str] | None,
    typer.Option("--attribute", help="What else to keep, as KEY=VALUE; repeatable."),
]
ValidFrom = Annotated[
    str | None, typer.Option("--valid-from", help="Matched from this time on, as 2030-01-31.")
]
ValidUntil = Annotated[
    str | None, typer.Option("--valid-until", help="Matched until this time, as 2030-01-31.")
]
AcceptPoor = Annotated[
    bool,
    typer.Option(
        "--accept-poor", "--force", help="Take the largest face whatever its quality; recorded."
    ),
]
AcceptDuplicate = Annotated[
    bool,
    typer.Option(
        "--accept-duplicate",
        help="Enrol although the same person seems to be enrolled (a twin); recorded.",
    ),
]
AcceptOutliers = Annotated[
    bool,
    typer.Option(
        "--accept-outliers", help="Take pictures that are not like the person's others; recorded."
    ),
]
Report = Annotated[
    Path | None,
    typer.Option("--report", help="Write all failures and warnings to this .csv or .json file."),
]
