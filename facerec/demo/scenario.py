"""The demo from end to end: networks, enrolment, film, watching, gate."""

from collections.abc import Mapping
from pathlib import Path
from time import perf_counter

import cv2

from facerec.analysis.image_decoding import read_image
from facerec.demo.check import Check
from facerec.demo.contact_sheet import Portrait, contact_sheet
from facerec.demo.enrolment import (
    ENROLLEES,
    SECOND_VIEW,
    enrol_people,
    fetch_pictures,
    picture_path,
)
from facerec.demo.folder import DemoFolder
from facerec.demo.gate import ask_identify, ask_verify, connect, running_server
from facerec.demo.key_frames import KeyFrame
from facerec.demo.networks import ready_networks
from facerec.demo.result import DemoResult
from facerec.demo.viewing import make_film, watch_film
from facerec.models.progress import Progress
from facerec.settings import Settings

__all__ = ["run_demo"]


_REMARKS = (
    "Barack Obama is enrolled from a portrait of 2012; the film shows a photograph of 2010, and "
    "the gate is shown one of 2009. Eileen Collins is enrolled from a second view made of the very "
    "photograph that the film shows (mirrored, cropped, turned, relit). Joe Biden is not enrolled: "
    "he is the stranger. Where the photographs come from: docs/demo-pictures.md"
)


def run_demo(user: Settings, root: Path, progress: Progress) -> DemoResult:
    """Run the demo.

    Args:
        user: Settings of the user's home, whose networks are used (and pulled when missing).
        root: Folder for the demo's files.
        progress: Told of every stage.

    Raises:
        FaceRecError: something that the demo needs cannot be had.
    """
    began_s = perf_counter()
    folder = DemoFolder(root)
    settings = folder.prepare(user)
    cache_dir = ready_networks(user, settings, progress)
    progress.stage("checking the photographs")
    fetch_pictures(folder, settings, cache_dir, progress)
    progress.stage("enrolling two people")
    enrolled, ids = enrol_people(folder, settings)
    make_film(folder, settings, progress)
    watched, frames = watch_film(folder, settings, progress)
    progress.stage("asking a server as a gate would")
    asked = _ask_gate(folder, settings, ids) if len(ids) == len(ENROLLEES) else ()
    _write_sheet(folder, settings, frames)
    checks = (*enrolled, *watched, *asked)
    return DemoResult(checks, folder, _REMARKS, perf_counter() - began_s)


def _ask_gate(folder: DemoFolder, settings: Settings, ids: Mapping[str, str]) -> tuple[Check, ...]:
    """Start the server and ask it about people at a gate."""
    enrolled, profile_id = ENROLLEES[0].name, ids[ENROLLEES[0].name]
    third_picture = enrolled, picture_path(folder, "obama-2009").read_bytes()
    stranger = "Joe Biden", picture_path(folder, "biden-2010").read_bytes()
    with (
        running_server(folder.home, folder.server_log) as address,
        connect(address) as gate,
    ):
        return (
            ask_verify(gate, third_picture, profile_id, enrolled, expected="match"),
            ask_verify(gate, stranger, profile_id, enrolled, expected="no_match"),
            ask_identify(gate, third_picture, expected=enrolled),
            ask_identify(gate, stranger, expected="unknown"),
        )


def _write_sheet(folder: DemoFolder, settings: Settings, frames: tuple[KeyFrame, ...]) -> None:
    """Write the page of key frames."""
    limit = settings.analysis.max_image_pixels

    def portrait(key: str, part: tuple[float, float, float], *lines: str) -> Portrait:
        image = read_image(picture_path(folder, key), max_pixels=limit)
        x, y, side = (round(value * image.shape[1]) for value in part)
        return Portrait(image[y : y + side, x : x + side], lines[0], lines[1:])

    people = (
        portrait(
            "obama-2012", (0.34, 0.0, 0.40), "Barack Obama",
            "Enrolled from this portrait of 2012;", "the film shows a photograph of 2010.",
        ),
        portrait(
            SECOND_VIEW, (0.16, 0.0, 0.72), "Eileen Collins",
            "Enrolled from a second view made of",
            "the film's own photograph: mirrored,", "cropped, turned, relit.",
        ),
        portrait(
            "biden-2010", (0.33, 0.06, 0.54), "Joe Biden",
            "Not enrolled: the stranger.",
        ),
    )  # fmt: skip
    sheet = contact_sheet("facerec: who comes to the gate?", people, frames)
    cv2.imwrite(str(folder.sheet), sheet)
