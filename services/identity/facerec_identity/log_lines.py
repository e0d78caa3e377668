"""The form of the server's log: a line an event, as text or as JSON."""

import json
import logging
import sys
from datetime import UTC, datetime

__all__ = ["JsonLines", "TextLines", "log_to_stderr"]


class JsonLines(logging.Formatter):
    """One JSON object a line, with the event's fields beside the message."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of an event."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        return json.dumps(line, ensure_ascii=True)


class TextLines(logging.Formatter):
    """``TIME LEVEL MESSAGE key=value ...``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of an event."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields = "".join(f" {k}={v}" for k, v in getattr(record, "fields", {}).items())
        line = f"{time} {record.levelname.lower()} {record.getMessage()}{fields}"
        # Whatever a name or a message holds, it begins no line of its own.
        return " ".join(line.splitlines())


def log_to_stderr(kind: str, level: str) -> None:
    """Write what the server logs to stderr; called once by the process that serves.

    Args:
        kind: ``text`` or ``json``.
        level: Least level that is written, such as ``info``.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if kind == "json" else TextLines())
    # Of what sends traces only that some were lost: it tells every try otherwise.
    for name, least in (("facerec_identity", level.upper()), ("opentelemetry", "ERROR")):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(least)
        logger.propagate = False
