"""The lines of the server's log."""

import json
import logging

import pytest

from facerec_identity.log_lines import JsonLines, TextLines


@pytest.mark.parametrize("form", [TextLines(), JsonLines()])
def test_nobody_writes_a_line_of_their_own(form: logging.Formatter) -> None:
    """By a name in a certificate of another authority, say, that holds an end of a line."""
    record = logging.LogRecord("x", logging.INFO, "", 0, "call\nby %s", ("A\rB",), None)
    forged = "north\n2026-01-01T00:00:00 info call client=south\u2028code=OK"
    record.fields = {"client": forged, "code": "OK"}
    line = form.format(record)
    assert line.splitlines() == [line]
    assert "south" in line


def test_a_line_for_programs_keeps_what_it_was_given() -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, "call", (), None)
    record.fields = {"client": "certificate:north", "duration_ms": 1.5}
    line = json.loads(JsonLines().format(record))
    assert (line["message"], line["level"]) == ("call", "info")
    assert (line["client"], line["duration_ms"]) == ("certificate:north", 1.5)
