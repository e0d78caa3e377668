"""The one settings tree: defaults, then ``facerec.toml``, then ``FACEREC_*``, then flags."""

import difflib
import os
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import (
    SettingsError as SettingsSourceError,
)

from facerec.errors import SettingsError

__all__ = [
    "AnalysisSettings",
    "DatabaseSettings",
    "DecisionSettings",
    "EncryptionSettings",
    "EnrolmentSettings",
    "GateSettings",
    "InferenceSettings",
    "SearchSettings",
    "ServerSettings",
    "Settings",
    "WatchSettings",
    "explain_invalid",
    "load_settings",
]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class InferenceSettings(_Section):
    """How networks are run."""

    engine: Literal["litert", "tensorflow"] = "litert"
    """``litert`` on a CPU; ``tensorflow`` for a GPU."""
    threads: int = Field(default=2, ge=1, le=256)
    """Threads a network call uses."""


class AnalysisSettings(_Section):
    """Finding faces and making templates of them."""

    detector: str = "yunet"
    embedder: str = "sface"
    close_up: bool = True
    """Look at each face again in a close-up: more exact landmarks and fewer false faces, for a
    tenth more time."""
    second_look: Literal["centerface", ""] = "centerface"
    """Detector that looks at each face again to cut its mirrored chip; "" for none."""
    mirrored_chip: bool = True
    """Embed the mirrored chip too and average: a little more exact, twice the embedding time."""
    min_face_px: int = Field(default=24, ge=8, le=4096)
    """Smallest face side to find, in pixels of the image; larger is faster."""
    min_detection_score: float = Field(default=0.7, ge=0, le=1)
    max_image_pixels: int = Field(default=50_000_000, ge=1)
    """Pictures of more pixels are refused before they are decoded."""

    @property
    def looks_twice(self) -> bool:
        """Whether a second detector is to look: one that is not the first one again."""
        return self.mirrored_chip and self.second_look not in ("", self.detector)

    @property
    def networks(self) -> tuple[str, ...]:
        """Names of the networks that analysis with these settings needs, each once."""
        second = (self.second_look,) if self.looks_twice else ()
        return tuple(dict.fromkeys((self.detector, self.embedder, *second)))


class DecisionSettings(_Section):
    """What error rates decisions are made at."""

    target_fmr: float = Field(default=1e-4, gt=0, lt=1)
    """1:1: false match rate of a single comparison."""
    target_fpir: float = Field(default=1e-2, gt=0, lt=1)
    """1:N: share of strangers' probes that name anybody, at the gallery's present size."""
    min_margin: float = Field(default=0.05, ge=0, le=2)
    """1:N: least similarity by which the best person must lead the second."""
    min_quality: float = Field(default=0.2, ge=0, le=1)
    """Probes and references under this overall quality are refused."""


class SearchSettings(_Section):
    """Searching a gallery (1:N)."""

    best_templates: int = Field(default=2, ge=1, le=100)
    """A person's score is the mean over so many of their templates, those most like the probe."""
    mean_template: bool = True
    """The mean of a person's templates counts as one more of them."""
    approximate_from: int = Field(default=0, ge=0)
    """From so many templates on a search reads only a part of them, and may miss a few people in a
    thousand; answers say so. 0: never."""


class EnrolmentSettings(_Section):
    """What enrolments are held to be mistakes; look-alikes go by `DecisionSettings`."""

    duplicate_fpir: float = Field(default=1e-3, gt=0, lt=1)
    """Share of newcomers who may be refused because somebody else looks the same."""
    own_pictures_fmr: float = Field(default=1e-3, gt=0, lt=1)
    """Share of pictures of somebody else that may pass as one of the person's own."""
    keep_images: bool = False
    """Keep the pictures, sealed, so that another network can make new templates of them."""


