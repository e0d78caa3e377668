"""What ``facerec bench serve`` measures: pictures of a gate, a home for it, and servers."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from facerec.cli.console import fail

if TYPE_CHECKING:
    from facerec.analysis.analyzer import FaceAnalyzer
    from facerec.settings import Settings

__all__ = ["DECOY_PEOPLE", "furnish", "pictures_of", "running_server"]

DECOY_PEOPLE = 10_000
"""People with made-up templates in the gallery that is searched."""

_FRAMES_PER_FILM = 8
_JPEG_QUALITY = 90
_FACEREC = "from facerec.cli.main import main; main()"
_FOLDERS = ("models", "operating-points")


def pictures_of(sources: Sequence[Path], max_pixels: int) -> list[list[bytes]]:
    """Return the encoded pictures of each source: a picture's own bytes, or frames of a film.

    Raises:
        SourceError: a source is neither a picture nor a film, or a film without frames.
    """
    from facerec.analysis.image_decoding import decode_image
    from facerec.errors import ImageError

    found = []
    for path in sources:
        data = path.read_bytes()
        try:
            decode_image(data, max_pixels=max_pixels)
            found.append([data])
        except ImageError:
            found.append(_frames(path))
    return found


def _frames(film: Path) -> list[bytes]:
    """Return frames as JPEG, from its beginning to its end."""
    import cv2

    from facerec.errors import SourceError
    from facerec.video.open_source import open_source

    frames: list[bytes] = []
    step = 1
    with open_source(str(film)) as source:
        for number, frame in enumerate(source):
            if number % step:
                continue
            # How long it is shows only at its end: thin what was taken, and take every second less.
            if len(frames) == 2 * _FRAMES_PER_FILM:
                frames, step = frames[::2], 2 * step
            quality = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
            frames.append(cv2.imencode(".jpg", frame.image_bgr, quality)[1].tobytes())
    if not frames:
        raise SourceError(f"{film} shows not one frame; give a film that can be played")
    most = min(len(frames), _FRAMES_PER_FILM)
    return [frames[place * len(frames) // most] for place in range(most)]


def furnish(scratch: Path, settings: "Settings", analyzer: "FaceAnalyzer") -> None:
    """Make a home with the networks of another, and a gallery of people who do not exist.

    Args:
        scratch: An empty folder.
        settings: Of the home whose networks and operating points are used.
        analyzer: Of that home.
    """
    import numpy as np

    from facerec.analysis.faces import Faces
    from facerec.evaluation.search_benchmark import fill_with_people

    nobody = analyzer.embed(np.zeros((8, 8, 3), np.uint8), Faces.empty()).embeddings
    size = 0 if nobody is None else nobody.shape[1]
    for name in _FOLDERS:
        if (settings.home / name).exists():
            (scratch / name).symlink_to(settings.home / name)
    fill_with_people(
        settings.model_copy(update={"home": scratch}).database_path,
        DECOY_PEOPLE,
        size,
        embedding_space=analyzer.embedding_space,
    )


@contextmanager
def running_server(settings: "Settings", home: Path, *, batch_wait_ms: float) -> Iterator[str]:
    """Run a server in a process of its own, without TLS and for any rate; give its address.

    Args:
        settings: How it analyses, decides and queues.
        home: What it serves.
        batch_wait_ms: How long calls wait for each other.
    """
    server = settings.server
    given = {
        "HOME": str(home),
        "INFERENCE": settings.inference.model_dump_json(),
        "ANALYSIS": settings.analysis.model_dump_json(),
        "DECISION": settings.decision.model_dump_json(),
        "SEARCH": settings.search.model_dump_json(),
        "SERVER__ANALYSIS_WORKERS": str(server.analysis_workers),
        "SERVER__MAX_QUEUED_CALLS": str(server.max_queued_calls),
        "SERVER__BATCH_WAIT_MS": str(batch_wait_ms),
        "SERVER__BATCH_VIEWS": str(server.batch_views),
        "SERVER__CALLS_PER_SECOND_PER_CLIENT": "0",
    }
    environment = {key: value for key, value in os.environ.items() if key[:8] != "FACEREC_"}
    environment |= {f"FACEREC_{key}": value for key, value in given.items()}
    command = [sys.executable, "-c", _FACEREC, "serve", "--listen", "127.0.0.1:0", "--json"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline() if process.stdout is not None else ""
        if not line:
            fail("the server to be measured did not start; try: facerec serve")
        try:
            yield json.loads(line)["listening"]
        finally:
            process.terminate()
