"""The file that names cameras and gates."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from string import Template

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from facerec.assembly import build_gate_rules
from facerec.errors import FaceRecError, SettingsError
from facerec.settings import GateSettings, explain_invalid
from facerec.video.destination import Destination
from facerec_identity.listen_address import ListenAddress

__all__ = ["CameraSettings", "MonitorSettings", "load_configuration"]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CameraSettings(_Section):
    """One camera."""

    url: SecretStr
    """A URL, a device number or a film; ``${NAME}`` stands for a variable of the environment."""
    gate: str = ""
    """Gate that it guards; "" for none."""
    galleries: tuple[str, ...] = ()
    """Galleries to search, without a gate; none: the settings' own."""
    udp: bool = False
    """Read RTSP over UDP instead of TCP."""


class MonitorSettings(_Section):
    """The whole file."""

    listen: str = ""
    """Address of health, cameras and metrics, such as 127.0.0.1:9465; "" for nowhere."""
    send: tuple[SecretStr, ...] = ()
    """Where events go: files, https:// webhooks, mqtt://HOST/TOPIC; ``${NAME}`` as in `url`."""
    cameras: dict[str, CameraSettings] = Field(min_length=1)
    """Cameras by name."""
    gates: dict[str, GateSettings] = Field(default_factory=dict)
    """Gates by name; these come before those of facerec.toml."""

    def searched_by(self, camera: str, default_gallery: str) -> tuple[str, ...]:
        """Return the galleries that a camera's faces are searched for in, each once."""
        own = self.cameras[camera]
        if own.gate:
            return build_gate_rules(self.gates[own.gate]).searched
        return own.galleries or (default_gallery,)


def load_configuration(
    path: Path,
    gates: Mapping[str, GateSettings],
    environment: Mapping[str, str] = os.environ,
    *,
    webhook_secret: str = "",
) -> MonitorSettings:
    """Read the file and check it as a whole, so that nothing of it fails later.

    Args:
        path: TOML.
        gates: Those of facerec.toml, which cameras may name too.
        environment: Values of ``${NAME}`` in addresses.
        webhook_secret: What events to webhooks are signed with; "" for none.

    Returns:
        The settings with all gates in them and every variable filled in.

    Raises:
        SettingsError: it cannot be read, a key is unknown (with the nearest known one), a name is
            used twice, or a value does not fit.
    """
    try:
        read = MonitorSettings(**tomllib.loads(path.read_text(encoding="utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: {_toml_fault(error)}") from error
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}; check the path") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} cannot be read: it is no UTF-8 text") from error
    except ValidationError as error:
        raise SettingsError(f"{path}: {explain_invalid(error, MonitorSettings)}") from error
    whole = read.model_copy(update={"gates": {**gates, **read.gates}})
    try:
        if read.listen:
            ListenAddress.parse(read.listen)
        send = tuple(_destination(each, environment, webhook_secret) for each in read.send)
        return _checked(whole.model_copy(update={"send": send}), environment)
    except FaceRecError as error:
        raise SettingsError(f"{path}: {error}") from error


def _checked(whole: MonitorSettings, environment: Mapping[str, str]) -> MonitorSettings:
    """Check what one value alone does not show, and fill in variables."""
    for name, gate in whole.gates.items():
        try:
            build_gate_rules(gate)
        except FaceRecError as error:
            raise SettingsError(f"gate {name}: {error}") from error
    seen: dict[str, str] = {}
    cameras = {}
    for name, camera in whole.cameras.items():
        if name.casefold() in seen:
            raise SettingsError(
                f"the cameras {seen[name.casefold()]} and {name} have one name, which events are "
                "told apart by; give each its own"
            )
        seen[name.casefold()] = name
        _check_gate(name, camera, whole.gates)
        url = _filled(f"camera {name}", camera.url, environment)
        if not url.strip():
            raise SettingsError(f"camera {name} has no address")
        cameras[name] = camera.model_copy(update={"url": SecretStr(url)})
    return whole.model_copy(update={"cameras": cameras})


def _check_gate(name: str, camera: CameraSettings, gates: Mapping[str, GateSettings]) -> None:
    if camera.gate and camera.gate not in gates:
        known = ", ".join(sorted(gates)) or "none"
        raise SettingsError(
            f"camera {name} guards the gate {camera.gate}, which there is not; gates: {known}"
        )
    if camera.gate and camera.galleries:
        raise SettingsError(
            f"camera {name} names galleries and a gate; the gate's own are searched: leave them out"
        )


def _destination(text: SecretStr, environment: Mapping[str, str], webhook_secret: str) -> SecretStr:
    """Put variables in, and check where events are to go."""
    filled = _filled("a place in send", text, environment)
    Destination.parse(filled, webhook_secret=webhook_secret)
    return SecretStr(filled)


def _filled(whose: str, address: SecretStr, environment: Mapping[str, str]) -> str:
    """Put variables in."""
    try:
        return Template(address.get_secret_value()).substitute(environment)
    except KeyError as error:
        raise SettingsError(
            f"{whose}: the variable {error.args[0]} in its address is not set"
        ) from error
    except ValueError as error:
        raise SettingsError(
            f"{whose}: a $ in its address begins a variable; write $$ for the sign itself"
        ) from error


def _toml_fault(error: tomllib.TOMLDecodeError) -> str:
    """Say in the words of this file what TOML's reader says in its own."""
    text = str(error)
    if "twice" in text or "overwrite" in text:
        return f"two cameras or gates have one name, or a key is given twice: {text}"
    return f"is not TOML: {text}"
