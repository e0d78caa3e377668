"""Trouble with a receiver is logged when it begins and when it ends."""

import logging
from collections.abc import Mapping
from typing import Any

import pytest

from facerec_monitor.sink_watch import SinkWatch


class Scripted:
    """A sink in the state that it is given."""

    where = "https://host/hook"
    waiting = 3
    lost = 0
    trouble = ""

    def put(self, event: Mapping[str, Any]) -> None: ...

    def close(self) -> None: ...


def test_trouble_is_logged_once_and_its_end_once(caplog: pytest.LogCaptureFixture) -> None:
    sink, other = Scripted(), Scripted()
    watch = SinkWatch([sink, other], logging.getLogger("sink watch"))
    watch.look()
    assert not caplog.messages
    sink.trouble = "it answers 403 Forbidden"
    for _ in range(3):
        watch.look()
    sink.trouble = ""
    for _ in range(3):
        watch.look()
    assert caplog.messages == [
        "events to https://host/hook are not taken: it answers 403 Forbidden; 3 wait, 0 were lost, "
        "and it is tried again",
        "events to https://host/hook are taken again",
    ]
