"""Sending events to a webhook, signed."""

import hashlib
import hmac
from http.client import HTTPException
from urllib.request import Request, urlopen

__all__ = ["SIGNATURE_HEADER", "Webhook", "signature"]

SIGNATURE_HEADER = "X-Facerec-Signature"


def signature(secret: str, body: bytes) -> str:
    """Return ``sha256=`` and the HMAC-SHA256 (RFC 2104) of a body in hexadecimal digits."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class Webhook:
    """Posts events as ``application/cloudevents+json`` (CloudEvents HTTP binding, structured)."""

    def __init__(self, url: str, secret: str, *, timeout_s: float = 5.0) -> None:
        """Send to an ``http://`` or ``https://`` address, signed with a shared secret."""
        self._url = url
        self._secret = secret
        self._timeout_s = timeout_s

    def deliver(self, line: str) -> None:
        """Send an event's JSON; return when the receiver answered with a status of 200 to 299.

        Raises:
            OSError: it was not reached, or answered otherwise.
        """
        body = line.encode()
        headers = {
            "Content-Type": "application/cloudevents+json",
            SIGNATURE_HEADER: signature(self._secret, body),
        }
        request = Request(self._url, data=body, headers=headers, method="POST")
        try:
            with urlopen(request, timeout=self._timeout_s) as reply:
                reply.read()
        except HTTPException as error:
            raise OSError("the webhook's answer is not HTTP") from error
