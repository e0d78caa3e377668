"""Holding a newcomer against everybody who is enrolled before anything is stored."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from facerec.decision.enrolment_rules import (
    EnrolmentRules,
    Objection,
    OwnPictures,
    Resemblance,
    Thresholds,
    agreement,
    doubles,
    look_alikes,
    own_similarity,
    thresholds,
)
from facerec.decision.operating_point import OperatingPoint
from facerec.errors import EmbeddingSpaceError
from facerec.gallery.gallery import Gallery
from facerec.gallery.new_doubles import Compared
from facerec.gallery.profile import NewTemplate

__all__ = ["EnrolmentCheck", "Judgement", "Overrides"]

_MOST_ALIKE = 3
"""People asked for a picture: the person, when they are enrolled already, and two others."""


@dataclass(frozen=True)
class Overrides:
    """Which objections the enroller has seen and decided against.

    Attributes:
        double: The person is not the one who is enrolled already (a twin), or is to be twice.
        outliers: All pictures show the person, although they do not look alike.
    """

    double: bool = False
    outliers: bool = False


@dataclass(frozen=True, eq=False)
class Judgement:
    """What is to become of an enrolment.

    Attributes:
        templates: What to store, with what was overridden noted in each; empty when refused.
        refusal: Why nobody may be enrolled; None when they may.
        outliers: Positions, among the templates that were judged, of those not like the others.
        doubles: Who is the same person, most alike first.
        look_alikes: Who looks nearly the same, most alike first.
        same_name: Other profiles of the same display name.
        accepted: What was overridden.
        compared: False when what is enrolled of the person is of another embedding space, so that
            nothing says whether the pictures show them.
        against: With whom newcomers were compared, for whoever stores them to notice that somebody
            was enrolled since; None when a double was to be overridden.
    """

    templates: tuple[NewTemplate, ...]
    refusal: Objection | None = None
    outliers: tuple[int, ...] = ()
    doubles: tuple[Resemblance, ...] = ()
    look_alikes: tuple[Resemblance, ...] = ()
    same_name: tuple[str, ...] = ()
    accepted: tuple[Objection, ...] = ()
    compared: bool = True
    against: Compared | None = None


@dataclass(frozen=True)
class EnrolmentCheck:
    """Judges enrolments into one gallery; safe to use from several threads.

    Attributes:
        gallery: Everybody in it, in all galleries, is compared with; those who are suspended or
            outside their validity too.
        operating_point: Rates of the space that pictures are embedded in.
        rules: At what rates enrolments are held to be mistakes.
    """

    gallery: Gallery
    operating_point: OperatingPoint
    rules: EnrolmentRules

    def least_of_note(self, pictures: int) -> float:
        """Return the similarity below which nobody concerns a newcomer with so many pictures."""
        limits = self._limits(pictures)
        return min(limits.same_person, limits.look_alike - self.rules.min_margin)

    def judge(
        self,
        templates: Sequence[NewTemplate],
        *,
        name: str,
        profile_id: str | None = None,
        overrides: Overrides = Overrides(),
    ) -> Judgement:
        """Judge the templates of a newcomer, or further ones of somebody enrolled.

        Args:
            templates: At least one, of the space of `operating_point`.
            name: Display name.
            profile_id: The profile that they are added to; None for a new one.
            overrides: What the enroller has decided against.

        Raises:
            EmbeddingSpaceError: they are of another space.
            OperatingPointError: a rate of the rules is not between 0 and 1.
        """
        revision = self.gallery.revision  # before anybody is compared with
        same_name = tuple(i for i in self.gallery.enrolling.named(name) if i != profile_id)
        pictures = self._pictures(templates, profile_id, overrides)
        if pictures.refusal is not None:
            return Judgement((), pictures.refusal, pictures.own.outliers, same_name=same_name)
        judged = self._held_against_others(templates, pictures, profile_id, overrides)
        against = None if overrides.double else Compared(revision, pictures.limits.same_person)
        return replace(judged, same_name=same_name, against=against)

    def _held_against_others(
        self,
        templates: Sequence[NewTemplate],
        pictures: "_Pictures",
        profile_id: str | None,
        overrides: Overrides,
    ) -> Judgement:
        """Judge pictures that agree by who else is enrolled."""
        limits = pictures.limits
        others = self._others(pictures.newcomers(), profile_id)
        found = doubles(others, limits)
        accepted = _accepted(pictures.own, bool(found), overrides)
        refused = bool(found) and not overrides.double
        return Judgement(
            templates=() if refused else _noted(templates, pictures, accepted),
            refusal=Objection.ALREADY_ENROLLED if refused else None,
            outliers=pictures.own.outliers,
            doubles=found,
            look_alikes=look_alikes(others, limits, pictures.likeness(), self.rules.min_margin),
            accepted=accepted,
            compared=profile_id is None or bool(pictures.held),
        )

    def _pictures(
        self, templates: Sequence[NewTemplate], profile_id: str | None, overrides: Overrides
    ) -> "_Pictures":
        """Compare the pictures with each other and with what is enrolled of the person."""
        held = self._held(profile_id)
        vectors = np.stack([*held, *(self._vector(template) for template in templates)])
        limits = self._limits(len(templates))
        alike = np.asarray(vectors @ vectors.T, np.float32)
        own = agreement(alike, limits.own_pictures, enrolled=len(held))
        kept = [i for i in range(len(templates)) if overrides.outliers or i not in own.outliers]
        refusal = None
        if not (own.agree or overrides.outliers):
            refusal = Objection.PICTURES_DISAGREE
        elif not kept:  # of further pictures none shows the person who is enrolled
            refusal = Objection.NOT_LIKE_THE_OTHERS
        return _Pictures(vectors, len(held), alike, limits, own, tuple(kept), refusal)

    def _vector(self, template: NewTemplate) -> NDArray[np.float32]:
        space = self.operating_point.embedding_space
        if template.embedding_space != space:
            raise EmbeddingSpaceError(
                f"templates of the embedding space {template.embedding_space} cannot be judged at "
                f"rates of {space}; set analysis.embedder to the network of that space"
            )
        return template.embedding

    def _held(self, profile_id: str | None) -> list[NDArray[np.float32]]:
        if profile_id is None:
            return []
        space = self.operating_point.embedding_space
        held = self.gallery.templates(profile_id)
        return [template.embedding for template in held if template.embedding_space == space]

    def _limits(self, pictures: int) -> Thresholds:
        templates = self.gallery.enrolling.templates()
        return thresholds(self.operating_point, self.rules, templates=templates, pictures=pictures)

    def _others(self, probes: NDArray[np.float32], profile_id: str | None) -> dict[str, float]:
        """Return the people most like any of the probes, but the person themself.

        Everybody is compared with who was enrolled when this is called, also by those whose
        enrolment is committed and not acknowledged yet: searches of others may pass over them.
        """
        found: dict[str, float] = {}
        galleries = self.gallery.galleries()
        revision = self.gallery.revision  # asked last, so that it has all those galleries
        for probe in probes:
            for who, similarity in self._most_alike(probe, galleries, revision):
                found[who] = max(similarity, found.get(who, -1.0))
        found.pop(profile_id or "", None)
        return found

    def _most_alike(
        self, probe: NDArray[np.float32], galleries: Sequence[str], revision: int
    ) -> list[tuple[str, float]]:
        space = self.operating_point.embedding_space
        dormant = list(self.gallery.enrolling.most_alike_dormant(probe, space))
        try:
            candidates = self.gallery.search(
                probe,
                embedding_space=space,
                galleries=galleries,
                k=_MOST_ALIKE,
                min_revision=revision,
            )
        except EmbeddingSpaceError:  # all who may be matched are enrolled in other spaces
            return dormant
        similarities = [float(similarity) for similarity in candidates.similarities]
        return [*zip(candidates.profile_ids, similarities, strict=True), *dormant]


@dataclass(frozen=True, eq=False)
class _Pictures:
    """What the pictures of one person say of each other.

    Attributes:
        vectors: float32 (n, d), unit length: what is enrolled of the person, then the new ones.
        held: How many are enrolled.
        alike: float32 (n, n): their similarities.
        limits: What they were held against.
        own: Whether they agree.
        kept: Positions, among the new ones, of those to enrol.
        refusal: Why none of them may be; None when they may.
    """

    vectors: NDArray[np.float32]
    held: int
    alike: NDArray[np.float32]
    limits: Thresholds
    own: OwnPictures
    kept: tuple[int, ...]
    refusal: Objection | None

    def newcomers(self) -> NDArray[np.float32]:
        """Return the vectors to enrol, float32 (k, d)."""
        return self.vectors[[self.held + i for i in self.kept]]

    def likeness(self) -> float | None:
        """Return `own_similarity` of what is enrolled and what is to be."""
        rows = [*range(self.held), *(self.held + i for i in self.kept)]
        return own_similarity(self.alike[np.ix_(rows, rows)])


def _accepted(own: OwnPictures, double: bool, overrides: Overrides) -> tuple[Objection, ...]:
    """Return the objections that there were and that the enroller overrode."""
    objections = {
        Objection.PICTURES_DISAGREE: overrides.outliers and not own.agree,
        Objection.NOT_LIKE_THE_OTHERS: overrides.outliers and bool(own.outliers),
        Objection.ALREADY_ENROLLED: overrides.double and double,
    }
    return tuple(objection for objection, overridden in objections.items() if overridden)


def _noted(
    templates: Sequence[NewTemplate], pictures: _Pictures, accepted: Sequence[Objection]
) -> tuple[NewTemplate, ...]:
    """Write what was overridden into the templates to store: an outlier's into it alone."""
    noted, outliers = [], pictures.own.outliers
    for i in pictures.kept:
        theirs = [a for a in accepted if a != Objection.NOT_LIKE_THE_OTHERS or i in outliers]
        words = dict.fromkeys([*templates[i].accepted, *(word.value for word in theirs)])
        noted.append(replace(templates[i], accepted=tuple(words)))
    return tuple(noted)
