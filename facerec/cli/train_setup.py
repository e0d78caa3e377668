"""What the training commands share: Keras on the chosen backend, networks, progress."""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facerec.cli.console import messages
from facerec.cli.progress import progress_over

if TYPE_CHECKING:
    from facerec.analysis.embedding import NetworkEmbedder
    from facerec.settings import Settings
    from facerec.training.curves import EpochRecord
    from facerec.training.record_file import ChipReader
    from facerec.training.run_folder import RunFolder
    from facerec.training.settings import TrainingSettings
    from facerec.training.views import Teacher

__all__ = [
    "Backend", "RunArgument", "Telling", "installed_embedder", "load_keras", "start_file",
    "start_of", "teacher_of", "telling",
]  # fmt: skip

BACKENDS = ("tensorflow", "jax", "torch")

Backend = Annotated[
    str | None,
    typer.Option(
        "--backend",
        help="Keras backend: tensorflow, jax or torch.  [default: KERAS_BACKEND, else tensorflow]",
    ),
]
RunArgument = Annotated[Path, typer.Argument(help="Folder of a run.", show_default=False)]


def load_keras(backend: str | None) -> None:
    """Import Keras on a backend, quietly, computing the same for the same seed.

    Raises:
        TrainingError: there is no such backend here.
    """
    from facerec.errors import TrainingError
    from facerec.inference.native_log import without_chatter

    chosen = backend or os.environ.get("KERAS_BACKEND") or "tensorflow"
    if chosen not in BACKENDS:
        raise TrainingError(f"--backend is one of {', '.join(BACKENDS)}; received {chosen!r}")
    os.environ["KERAS_BACKEND"] = chosen
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_DETERMINISTIC_OPS", "1")
    # Its advice on tracing is for programmers: several networks of one process are judged here.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    try:
        with without_chatter("WARNING: All log", "I0000", "E0000", "W0000", "To enable the fol"):
            from facerec.training.backend import wake

            wake()
    except ImportError as error:
        raise TrainingError(
            f"the backend {chosen} is not installed: pip install {chosen}"
        ) from error


def installed_embedder(settings: "Settings", name: str, *, raw: bool = False) -> "NetworkEmbedder":
    """Load an installed embedder.

    Args:
        settings: Of the home.
        name: Of the embedder.
        raw: Without the centre that is subtracted, as the network itself gives embeddings.

    Raises:
        ModelNotFoundError: it is not installed.
        ModelDamagedError: its file is not the one that was installed.
    """
    from facerec.analysis.embedding import NetworkEmbedder
    from facerec.inference import ModelTask
    from facerec.inference.litert_session import LiteRtSession
    from facerec.models.store import LITERT_FILE, ModelStore

    store = ModelStore(settings.models_dir)
    manifest = store.require(name, ModelTask.EMBEDDER)
    session = LiteRtSession(store.file(name, LITERT_FILE), settings.inference.threads)
    return NetworkEmbedder(session, replace(manifest, centre=None) if raw else manifest)


def start_file(settings: "Settings", name: str) -> tuple[Path | None, str]:
    """Return the Keras file and the embedding space of an embedder that is adapted.

    Raises:
        ModelNotFoundError: it is not installed.
        TrainingError: it was installed without its Keras form.
    """
    from facerec.errors import TrainingError
    from facerec.inference import ModelTask
    from facerec.models.store import KERAS_FILE, ModelStore

    if not name:
        return None, ""
    store = ModelStore(settings.models_dir)
    manifest = store.require(name, ModelTask.EMBEDDER)
    if KERAS_FILE not in manifest.files:
        raise TrainingError(
            f"{name} was imported as .tflite, which cannot be trained; import its .keras file"
        )
    store.verify(name)
    return store.file(name, KERAS_FILE), manifest.embedding_space


def start_of(settings: "Settings", folder: "RunFolder") -> Path | None:
    """Return the Keras file of the embedder that a run began with; None for random weights.

    Raises:
        ModelNotFoundError: it is not installed.
        TrainingError: another one has that name by now.
    """
    from facerec.errors import TrainingError

    name = folder.settings.start
    path, space = start_file(settings, name)
    began = folder.record["identity"]["start"]
    if space != began:
        raise TrainingError(
            f"{folder.path} began with {name} of the embedding space {began}; what is installed "
            f"by that name is {space}: install the one that it began with"
        )
    return path


def teacher_of(
    settings: "Settings", chosen: "TrainingSettings", reader: "ChipReader"
) -> "Teacher | None":
    """Let the teacher of a run embed all chips; None for no teacher."""
    name = chosen.teacher
    if not name:
        return None
    from facerec.training.teaching import taught
    from facerec.training.views import views_of

    # An anchor holds a network to its own output, which has no centre taken off.
    embedder = installed_embedder(settings, name, raw=name == chosen.start)
    views = views_of(reader, chosen)
    with progress_over(len(views.rows) * views.count, "Asking the teacher") as advance:
        return taught(reader, views, embedder, advance)


class Telling:
    """Tells on stderr how a run gets on: a bar on a terminal, and a line an epoch."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._done = 0
        self._advance: Callable[[int], None] = _nothing

    @contextmanager
    def bar(self, total: int) -> Iterator["Telling"]:
        """Show a bar of so many steps, with the time left."""
        with progress_over(total, "Training", shown=not self._quiet) as advance:
            self._advance = advance
            yield self

    def step(self, done: int, total: int) -> None:
        """Advance the bar; see `Observer`."""
        self._advance(done - self._done)
        self._done = done

    def epoch(self, record: "EpochRecord", epochs: int) -> None:
        """Print a line; see `Observer`."""
        if self._quiet:
            return
        left = (epochs - record.epoch) * record.seconds
        messages.print(
            f"epoch {record.epoch}/{epochs}  loss {record.loss:.4f}  on people held out: equal "
            f"error rate {record.eer:.4f}, accepted at FMR 1 % {record.tar:.3f}  "
            f"{record.seconds:.0f} s, {left:.0f} s left",
            soft_wrap=True,
        )


def telling(quiet: bool) -> Telling:
    """Return what tells how a run gets on."""
    return Telling(quiet)


def _nothing(_count: int) -> None:
    pass
