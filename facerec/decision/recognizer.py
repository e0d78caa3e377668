"""Asking a gallery about faces: search, then policy."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facerec.analysis.faces import Faces
from facerec.analysis.stages import Stage, StageObserver, unobserved
from facerec.decision import policy
from facerec.decision.decision import Decision, Reason
from facerec.decision.operating_point import OperatingPoint
from facerec.decision.quality_gate import face_flaws, the_one_face
from facerec.decision.verification import Verification, VerificationOutcome
from facerec.errors import ArrayError
from facerec.gallery.gallery import Gallery
from facerec.gallery.profile import ProfileState

__all__ = ["Recognizer"]


@dataclass(frozen=True)
class Recognizer:
    """Decides about analysed faces at stated error rates.

    Attributes:
        operating_point: Rates of the space that the faces are embedded in.
        target_fpir: 1:N: share of strangers' probes that may name anybody.
        target_fmr: 1:1: share of comparisons of different people that may match.
        min_margin: 1:N: least lead over the second-best person.
        min_quality: Least overall quality, 0..1.
        observe: Told of each search and decision as it begins and ends.
    """

    operating_point: OperatingPoint
    target_fpir: float
    target_fmr: float
    min_margin: float
    min_quality: float
    observe: StageObserver = unobserved

    @property
    def embedding_space(self) -> str:
        """Space that faces must be embedded in."""
        return self.operating_point.embedding_space

    def identify(
        self, faces: Faces, gallery: Gallery, galleries: Sequence[str]
    ) -> tuple[Decision, ...]:
        """Decide who each of n assessed and embedded faces is.

        Raises:
            ArrayError: the faces have not been embedded.
            GalleryNotFoundError: no gallery has a given name.
            EmbeddingSpaceError: people are enrolled there, but nobody in this space.
        """
        if faces.embeddings is None:
            raise ArrayError("faces must have been embedded before they are identified")
        decisions = tuple(
            self._decide(faces, index, gallery, galleries) for index in range(len(faces.embeddings))
        )
        for decision in decisions:
            if decision.profile_id is not None:
                gallery.life_cycle.note_seen(decision.profile_id)
        return decisions

    def _decide(
        self, faces: Faces, index: int, gallery: Gallery, galleries: Sequence[str]
    ) -> Decision:
        """Decide who one of several embedded faces is."""
        embedding = np.asarray(faces.embeddings)[index]
        with self.observe(Stage.SEARCH):
            candidates = gallery.search(
                embedding, embedding_space=self.embedding_space, galleries=galleries, k=2
            )
        with self.observe(Stage.DECIDE):
            return policy.identify(
                candidates,
                operating_point=self.operating_point,
                target_fpir=self.target_fpir,
                min_margin=self.min_margin,
                flaws=face_flaws(faces, index, min_quality=self.min_quality),
            )

    def verify_profile(
        self, probe: Faces, gallery: Gallery, profile_id: str, *, largest: bool = False
    ) -> Verification:
        """Decide whether a picture shows an enrolled person.

        Args:
            probe: The assessed and embedded faces of the picture.
            gallery: Where the person is enrolled.
            profile_id: Who they are said to be.
            largest: Take the largest face although others are nearly as large.

        Raises:
            ProfileNotFoundError: no profile has that id.
            EmbeddingSpaceError: the person is enrolled, but not in this space.
        """
        if gallery.get(profile_id).state is not ProfileState.ACTIVE:
            return self.verify_suspended()
        index, reasons = the_one_face(probe, min_quality=self.min_quality, largest=largest)
        similarity = None
        with self.observe(Stage.SEARCH):
            references = gallery.references(profile_id, self.embedding_space)
        if index is not None and probe.embeddings is not None:
            similarity = gallery.score.of(references, probe.embeddings[index])
        verification = self._verify(similarity, reasons, len(references))
        if verification.match:
            gallery.life_cycle.note_seen(profile_id)
        return verification

    def verify_pictures(
        self, first: Faces, second: Faces, *, largest: bool = False
    ) -> Verification:
        """Decide whether two pictures, each given by its embedded faces, show the same person."""
        chosen = [
            the_one_face(faces, min_quality=self.min_quality, largest=largest)
            for faces in (first, second)
        ]
        (i, _), (j, _) = chosen
        similarity = None
        if i is not None and j is not None:
            if first.embeddings is None or second.embeddings is None:
                raise ArrayError("faces must have been embedded before they are compared")
            similarity = float(first.embeddings[i] @ second.embeddings[j])
        reasons = dict.fromkeys(reason for _, found in chosen for reason in found)
        return self._verify(similarity, tuple(reasons))

    def verify_suspended(self) -> Verification:
        """Return the answer to every claim to be a suspended person."""
        threshold = self.operating_point.threshold_at_fmr(self.target_fmr)
        reasons = (Reason.PROFILE_SUSPENDED,)
        return Verification(
            VerificationOutcome.NO_MATCH,
            None,
            threshold,
            self.target_fmr,
            reasons,
            self.operating_point.name,
            self.embedding_space,
        )

    def _verify(
        self, similarity: float | None, reasons: tuple[Reason, ...], references: int = 1
    ) -> Verification:
        with self.observe(Stage.DECIDE):
            return policy.verify(
                similarity,
                operating_point=self.operating_point,
                target_fmr=self.target_fmr,
                flaws=reasons,
                references=references,
            )
