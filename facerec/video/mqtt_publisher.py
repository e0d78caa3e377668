"""Publishing events to an MQTT broker."""

from queue import Empty, SimpleQueue
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

__all__ = ["MqttPublisher"]


class MqttPublisher:
    """Publishes with QoS 1: an event counts as delivered when the broker has acknowledged it."""

    def __init__(
        self, host: str, port: int, topic: str, *, user: str = "", password: str = ""
    ) -> None:
        """Publish to one topic; the connection is made with the first event."""
        self._address = host, port
        self._topic = topic
        self._user, self._password = user, password
        self._client: mqtt.Client | None = None

    def deliver(self, line: str, *, timeout_s: float = 5.0) -> None:
        """Publish an event's JSON, and wait for the broker's receipt.

        Raises:
            OSError: there was no receipt in time, and why; the connection is made anew next time.
        """
        try:
            client = self._client or self._connected(timeout_s)
            receipt = client.publish(self._topic, line, qos=1)
            receipt.wait_for_publish(timeout_s)
            if not receipt.is_published():
                raise OSError("it gives no receipt")
        except OSError as error:
            self.close()
            raise OSError(error.strerror or str(error)) from error
        except (ValueError, RuntimeError) as error:
            self.close()
            raise OSError("the connection broke off") from error

    def close(self) -> None:
        """Let go of the connection."""
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()

    def _connected(self, timeout_s: float) -> mqtt.Client:
        """Connect, and wait for the broker to say whether it takes us."""
        answers: SimpleQueue[ReasonCode] = SimpleQueue()

        def answered(_client: Any, _data: Any, _flags: Any, reason: ReasonCode, _: Any) -> None:
            answers.put(reason)

        client = self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        client.on_connect = answered
        client.connect_timeout = timeout_s
        if self._user:
            client.username_pw_set(self._user, self._password)
        client.connect(*self._address)
        client.loop_start()
        try:
            reason = answers.get(timeout=timeout_s)
        except Empty as error:
            raise OSError("it takes the connection and says nothing") from error
        if reason.is_failure:
            raise OSError(f"it refuses the connection: {reason}")
        return client
