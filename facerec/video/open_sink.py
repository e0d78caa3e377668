"""The one function that opens a place where events go."""

import fcntl
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from facerec.errors import SettingsError
from facerec.video.backoff import Backoff
from facerec.video.event_sink import EventSink
from facerec.video.event_spool import EventSpool
from facerec.video.file_sink import FileSink
from facerec.video.redaction import is_url, redact
from facerec.video.spooled_sink import SpooledSink
from facerec.video.webhook import Webhook

if TYPE_CHECKING:
    from facerec.video.mqtt_publisher import MqttPublisher

__all__ = ["open_sink"]

_FILE_BYTES = 10_000_000
_FILES_KEPT = 5
_MOST_WAITING = 10_000
"""Events that wait at most for one receiver: some 5 MB, days of a busy gate."""
_MQTT_PORT = 1883


class _NetworkSink:
    """A `SpooledSink` whose folder is held against other processes while it is open."""

    def __init__(self, destination: str, folder: Path, secret: str) -> None:
        address = redact(destination)
        self._publisher: MqttPublisher | None = None
        deliver: Callable[[str], None]
        if destination.lower().startswith("mqtt"):
            self._publisher = _publisher(destination)
            deliver = self._publisher.deliver
        else:
            deliver = Webhook(destination, secret).deliver
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = (folder / "lock").open("w", encoding="utf-8")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise SettingsError(
                f"another facerec sends events to {address} from this home; stop it, or use one "
                "with another --home"
            ) from error
        spool = EventSpool(folder, most=_MOST_WAITING)
        self._sink = SpooledSink(spool, deliver, Backoff(0.25, 10.0), name=f"send to {address}")

    @property
    def waiting(self) -> int:
        return self._sink.waiting

    @property
    def lost(self) -> int:
        return self._sink.lost

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
        destination: A path; ``http://`` or ``https://`` and a webhook's address; or
            ``mqtt://[USER:PASSWORD@]HOST[:PORT]/TOPIC``.
        spools: Folder in which events wait for receivers that are away.
        webhook_secret: What webhooks are signed with.

    Raises:
        SettingsError: the destination is malformed, a webhook has no secret, or another process
            uses its queue.
    """
    if not is_url(destination):
        return FileSink(Path(destination), max_bytes=_FILE_BYTES, kept=_FILES_KEPT)
    scheme = destination.split("://", 1)[0].lower()
    if scheme not in ("http", "https", "mqtt"):
        raise SettingsError(
            f"events cannot be sent to {redact(destination)}; use a path, http://, https:// or "
            "mqtt://HOST/TOPIC"
        )
    if scheme != "mqtt" and not webhook_secret:
        raise SettingsError(
            "a webhook needs a secret to sign events with; set FACEREC_WATCH__WEBHOOK_SECRET"
        )
    mark = hashlib.sha256(redact(destination).encode()).hexdigest()[:16]
    return _NetworkSink(destination, spools / mark, webhook_secret)


def _publisher(destination: str) -> "MqttPublisher":
    """Read ``mqtt://USER:PASSWORD@HOST:PORT/TOPIC``."""
    from facerec.video.mqtt_publisher import MqttPublisher

    try:
        parts = urlsplit(destination)
        host, port, topic = parts.hostname, parts.port or _MQTT_PORT, parts.path.strip("/")
    except ValueError:
        host, port, topic = None, _MQTT_PORT, ""
    if not host or not topic or set(topic) & set("+#"):
        raise SettingsError(
            f"{redact(destination)} names no broker and topic; write mqtt://HOST/TOPIC"
        )
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return MqttPublisher(host, port, topic, user=user, password=password)
