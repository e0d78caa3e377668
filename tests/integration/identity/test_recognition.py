"""1:1 and 1:N through a real server on real faces."""

import asyncio
from pathlib import Path

import cv2
import numpy as np
import pytest

from facerec.client import (
    AsyncGateClient,
    CallError,
    GateClient,
    IdentificationOutcome,
    VerificationOutcome,
)
from tests.integration.identity import pictures
from tests.integration.identity.server_process import ServerProcess


@pytest.mark.parametrize("other", ["obama-2010", "obama-2009"])
def test_the_same_person_matches_a_profile(
    gate: GateClient, portraits: dict[str, bytes], obama: str, other: str
) -> None:
    result = gate.verify(portraits[other], obama)
    assert result.match
    assert result.outcome is VerificationOutcome.MATCH
    assert result.reasons == ()
    assert result.similarity is not None and result.threshold is not None
    assert result.similarity >= result.threshold
    assert result.similarity_fmr is not None
    assert result.similarity_fmr <= result.target_fmr
    assert result.probe_face is not None
    assert result.reference_face is None  # a profile has no picture


@pytest.mark.parametrize("other", ["biden-2010", "collins"])
def test_another_person_does_not(
    gate: GateClient, portraits: dict[str, bytes], obama: str, other: str
) -> None:
    result = gate.verify(portraits[other], obama)
    assert result.outcome is VerificationOutcome.NO_MATCH
    assert result.reasons == ("below_threshold",)
    assert result.similarity is not None and result.threshold is not None
    assert result.similarity < result.threshold
    assert result.similarity_fmr is not None
    assert result.similarity_fmr > result.target_fmr


def test_two_pictures_are_compared(gate: GateClient, portraits: dict[str, bytes]) -> None:
    same = gate.verify(portraits["obama-2010"], portraits["obama-2009"])
    other = gate.verify(portraits["obama-2010"], portraits["biden-2010"])
    assert same.match
    assert not other.match
    assert same.reference_face is not None
    # Which of the two is the probe makes no difference.
    swapped = gate.verify(portraits["obama-2009"], portraits["obama-2010"])
    assert swapped.similarity == pytest.approx(same.similarity, abs=1e-5)


def test_pictures_that_allow_no_answer(gate: GateClient, portraits: dict[str, bytes]) -> None:
    nobody = gate.verify(pictures.nobody(), portraits["obama-2010"])
    assert nobody.outcome is VerificationOutcome.UNDECIDED
    assert nobody.reasons == ("no_face",)
    assert nobody.similarity is None and nobody.probe_face is None
    two = pictures.side_by_side(portraits["obama-2012"], portraits["collins"])
    several = gate.verify(portraits["obama-2010"], two)
    assert several.outcome is VerificationOutcome.UNDECIDED
    assert "several_faces" in several.reasons


def test_an_enrolled_person_is_named(
    gate: GateClient, portraits: dict[str, bytes], obama: str
) -> None:
    result = gate.identify(portraits["obama-2009"], main_only=True)
    (face,) = result.faces
    assert face.outcome is IdentificationOutcome.IDENTIFIED
    assert (face.profile_id, face.display_name) == (obama, "Barack Obama")
    assert face.reasons == ()
    assert face.similarity is not None and face.threshold is not None
    assert face.similarity >= face.threshold
    assert face.margin is None  # nobody else is enrolled
    assert 0 < result.target_fpir < 1


def test_a_stranger_is_unknown(gate: GateClient, portraits: dict[str, bytes], obama: str) -> None:
    (face,) = gate.identify(portraits["collins"], main_only=True).faces
    assert face.outcome is IdentificationOutcome.UNKNOWN
    assert face.profile_id is None and face.display_name is None
    assert face.reasons == ("below_threshold",)


def test_no_face_is_an_answer(gate: GateClient, obama: str) -> None:
    result = gate.identify(pictures.nobody())
    assert result.faces == ()
    assert result.reasons == ("no_face",)


def test_every_face_is_answered_and_lies_where_it_is(
    gate: GateClient, portraits: dict[str, bytes], obama: str
) -> None:
    result = gate.identify(pictures.side_by_side(portraits["obama-2009"], portraits["collins"]))
    border_px = pictures.of_height(pictures.decoded(portraits["obama-2009"]), 480).shape[1]
    named = [f for f in result.faces if f.outcome is IdentificationOutcome.IDENTIFIED]
    unknown = [f for f in result.faces if f.outcome is IdentificationOutcome.UNKNOWN]
    assert [face.profile_id for face in named] == [obama]
    assert named[0].face.box.right_px <= border_px + 20
    assert any(face.face.box.left_px >= border_px - 20 for face in unknown)
    areas = [
        (f.face.box.right_px - f.face.box.left_px) * (f.face.box.bottom_px - f.face.box.top_px)
        for f in result.faces
    ]
    assert areas == sorted(areas, reverse=True)


