"""Whether calls are traced; what it takes is imported only if they are."""

import os
from typing import TYPE_CHECKING

from facerec.settings import ServerSettings

if TYPE_CHECKING:
    from facerec_identity.traces import OtlpTraces

__all__ = ["build_traces"]

_STANDARD = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_SWITCHED_OFF = "OTEL_SDK_DISABLED"


def build_traces(settings: ServerSettings) -> "OtlpTraces | None":
    """Return what sends traces to the collector of the settings or of OpenTelemetry's variables.

    Returns:
        None when neither names one, or ``OTEL_SDK_DISABLED`` is true.
    """
    asked = settings.trace_endpoint or any(os.environ.get(name) for name in _STANDARD)
    if not asked or os.environ.get(_SWITCHED_OFF, "").lower() == "true":
        return None
    from facerec_identity.traces import OtlpTraces

    return OtlpTraces(settings.trace_endpoint, settings.audience)
