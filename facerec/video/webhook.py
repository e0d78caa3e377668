"""Sending events to a webhook, signed."""

import hashlib
import hmac
from base64 import b64encode
from http.client import HTTPException, HTTPMessage
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

__all__ = ["SIGNATURE_HEADER", "Webhook", "signature"]

SIGNATURE_HEADER = "X-Facerec-Signature"


def signature(secret: str, body: bytes) -> str:
    """Return ``sha256=`` and the HMAC-SHA256 (RFC 2104) of a body in hexadecimal digits."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class _NoRedirects(HTTPRedirectHandler):
    """Takes a redirect for a refusal: followed, a POST becomes a GET that carries no event."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """Follow nothing."""


class Webhook:
    """Posts events as ``application/cloudevents+json`` (CloudEvents HTTP binding, structured)."""

    def __init__(
        self, url: str, secret: str, *, user: str = "", password: str = "", timeout_s: float = 5.0
    ) -> None:
        """Send to an ``http://`` or ``https://`` address, signed with a shared secret.

        Args:
            url: Without user and password.
            secret: That events are signed with.
            user: For HTTP's basic authentication; "" for none.
            password: Of that user.
            timeout_s: Longest silence of the receiver, seconds.
        """
        self._url = url
        self._secret = secret
        self._timeout_s = timeout_s
        self._opener = build_opener(_NoRedirects)
        self._authorization = {}
        if user or password:
            credentials = b64encode(f"{user}:{password}".encode()).decode()
            self._authorization = {"Authorization": f"Basic {credentials}"}

    def deliver(self, line: str) -> None:
        """Send an event's JSON; return when the receiver answered with a status of 200 to 299.

        Raises:
            OSError: it was not reached, or answered otherwise; says which.
        """
        body = line.encode()
        headers = {
            "Content-Type": "application/cloudevents+json",
            SIGNATURE_HEADER: signature(self._secret, body),
            **self._authorization,
        }
        request = Request(self._url, data=body, headers=headers, method="POST")
        try:
            with self._opener.open(request, timeout=self._timeout_s):
                pass  # the status says all
        except HTTPError as error:
            error.close()
            raise OSError(f"it answers {error.code} {error.reason}") from error
        except URLError as error:
            raise OSError(f"it cannot be reached: {_cause(error.reason)}") from error
        except HTTPException as error:
            raise OSError("its answer is not HTTP") from error


def _cause(reason: object) -> str:
    """Return the system's words for a failure, where it has any."""
    return (isinstance(reason, OSError) and reason.strerror) or str(reason)