class WatchSettings(_Section):
    """Recognising people in video."""

    decide_after_frames: int = Field(default=3, ge=1)
    """Looks at a track that must agree before a person is named."""
    look_every_s: float = Field(default=0.1, ge=0.01)
    """Least time between two looks: neighbouring frames say the same again."""
    stranger_after_s: float = Field(default=1.0, gt=0)
    """Time limit: who was looked at for this long is reported, as a stranger or undecided."""
    max_fmr: float = Field(default=2e-5, gt=0, lt=1)
    """Nobody is named on a similarity that more strangers than this share reach, however few people
    are enrolled. 1 in 50,000 is what Android asks of its strongest class of biometrics."""
    forget_after_s: float = Field(default=1.0, gt=0)
    """A face unseen for this long ends its track."""
    recheck_every_s: float = Field(default=1.0, gt=0)
    """How often a decided track is checked for showing the same face still."""
    crops_dir: Path | None = None
    """Folder that keeps the best look at each decided face; None to keep none."""
    crops_kept_days: float = Field(default=7.0, gt=0)
    """Age at which a kept look is deleted."""
    webhook_secret: SecretStr = SecretStr("")
    """What events to webhooks are signed with; best set as ``FACEREC_WATCH__WEBHOOK_SECRET``."""


class ServerSettings(_Section):
    """The gRPC server."""

    listen: str = "127.0.0.1:50051"
    """Where callers connect; beyond this machine only with TLS."""
    token_listen: str | None = None
    """A second address, for callers that have an API token and no certificate."""
    tls_certificate: Path | None = None
    """PEM file of the server's certificate.  [default: pki/server.crt in the home, if it exists]"""
    tls_key: Path | None = None
    """PEM file of its private key."""
    tls_client_ca: Path | None = None
    """PEM file of the authority whose clients may connect; without it callers need a token."""
    audience: str = "facerec"
    """Name of this server, or of the servers that share their tokens."""
    local_roles: tuple[Literal["gate", "enroller", "auditor", "administrator"], ...] = (
        "administrator",
    )
    """Roles of a caller on this machine that shows nothing; only without TLS."""
    calls_per_second_per_client: float = Field(default=200.0, ge=0)
    """Calls that one client may make; 0 for any number."""
    log_format: Literal["text", "json"] = "text"
    """Form of the log on stderr."""
    log_level: Literal["debug", "info", "warning", "error"] = "warning"
    """Least level that is logged to stderr; ``info`` writes a line a call."""
    metrics_listen: str | None = None
    """Loopback address where Prometheus scrapes, such as 127.0.0.1:9464; None for nowhere."""
    trace_endpoint: str | None = Field(default=None, pattern=r"^https?://.+")
    """Where calls are traced to by OpenTelemetry (OTLP over gRPC), such as ``http://host:4317``;
    None for what ``OTEL_EXPORTER_OTLP_ENDPOINT`` says, or nowhere."""
    max_message_bytes: int = Field(default=8 * 1024 * 1024, ge=1024)
    """Larger requests are refused before they are parsed; of more than twice this nothing is taken
    in."""
    analysis_workers: int = Field(default=2, ge=1, le=256)
    """Calls that are analysed at the same time; each uses `InferenceSettings.threads`."""
    workers: int = Field(default=1, ge=1, le=256)
    """Processes that serve the address; each loads the networks and has its own pools."""
    share_port: bool = False
    """Whether other processes of this user may serve the same address; set for each worker."""
    max_queued_calls: int = Field(default=32, ge=1)
    """Calls that wait for analysis at most; further ones are refused at once."""
    batch_wait_ms: float = Field(default=0.0, ge=0, le=100)
    """How long the faces of a call wait for those of others, to be embedded in one run; 0 for not
    at all. It gains nothing on a CPU, where a run of four takes twice as long as one of two."""
    batch_views: int = Field(default=8, ge=1, le=1024)
    """Faces and mirrored faces in a joint run at most."""
    drain_s: float = Field(default=10.0, ge=0)
    """Time that calls in flight are given to finish when the server is stopped."""
    reflection: bool = True
    """Whether callers may ask the server for the API's definition."""


