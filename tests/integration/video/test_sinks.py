"""Events over networks that fail: all arrive, in order, once by id."""

import asyncio
import json
import os
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket
from threading import Event, Thread
from time import monotonic, sleep

import paho.mqtt.client as mqtt
import pytest
from amqtt.broker import Broker
from paho.mqtt.enums import CallbackAPIVersion

from facerec.errors import SettingsError
from facerec.video.backoff import Backoff
from facerec.video.event_sink import left_over
from facerec.video.event_spool import EventSpool
from facerec.video.file_sink import FileSink
from facerec.video.mqtt_publisher import MqttPublisher
from facerec.video.open_sink import open_sink
from facerec.video.spooled_sink import SpooledSink
from facerec.video.webhook import SIGNATURE_HEADER, Webhook, signature

SECRET = "between us"
QUICKLY = Backoff(0.05, 0.2)


def event(number: int) -> dict[str, object]:
    return {"id": f"event-{number}", "data": {"frames": number, "name": "Žofie"}}


def wait_until_empty(sink: SpooledSink, within_s: float = 30) -> None:
    until_s = monotonic() + within_s
    while sink.waiting:
        assert monotonic() < until_s, f"{sink.waiting} events still wait"
        sleep(0.02)


def free_port() -> int:
    with closing(socket()) as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


class Receiver:
    """A webhook that checks signatures; it can be taken down, and can fail at an event."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.received: list[str] = []
        self.refused = 0
        self.fail_next = 0
        self.redirects = False
        self.authorizations: list[str | None] = []

    @contextmanager
    def up(self) -> Iterator[None]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.authorizations.append(self.headers["Authorization"])
                if receiver.redirects:
                    self.send_response(302)
                    self.send_header("Location", "/elsewhere")
                    self.end_headers()
                elif self.headers[SIGNATURE_HEADER] != signature(SECRET, body):
                    receiver.refused += 1
                    self.send_error(403)
                elif receiver.fail_next:
                    receiver.fail_next -= 1
                    self.send_error(500)
                else:
                    receiver.received.append(json.loads(body)["id"])
                    self.send_response(204)
                    self.end_headers()

            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


@contextmanager
def webhook_sink(folder: Path, receiver: Receiver, secret: str = SECRET) -> Iterator[SpooledSink]:
    hook = Webhook(f"http://127.0.0.1:{receiver.port}/events", secret, timeout_s=2)
    spool = EventSpool(folder, most=1000)
    with closing(SpooledSink(spool, hook.deliver, QUICKLY, where="webhook")) as sink:
        yield sink


def test_an_event_and_its_name_are_on_disk_when_it_was_put(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text before it gets its name, and the name, which is the folder's, after."""
    synced: list[tuple[str, list[str]]] = []
    sync = os.fsync

    def noted(descriptor: int) -> None:
        sync(descriptor)
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        synced.append((path.name, sorted(each.suffix for each in tmp_path.iterdir())))

    monkeypatch.setattr(os, "fsync", noted)
    EventSpool(tmp_path, most=9).put("{}")
    assert synced == [("000000000001.partial", [".partial"]), (tmp_path.name, [".json"])]


def test_a_webhook_that_was_down_gets_every_event_in_order_and_once(tmp_path: Path) -> None:
    receiver = Receiver(free_port())
    with webhook_sink(tmp_path / "spool", receiver) as sink:
        with receiver.up():
            for number in range(10):
                sink.put(event(number))
            wait_until_empty(sink)
        for number in range(10, 30):
            sink.put(event(number))
        assert sink.waiting == 20, "down: putting does not wait"
        receiver.fail_next = 2
        with receiver.up():
            wait_until_empty(sink)
    assert receiver.received == [f"event-{number}" for number in range(30)]
    assert sink.lost == 0


def test_what_waits_outlives_the_process(tmp_path: Path) -> None:
    receiver = Receiver(free_port())
    with webhook_sink(tmp_path / "spool", receiver) as sink:
        for number in range(5):
            sink.put(event(number))
    with receiver.up(), webhook_sink(tmp_path / "spool", receiver) as sink:
        sink.put(event(5))
        wait_until_empty(sink)
    assert receiver.received == [f"event-{number}" for number in range(6)]


