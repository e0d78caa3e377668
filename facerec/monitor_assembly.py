"""Puts the monitors of cameras together as the settings say; see `facerec.assembly`.

Imports of runtimes are inside the functions, so that a command pays only for what it builds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from facerec.assembly import build_analyzer, build_recognizer
from facerec.settings import Settings
from facerec.video.presence import Presence

if TYPE_CHECKING:
    from facerec.analysis.analyzer import FaceAnalyzer
    from facerec.decision.gate_rules import GateRules
    from facerec.decision.recognizer import Recognizer
    from facerec.gallery.gallery import Gallery
    from facerec.video.evidence import EvidenceRules
    from facerec.video.monitor import Analyzer, Monitor

__all__ = ["MONITORED_SIZES", "MonitorMaker", "build_monitors"]

MONITORED_SIZES = 3
"""Sizes of pictures that monitors search in turn: whole pictures, halved ones, and close-ups.
Preparing the detector for one of them takes 6 ms, as long as searching it."""
_SAME_FACE_FMR = 1e-4
"""A track whose face is no more like itself than 1 stranger in 10,000 is doubtful. Looks at one
person in one track are far more alike (.58 and more in the gate clips; this asks for .36), and of
looks at different people before one camera 31 % reach what 1 stranger in 100 does, .5 % this."""


@dataclass(frozen=True)
class MonitorMaker:
    """Makes the monitors of any number of cameras around networks that are loaded once.

    Attributes:
        settings: Of the home.
        gallery: Where people are looked up; the caller closes it.
        analyzer: The networks.
        recognizer: Error rates, in the space of the analyzer.
        presence: Where people are seen now, shared by all cameras.
    """

    settings: Settings
    gallery: "Gallery"
    analyzer: "Analyzer"
    recognizer: "Recognizer"
    presence: Presence = field(default_factory=Presence)

    @classmethod
    def of(
        cls, settings: Settings, gallery: "Gallery", analyzer: "FaceAnalyzer | None" = None
    ) -> "MonitorMaker":
        """Load the networks, unless `analyzer` was loaded before.

        Raises:
            ModelNotFoundError: a network is not installed.
            OperatingPointError: no rates are known for the embedder's space.
        """
        shared = analyzer or build_analyzer(settings, prepared_sizes=MONITORED_SIZES)
        return cls(settings, gallery, shared, build_recognizer(settings, shared.embedding_space))

    def monitor(
        self, camera: str, galleries: Sequence[str], gate: "GateRules | None" = None
    ) -> "Monitor":
        """Make the monitor of a camera.

        Args:
            camera: Name that its decisions carry.
            galleries: Galleries to search.
            gate: What the gate asks that the camera guards; None for a camera that guards none.
        """
        from facerec.video.continuity import ContinuityRules
        from facerec.video.detection_pace import DetectionPace
        from facerec.video.identifier import GalleryIdentifier
        from facerec.video.monitor import Monitor
        from facerec.video.monitor_rules import MonitorRules
        from facerec.video.overlap_tracker import OverlapTracker

        watching = self.settings.watch
        evidence = self._evidence_rules(gate)
        # A stranger's track gets several looks, which together must keep the rate.
        rate_per_look = self.recognizer.target_fpir / evidence.effective_looks
        searching = replace(self.recognizer, target_fpir=rate_per_look)
        same_face = self.recognizer.operating_point.threshold_at_fmr(_SAME_FACE_FMR)
        rules = MonitorRules(
            evidence,
            min_quality=self.settings.decision.min_quality,
            continuity=ContinuityRules(same_face, watching.recheck_every_s),
            pace=DetectionPace(),
            gate=gate,
            keeps_crops=watching.crops_dir is not None,
        )
        return Monitor(
            self.analyzer,
            OverlapTracker(forget_after_s=watching.forget_after_s),
            GalleryIdentifier(searching, self.gallery, galleries, watching.max_fmr),
            rules,
            camera=camera,
            presence=self.presence,
        )

    def _evidence_rules(self, gate: "GateRules | None") -> "EvidenceRules":
        from facerec.video.evidence import EvidenceRules

        watching = self.settings.watch
        least = watching.decide_after_frames
        return EvidenceRules(
            decide_after_frames=least if gate is None else max(least, gate.min_frames),
            stranger_after_s=watching.stranger_after_s,
            look_every_s=watching.look_every_s,
        )


def build_monitors(
    settings: Settings,
    gallery: "Gallery",
    galleries: Sequence[str],
    analyzer: "FaceAnalyzer | None" = None,
) -> "Callable[[str], Monitor]":
    """Load the networks once, and return what makes the monitor of a camera of a given name.

    Args:
        settings: Of the home.
        gallery: Where people are looked up; the caller closes it.
        galleries: Names of the galleries to search.
        analyzer: Loaded before; None to load one.

    Raises:
        ModelNotFoundError: a network is not installed.
        OperatingPointError: no rates are known for the embedder's space.
    """
    maker = MonitorMaker.of(settings, gallery, analyzer)
    return lambda camera: maker.monitor(camera, galleries)
