"""Puts the parts together as the settings say; the outermost ring calls this and nothing else does.

Imports of runtimes are inside the functions, so that a command pays only for what it builds.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from facerec.errors import ModelNotFoundError, SettingsError
from facerec.settings import GateSettings, Settings

if TYPE_CHECKING:
    from pathlib import Path

    from facerec.analysis.analyzer import FaceAnalyzer
    from facerec.analysis.detection import Detector
    from facerec.analysis.second_look import SecondLook
    from facerec.analysis.stages import StageObserver
    from facerec.decision.enrolment_check import EnrolmentCheck
    from facerec.decision.gate_rules import GateRules
    from facerec.decision.recognizer import Recognizer
    from facerec.gallery.audit.event import Actor
    from facerec.gallery.backup.restoring import Restored
    from facerec.gallery.encryption.master_key import KeySource
    from facerec.gallery.gallery import Gallery
    from facerec.gallery.index.person_score import PersonScore
    from facerec.inference import InferenceSession
    from facerec.models.store import ModelStore

__all__ = [
    "SessionWrapper",
    "build_analyzer",
    "build_enrolment_check",
    "build_gate_rules",
    "build_recognizer",
    "open_gallery",
    "person_score",
    "restore_gallery",
]

SessionWrapper = Callable[["InferenceSession"], "InferenceSession"]
"""Returns a network's session with something before it."""


def build_analyzer(
    settings: Settings,
    observe: "StageObserver | None" = None,
    before_embedder: "SessionWrapper | None" = None,
    prepared_sizes: int | None = None,
) -> "FaceAnalyzer":
    """Load the networks that the settings name.

    Args:
        settings: Of the home.
        observe: Told of each stage of each analysis; None for nobody.
        before_embedder: Puts something before the embedder's network; None for nothing.
        prepared_sizes: Sizes of pictures, close-ups among them, that the detector is kept prepared
            for on a CPU, from 1; None for the engine's own number.

    Raises:
        ModelNotFoundError: a network is not installed; the message says how to pull it.
        ModelDamagedError: a network's file is not the one that was installed.
    """
    from facerec.analysis.analyzer import FaceAnalyzer
    from facerec.analysis.embedding import NetworkEmbedder
    from facerec.analysis.stages import unobserved
    from facerec.inference import ModelTask
    from facerec.models.store import ModelStore

    analysis = settings.analysis
    store = ModelStore(settings.models_dir)
    _require_all(store, analysis.networks)
    manifest = store.require(analysis.embedder, ModelTask.EMBEDDER)
    # A GPU wants many chips at once; for a CPU `NetworkEmbedder` knows best.
    on_gpu = {"views_at_once": 64} if settings.inference.engine == "tensorflow" else {}
    session = _session(settings, store, analysis.embedder)
    if before_embedder is not None:
        session = before_embedder(session)
    embedder = NetworkEmbedder(session, manifest, **on_gpu)
    return FaceAnalyzer(
        _detector(settings, store, prepared_sizes),
        embedder,
        min_face_px=analysis.min_face_px,
        min_detection_score=analysis.min_detection_score,
        mirrored=analysis.mirrored_chip,
        observe=observe or unobserved,
        second_look=_second_look(settings, store) if analysis.looks_twice else None,
    )


def build_detector(settings: Settings) -> "Detector":
    """Load the detector that the settings name, alone.

    Raises:
        ModelNotFoundError: it is not installed; the message says how to pull it.
        ModelDamagedError: its file is not the one that was installed.
    """
    from facerec.models.store import ModelStore

    store = ModelStore(settings.models_dir)
    _require_all(store, (settings.analysis.detector,))
    return _detector(settings, store)


def open_gallery(settings: Settings) -> "Gallery":
    """Open the gallery of the home, which is made when there is none.

    Raises:
        GalleryDamagedError: the file is not a gallery, or a damaged one.
        GalleryError: it cannot be read and written, or a newer facerec made it.
        MasterKeyError: the master key is missing, or is not the one of this gallery.
    """
    from facerec.gallery.gallery import Gallery
    from facerec.gallery.index.rules import IndexRules

    return Gallery.open(
        settings.database_path,
        _key_source(settings),
        actor=_operator(),
        url=settings.database.url.get_secret_value(),
        rules=IndexRules(person_score(settings), settings.search.approximate_from),
    )


def person_score(settings: Settings) -> "PersonScore":
    """Return how people are scored by their templates, in 1:1 and 1:N alike."""
    from facerec.gallery.index.person_score import PersonScore

    return PersonScore(settings.search.best_templates, settings.search.mean_template)


def build_recognizer(
    settings: Settings, embedding_space: str, observe: "StageObserver | None" = None
) -> "Recognizer":
    """Make the decider of a space at the error rates that the settings ask for.

    Args:
        settings: Of the home.
        embedding_space: That faces are embedded in.
        observe: Told of each search and each decision; None for nobody.

    Raises:
        OperatingPointError: no rates are known for that space, or the operating point in use was
            measured in another one.
    """
    from facerec.analysis.stages import unobserved
    from facerec.decision.operating_point_store import OperatingPointStore
    from facerec.decision.recognizer import Recognizer

    return Recognizer(
        OperatingPointStore(settings.operating_points_dir).in_use(embedding_space),
        target_fpir=settings.decision.target_fpir,
        target_fmr=settings.decision.target_fmr,
        min_margin=settings.decision.min_margin,
        min_quality=settings.decision.min_quality,
        observe=observe or unobserved,
    )


