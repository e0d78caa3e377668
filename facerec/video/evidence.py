"""What the frames of one track say together about who it is.

Pure: no clock, no gallery, no network. The monitor asks `wants` whether a frame is worth embedding,
searches the gallery with `fused_with`, tells `add` what came back, and reads `verdict`.
"""

from dataclasses import dataclass, replace
from math import ceil

import numpy as np
from numpy.typing import NDArray

from facerec.decision.decision import Decision, Outcome, Reason
from facerec.video.sequential_test import SequentialEvidence, effective_looks

__all__ = ["EvidenceRules", "FusedProbe", "TrackEvidence", "Verdict"]

_TICK_S = 1e-3
"""Frame times are rounded to this by containers, so that times are compared with this slack."""
_LEAST_SHARE = 0.5
"""Share of an attempt's time that a stranger is given at least: looks follow each other so closely
that who turns away for a moment does so in several of them."""
_AGAIN_FACTOR = 3.0
"""By this factor looks lie further apart when an attempt before allowed no answer: whoever stays
undecided costs little more than whoever is decided about."""
_LEAST_WEIGHT = 1e-3
"""A face of quality 0 (where rules allow one) still has a direction."""


@dataclass(frozen=True)
class EvidenceRules:
    """When a track's evidence is enough.

    Attributes:
        decide_after_frames: Successive looks that must agree on a person, 1 or more. A look is a
            usable frame (whose face is fit for comparison) that was embedded and searched.
        stranger_after_s: Time limit of an attempt, seconds of looks; above 0.
        look_every_s: Least time between two looks, above 0. Neighbouring frames repeat each
            other: they cost time and add chances to be mistaken, but hardly any evidence. Three
            times as long when an attempt before allowed no answer.
        reopen_at_quality_gain: A stranger's track is looked at again when a face is better by this
            factor than all that were used: who was far away may step up to the gate. Above 1.
    """

    decide_after_frames: int
    stranger_after_s: float
    look_every_s: float
    reopen_at_quality_gain: float = 1.25

    @property
    def looks_per_attempt(self) -> int:
        """Looks that an attempt of `stranger_after_s` has at most."""
        looks = ceil((self.stranger_after_s - _TICK_S) / self.look_every_s) + 1
        return max(self.decide_after_frames, looks)

    @property
    def effective_looks(self) -> float:
        """Independent looks that an attempt is worth at most: chances to be mistaken."""
        return effective_looks(self.looks_per_attempt)


@dataclass(frozen=True)
class Verdict:
    """What was decided about a track, and when.

    Attributes:
        decision: Outcome, person, similarity, threshold and reasons of the fused probe.
        first_seen_s: Source clock of the track's first frame.
        decided_s: Source clock of the frame that decided.
        frames: Usable frames that the decision rests on.
        evidence: For the best candidate; None where no likelihoods are known.
    """

    decision: Decision
    first_seen_s: float
    decided_s: float
    frames: int
    evidence: SequentialEvidence | None = None

    @property
    def latency_s(self) -> float:
        """Seconds from the first sight of the face to the decision."""
        return self.decided_s - self.first_seen_s


@dataclass(frozen=True, eq=False)
class FusedProbe:
    """Several looks at one face as one probe.

    Attributes:
        direction: float32 (d,), unit length: the mean of the looks' embeddings, weighted by
            quality.
        coherence: Length of that mean, 0..1; 1 when all looks agree. The cosine similarity of
            `direction` to a template, times this, is the weighted mean of the looks' own
            similarities to it.
        looks: How many.
        quality: Their mean overall quality, 0..1.
        attempt: Which attempt on its track this is, from 1: each is one more chance to be mistaken.
    """

    direction: NDArray[np.float32]
    coherence: float
    looks: int = 1
    quality: float = 1.0
    attempt: int = 1


@dataclass(frozen=True, eq=False)
class _Window:
    """One attempt: the looks since the track was opened (or reopened).

    Attributes:
        weighted_sum: float64 (d,), sum of quality times embedding.
        weight: Sum of the qualities.
        frames: How many frames are in it.
        first_s: Source clock of the first of them.
        last_s: Source clock of the last of them.
        agreed_on: Person whom the last `agreeing` frames each found first; None in an empty
            gallery.
        agreeing: Length of that run.
        fused: Decision about the fused probe of all frames.
        evidence: For its best candidate; None where no likelihoods are known.
        is_over: The attempt had its time and allowed no answer; the next look begins another.
        is_repeated: The attempt before it had its time and allowed no answer.
    """

    weighted_sum: NDArray[np.float64]
    weight: float
    frames: int
    first_s: float
    last_s: float
    agreed_on: str | None
    agreeing: int
    fused: Decision
    evidence: SequentialEvidence | None
    is_over: bool = False
    is_repeated: bool = False

    @property
    def allows_a_name(self) -> bool:
        """Whether the evidence passes the upper bound, where it is known."""
        return self.evidence is None or self.evidence.is_person


