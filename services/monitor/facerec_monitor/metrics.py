"""What the monitor counts and times, for Prometheus."""

from collections.abc import Callable, Iterable, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from facerec.video.camera_health import CameraState, PictureFault
from facerec.video.observation import TrackDecision
from facerec_monitor.camera_worker import CameraStatus

__all__ = ["Metrics"]

_SECONDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0, 5.0, 10.0)
"""Upper bounds of times to decision: a tenth is the least between two looks."""


class Metrics:
    """The figures of one monitor. No label tells who anybody is."""

    def __init__(self, statuses: Callable[[], Sequence[CameraStatus]]) -> None:
        """Count from now on; `statuses` is asked whenever the figures are read."""
        self.registry = CollectorRegistry()
        self.registry.register(_Cameras(statuses))
        self._decisions = Counter(
            "facerec_track_decisions",
            "Decisions about followed faces.",
            ["camera", "outcome"],
            registry=self.registry,
        )
        self._gate_answers = Counter(
            "facerec_gate_answers", "Answers to gates.", ["gate", "outcome"], registry=self.registry
        )
        self._latency = Histogram(
            "facerec_track_decision_seconds",
            "From the first sight of a face to the decision.",
            ["camera", "outcome"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._reloads = Counter(
            "facerec_configuration_reloads",
            "Times the configuration was read again.",
            ["outcome"],
            registry=self.registry,
        )
        for outcome in ("applied", "refused"):
            self._reloads.labels(outcome)

    def decided(self, told: TrackDecision) -> None:
        """Count a decision."""
        outcome = told.verdict.decision.outcome.value
        self._decisions.labels(told.camera, outcome).inc()
        self._latency.labels(told.camera, outcome).observe(told.verdict.latency_s)
        if told.gate_answer is not None:
            self._gate_answers.labels(told.gate, told.gate_answer.outcome.value).inc()

    def reloaded(self, applied: bool) -> None:
        """Count that the configuration was read again."""
        self._reloads.labels("applied" if applied else "refused").inc()

    def watch(self, name: str, help_text: str, value: Callable[[], float]) -> None:
        """Show a value that is asked for whenever the figures are read."""
        Gauge(f"facerec_{name}", help_text, registry=self.registry).set_function(value)


class _Cameras(Collector):
    """The states and counts of cameras at the moment of reading."""

    def __init__(self, statuses: Callable[[], Sequence[CameraStatus]]) -> None:
        self._statuses = statuses

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterable[Metric]:
        statuses = self._statuses()
        yield _states("facerec_camera_state", "Whether a camera gives pictures.", statuses)
        yield _faults(statuses)
        counts: dict[str, tuple[str, Callable[[CameraStatus], int]]] = {
            "frames": ("Frames that it delivered.", lambda s: s.health.frames),
            "frames_dropped": ("Frames that came too fast.", lambda s: s.health.dropped),
            "frames_stale": ("Frames that came too late.", lambda s: s.health.stale),
            "frames_looked_at": ("Frames that were looked at.", lambda s: s.looked_at),
            "frames_searched": ("Frames searched for faces.", lambda s: s.searched),
            "connections": ("How often it was reached.", lambda s: s.health.connections),
        }
        for name, (text, count) in counts.items():
            counter = CounterMetricFamily(f"facerec_camera_{name}", text, labels=["camera"])
            for status in statuses:
                counter.add_metric([status.name], count(status))
            yield counter
        values: dict[str, tuple[str, Callable[[CameraStatus], float | None]]] = {
            "people": ("Faces in view now.", lambda s: s.people),
            "last_frame_age_seconds": (
                "Since its last frame.",
                lambda s: s.health.last_frame_age_s,
            ),
            "behind_seconds": ("From a frame to having looked at it.", lambda s: s.behind_s),
        }
        for name, (text, value) in values.items():
            gauge = GaugeMetricFamily(f"facerec_camera_{name}", text, labels=["camera"])
            for status in statuses:
                if (found := value(status)) is not None:
                    gauge.add_metric([status.name], found)
            yield gauge


def _states(name: str, text: str, statuses: Sequence[CameraStatus]) -> Metric:
    """One series a camera and state, 1 for the one it is in."""
    family = GaugeMetricFamily(name, text, labels=["camera", "state"])
    for status in statuses:
        for state in CameraState:
            family.add_metric([status.name, state.value], float(status.health.state is state))
    return family


def _faults(statuses: Sequence[CameraStatus]) -> Metric:
    family = GaugeMetricFamily(
        "facerec_camera_fault", "What is wrong with its pictures.", labels=["camera", "fault"]
    )
    for status in statuses:
        for fault in PictureFault:
            family.add_metric([status.name, fault.value], float(status.health.fault is fault))
        family.add_metric([status.name, "not_watched"], float(bool(status.fault)))
    return family
