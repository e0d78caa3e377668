"""What came of enrolling one person."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facerec.cli.people_to_enrol import Person
from facerec.decision.enrolment_check import Judgement
from facerec.decision.enrolment_rules import Objection, Resemblance

__all__ = ["EnrolmentResult", "PictureRemark", "problem_of", "result_record"]


@dataclass(frozen=True)
class PictureRemark:
    """What speaks against a picture.

    Attributes:
        image: Its file.
        reasons: Stable words why.
        detail: More about an unreadable file; else "".
    """

    image: Path
    reasons: tuple[str, ...]
    detail: str = ""


@dataclass(frozen=True)
class EnrolmentResult:
    """What came of one person.

    Attributes:
        person: Who.
        profile_id: Their profile; None when they could not be enrolled.
        templates: Templates that the profile now holds.
        rejected: Pictures that were not used.
        accepted: Pictures that were used although something speaks against them.
        already_enrolled: The profile existed, and nothing was added to its templates.
        refusal: The objection for which they were not enrolled; None for another cause, or none.
        problem: Why they could not be enrolled, in words; "" when they are.
        doubles: Who is the same person.
        look_alikes: Who looks nearly the same.
        same_name: Other profiles of the same display name.
        differs: What is held otherwise than the table says, of somebody enrolled before.
        compared: False when new pictures could not be compared with what is enrolled of the person.
    """

    person: Person
    profile_id: str | None
    templates: int = 0
    rejected: tuple[PictureRemark, ...] = ()
    accepted: tuple[PictureRemark, ...] = ()
    already_enrolled: bool = False
    refusal: Objection | None = None
    problem: str = ""
    doubles: tuple[Resemblance, ...] = ()
    look_alikes: tuple[Resemblance, ...] = ()
    same_name: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()
    compared: bool = True

    @property
    def name(self) -> str:
        """Their name."""
        return self.person.name

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the enroller should look at although the person is enrolled, a line each."""
        if self.profile_id is None:
            return ()
        lines = [
            f"the same person is also enrolled as {d.profile_id} (similarity {d.similarity:.2f})"
            for d in self.doubles
        ]
        lines += [
            f"looks nearly like {look.profile_id} (similarity {look.similarity:.2f}): cameras may "
            "not tell them apart; enrol more pictures of both"
            for look in self.look_alikes
        ]
        if not self.compared:
            lines.append(
                "what is enrolled of the person is of another embedding space, so nobody checked "
                "that the new pictures show them"
            )
        if self.same_name:
            lines.append(f"the same name is held by {', '.join(self.same_name)}")
        if self.differs:
            lines.append(
                f"{', '.join(self.differs)} of the table differ from what is held; run: facerec "
                f"profiles update {self.profile_id}"
            )
        return tuple(lines)


def problem_of(judged: Judgement) -> str:
    """Say in words why somebody is refused; "" when they are not."""
    if judged.refusal is Objection.ALREADY_ENROLLED:
        double = judged.doubles[0]
        return (
            f"same person already enrolled as {double.profile_id} (similarity "
            f"{double.similarity:.2f}, threshold {double.threshold:.2f}); add the pictures there "
            f"with: facerec profiles add-pictures {double.profile_id} IMAGE..., or repeat with "
            "--accept-duplicate"
        )
    if judged.refusal is Objection.PICTURES_DISAGREE:
        return (
            "the pictures show different people; leave out what does not belong, or repeat with "
            "--accept-outliers"
        )
    if judged.refusal is Objection.NOT_LIKE_THE_OTHERS:
        return (
            "the pictures do not show the person who is enrolled; check them, or repeat with "
            "--accept-outliers"
        )
    return ""


def result_record(result: EnrolmentResult) -> dict[str, Any]:
    """Return the JSON form of a result."""
    return {
        "profile_id": result.profile_id,
        "name": result.name,
        "external_id": result.person.external_id,
        "line": result.person.line or None,
        "templates": result.templates,
        "already_enrolled": result.already_enrolled,
        "rejected": [_remark_record(remark) for remark in result.rejected],
        "accepted": [_remark_record(remark) for remark in result.accepted],
        "refusal": result.refusal,
        "problem": result.problem,
        "doubles": result.doubles,
        "look_alikes": result.look_alikes,
        "same_name": result.same_name,
        "warnings": result.warnings,
    }


def _remark_record(remark: PictureRemark) -> dict[str, Any]:
    return {"image": str(remark.image), "reasons": remark.reasons, "detail": remark.detail}
