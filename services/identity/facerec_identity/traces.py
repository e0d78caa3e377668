"""Traces of calls for the operator's collector, by OpenTelemetry; imported only when asked for."""

import os
from collections.abc import Iterable
from time import time_ns

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.environment_variables import (
    OTEL_EXPORTER_OTLP_TIMEOUT,
    OTEL_EXPORTER_OTLP_TRACES_TIMEOUT,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import (
    Span,
    SpanKind,
    Status,
    StatusCode,
    Tracer,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from facerec_identity.call_record import CallRecord

__all__ = ["OtlpCallTrace", "OtlpTraces"]

_TRACE_PARENT = "traceparent"
"""Metadata in which a caller names its own trace (W3C Trace Context), which ours then goes into."""

_WITHIN_S = 2.0
"""Spans that can't be sent within this are dropped; a server that stops waits for no longer."""

_TIMEOUTS = (OTEL_EXPORTER_OTLP_TIMEOUT, OTEL_EXPORTER_OTLP_TRACES_TIMEOUT)
"""Standard variables that say another time."""

_SERVICE_NAME = "service.name"
_NOT_NAMED = "unknown_service"
"""What OpenTelemetry calls a service that none of its variables names."""

_FAULTS = {
    *("UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"),
}
"""Statuses that are a server's fault (OpenTelemetry's semantic conventions for gRPC)."""


class OtlpTraces:
    """Sends the traces of one server to a collector, in the background and in batches.

    What can't be sent is dropped, so a collector that is away costs calls nothing. A trace tells
    who called what when and how long each stage took; never a name, a picture or a template.
    """

    def __init__(self, endpoint: str | None, service_name: str) -> None:
        """Start sending.

        Args:
            endpoint: ``http://HOST:PORT``, or with ``https`` for TLS; None for what the standard
                variables ``OTEL_EXPORTER_OTLP_...`` say, which hold for all else in any case.
            service_name: Name of this server for the collector, unless ``OTEL_SERVICE_NAME`` does.
        """
        resource = Resource.create()
        if str(resource.attributes[_SERVICE_NAME]).startswith(_NOT_NAMED):
            resource = resource.merge(Resource({_SERVICE_NAME: service_name}))
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        within_s = None if any(name in os.environ for name in _TIMEOUTS) else _WITHIN_S
        exporter = OTLPSpanExporter(endpoint, timeout=within_s)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("facerec")

    def begin(
        self, call: CallRecord, name: str, metadata: Iterable[tuple[str, str | bytes]]
    ) -> "OtlpCallTrace":
        """Begin the trace of a call.

        Args:
            call: The call.
            name: Its method, if the server has it; strangers choose what they ask for.
            metadata: Of the call, in which it may name the trace that it belongs to.
        """
        carrier = {key: value for key, value in metadata if key == _TRACE_PARENT}
        service, _, method = name.rpartition("/")
        span = self._tracer.start_span(
            name,
            context=TraceContextTextMapPropagator().extract(carrier),
            kind=SpanKind.SERVER,
            attributes={
                "rpc.system": "grpc",
                "rpc.service": service,
                "rpc.method": method,
                "facerec.request_id": call.request_id,
            },
        )
        return OtlpCallTrace(self._tracer, span)

    def close(self) -> None:
        """Send what is left, and stop."""
        self._provider.shutdown()


class OtlpCallTrace:
    """The trace of one call; its stages may end in several threads."""

    def __init__(self, tracer: Tracer, span: Span) -> None:
        self._tracer = tracer
        self._span = span
        self._context = set_span_in_context(span)

    def stage(self, name: str, spent_s: float) -> None:
        """Enter a stage that ends now and took so many seconds."""
        ended_ns = time_ns()
        begun_ns = ended_ns - round(spent_s * 1e9)
        self._tracer.start_span(name, self._context, start_time=begun_ns).end(ended_ns)

    def end(self, status: str, code: int) -> None:
        """End it with the name and the number of the call's status."""
        self._span.set_attribute("rpc.grpc.status_code", code)
        if status in _FAULTS:
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()
