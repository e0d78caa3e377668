"""What a training run is told, and how two runs differ."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from facerec.errors import TrainingError
from facerec.training.augmentation import Augmentation

__all__ = ["LABEL_LOSSES", "TrainingSettings", "differences", "settings_from", "settings_to_json"]

LABEL_LOSSES = ("softmax", "cosface", "arcface", "adaface", "triplet", "none")
OPTIMIZERS = ("sgd", "adamw")
PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")
_ABOVE_ZERO = ("epochs", "batch_size", "embedding_size", "learning_rate", "scale")
_ZERO_OR_MORE = (
    "depth", "margin", "label_weight", "teacher_views", "cosine_weight", "relational_weight",
    "weight_decay", "warmup_epochs", "clip_norm", "steps_per_epoch", "per_person", "patience",
    "seed",
)  # fmt: skip


@dataclass(frozen=True)
class TrainingSettings:
    """All that decides what a run computes, beside data and software.

    Attributes:
        network: Name in `facerec.models.trainable.TRAINABLE`.
        embedding_size: Numbers in an embedding.
        chip_size_px: Side of the chips the network takes, a multiple of 16.
        start: Installed embedder that is adapted; "" to begin with random weights.
        depth: Last layers with weights of their own that an adapted embedder may change; 0 for all.
        loss: One of `LABEL_LOSSES`.
        scale: s of the margin losses.
        margin: m of the margin losses, or alpha of the triplets.
        label_weight: Weight of that loss.
        teacher: Installed embedder that is imitated; "" for none.
        teacher_views: 0: the teacher sees each chip once, unchanged, the student changed. k: both
            see the same k changed forms of each chip.
        blending: Share of these forms that are blends of two chips, a face that nobody has; for a
            teacher alone, without labels.
        cosine_weight: Weight of the distance to the teacher's embeddings.
        relational_weight: Weight of the difference from the teacher's distances.
        optimizer: ``"sgd"`` (with Nesterov's momentum .9) or ``"adamw"``.
        learning_rate: Highest, after warm-up; falls to 0 along a cosine (I. Loshchilov, F. Hutter:
            "SGDR", 2017).
        weight_decay: Decoupled from the gradient for AdamW.
        warmup_epochs: Epochs in which the rate rises from 0: early gradients, of random weights,
            point nowhere (P. Goyal et al.: "Accurate, Large Minibatch SGD", 2017).
        clip_norm: Longest gradient, all weights together; 0 for any.
        averaging: Momentum of the running average of the weights that is evaluated and packaged
            (B. Polyak, A. Juditsky, 1992); 0 for the last weights.
        epochs: Number of epochs.
        steps_per_epoch: Steps of an epoch, after which is evaluated and kept; 0 for one pass.
        batch_size: Pictures a step.
        per_person: 0: every picture once a pass. k: every person once, with k pictures.
        held_out_share: Share of the people that are judged on and never learned from.
        patience: Epochs without a better score after which training ends; 0 for never.
        precision: One of `PRECISIONS`.
        seed: Of everything that is drawn.
        augmentation: Changes of the chips.
    """

    network: str = "mobilefacenet"
    embedding_size: int = 128
    chip_size_px: int = 112
    start: str = ""
    depth: int = 0
    loss: str = "arcface"
    scale: float = 64.0
    margin: float = 0.5
    label_weight: float = 1.0
    teacher: str = ""
    teacher_views: int = 0
    blending: float = 0.0
    cosine_weight: float = 0.0
    relational_weight: float = 0.0
    optimizer: str = "sgd"
    learning_rate: float = 0.1
    weight_decay: float = 5e-4
    warmup_epochs: float = 1.0
    clip_norm: float = 5.0
    averaging: float = 0.99
    epochs: int = 20
    steps_per_epoch: int = 0
    batch_size: int = 64
    per_person: int = 0
    held_out_share: float = 0.1
    patience: int = 0
    precision: str = "float32"
    seed: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        self._check_choices()
        self._check_numbers()
        teaches = self.cosine_weight > 0 or self.relational_weight > 0
        if teaches != bool(self.teacher):
            raise TrainingError(
                "a teacher and a weight for it go together: give teacher and cosine_weight or "
                "relational_weight, or none of them"
            )
        self._check_views()
        if not teaches and (self.loss == "none" or not self.label_weight):
            raise TrainingError(
                "there is nothing to learn from: loss is none or label_weight 0, and no teacher "
                "is given"
            )
        if self.loss == "triplet" and self.per_person < 2:
            raise TrainingError("loss triplet needs per_person 2 or more, for pairs of one person")

    def _check_views(self) -> None:
        if self.teacher_views and not self.teacher:
            raise TrainingError("teacher_views must be above 0 only with a teacher")
        if not 0 <= self.blending <= 1 or (
            self.blending and (not self.teacher_views or self.loss != "none")
        ):
            raise TrainingError(
                "blending must lie in 0..1, and above 0 only with teacher_views above 0 and loss "
                "none: a blend of two people has no label"
            )

    def _check_choices(self) -> None:
        for name, choices in (
            ("loss", LABEL_LOSSES), ("optimizer", OPTIMIZERS), ("precision", PRECISIONS),
        ):  # fmt: skip
            if getattr(self, name) not in choices:
                raise TrainingError(
                    f"{name} must be one of {', '.join(choices)}; received {getattr(self, name)!r}"
                )

    def _check_numbers(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, float) and not math.isfinite(value):
                raise TrainingError(f"{name} must be a finite number; received {value}")
        for name in _ABOVE_ZERO:
            if not getattr(self, name) > 0:
                raise TrainingError(f"{name} must be above 0; received {getattr(self, name)}")
        for name in _ZERO_OR_MORE:
            if getattr(self, name) < 0:
                raise TrainingError(f"{name} must be 0 or more; received {getattr(self, name)}")
        for name in ("averaging", "held_out_share"):
            if not 0 <= getattr(self, name) < 1:
                raise TrainingError(f"{name} must lie in 0..1; received {getattr(self, name)}")
        if self.held_out_share == 0:
            raise TrainingError("held_out_share must be above 0: somebody must be judged on")
        if self.batch_size < 2:
            raise TrainingError("batch_size must be at least 2: normalisation needs a batch")


def settings_to_json(settings: TrainingSettings) -> dict[str, Any]:
    """Return the JSON form of settings."""
    return asdict(settings)


def settings_from(record: Mapping[str, Any]) -> TrainingSettings:
    """Make settings of their JSON form, of a TOML file, or of flags; what is left out is usual.

    Raises:
        TrainingError: a name is unknown, or a value does not fit; it is named.
    """
    given = dict(record)
    shaken = given.pop("augmentation", {})
    if not isinstance(shaken, Mapping):
        raise TrainingError("augmentation must be a table of settings")
    changes = _checked(Augmentation, shaken, "augmentation.")
    return TrainingSettings(
        **_checked(TrainingSettings, given, ""), augmentation=Augmentation(**changes)
    )


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[str, ...]:
    """Name every entry in which two JSON objects differ, as ``name: was X, is Y``."""
    found = []
    for name in sorted({*one, *other}):
        was, now = one.get(name), other.get(name)
        if isinstance(was, Mapping) and isinstance(now, Mapping):
            found += [f"{name}.{text}" for text in differences(was, now)]
        elif was != now:
            found.append(f"{name}: was {json.dumps(was)}, is {json.dumps(now)}")
    return tuple(found)


def _checked(kind: type[Any], given: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    known = {name: type(value) for name, value in vars(kind()).items()}
    checked: dict[str, Any] = {}
    for name, value in given.items():
        if name not in known:
            raise TrainingError(
                f"there is no setting {prefix}{name}; there are: {', '.join(known)}"
            )
        wanted = known[name]
        fits = isinstance(value, int | float if wanted is float else wanted)
        if not fits or isinstance(value, bool):
            raise TrainingError(
                f"{prefix}{name} must be of type {wanted.__name__}; received {value!r}"
            )
        checked[name] = wanted(value)
    return checked