def test_the_main_face_is_the_largest(
    gate: GateClient, portraits: dict[str, bytes], obama: str
) -> None:
    """A gate sees who stands before it, not who waits behind."""
    near = pictures.of_height(pictures.decoded(portraits["collins"]), 900)
    far = pictures.of_height(pictures.decoded(portraits["obama-2009"]), 300)
    canvas = np.full((900, near.shape[1] + far.shape[1], 3), 128, np.uint8)
    canvas[:, : near.shape[1]] = near
    canvas[: far.shape[0], near.shape[1] :] = far
    everybody = gate.identify(pictures.encoded(canvas))
    main = gate.identify(pictures.encoded(canvas), main_only=True)
    assert len(everybody.faces) >= 2
    assert len(main.faces) == 1
    assert main.faces[0].outcome is IdentificationOutcome.UNKNOWN
    assert main.faces[0].face.box == everybody.faces[0].face.box


def test_a_poor_picture_is_undecided(
    gate: GateClient, portraits: dict[str, bytes], obama: str
) -> None:
    dark = (pictures.decoded(portraits["obama-2009"]) * 0.04).astype(np.uint8)
    blurred = cv2.GaussianBlur(dark, (0, 0), 9)
    for face in gate.identify(pictures.encoded(blurred)).faces:
        assert face.outcome is IdentificationOutcome.UNDECIDED
        assert face.reasons
        assert face.profile_id is None


def test_exif_orientation_is_honoured(
    gate: GateClient, portraits: dict[str, bytes], obama: str
) -> None:
    upright = gate.identify(portraits["obama-2012"], main_only=True).faces[0]
    turned = gate.identify(pictures.exif_rotated(portraits["obama-2012"]), main_only=True).faces[0]
    assert turned.profile_id == obama
    assert turned.face.box.left_px == pytest.approx(upright.face.box.left_px, abs=5)
    assert turned.face.box.top_px == pytest.approx(upright.face.box.top_px, abs=5)


@pytest.mark.parametrize(
    "variant", [pictures.cmyk, pictures.transparent, pictures.sixteen_bit], ids=lambda f: f.__name__
)
def test_unusual_but_whole_pictures_are_taken(
    gate: GateClient, portraits: dict[str, bytes], obama: str, variant: object
) -> None:
    assert callable(variant)
    (face,) = gate.identify(variant(portraits["obama-2012"]), main_only=True).faces
    assert face.profile_id == obama


async def test_the_asyncio_client_answers_the_same(
    server: ServerProcess, gate: GateClient, portraits: dict[str, bytes], obama: str
) -> None:
    async with AsyncGateClient(server.address, timeout_s=60) as client:
        verified, identified = await asyncio.gather(
            client.verify(portraits["obama-2010"], obama),
            client.identify(portraits["collins"], main_only=True),
        )
        assert (await client.profile(obama)).display_name == "Barack Obama"
        assert obama in [profile.profile_id async for profile in client.profiles()]
        with pytest.raises(CallError) as caught:
            await client.verify(portraits["collins"], "nobody-of-that-id")
    assert caught.value.status == "NOT_FOUND"
    assert verified.match
    assert identified.faces[0].outcome is IdentificationOutcome.UNKNOWN


def test_pairs_of_lfw(gate: GateClient, data_dir: Path) -> None:
    """Ten mated and ten non-mated pairs of the first fold, as the protocol file lists them."""
    folder = data_dir / "lfw_dev"
    lines = [line.split() for line in (folder / "pairs.txt").read_text("utf-8").splitlines()]
    mated = [line for line in lines if len(line) == 3][:10]
    others = [line for line in lines if len(line) == 4][:10]

    def picture(name: str, number: str) -> bytes:
        return next(folder.rglob(f"{name}_{int(number):04}.jpg")).read_bytes()

    same = [gate.verify(picture(n, a), picture(n, b)) for n, a, b in mated]
    different = [gate.verify(picture(n, a), picture(m, b)) for n, a, m, b in others]
    assert not any(result.match for result in different)
    # 1 in 5 may be undecided (several faces, poor quality) or under the threshold.
    assert sum(result.match for result in same) >= 8
