"""What the server counts and times, for Prometheus."""

from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from facerec.errors import ServiceError
from facerec_identity.call_record import CallRecord
from facerec_identity.listen_address import ListenAddress
from facerec_identity.security.access_table import ACCESS

__all__ = ["Metrics", "MetricsPort"]

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the histograms: from a look-up to a call that waited for its deadline."""

_VIEWS = (1, 2, 4, 8, 16, 32, 64, 128)
"""Upper bounds of the histogram of batches: a face takes two views, of which one is mirrored."""


class Metrics:
    """The figures of one server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._calls = Counter(
            "facerec_calls", "Calls that ended.", ["rpc", "code"], registry=self.registry
        )
        self._call_seconds = Histogram(
            "facerec_call_seconds",
            "From the whole request to its status.",
            ["rpc"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._queue_seconds = Histogram(
            "facerec_queue_seconds",
            "Waiting for a thread, of a call or of a frame of a stream.",
            ["rpc"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._stage_seconds = Histogram(
            "facerec_stage_seconds",
            "A stage of the work, over all pictures of a call; of a stream, of each frame.",
            ["stage"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._decisions = Counter(
            "facerec_gate_decisions",
            "Answers to gates.",
            ["gate", "outcome"],
            registry=self.registry,
        )

        self._batch_views = Histogram(
            "facerec_batch_views",
            "Chips and mirrored chips that the embedder took in one run.",
            buckets=_VIEWS,
            registry=self.registry,
        )

    def count(self, call: CallRecord, duration_s: float) -> None:
        """Count a call that has ended."""
        rpc = _known(call.method)
        self._calls.labels(rpc, call.status).inc()
        self._call_seconds.labels(rpc).observe(duration_s)
        self.count_work(call)

    def count_work(self, call: CallRecord) -> None:
        """Count what was done for a call since this was called last: for a frame of a stream."""
        for what, spent_s in call.untold_s().items():
            if what == "queue":
                self._queue_seconds.labels(_known(call.method)).observe(spent_s)
            else:
                self._stage_seconds.labels(what).observe(spent_s)

    def count_batch(self, views: int) -> None:
        """Count a run of the embedder; called from the threads of analysis."""
        self._batch_views.observe(views)

    def count_decision(self, gate: str, outcome: str) -> None:
        """Count an answer to a gate."""
        self._decisions.labels(gate, outcome).inc()

    def decisions(self) -> Mapping[tuple[str, str], int]:
        """Return the answers to gates so far, by gate and outcome."""
        return {
            (sample.labels["gate"], sample.labels["outcome"]): int(sample.value)
            for metric in self._decisions.collect()
            for sample in metric.samples
            if sample.name.endswith("_total")
        }

    def watch(self, name: str, meaning: str, value: Callable[[], float]) -> None:
        """Ask for a figure whenever somebody reads the metrics, in the thread that answers them."""
        Gauge(f"facerec_{name}", meaning, registry=self.registry).set_function(value)


def _known(method: str) -> str:
    """Return a method's name; strangers choose what they ask for, and a name costs memory."""
    return method.rsplit("/", 1)[-1] if method in ACCESS else "other"


class MetricsPort:
    """The address where Prometheus reads the metrics, over HTTP without TLS."""

    def __init__(self, listen: str, metrics: Metrics) -> None:
        """Open the port.

        Raises:
            ServiceError: others could reach it, or it is in use.
        """
        address = ListenAddress.parse(listen)
        if not address.loopback:
            raise ServiceError(
                f"metrics are told on this machine only, not on {address}; let Prometheus or its "
                "agent run here"
            )
        address.require_free()
        self._server, self._thread = start_http_server(
            address.port, addr=address.host, registry=metrics.registry
        )

    @property
    def port(self) -> int:
        """The port that was really opened."""
        return int(self._server.server_port)

    def close(self) -> None:
        """Close the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
