"""Whether calls are traced; what it takes is imported only if they are."""

import os
from typing import TYPE_CHECKING

from facerec.errors import SettingsError
from facerec.settings import ServerSettings

if TYPE_CHECKING:
    from facerec_identity.traces import OtlpTraces

__all__ = ["build_traces"]

_STANDARD = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_PREFIX = "OTEL_"
_SWITCHED_OFF = "OTEL_SDK_DISABLED"


def build_traces(settings: ServerSettings) -> "OtlpTraces | None":
    """Return what sends traces to the collector of the settings or of OpenTelemetry's variables.

    Returns:
        None when neither names one, or ``OTEL_SDK_DISABLED`` is true.

    Raises:
        SettingsError: a standard variable holds what OpenTelemetry does not take.
    """
    asked = settings.trace_endpoint or any(os.environ.get(name) for name in _STANDARD)
    if not asked or os.environ.get(_SWITCHED_OFF, "").lower() == "true":
        return None
    from facerec_identity.traces import OtlpTraces

    try:
        return OtlpTraces(settings.trace_endpoint, settings.audience)
    except Exception as error:  # each variable is refused by an exception of its own kind
        raise SettingsError(
            f"OpenTelemetry does not take what {_culprits(error)} "
            f"({' '.join(str(error).split())}); correct or unset it, or set {_SWITCHED_OFF}=true "
            "to serve without traces"
        ) from error


def _culprits(error: Exception) -> str:
    """Say which variables hold what an error complains of; it seldom names them itself."""
    names = [
        name
        for name, value in sorted(os.environ.items())
        if name.startswith(_PREFIX) and (name in str(error) or (value and value in str(error)))
    ]
    return f"{' or '.join(names)} says" if names else f"a variable {_PREFIX}... says"
