"""Decides whether a gate opens for whoever stands before it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from facerec.analysis.faces import Faces
from facerec.decision.decision import Outcome, Reason
from facerec.errors import GateNotFoundError, ProfileNotFoundError
from facerec.gallery.profile import Profile, ProfileState
from facerec.settings import GateSettings
from facerec_identity.face_reader import RequestImage
from facerec_identity.recognition import Recognition
from facerec_identity.worker_pool import CallGuard

__all__ = ["Authorization", "AuthorizationOutcome", "Gatekeeper"]


class AuthorizationOutcome(StrEnum):
    """What a gate is told."""

    GRANTED = "granted"
    DENIED = "denied"
    UNKNOWN = "unknown"
    RETRY = "retry"


@dataclass(frozen=True, eq=False)
class Authorization:
    """The answer to a gate.

    Attributes:
        outcome: The answer.
        reasons: Why it is UNKNOWN or RETRY, most important first.
        profile: The person, when GRANTED or DENIED.
        operating_point: Name of the operating point that was decided at.
        target_fpir: Rate that was decided at.
        faces: The face that was searched; empty when there was none.
    """

    outcome: AuthorizationOutcome
    reasons: tuple[Reason, ...]
    profile: Profile | None
    operating_point: str
    target_fpir: float
    faces: Faces


@dataclass(frozen=True)
class Gatekeeper:
    """Knows the gates and who may pass them; safe to use from several threads.

    Attributes:
        recognition: Tells who people are.
        gates: The gates by name.
    """

    recognition: Recognition
    gates: Mapping[str, GateSettings]

    def require(self, gate: str) -> GateSettings:
        """Return a gate.

        Raises:
            GateNotFoundError: no gate has that name.
        """
        if gate not in self.gates:
            raise GateNotFoundError(f"there is no gate {gate!r}; its operator sets gates up")
        return self.gates[gate]

    def authorize(self, gate: str, image: RequestImage, guard: CallGuard) -> Authorization:
        """Tell whether a gate opens for the largest face of a picture.

        Raises:
            GateNotFoundError: no gate has that name.
            RequestImageError: the bytes are not a picture that can be taken.
            GalleryNotFoundError: the gate names a gallery that there is not.
            EmbeddingSpaceError: the people there were enrolled with other networks.
            DeadlineError: the caller no longer waits.
        """
        policy = self.require(gate)
        galleries = list(dict.fromkeys((*policy.galleries, *policy.known_galleries)))
        found = self.recognition.identify(image, guard, galleries=galleries, main_only=True)
        outcome, profile = AuthorizationOutcome.RETRY, None
        reasons: tuple[Reason, ...] = (Reason.NO_FACE,)
        if found.decisions:
            decision = found.decisions[0]
            reasons = decision.reasons
            if decision.outcome is Outcome.UNKNOWN:
                outcome = AuthorizationOutcome.UNKNOWN
            elif decision.outcome is Outcome.IDENTIFIED and decision.profile_id is not None:
                outcome, profile = self._passing(decision.profile_id, policy)
        return Authorization(
            outcome=outcome,
            reasons=reasons,
            profile=profile,
            operating_point=self.recognition.recognizer.operating_point.name,
            target_fpir=found.target_fpir,
            faces=found.faces,
        )

    def _passing(
        self, profile_id: str, policy: GateSettings
    ) -> tuple[AuthorizationOutcome, Profile | None]:
        """Look at the person as they are stored now, which may have changed since the search."""
        try:
            profile = self.recognition.gallery.get(profile_id)
        except ProfileNotFoundError:
            return AuthorizationOutcome.UNKNOWN, None
        admitted = profile.state is ProfileState.ACTIVE and set(profile.galleries) & set(
            policy.galleries
        )
        outcome = AuthorizationOutcome.GRANTED if admitted else AuthorizationOutcome.DENIED
        return outcome, profile
