"""Answers 1:1 and 1:N questions about the pictures of requests."""

from collections.abc import Sequence
from dataclasses import dataclass

from facerec.analysis.faces import Faces
from facerec.decision.decision import Decision, Reason
from facerec.decision.recognizer import Recognizer
from facerec.decision.verification import Verification, VerificationOutcome
from facerec.errors import ProfileNotFoundError
from facerec.gallery.gallery import Gallery
from facerec.gallery.profile import ProfileState
from facerec_identity.face_reader import FaceReader, RequestImage
from facerec_identity.worker_pool import CallGuard

__all__ = ["Comparison", "Identification", "Recognition"]

_TWO_LARGEST = 2
"""For 1:1 the largest face counts, and the second only as its rival."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """The answer to a 1:1 question.

    Attributes:
        verification: The decision.
        similarity_fmr: False match rate of a threshold at the similarity; None without one.
        probe: The probe's faces, largest first.
        reference: The reference picture's faces, largest first; empty when there was no picture.
    """

    verification: Verification
    similarity_fmr: float | None
    probe: Faces
    reference: Faces


@dataclass(frozen=True, eq=False)
class Identification:
    """The answer to a 1:N question about the faces of one picture.

    Attributes:
        faces: The selected faces, largest first.
        decisions: One a face.
        names: Display name of the identified person a face; "" when nobody was.
        target_fpir: False positive identification rate that the decisions were made at.
    """

    faces: Faces
    decisions: tuple[Decision, ...]
    names: tuple[str, ...]
    target_fpir: float


@dataclass(frozen=True)
class Recognition:
    """Verifies and identifies; safe to use from several threads.

    Attributes:
        reader: Reads the faces of pictures.
        gallery: Who is enrolled.
        recognizer: Decides.
    """

    reader: FaceReader
    gallery: Gallery
    recognizer: Recognizer

    def identify(
        self, image: RequestImage, guard: CallGuard, *, galleries: Sequence[str], main_only: bool
    ) -> Identification:
        """Tell who the faces of a picture are, if anybody.

        Args:
            image: The picture.
            guard: Checked between the stages.
            galleries: Names of the galleries to search, at least one.
            main_only: Search only the largest face.

        Raises:
            RequestImageError: the bytes are not a picture that can be taken.
            GalleryNotFoundError: no gallery has a given name.
            EmbeddingSpaceError: the people there were enrolled with other networks.
            DeadlineError: the caller no longer waits.
        """
        self.gallery.require_galleries(galleries)
        faces = self.reader.read(image, guard, most=1 if main_only else None)
        guard.check()
        decisions = self.recognizer.identify(faces, self.gallery, galleries)
        return Identification(
            faces=faces,
            decisions=decisions,
            names=tuple(self._name(decision) for decision in decisions),
            target_fpir=self.recognizer.target_fpir,
        )

    def verify_profile(self, probe: RequestImage, profile_id: str, guard: CallGuard) -> Comparison:
        """Tell whether a picture shows an enrolled person.

        Raises:
            RequestImageError: the bytes are not a picture that can be taken.
            ProfileNotFoundError: no profile has that id.
            EmbeddingSpaceError: the person was enrolled with other networks.
            DeadlineError: the caller no longer waits.
        """
        if self.gallery.get(profile_id).state is not ProfileState.ACTIVE:
            return Comparison(self._suspended(), None, Faces.empty(), Faces.empty())
        faces = self.reader.read(probe, guard, most=_TWO_LARGEST)
        verification = self.recognizer.verify_profile(faces, self.gallery, profile_id)
        return self._comparison(verification, faces, Faces.empty())

    def verify_images(
        self, probe: RequestImage, reference: RequestImage, guard: CallGuard
    ) -> Comparison:
        """Tell whether two pictures show the same person.

        Raises:
            RequestImageError: the bytes of either are not a picture that can be taken.
            DeadlineError: the caller no longer waits.
        """
        faces = self.reader.read(probe, guard, most=_TWO_LARGEST)
        guard.check()
        others = self.reader.read(reference, guard, most=_TWO_LARGEST)
        return self._comparison(self.recognizer.verify_pictures(faces, others), faces, others)

    def _comparison(self, verification: Verification, probe: Faces, other: Faces) -> Comparison:
        similarity = verification.similarity
        rate = None
        if similarity is not None:
            rate = self.recognizer.operating_point.fmr_at(similarity)
        return Comparison(verification, rate, probe, other)

    def _suspended(self) -> Verification:
        target = self.recognizer.target_fmr
        return Verification(
            outcome=VerificationOutcome.NO_MATCH,
            similarity=None,
            threshold=self.recognizer.operating_point.threshold_at_fmr(target),
            fmr=target,
            reasons=(Reason.PROFILE_SUSPENDED,),
        )

    def _name(self, decision: Decision) -> str:
        if decision.profile_id is None:
            return ""
        try:
            return self.gallery.names.of(decision.profile_id)
        except ProfileNotFoundError:  # erased since the search
            return ""