def build_gate_rules(settings: GateSettings) -> "GateRules":
    """Read the rules of a gate.

    Raises:
        SettingsError: the zone, the schedule or the time zone is none.
    """
    from zoneinfo import ZoneInfo

    from facerec.decision.gate_rules import GateRules
    from facerec.decision.gate_schedule import OpenSpan, Schedule
    from facerec.decision.gate_zone import Zone

    try:
        clock = ZoneInfo(settings.time_zone)
    except (KeyError, ValueError, OSError) as error:
        raise SettingsError(
            f"the time zone {settings.time_zone!r} is not known; write one as Europe/Berlin"
        ) from error
    return GateRules(
        galleries=settings.galleries,
        known_galleries=settings.known_galleries,
        zone=Zone(settings.zone) if settings.zone else None,
        min_face_px=settings.min_face_px,
        nearest_only=settings.nearest_only,
        min_frames=settings.min_frames,
        cool_down_s=settings.cool_down_s,
        refuse_repeats=settings.refuse_repeats,
        schedule=Schedule(tuple(map(OpenSpan.parse, settings.schedule)), clock),
    )


def build_enrolment_check(
    settings: Settings, gallery: "Gallery", embedding_space: str
) -> "EnrolmentCheck":
    """Make what holds newcomers against everybody enrolled, at the rates of the settings.

    Raises:
        OperatingPointError: no rates are known for that space, or the operating point in use was
            measured in another one.
    """
    from facerec.decision.enrolment_check import EnrolmentCheck
    from facerec.decision.enrolment_rules import EnrolmentRules
    from facerec.decision.operating_point_store import OperatingPointStore

    rules = EnrolmentRules(
        duplicate_fpir=settings.enrolment.duplicate_fpir,
        look_alike_fpir=settings.decision.target_fpir,
        own_pictures_fmr=settings.enrolment.own_pictures_fmr,
        min_margin=settings.decision.min_margin,
    )
    point = OperatingPointStore(settings.operating_points_dir).in_use(embedding_space)
    return EnrolmentCheck(gallery, point, rules)


def restore_gallery(
    settings: Settings, file: "Path", unpack_others: "Callable[[Path], None]"
) -> "Restored":
    """Bring the gallery of the home to the state of a backup; see `restoring.restore`.

    Raises:
        BackupError: the backup is damaged, or another home's.
        MasterKeyError: the master key is missing, or is not the one that the backup needs.
        GalleryError: the home cannot be written.
    """
    from facerec.gallery.backup.restoring import restore
    from facerec.gallery.encryption.master_key import KeyFile
    from facerec.gallery.gallery import KEY_FILE_NAME
    from facerec.gallery.storage.choosing_backend import backend_of
    from facerec.gallery.times import utc_now

    backend = backend_of(settings.database_path, settings.database.url.get_secret_value())
    keys = _key_source(settings) or KeyFile(settings.home / KEY_FILE_NAME)
    return restore(file, backend, keys, _operator(), utc_now, unpack_others)


def _operator() -> "Actor":
    """Return the user of this process, for the audit journal; not what the environment claims."""
    import os
    import pwd

    from facerec.gallery.audit.event import Actor

    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container that runs as a user without a name
        name = str(os.getuid())
    return Actor(f"operator:{name}")


def _key_source(settings: Settings) -> "KeySource | None":
    """Return where the master key comes from; None for the gallery's own default."""
    from facerec.gallery.encryption.master_key import KeyCommand, KeyFile, KeyText

    given = settings.encryption
    if given.master_key_command is not None:
        return KeyCommand(given.master_key_command)
    if given.master_key is not None:
        return KeyText(given.master_key.get_secret_value(), "the setting encryption.master_key")
    if given.master_key_file is not None:
        return KeyFile(given.master_key_file.expanduser().absolute())
    return None


def _second_look(settings: Settings, store: "ModelStore") -> "SecondLook":
    from facerec.analysis.detection import CenterFaceDetector

    return CenterFaceDetector(_session(settings, store, settings.analysis.second_look))


def _require_all(store: "ModelStore", names: tuple[str, ...]) -> None:
    """Name all missing networks at once, so that one command gets them."""
    missing = [name for name in names if not store.has(name)]
    if missing:
        raise ModelNotFoundError(
            f"not installed yet: {', '.join(missing)}; run: facerec models pull {' '.join(missing)}"
        )


def _session(
    settings: Settings, store: "ModelStore", name: str, prepared_sizes: int | None = None
) -> "InferenceSession":
    """Load a network into the engine of the settings."""
    from facerec.models.store import KERAS_FILE, LITERT_FILE

    threads = settings.inference.threads
    if settings.inference.engine == "tensorflow":
        from facerec.inference.tensorflow_session import TensorFlowSession

        return TensorFlowSession(store.file(name, KERAS_FILE), threads)
    from facerec.inference.litert_session import LiteRtSession

    kept = {} if prepared_sizes is None else {"most_prepared": prepared_sizes}
    return LiteRtSession(store.file(name, LITERT_FILE), threads, **kept)


def _detector(
    settings: Settings, store: "ModelStore", prepared_sizes: int | None = None
) -> "Detector":
    from facerec.analysis.detection import CenterFaceDetector, YuNetDetector
    from facerec.inference import ModelTask

    name = settings.analysis.detector
    architecture = store.require(name, ModelTask.DETECTOR).architecture
    detectors: dict[str, type[YuNetDetector] | type[CenterFaceDetector]] = {
        "yunet": YuNetDetector,
        "centerface": CenterFaceDetector,
    }
    if architecture not in detectors:
        raise ModelNotFoundError(
            f"the output of the detector {name} (architecture {architecture}) is not known; "
            f"known architectures: {', '.join(detectors)}"
        )
    session = _session(settings, store, name, prepared_sizes)
    return detectors[architecture](session, close_up=settings.analysis.close_up)
