"""A minute without webhook and broker, with the sending process killed in the middle of it."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_server
from time import monotonic, sleep
from typing import ClassVar

import pytest
from amqtt.contexts import BaseContext
from amqtt.plugins.base import BasePlugin
from amqtt.session import ApplicationMessage

from tests.integration.video.test_sinks import SECRET, Receiver, broker, event, free_port

DOWN_S = 60
HANGING_S = 12
"""For the last part of its outage the webhook takes connections and never answers."""
SENDER = """
import json, sys
from pathlib import Path
from facerec.video.open_sink import open_sink
spools, secret, *places = sys.argv[1:]
sinks = [open_sink(place, spools=Path(spools), webhook_secret=secret) for place in places]
for line in sys.stdin:
    for sink in sinks:
        sink.put(json.loads(line))
    print(json.dumps([[sink.waiting, sink.lost] for sink in sinks]), flush=True)
"""


class Arrivals(BasePlugin[BaseContext]):
    """Notes what the broker itself was handed, whoever has subscribed by then."""

    ids: ClassVar[list[str]] = []

    async def on_broker_message_received(
        self, *, client_id: str, message: ApplicationMessage
    ) -> None:
        self.ids.append(json.loads(bytes(message.data or b""))["id"])


class Sender:
    """A process that sends events to both, as `facerec watch --send` does."""

    def __init__(self, spools: Path, places: list[str]) -> None:
        command = [sys.executable, "-c", SENDER, str(spools), SECRET, *places]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def put(self, number: int) -> list[list[int]]:
        """Send an event; return how many wait for each place, and how many were lost."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(event(number)) + "\n")
        self._process.stdin.flush()
        return list(json.loads(self._process.stdout.readline()))

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.communicate()


@contextmanager
def hanging(port: int) -> Iterator[None]:
    """Take connections and answer nothing."""
    with create_server(("127.0.0.1", port), reuse_port=False):
        yield


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning:amqtt", "ignore::ResourceWarning")
def test_a_minute_without_webhook_and_broker_loses_nothing(tmp_path: Path) -> None:
    receiver = Receiver(free_port())
    mqtt_port = free_port()
    places = [f"http://127.0.0.1:{receiver.port}/events", f"mqtt://127.0.0.1:{mqtt_port}/gate"]
    noting = {f"{Arrivals.__module__}.{Arrivals.__qualname__}": {}}
    Arrivals.ids.clear()
    expected: list[str] = []
    sender = Sender(tmp_path / "spools", places)

    def send(count: int, *, every_s: float) -> list[list[int]]:
        for _ in range(count):
            waiting = sender.put(len(expected))
            expected.append(f"event-{len(expected)}")
            sleep(every_s)
        return waiting

    try:
        with receiver.up(), broker(mqtt_port, noting):
            send(20, every_s=0.1)
            wait_for_all(receiver, expected)
        down_s = monotonic()
        waiting = send((DOWN_S - HANGING_S) // 2, every_s=1)
        assert waiting == [[(DOWN_S - HANGING_S) // 2, 0]] * 2, "nothing was lost, nothing taken"
        sender.kill()
        sender = Sender(tmp_path / "spools", places)
        send((DOWN_S - HANGING_S) // 2, every_s=1)
        with hanging(receiver.port):
            send(HANGING_S, every_s=1)
        assert monotonic() - down_s >= DOWN_S
        with receiver.up(), broker(mqtt_port, noting):
            back_s = monotonic()
            wait_for_all(receiver, expected)
            caught_up_s = monotonic() - back_s
            waiting = send(1, every_s=0)
            wait_for_all(receiver, expected)
    finally:
        sender.kill()
    print(f"{len(expected)} events; {caught_up_s:.1f} s after their return all had arrived")
    assert [lost for _, lost in waiting] == [0, 0]
    for arrived in (receiver.received, Arrivals.ids):
        assert list(dict.fromkeys(arrived)) == expected, "every event, in order, once by id"
        assert len(arrived) <= len(expected) + 2, "one is sent again where its receipt was lost"


def wait_for_all(receiver: Receiver, expected: list[str], within_s: float = 40) -> None:
    until_s = monotonic() + within_s
    while not set(expected) <= set(receiver.received) & set(Arrivals.ids):
        assert monotonic() < until_s, (receiver.received[-1:], Arrivals.ids[-1:])
        sleep(0.05)