def test_an_event_signed_with_another_secret_is_not_taken(tmp_path: Path) -> None:
    receiver = Receiver(free_port())
    with receiver.up(), webhook_sink(tmp_path / "spool", receiver, "guessed") as sink:
        sink.put(event(1))
        until_s = monotonic() + 10
        while not receiver.refused and monotonic() < until_s:
            sleep(0.02)
        assert receiver.refused and not receiver.received
        assert sink.waiting == 1
        assert sink.trouble == "it answers 403 Forbidden"


def test_closing_delivers_what_came_last_to_a_receiver_that_is_there(tmp_path: Path) -> None:
    receiver = Receiver(free_port())
    with receiver.up():
        with webhook_sink(tmp_path / "spool", receiver) as sink:
            for number in range(20):
                sink.put(event(number))
        assert receiver.received == [f"event-{number}" for number in range(20)]
    assert left_over(sink) == ""


def test_what_a_closed_sink_could_not_deliver_is_said_with_the_reason(tmp_path: Path) -> None:
    receiver = Receiver(free_port())
    with webhook_sink(tmp_path / "spool", receiver) as sink:
        sink.put(event(1))
    assert left_over(sink) == (
        "webhook: 1 event(s) wait, and are sent by the next that sends there "
        "(it cannot be reached: Connection refused)"
    )


def test_a_redirect_is_no_receipt(tmp_path: Path) -> None:
    """Followed, the POST would become a GET without the event, and its 200 be believed."""
    receiver = Receiver(free_port())
    receiver.redirects = True
    hook = Webhook(f"http://127.0.0.1:{receiver.port}/events", SECRET)
    with receiver.up(), pytest.raises(OSError, match="it answers 302"):
        hook.deliver("{}")


def test_a_webhook_behind_a_password_is_given_it(tmp_path: Path) -> None:
    receiver = Receiver(free_port())
    place = f"http://ada:ge%40heim@127.0.0.1:{receiver.port}/events"
    with receiver.up(), closing(open_sink(place, spools=tmp_path, webhook_secret=SECRET)) as sink:
        sink.put(event(1))
    assert receiver.received == ["event-1"]
    assert receiver.authorizations == ["Basic " + b64encode(b"ada:ge@heim").decode()]
    assert "heim" not in sink.where + left_over(sink)


def test_a_queue_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "spools").write_text("a file")
    with pytest.raises(SettingsError, match="the queue of events in "):
        open_sink("http://host/x", spools=tmp_path / "spools", webhook_secret=SECRET)


def test_the_signature_is_that_of_rfc_2104() -> None:
    # RFC 4231, test case 2.
    digits = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert signature("Jefe", b"what do ya want for nothing?") == f"sha256={digits}"


def test_a_full_spool_gives_up_the_oldest_and_counts(tmp_path: Path) -> None:
    spool = EventSpool(tmp_path, most=3)
    for number in range(5):
        spool.put(str(number))
    assert len(spool) == 3
    assert spool.lost == 2
    assert spool.first(0) == (3, "2")
    assert len(list(tmp_path.iterdir())) == 3


def test_an_event_whose_file_was_taken_away_stands_in_nobodys_way(tmp_path: Path) -> None:
    spool = EventSpool(tmp_path, most=3)
    spool.put("first")
    spool.put("second")
    (tmp_path / "000000000001.json").unlink()
    assert spool.first(0) == (2, "second")
    assert (len(spool), spool.lost) == (1, 1)


def test_an_event_that_a_disk_has_damaged_stands_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / "000000000001.json").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "notes.json").write_text("not ours")
    spool = EventSpool(tmp_path, most=3)
    spool.put("second")
    assert spool.first(0) == (2, "second")
    assert (len(spool), spool.lost) == (1, 1)
    assert len(EventSpool(tmp_path, most=3)) == 1


def test_what_a_killed_process_half_wrote_is_no_event(tmp_path: Path) -> None:
    (tmp_path / "000000000001.json").write_text("whole")
    (tmp_path / "000000000002.partial").write_text("ha")
    spool = EventSpool(tmp_path, most=3)
    assert len(spool) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["000000000001.json"]


