"""The photographs of the demo: where they come from, and what is known of their rights.

They are fetched out of packages of the Python registry as data, by hash, and are no part of this
project. docs/demo-pictures.md says the same for people to read; a test holds the two together.
"""

from dataclasses import dataclass

from facerec.models.registry_package import PackageFile

__all__ = ["PICTURES", "DemoPicture"]


@dataclass(frozen=True)
class DemoPicture:
    """One photograph.

    Attributes:
        key: Short name within the demo.
        person: Whom it shows.
        file: Where it is fetched from.
        origin: Who took it, where and when, as far as its own caption or its package says.
        rights: Why it may be used.
    """

    key: str
    person: str
    file: PackageFile
    origin: str
    rights: str


_US_GOVERNMENT = (
    "Public domain in the United States: a work of the federal government, made by an employee in "
    "the course of official duties (17 U.S.C. 105)."
)
_WHITE_HOUSE = (
    f"{_US_GOVERNMENT} The caption in the file asks that it not be manipulated and not be used to "
    "suggest approval by the President or the White House; facerec suggests none."
)


def _of_face_recognition(member: str, sha256: str) -> PackageFile:
    return PackageFile(
        package="face-recognition",
        version="1.3.0",
        archive_sha256="5e5efdd1686aa566af0d3cc1313b131e4b197657a8ffd03669e6d3fad92705ec",
        member=f"face_recognition-1.3.0/tests/test_images/{member}",
        member_sha256=sha256,
        source_distribution=True,
    )


PICTURES: tuple[DemoPicture, ...] = (
    DemoPicture(
        key="obama-2012",
        person="Barack Obama",
        file=_of_face_recognition(
            "obama.jpg", "0930e3aa8cae5920329c0c8cbc6a2ab70f47b0e67b432875beaa95cbf7e741f6"
        ),
        origin="Pete Souza, Official White House Photo: portrait sitting in the Oval Office, "
        "6 December 2012.",
        rights=_WHITE_HOUSE,
    ),
    DemoPicture(
        key="obama-2010",
        person="Barack Obama",
        file=_of_face_recognition(
            "obama3.jpg", "76ac6bf97c36dc2da0ad16a537d6a5ac1b10f48d49aac29a0cca9a17cdbc3ca3"
        ),
        origin="Pete Souza, Official White House Photo: Blue Room of the White House, "
        "10 May 2010 (part of a picture of three people).",
        rights=_WHITE_HOUSE,
    ),
    DemoPicture(
        key="obama-2009",
        person="Barack Obama",
        file=_of_face_recognition(
            "obama2.jpg", "a7efcc907375274796f39646510704aa86672d59f6d5469d69af3c85590976a6"
        ),
        origin="Pete Souza, Official White House Photo: address to a joint session of Congress, "
        "9 September 2009.",
        rights=_WHITE_HOUSE,
    ),
    DemoPicture(
        key="biden-2010",
        person="Joe Biden",
        file=_of_face_recognition(
            "biden.jpg", "3c17508bb91554c637a2eabddfae790e5bb1caba93130814fc2ac50be9760c4c"
        ),
        origin="Pete Souza, Official White House Photo: Blue Room of the White House, "
        "10 May 2010 (part of a picture of three people).",
        rights=_WHITE_HOUSE,
    ),
    DemoPicture(
        key="collins",
        person="Eileen Collins",
        file=PackageFile(
            package="scikit-image",
            version="0.26.0",
            archive_sha256="74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af",
            member="skimage/data/astronaut.png",
            member_sha256="88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
            wheel_tags=("--python-version", "3.11", "--platform", "manylinux_2_28_x86_64"),
        ),
        origin="NASA: official portrait of the astronaut (NASA's Great Images, as scikit-image's "
        "documentation of the picture says).",
        rights=f"{_US_GOVERNMENT} scikit-image: no known copyright restrictions.",
    ),
)