class GateSettings(_Section):
    """Who may pass a gate."""

    galleries: tuple[str, ...] = Field(min_length=1)
    """Galleries whose people may pass."""
    known_galleries: tuple[str, ...] = ()
    """Further galleries that are searched: their people are known here, and denied."""
    zone: tuple[tuple[float, float], ...] = ()
    """Corners (x, y) of where one stands at the gate, in shares of the picture; none: anywhere."""
    min_face_px: float = Field(default=0.0, ge=0)
    """Side of the smallest face that counts here, in pixels."""
    nearest_only: bool = True
    """Only the largest face that stands at the gate counts."""
    min_frames: int = Field(default=1, ge=1)
    """Frames at least that must show a person before the gate opens."""
    cool_down_s: float = Field(default=0.0, ge=0)
    """Seconds after a grant in which the same person is not granted again."""
    refuse_repeats: bool = False
    """A look that opened the gate does not open it again within a day, pixel by pixel the same:
    what shows it is a recording, or a camera that stands still or repeats its pictures."""
    schedule: tuple[str, ...] = ()
    """When it may open, such as ``mon-fri 07:00-19:00``; none: always."""
    time_zone: str = "UTC"
    """Where the schedule's clock hangs, such as ``Europe/Berlin``."""


class EncryptionSettings(_Section):
    """Where the master key of what is stored comes from; the file unless another is given."""

    master_key_file: Path | None = None
    """The key's file.  [default: master.key in the home]"""
    master_key: SecretStr | None = None
    """The key itself; meant for the environment: ``FACEREC_ENCRYPTION__MASTER_KEY``."""
    master_key_command: str | None = None
    """A command that prints the key, such as the client of a key service."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [self.master_key_file, self.master_key, self.master_key_command]
        if sum(value is not None for value in given) > 1:
            raise ValueError("give one of master_key_file, master_key and master_key_command")
        return self


class DatabaseSettings(_Section):
    """Where people are kept."""

    url: SecretStr = SecretStr("")
    """A PostgreSQL database, ``postgresql://user:password@host/name``, in place of the file
    ``gallery.db`` in the home; best set as ``FACEREC_DATABASE__URL``. What is left out comes from
    libpq's own variables and password file."""


class Settings(BaseSettings):
    """All settings of one process; made once at the edge and passed in."""

    model_config = SettingsConfigDict(
        env_prefix="FACEREC_", env_nested_delimiter="__", frozen=True, extra="forbid"
    )

    home: Path = Path("~/.facerec")
    """Folder that holds all state: networks, the gallery, the settings file."""
    gallery: str = "default"
    """Gallery that commands use when none is named."""
    inference: InferenceSettings = InferenceSettings()
    analysis: AnalysisSettings = AnalysisSettings()
    decision: DecisionSettings = DecisionSettings()
    enrolment: EnrolmentSettings = EnrolmentSettings()
    search: SearchSettings = SearchSettings()
    watch: WatchSettings = WatchSettings()
    server: ServerSettings = ServerSettings()
    gates: dict[str, GateSettings] = Field(default_factory=dict)
    """Gates that may ask, by name."""
    encryption: EncryptionSettings = EncryptionSettings()
    database: DatabaseSettings = DatabaseSettings()

    @property
    def models_dir(self) -> Path:
        """Folder with one folder an installed network."""
        return self.home / "models"

    @property
    def operating_points_dir(self) -> Path:
        """Folder of the operating points that were calibrated here."""
        return self.home / "operating-points"

    @property
    def spools_dir(self) -> Path:
        """Folder in which events wait for receivers that are away."""
        return self.home / "spools"

    @property
    def database_path(self) -> Path:
        """The gallery's SQLite file, unless `database` names a server."""
        return self.home / "gallery.db"

    @property
    def pki_dir(self) -> Path:
        """Folder of the certificates that ``facerec pki`` makes."""
        return self.home / "pki"

    @property
    def revoked_certificates_path(self) -> Path:
        """File of the serial numbers of certificates that are not taken any more."""
        return self.pki_dir / "revoked"

    @property
    def gates_path(self) -> Path:
        """File of the gates that administrators set up while servers run."""
        return self.home / "gates.json"

    @property
    def tokens_path(self) -> Path:
        """File of what is kept of API tokens."""
        return self.home / "tokens.json"


