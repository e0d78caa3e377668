"""``facerec gate``: play a gate, to try a server as an integrator's gate would use it."""

import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facerec.cli.console import Json, emit, messages, output, stated_failures

if TYPE_CHECKING:
    from facerec.client import AuthorizeResult, Tls
    from facerec.video.source import FrameSource

__all__ = ["gate"]

gate = typer.Typer(name="gate", help="Play a gate.", no_args_is_help=True)

_JPEG_QUALITY = 90
"""As cameras of gates send: less costs accuracy, more costs time on the network."""


@gate.command("simulate")
def simulate(
    source: Annotated[
        str, typer.Argument(help="A film, a camera's number, or its rtsp:// or http:// address.")
    ],
    name: Annotated[str, typer.Option("--gate", help="Name of the gate to speak for.")],
    server: Annotated[
        str, typer.Option("--server", metavar="HOST:PORT", help="Where facerec serve listens.")
    ] = "127.0.0.1:50051",
    single: Annotated[
        bool,
        typer.Option("--single", help="Ask with single pictures (Authorize) instead of a stream."),
    ] = False,
    max_frames: Annotated[
        int | None, typer.Option("--max-frames", min=1, help="Stop after so many frames.")
    ] = None,
    ca: Annotated[
        Path | None, typer.Option("--ca", help="Authority of the server, PEM.", dir_okay=False)
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option("--cert", help="Own certificate, PEM.", dir_okay=False)
    ] = None,
    key: Annotated[
        Path | None, typer.Option("--key", help="Its private key, PEM.", dir_okay=False)
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="FACEREC_TOKEN", show_envvar=True, help="API token; best in the environment."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Send what a camera or a film shows to a server as a gate, and print its answers.

    A film is played at its own speed. With --json, one object a line and an answer.
    """
    # What gRPC's own log says of a connection that fails is said in our words.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    with stated_failures():
        from facerec.client import GateClient
        from facerec.video import open_source

        with (
            open_source(source, realtime=True) as camera,
            GateClient(server, tls=_tls(ca, certificate, key), token=token) as client,
        ):
            frames = _frames(camera, max_frames)
            answers: Iterable[AuthorizeResult | None]
            if single:
                answers = (client.authorize(name, picture) for picture, _ in frames)
            else:
                answers = client.stream_authorize(name, frames)
            granted = sum(_tell(answer, as_json) for answer in answers if answer is not None)
        if not as_json:
            messages.print(f"the gate opened {granted} time(s)")


def _frames(camera: "FrameSource", most: int | None) -> Iterator[tuple[bytes, float | None]]:
    """Yield the pictures of a camera as JPEG, with the seconds since the first."""
    import cv2

    from facerec.errors import SourceError

    for count, frame in enumerate(camera):
        if most is not None and count >= most:
            return
        done, data = cv2.imencode(
            ".jpg", frame.image_bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
        )
        if not done:
            raise SourceError("a frame cannot be encoded as JPEG; it may be too large")
        yield data.tobytes(), frame.clock_s


def _tell(answer: "AuthorizeResult", as_json: bool) -> bool:
    """Print an answer; return whether the gate opens."""
    if as_json:
        emit(_record(answer))
    else:
        reasons = f"  ({', '.join(answer.reasons)})" if answer.reasons else ""
        who = f"  {answer.display_name}" if answer.display_name else ""
        now = time.strftime("%H:%M:%S")
        line = f"{now}  {answer.outcome.value}{who}{reasons}"
        output.print(line, soft_wrap=True, markup=False)
    return answer.granted


def _record(answer: "AuthorizeResult") -> dict[str, Any]:
    return {
        "outcome": answer.outcome.value,
        "reasons": answer.reasons,
        "profile_id": answer.profile_id,
        "name": answer.display_name,
        "decision_id": answer.decision_id,
        "operating_point": answer.operating_point,
        "wait_s": answer.wait_s,
    }


def _tls(ca: Path | None, certificate: Path | None, key: Path | None) -> "Tls | None":
    from facerec.client import Tls
    from facerec.errors import ServiceError

    if ca is None:
        if certificate is not None or key is not None:
            raise ServiceError("give --ca too: the authority that the server's certificate is from")
        return None
    return Tls.from_files(ca, certificate, key)
