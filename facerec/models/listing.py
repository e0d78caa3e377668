"""What there is: the catalogue and the installed networks side by side."""

from dataclasses import dataclass
from enum import StrEnum

from facerec.errors import ModelDamagedError
from facerec.models.catalogue import CATALOGUE, CatalogueEntry
from facerec.models.store import ModelStore

__all__ = ["ListedModel", "ModelState", "list_models"]


class ModelState(StrEnum):
    """Whether a network can be used."""

    AVAILABLE = "available"
    """In the catalogue; can be pulled."""
    INSTALLED = "installed"
    OUTDATED = "outdated"
    """Installed by another facerec and usable as it was; pulling it makes it what this one knows,
    in another embedding space if the catalogue names another."""
    DAMAGED = "damaged"


@dataclass(frozen=True)
class ListedModel:
    """One line of the list; what a damaged network's manifest no longer tells is ""."""

    name: str
    task: str
    version: str
    license: str
    state: ModelState
    embedding_space: str


def list_models(store: ModelStore) -> tuple[ListedModel, ...]:
    """Return the catalogue in its order, then imported networks by name.

    Every installed network's files are checked, so a damaged one shows as such.
    """
    known = {entry.name: entry for entry in CATALOGUE}
    names = [*known, *(name for name in store.names() if name not in known)]
    return tuple(_listed(name, known.get(name), store) for name in names)


def _listed(name: str, entry: CatalogueEntry | None, store: ModelStore) -> ListedModel:
    state = ModelState.AVAILABLE
    if store.has(name):
        try:
            manifest = store.verify(name)
        except ModelDamagedError:
            state = ModelState.DAMAGED
        else:
            state = ModelState.INSTALLED
            if entry is not None and manifest != entry.manifest(manifest.files):
                state = ModelState.OUTDATED
            return ListedModel(
                name,
                manifest.task,
                manifest.version,
                manifest.license,
                state,
                manifest.embedding_space,
            )
    if entry is None:
        return ListedModel(name, "", "", "", state, "")
    return ListedModel(name, entry.task, entry.version, entry.license, state, entry.embedding_space)
