"""Whom the demo enrols, and from what."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import cv2

from facerec.analysis.image_decoding import read_image
from facerec.assembly import build_analyzer, build_enrolment_check, open_gallery
from facerec.cli.enrolling import Enroller, EnrolmentOptions
from facerec.cli.people_to_enrol import person_of_pictures
from facerec.demo.check import Check
from facerec.demo.folder import DemoFolder
from facerec.demo.pictures import PICTURES
from facerec.demo.second_view import second_view
from facerec.models.progress import Progress
from facerec.models.registry_package import fetch
from facerec.settings import Settings

__all__ = ["ENROLLEES", "Enrollee", "enrol_people", "fetch_pictures", "picture_path"]

SECOND_VIEW = "collins-second-view"


@dataclass(frozen=True)
class Enrollee:
    """Somebody whom the demo enrols.

    Attributes:
        name: Their name.
        picture: Key of the picture that the template is made of.
        remark: What to know about it, in a few words.
    """

    name: str
    picture: str
    remark: str


ENROLLEES = (
    Enrollee("Barack Obama", "obama-2012", "another photograph than the film's, 2 years later"),
    Enrollee("Eileen Collins", SECOND_VIEW, "made of the film's own photograph: see below"),
)


def picture_path(folder: DemoFolder, key: str) -> Path:
    """Return where a picture of the demo lies."""
    ending = ".png" if key in ("collins", SECOND_VIEW) else ".jpg"
    return folder.pictures / f"{key}{ending}"


def fetch_pictures(
    folder: DemoFolder, settings: Settings, cache_dir: Path, progress: Progress
) -> None:
    """Put the photographs into the demo's folder, and make the second view.

    Raises:
        DownloadError: a photograph is not in the cache and cannot be had.
    """
    folder.pictures.mkdir(exist_ok=True)
    for picture in PICTURES:
        shutil.copyfile(fetch(picture.file, cache_dir, progress), picture_path(folder, picture.key))
    original = read_image(
        picture_path(folder, "collins"), max_pixels=settings.analysis.max_image_pixels
    )
    cv2.imwrite(str(picture_path(folder, SECOND_VIEW)), second_view(original))


def enrol_people(
    folder: DemoFolder, settings: Settings
) -> tuple[tuple[Check, ...], dict[str, str]]:
    """Enrol everybody of `ENROLLEES`.

    Returns:
        What came of each, and the profile id of each name that was enrolled.
    """
    checks: list[Check] = []
    ids: dict[str, str] = {}
    options = EnrolmentOptions(
        galleries=(settings.gallery,), consent="none needed: the demo's own gallery"
    )
    with open_gallery(settings) as gallery:
        gallery.create_gallery(settings.gallery)
        analyzer = build_analyzer(settings)
        check = build_enrolment_check(settings, gallery, analyzer.embedding_space)
        enroller = Enroller(settings, analyzer, gallery, options, check)
        for enrollee in ENROLLEES:
            path = picture_path(folder, enrollee.picture)
            result = enroller.enrol(person_of_pictures(enrollee.name, [path]))
            rejected = ", ".join(reason for each in result.rejected for reason in each.reasons)
            answered = "enrolled" if result.profile_id else f"rejected: {rejected}"
            checks.append(Check("enrol", enrollee.name, "enrolled", answered, None, None, None))
            if result.profile_id:
                ids[enrollee.name] = result.profile_id
    return tuple(checks), ids
