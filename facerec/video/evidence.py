"""What the frames of one track say together about who it is.

Pure: no clock, no gallery, no network. The monitor asks `wants` whether a frame is worth embedding,
searches the gallery with `fused_with`, tells `add` what came back, and reads `verdict`.
"""

from dataclasses import dataclass, replace
from math import ceil

import numpy as np
from numpy.typing import NDArray

from facerec.decision.decision import Decision, Outcome, Reason

__all__ = ["EvidenceRules", "FusedProbe", "TrackEvidence", "Verdict"]

_TICK_S = 1e-3
"""Frame times are rounded to this by containers, so that times are compared with this slack."""
_LEAST_WEIGHT = 1e-3
"""A face of quality 0 (where rules allow one) still has a direction."""


@dataclass(frozen=True)
class EvidenceRules:
    """When a track's evidence is enough.

    Attributes:
        decide_after_frames: Successive looks that must agree on a person, 1 or more. A look is a
            usable frame (whose face is fit for comparison) that was embedded and searched.
        stranger_after_s: Seconds of looks without a match that make a stranger; above 0.
        look_every_s: Least time between two looks, above 0. Neighbouring frames repeat each
            other: they cost time and add chances to be mistaken, but hardly any evidence.
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


@dataclass(frozen=True)
class Verdict:
    """What was decided about a track, and when.

    Attributes:
        decision: Outcome, person, similarity, threshold and reasons of the fused probe.
        first_seen_s: Source clock of the track's first frame.
        decided_s: Source clock of the frame that decided.
        frames: Usable frames that the decision rests on.
    """

    decision: Decision
    first_seen_s: float
    decided_s: float
    frames: int

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
    """

    direction: NDArray[np.float32]
    coherence: float


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
        is_over: The attempt had its time and allowed no answer; the next look begins another.
    """

    weighted_sum: NDArray[np.float64]
    weight: float
    frames: int
    first_s: float
    last_s: float
    agreed_on: str | None
    agreeing: int
    fused: Decision
    is_over: bool = False


@dataclass(frozen=True, eq=False)
class TrackEvidence:
    """The evidence of one track so far; every change returns a new value.

    A person is named when the mean of the looks' similarities, weighted by quality, reaches the
    operating point's threshold, and `decide_after_frames` successive looks each found that person
    first.

    Looks come in attempts of at most `stranger_after_s`. An attempt that finds nobody makes a
    stranger; one that allows no answer (two people nearly alike) is followed by another. When a
    mean reaches a threshold, one of its terms does: so an attempt of L looks names a stranger with
    at most L times the chance of a single search, and whoever asks the gallery must search at the
    L-th part of the rate allowed (`EvidenceRules.looks_per_attempt`). Cosine similarity to the mean
    itself would not do: averaging takes noise away and brings everybody closer, strangers too.

    Attributes:
        rules: When evidence is enough.
        first_seen_s: Source clock of the track's first frame.
        window: The attempt under way; None before the first look and while closed.
        best_quality: Highest overall quality used since the track began.
        verdict: What was decided. A person never changes; a stranger may become a person.
    """

    rules: EvidenceRules
    first_seen_s: float
    window: _Window | None = None
    best_quality: float = 0.0
    verdict: Verdict | None = None

    @property
    def frames(self) -> int:
        """Usable frames under consideration now."""
        return self.window.frames if self.window is not None else 0

    @property
    def similarity(self) -> float | None:
        """Similarity of the fused probe to the nearest person; None before the first frame."""
        latest = self.window.fused if self.window is not None else self._decided
        return latest.similarity if latest is not None else None

    @property
    def _decided(self) -> Decision | None:
        return self.verdict.decision if self.verdict is not None else None

    def wants(self, quality: float, clock_s: float) -> bool:
        """Tell whether a face fit for comparison, of this overall quality, is worth a look now."""
        if self.window is not None:
            return clock_s - self.window.last_s >= self.rules.look_every_s - _TICK_S
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
        return FusedProbe(direction, min(1.0, length / weight))

    def add(
        self,
        embedding: NDArray[np.float32],
        quality: float,
        *,
        clock_s: float,
        nearest: str | None,
        fused: Decision,
    ) -> "TrackEvidence":
        """Take in one usable frame.

        Args:
            embedding: float32 (d,), unit length, of this frame's face.
            quality: Its overall quality, 0..1; one that `wants` accepted.
            clock_s: Source clock of the frame.
            nearest: Person whom this frame alone finds first; None in an empty gallery.
            fused: Decision about `fused_with(embedding, quality)`.

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
        )
        grown = replace(self, window=window, best_quality=max(self.best_quality, quality))
        return grown._judged(window, clock_s)

    def ended(
        self, clock_s: float, *, threshold: float, flaws: tuple[Reason, ...]
    ) -> "TrackEvidence":
        """Close the track: without a verdict so far it is undecided.

        Args:
            clock_s: Source clock of the track's last frame.
            threshold: Similarity from which the operating point identifies.
            flaws: Why the track's best face is unfit, for a track of no usable frame.
        """
        if self.verdict is not None:
            return self
        nothing = Decision(Outcome.UNDECIDED, None, None, threshold, None, flaws)
        latest = self.window.fused if self.window is not None else nothing
        reasons = latest.reasons
        if not reasons or self.frames < self.rules.decide_after_frames:
            reasons = tuple(dict.fromkeys((*reasons, Reason.TOO_FEW_FRAMES)))
        decision = replace(latest, outcome=Outcome.UNDECIDED, profile_id=None, reasons=reasons)
        verdict = Verdict(decision, self.first_seen_s, clock_s, self.frames)
        return replace(self, window=None, verdict=verdict)

    @property
    def _under_way(self) -> _Window | None:
        """The attempt that another look joins; None when it would begin one."""
        return None if self.window is None or self.window.is_over else self.window

    def _judged(self, window: _Window, clock_s: float) -> "TrackEvidence":
        """Reach a verdict if the evidence is enough; a verdict closes the window."""
        fused = window.fused
        verdict = Verdict(fused, self.first_seen_s, clock_s, window.frames)
        if window.frames < self.rules.decide_after_frames:
            return self
        if fused.outcome is Outcome.IDENTIFIED:
            agreed = window.agreeing >= self.rules.decide_after_frames
            if agreed and window.agreed_on == fused.profile_id:
                return replace(self, window=None, verdict=verdict)
        lasted = clock_s - window.first_s >= self.rules.stranger_after_s - _TICK_S
        if not lasted and window.frames < self.rules.looks_per_attempt:
            return self
        if fused.outcome is Outcome.UNKNOWN:
            # A second attempt that finds a stranger again is no news: the first verdict stays.
            return replace(self, window=None, verdict=self.verdict or verdict)
        return replace(self, window=replace(window, is_over=True))


def _weighted(embedding: NDArray[np.float32], quality: float) -> tuple[NDArray[np.float64], float]:
    """Return an embedding (d,) times its weight, and the weight."""
    weight = max(quality, _LEAST_WEIGHT)
    return embedding.astype(np.float64) * weight, weight