@contextmanager
def broker(
    port: int,
    plugins: Mapping[str, Mapping[str, object]] | None = None,
    *,
    takes_anybody: bool = True,
) -> Iterator[None]:
    """A real broker in a loop and thread of its own."""
    policy = {"allow_anonymous": takes_anybody}
    anonymous = {"amqtt.plugins.authentication.AnonymousAuthPlugin": policy}
    config = {
        "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
        "plugins": anonymous | dict(plugins or {}),
    }
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def begin() -> Broker:
        started = Broker(config)
        await started.start()
        return started

    running = asyncio.run_coroutine_threadsafe(begin(), loop).result(20)
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(running.shutdown(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@contextmanager
def subscriber(port: int, received: list[str]) -> Iterator[None]:
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    ready: list[bool] = []
    client.on_subscribe = lambda *_: ready.append(True)
    client.on_message = lambda _c, _u, message: received.append(json.loads(message.payload)["id"])
    client.connect("127.0.0.1", port)
    client.subscribe("gate/events", qos=1)
    client.loop_start()
    try:
        until_s = monotonic() + 10
        while not ready and monotonic() < until_s:
            sleep(0.02)
        assert ready
        yield
    finally:
        client.disconnect()
        client.loop_stop()


@pytest.mark.filterwarnings("ignore::DeprecationWarning:amqtt", "ignore::ResourceWarning")
def test_a_broker_that_was_restarted_gets_every_event_in_order(tmp_path: Path) -> None:
    port = free_port()
    received: list[str] = []
    publisher = MqttPublisher("127.0.0.1", port, "gate/events")
    held = Event()

    def deliver(line: str) -> None:
        """Hold back what a broker would drop that has no subscriber yet."""
        if held.is_set():
            raise OSError("no subscriber yet")
        publisher.deliver(line)

    spool = EventSpool(tmp_path / "spool", most=1000)
    with closing(SpooledSink(spool, deliver, QUICKLY, where="mqtt")) as sink:
        with broker(port), subscriber(port, received):
            for number in range(5):
                sink.put(event(number))
            wait_until_empty(sink)
            sleep(0.3)
        for number in range(5, 15):
            sink.put(event(number))
        sleep(0.3)  # it is tried, and the broker is away
        held.set()
        assert sink.waiting == 10
        with broker(port), subscriber(port, received):
            held.clear()
            wait_until_empty(sink)
            sleep(0.5)
    publisher.close()
    assert list(dict.fromkeys(received)) == [f"event-{number}" for number in range(15)]


@pytest.mark.filterwarnings("ignore::DeprecationWarning:amqtt", "ignore::ResourceWarning")
def test_a_broker_that_refuses_the_connection_is_understood() -> None:
    port = free_port()
    publisher = MqttPublisher("127.0.0.1", port, "gate/events")
    with broker(port, takes_anybody=False), pytest.raises(OSError, match="refuses the connection"):
        publisher.deliver("{}")
    with pytest.raises(OSError, match="Connection refused"):
        publisher.deliver("{}")


def test_a_file_is_rotated_and_keeps_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "events" / "gate.jsonl"
    sink = FileSink(path, max_bytes=500, kept=2)
    for number in range(40):
        sink.put(event(number))
    files = sorted(path.parent.iterdir())
    assert [file.name for file in files] == ["gate.jsonl", "gate.jsonl.1", "gate.jsonl.2"]
    kept = [files[2], files[1], files[0]]
    lines = [line for file in kept for line in file.read_text("utf-8").splitlines()]
    numbers = [json.loads(line)["data"]["frames"] for line in lines]
    assert numbers == list(range(numbers[0], 40))
    assert all(file.stat().st_size <= 500 for file in files)


def test_a_file_that_cannot_be_written_loses_events_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    sink = FileSink(tmp_path / "file" / "events.jsonl", max_bytes=500, kept=1)
    sink.put(event(1))
    assert sink.lost == 1
    assert left_over(sink) == f"{sink.where}: 1 event(s) were lost (File exists)"
    (tmp_path / "file").unlink()
    sink.put(event(2))
    assert (sink.lost, sink.trouble) == (1, "")
