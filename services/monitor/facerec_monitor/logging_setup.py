"""Where the monitor's log goes."""

import logging
import sys

from facerec_identity.log_lines import JsonLines, TextLines

__all__ = ["log_to_stderr"]


def log_to_stderr(kind: str) -> None:
    """Write what the monitor logs to stderr; called once by the process that watches.

    Args:
        kind: ``text`` or ``json``, as the server's log.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if kind == "json" else TextLines())
    logger = logging.getLogger("facerec_monitor")
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
