"""Where events go, as a user names it. Pure: nothing is opened."""

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from facerec.errors import SettingsError
from facerec.video.redaction import is_url, redact

__all__ = ["Destination"]

_MQTT_PORT = 1883


@dataclass(frozen=True)
class Destination:
    """A place that events are sent to.

    Attributes:
        kind: What is there.
        shown: The destination without user, password and query: fit for logs.
        path: The file's path; the webhook's URL without user and password; the broker's topic.
        host: Of the broker.
        port: Of the broker.
        user: "" for none.
        password: "" for none.
    """

    kind: Literal["file", "webhook", "mqtt"]
    shown: str
    path: str
    host: str = ""
    port: int = 0
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @classmethod
    def parse(cls, text: str, *, webhook_secret: str) -> "Destination":
        """Read a path, ``http[s]://[USER:PASSWORD@]HOST/...`` or ``mqtt://[...@]HOST[:PORT]/TOPIC``.

        Raises:
            SettingsError: it is none of these, or a webhook and there is no secret to sign with.
        """
        if not is_url(text):
            if not text.strip():
                raise SettingsError("events have no place to go: name a file, webhook or broker")
            return cls("file", text, text)
        shown, scheme = redact(text), text.split("://", 1)[0].lower()
        if scheme not in ("http", "https", "mqtt"):
            raise SettingsError(
                f"events cannot be sent to {shown}; use a path, http://, https:// or "
                "mqtt://HOST/TOPIC"
            )
        try:
            parts = urlsplit(text)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            host = ""
        if not host:
            raise SettingsError(f"{shown} names no host that events could be sent to")
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        if scheme == "mqtt":
            topic = _topic(parts, shown)
            return cls("mqtt", shown, topic, host, port or _MQTT_PORT, user, password)
        if not webhook_secret:
            raise SettingsError(
                "a webhook needs a secret to sign events with; set FACEREC_WATCH__WEBHOOK_SECRET"
            )
        bare = parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="")
        return cls("webhook", shown, urlunsplit(bare), user=user, password=password)


def _topic(parts: SplitResult, shown: str) -> str:
    topic = unquote(parts.path.strip("/"))
    if not topic or set(topic) & set("+#\0"):
        raise SettingsError(f"{shown} names no broker and topic; write mqtt://HOST/TOPIC")
    return topic