class _Loaded(Settings):
    """`Settings` that also reads ``facerec.toml`` in the home it is given."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        home = init_settings().get("home") or env_settings().get("home") or Settings().home
        path = Path(home).expanduser() / "facerec.toml"
        return init_settings, env_settings, _file_settings(settings_cls, path)


def _file_settings(settings: type[BaseSettings], path: Path) -> TomlConfigSettingsSource:
    """Read the file, if there is one.

    Raises:
        SettingsError: it is not TOML in UTF-8, or may not be read.
    """
    try:
        return TomlConfigSettingsSource(settings, toml_file=path)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not TOML: {error}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is no text in UTF-8; save it as UTF-8") from error
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be read: {error.strerror}; see who may read it, or take another home "
            "(--home)"
        ) from error


def load_settings(home: Path | None = None, **flags: Any) -> Settings:
    """Load the settings of one process.

    Args:
        home: The ``--home`` flag; None to take ``FACEREC_HOME`` or the default.
        flags: Values from the command line, by section, such as ``analysis={"min_face_px": 60}``;
            they win over all else, key by key.

    Returns:
        Settings whose ``home`` is absolute; the folder need not exist.

    Raises:
        SettingsError: a key is unknown (with the nearest known one) or a value does not fit.
    """
    _refuse_unknown_sections(os.environ)
    given: dict[str, Any] = dict(flags)
    if home is not None:
        given["home"] = home
    try:
        loaded = _Loaded(**given)
    except ValidationError as error:
        raise SettingsError(explain_invalid(error, Settings)) from error
    except SettingsSourceError as error:
        raise SettingsError(f"a FACEREC_ variable cannot be read: {error}") from error
    return loaded.model_copy(update={"home": loaded.home.expanduser().absolute()})


def _refuse_unknown_sections(variables: Iterable[str]) -> None:
    """Refuse variables such as ``FACEREC_ANALYSSIS__DETECTOR``, which would set nothing."""
    for name in variables:
        section, inside, _ = name.upper().removeprefix("FACEREC_").lower().partition("__")
        if name.upper().startswith("FACEREC_") and inside and section not in Settings.model_fields:
            near = difflib.get_close_matches(section, Settings.model_fields, n=1)
            hint = f"; did you mean FACEREC_{near[0].upper()}__...?" if near else ""
            raise SettingsError(f"the variable {name} sets nothing: no section is {section}{hint}")


def explain_invalid(error: ValidationError, root: type[BaseModel]) -> str:
    """Say of the first fault in one line what is wrong and what would be right.

    Args:
        error: What checking values against `root` gave.
        root: The model of the whole file; tables of models by name are looked into.
    """
    faults = error.errors()
    # A misspelt key of something that is needed is missing, too: the key is the better advice.
    fault = next((fault for fault in faults if fault["type"] == "extra_forbidden"), faults[0])
    key = ".".join(str(part) for part in fault["loc"])
    if fault["type"] != "extra_forbidden":
        return f"setting {key}: {fault['msg'].lower()}"
    section = root
    for part in fault["loc"][:-1]:
        field = section.model_fields.get(str(part))
        # A part that is no field is a name in a table of sections, such as a gate's.
        section = section if field is None else _section_of(field.annotation) or section
    near = difflib.get_close_matches(str(fault["loc"][-1]), section.model_fields, n=1)
    hint = f"; did you mean {'.'.join([*map(str, fault['loc'][:-1]), near[0]])}?" if near else ""
    return f"setting {key} is not known{hint}"


def _section_of(annotation: Any) -> type[BaseModel] | None:
    """Return the model in an annotation such as ``X``, ``X | None`` or ``dict[str, X]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = [_section_of(argument) for argument in get_args(annotation)]
    return next((section for section in inner if section is not None), None)
