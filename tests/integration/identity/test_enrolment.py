"""Enrolment through the API and beside it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from facerec.client import (
    AsyncGateClient,
    CallError,
    GateClient,
    IdentificationOutcome,
    ProfileState,
)
from facerec.gallery.gallery import Gallery
from facerec.settings import Settings
from tests.integration.identity import pictures
from tests.integration.identity.server_process import ServerProcess, facerec


@pytest.fixture(scope="module")
def desk_home(new_home: Callable[[], Path]) -> Path:
    path = new_home()
    (path / "facerec.toml").write_text("[enrolment]\nkeep_images = true\n")
    return path


@pytest.fixture(scope="module")
def desk_server(desk_home: Path) -> Iterator[ServerProcess]:
    with ServerProcess(desk_home) as running:
        yield running


@pytest.fixture(scope="module")
def desk(desk_server: ServerProcess) -> Iterator[GateClient]:
    """A client of a server of its own, whose gallery these tests fill."""
    with GateClient(desk_server.address, timeout_s=60) as client:
        yield client


def who(desk: GateClient, picture: bytes) -> str | None:
    (face,) = desk.identify(picture, main_only=True).faces
    return face.profile_id


def test_nobody_is_enrolled_at_first(desk: GateClient, portraits: dict[str, bytes]) -> None:
    (face,) = desk.identify(portraits["collins"], main_only=True).faces
    assert face.outcome is IdentificationOutcome.UNKNOWN
    assert face.reasons == ("empty_gallery",)
    assert face.similarity is None


def test_who_is_enrolled_is_found_at_once(desk: GateClient, portraits: dict[str, bytes]) -> None:
    before = datetime.now(UTC)
    result = desk.enrol(
        "Barack Obama",
        [portraits["obama-2012"], pictures.nobody(), portraits["obama-2010"]],
        consent="form 17",
        source="front desk",
    )
    assert [image.accepted for image in result.images] == [True, False, True]
    assert result.images[1].reasons == ("no_face",)
    profile = result.profile
    assert profile is not None
    assert profile.templates == 2
    assert profile.galleries == ("default",)
    assert profile.state is ProfileState.ACTIVE
    assert profile.consent == "form 17"
    assert before <= profile.created <= datetime.now(UTC)
    assert who(desk, portraits["obama-2009"]) == profile.profile_id
    assert desk.profile(profile.profile_id) == profile


def test_a_picture_is_added_as_the_refusal_of_a_second_enrolment_says(
    desk: GateClient, portraits: dict[str, bytes]
) -> None:
    (obama,) = [p for p in desk.profiles() if p.display_name == "Barack Obama"]
    with pytest.raises(CallError, match="add the pictures to that profile") as caught:
        desk.enrol("B. Obama", [portraits["obama-2009"]])
    assert caught.value.reason == "SAME_PERSON_ENROLLED"
    for _ in range(2):  # the second time it is there
        added = desk.add_picture(obama.profile_id, portraits["obama-2009"], source="desk 2")
        assert (added.accepted, added.reasons) == (True, ())
    assert desk.profile(obama.profile_id).templates == obama.templates + 1
    refused = desk.add_picture(obama.profile_id, pictures.nobody())
    assert (refused.accepted, refused.reasons) == (False, ("no_face",))
    with pytest.raises(CallError) as caught:
        desk.add_picture(obama.profile_id, portraits["collins"])
    assert caught.value.reason == "PICTURES_DISAGREE"


async def test_a_loop_adds_a_picture(
    desk: GateClient, desk_server: ServerProcess, portraits: dict[str, bytes]
) -> None:
    made = desk.enrol("Joe Biden", [portraits["biden-2010"]], profile_id="joe").profile
    assert made is not None
    async with AsyncGateClient(desk_server.address, timeout_s=60) as gate:
        assert (await gate.add_picture("joe", portraits["biden-2010"])).accepted
    assert desk.profile("joe").templates == 1
    desk.erase("joe")


def test_a_taken_id_is_refused(desk: GateClient, portraits: dict[str, bytes]) -> None:
    desk.enrol("Eileen Collins", [portraits["collins"]], profile_id="collins")
    with pytest.raises(CallError) as caught:
        desk.enrol("Somebody Else", [portraits["biden-2010"]], profile_id="collins")
    assert (caught.value.status, caught.value.reason) == ("ALREADY_EXISTS", "PROFILE_EXISTS")
    assert desk.profile("collins").display_name == "Eileen Collins"
    assert desk.profile("collins").templates == 1


def test_pictures_that_are_no_good_enrol_nobody(
    desk: GateClient, portraits: dict[str, bytes]
) -> None:
    count = len(list(desk.profiles()))
    two = pictures.side_by_side(portraits["collins"], portraits["obama-2012"])
    result = desk.enrol("Nobody", [pictures.nobody(), two])
    assert result.profile is None
    assert [image.accepted for image in result.images] == [False, False]
    assert "several_faces" in result.images[1].reasons
    assert len(list(desk.profiles())) == count


def test_galleries_are_searched_as_named(
    desk: GateClient, desk_home: Path, portraits: dict[str, bytes]
) -> None:
    with Gallery.open(Settings(home=desk_home).database_path) as gallery:
        gallery.create_gallery("guests")
        desk.enrol("Joe Biden", [portraits["biden-2010"]], profile_id="biden", galleries=["guests"])
        kept = gallery.reembedder.source("biden").images
        assert list(kept.values()) == [portraits["biden-2010"]]  # as settings say
    assert who(desk, portraits["biden-2010"]) is None
    (face,) = desk.identify(portraits["biden-2010"], galleries=["guests"], main_only=True).faces
    assert face.profile_id == "biden"
    (face,) = desk.identify(
        portraits["biden-2010"], galleries=["default", "guests"], main_only=True
    ).faces
    assert face.profile_id == "biden"
    assert [profile.profile_id for profile in desk.profiles("guests")] == ["biden"]


def test_what_the_command_line_enrols_is_seen_by_the_running_server(
    desk: GateClient, desk_home: Path, portraits: dict[str, bytes], tmp_path: Path
) -> None:
    picture = tmp_path / "picture.jpg"
    picture.write_bytes(portraits["biden-2010"])
    assert who(desk, portraits["biden-2010"]) is None
    # The same face is in the gallery of guests.
    options = ("--id", "from-shell", "--accept-duplicate")
    done = facerec("enroll", "Joe Biden", picture, *options, home=desk_home)
    assert done.returncode == 0, done.stderr
    assert who(desk, portraits["biden-2010"]) == "from-shell"


def test_profiles_come_page_by_page(desk: GateClient, desk_home: Path) -> None:
    with Gallery.open(Settings(home=desk_home).database_path) as gallery:
        gallery.create_gallery("crowd")
        (template,) = gallery.templates("collins")
        for number in range(205):
            gallery.enrol("Extra", [template], galleries=["crowd"], profile_id=f"x{number:03}")
    found = [profile.profile_id for profile in desk.profiles("crowd")]
    assert found == [f"x{number:03}" for number in range(205)]


def test_who_is_suspended_is_not_matched(
    desk: GateClient, desk_home: Path, portraits: dict[str, bytes]
) -> None:
    from facerec.gallery.profile import ProfileState as State

    with Gallery.open(Settings(home=desk_home).database_path) as gallery:
        gallery.set_state("collins", State.SUSPENDED)
        result = desk.verify(portraits["collins"], "collins")
        assert not result.match
        assert result.reasons == ("profile_suspended",)
        assert result.similarity is None
        assert who(desk, portraits["collins"]) is None
        assert desk.profile("collins").state is ProfileState.SUSPENDED
        gallery.set_state("collins", State.ACTIVE)
        assert desk.verify(portraits["collins"], "collins").match