@dataclass(frozen=True, eq=False)
class TrackEvidence:
    """The evidence of one track so far; every change returns a new value.

    A person is named when the evidence, which is that of the mean of the looks' similarities,
    weighted by quality, passes the upper bound, the second-best person is far enough behind, and
    `decide_after_frames` successive looks each found that person first. A stranger is told when the
    evidence for the best candidate passes the lower bound (see `facerec.video.sequential_test`).
    Where the operating point knows no likelihoods, similarity is held against its threshold alone.

    Looks come in attempts of at most `stranger_after_s`. One that ends between the bounds, or that
    finds two people nearly alike, is undecided, which is told once, and is followed by another. As
    each is a chance to be mistaken, later ones ask for more (`FusedProbe.attempt`).

    When a mean reaches a threshold, so would have about one look alone: looks at the same stranger
    differ little. An attempt of L looks therefore names a stranger with hardly more than the chance
    of a single search, and whoever asks the gallery must search at the rate allowed divided by what
    L looks are worth (`EvidenceRules.effective_looks`). Cosine similarity to the mean itself would
    not do: averaging takes noise away and brings everybody closer, strangers too.

    Attributes:
        rules: When evidence is enough.
        first_seen_s: Source clock of the track's first frame.
        window: The attempt under way; None before the first look and while closed.
        best_quality: Highest overall quality used since the track began.
        attempts: How many were begun.
        verdict: What was decided. A person never changes; a stranger may become a person, and
            undecided may become either.
    """

    rules: EvidenceRules
    first_seen_s: float
    window: _Window | None = None
    best_quality: float = 0.0
    attempts: int = 0
    verdict: Verdict | None = None

    @property
    def frames(self) -> int:
        """Usable frames under consideration now."""
        return self.window.frames if self.window is not None else 0

    @property
    def latest(self) -> Decision | None:
        """What the looks so far come to; None before the first frame."""
        return self.window.fused if self.window is not None else self._decided

    @property
    def direction(self) -> NDArray[np.float32] | None:
        """Mean of the looks under consideration, float32 (d,), unit length; None without any."""
        if self.window is None:
            return None
        total = self.window.weighted_sum
        return (total / max(float(np.linalg.norm(total)), 1e-12)).astype(np.float32)

    @property
    def _decided(self) -> Decision | None:
        return self.verdict.decision if self.verdict is not None else None

    def wants(self, quality: float, clock_s: float) -> bool:
        """Tell whether a face fit for comparison, of this overall quality, is worth a look now."""
        if self.window is not None:
            again = self.window.is_over or self.window.is_repeated
            every_s = self.rules.look_every_s * (_AGAIN_FACTOR if again else 1.0)
            return clock_s - self.window.last_s >= every_s - _TICK_S
        if self.verdict is None:
            return True
        if self.verdict.decision.outcome is Outcome.IDENTIFIED:
            return False
        return quality >= self.best_quality * self.rules.reopen_at_quality_gain

    def fused_with(self, embedding: NDArray[np.float32], quality: float) -> FusedProbe:
        """Return the fused probe as it will be with this look.

        Args:
            embedding: float32 (d,), unit length.
            quality: Overall quality of its face, 0..1.
        """
        old = self._under_way
        total, weight = _weighted(embedding, quality)
        if old is not None:
            total, weight = total + old.weighted_sum, weight + old.weight
        length = float(np.linalg.norm(total))
        direction = (total / max(length, 1e-12)).astype(np.float32)
        looks = 1 + (old.frames if old is not None else 0)
        attempt = self.attempts + (1 if old is None else 0)
        quality = min(1.0, weight / looks)
        return FusedProbe(direction, min(1.0, length / weight), looks, quality, attempt)

    def add(
        self,
        embedding: NDArray[np.float32],
        quality: float,
        *,
        clock_s: float,
        nearest: str | None,
        fused: Decision,
        evidence: SequentialEvidence | None = None,
    ) -> "TrackEvidence":
        """Take in one usable frame.

        Args:
            embedding: float32 (d,), unit length, of this frame's face.
            quality: Its overall quality, 0..1; one that `wants` accepted.
            clock_s: Source clock of the frame.
            nearest: Person whom this frame alone finds first; None in an empty gallery.
            fused: Decision about `fused_with(embedding, quality)`.
            evidence: What that is worth; None where no likelihoods are known.

        Returns:
            The evidence with the frame; its `verdict` is new if the frame decided.
        """
        old = self._under_way
        total, weight = _weighted(embedding, quality)
        window = _Window(
            total if old is None else old.weighted_sum + total,
            weight if old is None else old.weight + weight,
            frames=1 + (old.frames if old is not None else 0),
            first_s=old.first_s if old is not None else clock_s,
            last_s=clock_s,
            agreed_on=nearest,
            agreeing=1 + (old.agreeing if old is not None and old.agreed_on == nearest else 0),
            fused=fused,
            evidence=evidence,
            is_repeated=self.window is not None
            and (self.window.is_over or self.window.is_repeated),
        )
        grown = replace(
            self,
            window=window,
            best_quality=max(self.best_quality, quality),
            attempts=self.attempts + (1 if old is None else 0),
        )
        return grown._judged(window, clock_s)

    def ended(self, clock_s: float, *, unseen: Decision) -> "TrackEvidence":
        """Close the track: without a verdict so far it is undecided.

        Args:
            clock_s: Source clock of the track's last frame.
            unseen: Decision about the track if no frame of it was usable, with the flaws of its
                best face as reasons.
        """
        if self.verdict is not None:
            return self
        latest = self.window.fused if self.window is not None else unseen
        reasons = latest.reasons
        if not reasons or self.frames < self.rules.decide_after_frames:
            reasons = tuple(dict.fromkeys((*reasons, Reason.TOO_FEW_FRAMES)))
        evidence = self.window.evidence if self.window is not None else None
        verdict = self._undecided(latest, reasons, clock_s, self.frames, evidence)
        return replace(self, window=None, verdict=verdict)

    def _undecided(
        self,
        latest: Decision,
        reasons: tuple[Reason, ...],
        clock_s: float,
        frames: int,
        evidence: SequentialEvidence | None,
    ) -> Verdict:
        decision = replace(latest, outcome=Outcome.UNDECIDED, profile_id=None, reasons=reasons)
        return Verdict(decision, self.first_seen_s, clock_s, frames, evidence)

    @property
    def _under_way(self) -> _Window | None:
        """The attempt that another look joins; None when it would begin one."""
        return None if self.window is None or self.window.is_over else self.window

    def _judged(self, window: _Window, clock_s: float) -> "TrackEvidence":
        """Reach a verdict if the evidence is enough, which closes the window, or its time over."""
        fused, least = window.fused, self.rules.decide_after_frames
        if window.frames < least:
            return self
        if fused.outcome is Outcome.IDENTIFIED and window.allows_a_name:
            if window.agreeing >= least and window.agreed_on == fused.profile_id:
                return replace(self, window=None, verdict=self._verdict(window, clock_s))
        passed_s = clock_s - window.first_s + _TICK_S
        early = passed_s >= _LEAST_SHARE * self.rules.stranger_after_s
        doubted = window.evidence is not None and window.evidence.is_stranger
        if fused.outcome is Outcome.UNKNOWN and doubted and early:
            return self._stranger(window, clock_s)
        lasted = passed_s >= self.rules.stranger_after_s
        if not lasted and window.frames < self.rules.looks_per_attempt:
            return self
        if fused.outcome is Outcome.UNKNOWN and window.evidence is None:
            return self._stranger(window, clock_s)
        over = replace(self, window=replace(window, is_over=True))
        if self.verdict is not None:
            return over  # told before; what is undecided again is no news
        reasons = fused.reasons or (Reason.TOO_FEW_FRAMES,)
        verdict = self._undecided(fused, reasons, clock_s, window.frames, window.evidence)
        return replace(over, verdict=verdict)

    def _stranger(self, window: _Window, clock_s: float) -> "TrackEvidence":
        """Close an attempt that found nobody; finding nobody again is no news."""
        known = self._decided is not None and self._decided.outcome is Outcome.UNKNOWN
        verdict = self.verdict if known else self._verdict(window, clock_s)
        return replace(self, window=None, verdict=verdict)

    def _verdict(self, window: _Window, clock_s: float) -> Verdict:
        return Verdict(window.fused, self.first_seen_s, clock_s, window.frames, window.evidence)


def _weighted(embedding: NDArray[np.float32], quality: float) -> tuple[NDArray[np.float64], float]:
    """Return an embedding (d,) times its weight, and the weight."""
    weight = max(quality, _LEAST_WEIGHT)
    return embedding.astype(np.float64) * weight, weight
