"""The one function that opens a place where events go."""

import fcntl
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facerec.errors import SettingsError
from facerec.video.backoff import Backoff
from facerec.video.destination import Destination
from facerec.video.event_sink import EventSink
from facerec.video.event_spool import EventSpool
from facerec.video.file_sink import FileSink
from facerec.video.spooled_sink import SpooledSink
from facerec.video.webhook import Webhook

if TYPE_CHECKING:
    from facerec.video.mqtt_publisher import MqttPublisher

__all__ = ["open_sink"]

_FILE_BYTES = 10_000_000
_FILES_KEPT = 5
_MOST_WAITING = 10_000
"""Events that wait at most for one receiver: some 5 MB, days of a busy gate."""


class _NetworkSink:
    """A `SpooledSink` whose folder is held against other processes while it is open."""

    def __init__(self, to: Destination, folder: Path, secret: str) -> None:
        self._publisher: MqttPublisher | None = None
        deliver: Callable[[str], None]
        if to.kind == "mqtt":
            self._publisher = _publisher(to)
            deliver = self._publisher.deliver
        else:
            deliver = Webhook(to.path, secret, user=to.user, password=to.password).deliver
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = (folder / "lock").open("w", encoding="utf-8")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise SettingsError(
                f"another facerec sends events to {to.shown} from this home; stop it, or use one "
                "with another --home"
            ) from error
        spool = EventSpool(folder, most=_MOST_WAITING)
        self._sink = SpooledSink(spool, deliver, Backoff(0.25, 10.0), where=to.shown)

    @property
    def where(self) -> str:
        return self._sink.where

    @property
    def waiting(self) -> int:
        return self._sink.waiting

    @property
    def lost(self) -> int:
        return self._sink.lost

    @property
    def trouble(self) -> str:
        return self._sink.trouble

    def put(self, event: Mapping[str, Any]) -> None:
        self._sink.put(event)

    def close(self) -> None:
        self._sink.close()
        if self._publisher is not None:
            self._publisher.close()
        self._lock.close()


def open_sink(destination: str, *, spools: Path, webhook_secret: str) -> EventSink:
    """Open a file, a webhook or a topic of an MQTT broker.

    Args:
        destination: As `Destination.parse` reads it.
        spools: Folder in which events wait for receivers that are away.
        webhook_secret: What webhooks are signed with.

    Raises:
        SettingsError: the destination is malformed, a webhook has no secret, another process uses
            its queue, or the queue cannot be written.
    """
    to = Destination.parse(destination, webhook_secret=webhook_secret)
    if to.kind == "file":
        return FileSink(Path(to.path), max_bytes=_FILE_BYTES, kept=_FILES_KEPT)
    mark = hashlib.sha256(to.shown.encode()).hexdigest()[:16]
    try:
        return _NetworkSink(to, spools / mark, webhook_secret)
    except OSError as error:
        raise SettingsError(
            f"the queue of events in {spools} cannot be written: {error.strerror}; free its disk, "
            "or give it to this user"
        ) from error


def _publisher(to: Destination) -> "MqttPublisher":
    from facerec.video.mqtt_publisher import MqttPublisher

    return MqttPublisher(to.host, to.port, to.path, user=to.user, password=to.password)
