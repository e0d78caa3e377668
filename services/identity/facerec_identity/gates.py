"""The gates that may ask, what they ask for, and what they remember."""

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from facerec.assembly import build_gate_rules
from facerec.errors import (
    GalleryStateError,
    GateChangedError,
    GateExistsError,
    GateNotFoundError,
    RequestError,
    SettingsError,
)
from facerec.gallery.gallery import Gallery
from facerec.settings import GateSettings
from facerec.video.gate_keeper import GateKeeper
from facerec_identity.shared_file import SharedFile

__all__ = ["Gate", "Gates"]

_STORED: TypeAdapter[Mapping[str, GateSettings]] = TypeAdapter(Mapping[str, GateSettings])


@dataclass(frozen=True)
class Gate:
    """A gate.

    Attributes:
        name: Its name.
        policy: What it asks.
        fixed: Whether the settings file says so.
    """

    name: str
    policy: GateSettings
    fixed: bool

    @property
    def etag(self) -> str:
        """A word that changes whenever the policy does."""
        return hashlib.sha256(self.policy.model_dump_json().encode()).hexdigest()[:16]


class Gates:
    """The gates of the settings and those that administrators set up; safe between threads.

    A gate remembers its grants for as long as its policy stays as it is, in this process.
    """

    def __init__(self, fixed: Mapping[str, GateSettings], path: Path, gallery: Gallery) -> None:
        """Compose.

        Args:
            fixed: Gates of the settings.
            path: File of those that administrators set up; it need not exist.
            gallery: Where people are looked up.
        """
        self._fixed = fixed
        self._gallery = gallery
        self._file = SharedFile(
            path,
            _STORED,
            {},
            damaged="the file of gates cannot be read; restore it from a backup, or remove it and "
            "set the gates up again",
        )
        self._lock = threading.Lock()
        self._keepers: dict[str, tuple[GateSettings, GateKeeper]] = {}

    def all(self) -> tuple[Gate, ...]:
        """Return all gates by name."""
        stored = {name: Gate(name, policy, False) for name, policy in self._file.read().items()}
        fixed = {name: Gate(name, policy, True) for name, policy in self._fixed.items()}
        found = stored | fixed
        return tuple(found[name] for name in sorted(found))

    def get(self, name: str) -> Gate:
        """Return a gate.

        Raises:
            GateNotFoundError: no gate has that name.
        """
        if name in self._fixed:
            return Gate(name, self._fixed[name], True)
        stored = self._file.read()
        if name not in stored:
            raise GateNotFoundError(f"there is no gate {name!r}; its operator sets gates up")
        return Gate(name, stored[name], False)

    def keeper(self, name: str) -> GateKeeper:
        """Return what answers for a gate, and remembers.

        Raises:
            GateNotFoundError: no gate has that name.
        """
        policy = self.get(name).policy
        with self._lock:
            known = self._keepers.get(name)
            if known is None or known[0] != policy:
                known = policy, GateKeeper(name, build_gate_rules(policy), self._gallery)
                self._keepers[name] = known
            return known[1]

    def create(self, name: str, policy: GateSettings) -> Gate:
        """Set a gate up.

        Raises:
            GateExistsError: there is one of that name.
            GalleryNotFoundError: it names a gallery that there is not.
            RequestError: the policy contradicts itself.
        """
        self._check(policy)

        def created(stored: Mapping[str, GateSettings]) -> Mapping[str, GateSettings]:
            if name in stored or name in self._fixed:
                raise GateExistsError(f"there is a gate {name!r}; update it, or choose another id")
            return {**stored, name: policy}

        self._file.change(created)
        return self.get(name)

    def update(self, name: str, policy: GateSettings, etag: str) -> Gate:
        """Replace a gate's policy, if it is at a version still; "" stands for any.

        Raises:
            GateNotFoundError: no gate has that name.
            GateChangedError: somebody changed it in the meantime.
            GalleryStateError: the settings file sets it up.
            GalleryNotFoundError: the policy names a gallery that there is not.
            RequestError: the policy contradicts itself.
        """
        self._check(policy)
        self._file.change(lambda stored: {**self._changeable(stored, name, etag), name: policy})
        return self.get(name)

    def delete(self, name: str, etag: str) -> None:
        """Take a gate away, if it is at a version still; "" stands for any.

        Raises:
            As `update`.
        """

        def without(stored: Mapping[str, GateSettings]) -> Mapping[str, GateSettings]:
            kept = self._changeable(stored, name, etag)
            return {other: policy for other, policy in kept.items() if other != name}

        self._file.change(without)

    def _changeable(
        self, stored: Mapping[str, GateSettings], name: str, etag: str
    ) -> Mapping[str, GateSettings]:
        """Return the stored gates if one of them may be changed."""
        if name in self._fixed:
            raise GalleryStateError("this gate is set up in the settings file; change it there")
        if name not in stored:
            raise GateNotFoundError(f"there is no gate {name!r}; its operator sets gates up")
        if etag and etag != Gate(name, stored[name], False).etag:
            raise GateChangedError(
                "the gate was changed since it was read; read it again and repeat the change"
            )
        return stored

    def _check(self, policy: GateSettings) -> None:
        try:
            searched = build_gate_rules(policy).searched
        except SettingsError as error:
            raise RequestError(str(error), field="gate.policy") from error
        self._gallery.require_galleries(searched)
