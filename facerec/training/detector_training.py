"""Fine-tuning YuNet on annotated boxes and landmarks."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from facerec.analysis.detection import YuNetDetector
from facerec.analysis.image_decoding import read_image
from facerec.errors import TrainingError
from facerec.evaluation.metrics.detections import average_precision, match_image
from facerec.evaluation.protocols.detection import LEAST_SCORE, AnnotatedImage
from facerec.training.batches import for_fit
from facerec.training.detection_batches import DetectionBatches
from facerec.training.detection_losses import cells_of, detection_loss
from facerec.training.run_network import is_compiled_whole
from facerec.training.whole_files import written_whole

__all__ = [
    "USUAL_RATES", "DetectorSettings", "fine_tune", "judge_detector", "saved_detector",
    "split_images", "start_detector",
]  # fmt: skip

_OTHERS = (slice(0, 2), slice(6, 16))
"""Scores and landmarks among the numbers of a cell, beside the box."""
ANCHOR_WEIGHT = 0.5
"""Weight of staying with the start's landmarks where none are annotated: boxes alone would let
them drift, and alignment lives on them."""


USUAL_RATES = {"boxes": 2e-3, "heads": 2e-3, "all": 2e-4}
"""What of a detector may change, from least to most, and the learning rate for it."""


@dataclass(frozen=True)
class DetectorSettings:
    """What a fine-tuning is told.

    Attributes:
        learn: ``"boxes"``: where boxes end, and nothing else: the same cells answer with the same
            scores and landmarks as before. ``"heads"``: scores and landmarks too, of the same
            features. ``"all"``: the features too.
        epochs: Passes over the images.
        batch_size: Images a step.
        side_px: Side of the squares that are learned from, a multiple of 32.
        learning_rate: Highest; falls to 0 along a cosine, after a tenth of warm-up. 0 for that of
            `USUAL_RATES`.
        seed: Of everything that is drawn.
    """

    learn: str = "boxes"
    epochs: int = 20
    batch_size: int = 8
    side_px: int = 320
    learning_rate: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.learn not in USUAL_RATES:
            raise TrainingError(
                f"learn must be one of {', '.join(USUAL_RATES)}; received {self.learn!r}"
            )
        if self.side_px % 32 or self.side_px < 64:
            raise TrainingError(
                f"side must be a multiple of 32, at least 64; received {self.side_px}"
            )
        for name in ("epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise TrainingError(f"{name} must be above 0; received {getattr(self, name)}")
        for name in ("learning_rate", "seed"):
            if not 0 <= getattr(self, name) < np.inf:
                raise TrainingError(f"{name} must be 0 or more; received {getattr(self, name)}")

    @property
    def rate(self) -> float:
        """The learning rate, chosen or usual."""
        return self.learning_rate or USUAL_RATES[self.learn]


class _DetectorTrainee(keras.Model):  # type: ignore[misc]
    """A detector with what it is to learn, and what it was."""

    def __init__(self, detector: keras.Model, start: keras.Model, chosen: DetectorSettings) -> None:
        super().__init__(name="detector_trainee")
        self.detector = detector
        if chosen.learn != "all":
            for layer in detector.layers:
                layer.trainable = layer.name.startswith("head_")
        self.start = start
        self.start.trainable = False
        self._only_boxes = chosen.learn == "boxes"
        self._cells = cells_of(chosen.side_px)

    def call(self, inputs: dict[str, Any], training: bool = False) -> Any:
        """Return the loss of the batch."""
        outputs = self.detector(inputs["images"], training=training)
        if self._only_boxes:  # a head's channels have weights of their own, so the others stay
            scores, marks = (ops.stop_gradient(outputs[..., s]) for s in _OTHERS)
            outputs = ops.concatenate([scores, outputs[..., 2:6], marks], axis=-1)
        learned = detection_loss(
            outputs,
            self._cells,
            inputs["faces"],
            inputs["present"],
            inputs["landmarks"],
            inputs["known"],
        )
        before = ops.stop_gradient(self.start(inputs["images"], training=False))
        seen = before[..., :1] * before[..., 1:2]
        drift = ops.sum(seen * ops.abs(outputs[..., 6:] - before[..., 6:]))
        return learned + ANCHOR_WEIGHT * drift / ops.maximum(10 * ops.sum(seen), 1.0)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return what `call` worked out."""
        return y_pred


def split_images(
    images: tuple[AnnotatedImage, ...], folds: int, judged: int
) -> tuple[tuple[AnnotatedImage, ...], tuple[AnnotatedImage, ...]]:
    """Split annotated images: every `folds`-th one is judged on, the others are learned from.

    Raises:
        TrainingError: there is no such fold, or a part would be empty.
    """
    if not 1 <= judged <= folds or folds < 2 or len(images) < folds:
        raise TrainingError(
            f"fold {judged} of {folds} cannot be judged on with {len(images)} annotated images"
        )
    inside = set(range(judged - 1, len(images), folds))
    return (
        tuple(image for row, image in enumerate(images) if row not in inside),
        tuple(image for row, image in enumerate(images) if row in inside),
    )


def fine_tune(
    start_file: Path,
    images: tuple[AnnotatedImage, ...],
    folder: Path,
    settings: DetectorSettings,
    observe: Callable[[int, float], None],
) -> keras.Model:
    """Train an installed YuNet on annotated images.

    Args:
        start_file: Its ``model.keras``.
        images: Annotations.
        folder: Where the images lie.
        settings: How.
        observe: Told the epoch, from 1, and its mean loss.

    Returns:
        The detector; takes uint8 BGR of any size in multiples of 32.

    Raises:
        TrainingError: an image has vanished, or the loss is no number any more.
    """
    keras.utils.set_random_seed(settings.seed)
    detector, start = (keras.saving.load_model(start_file, compile=False) for _ in range(2))
    batches = DetectionBatches(images, folder, settings.side_px, settings.batch_size, settings.seed)
    steps = -(-len(images) // settings.batch_size)
    trainee = _DetectorTrainee(detector, start, settings)
    trainee.compile(
        optimizer=_optimizer(settings, steps * settings.epochs), jit_compile=is_compiled_whole()
    )
    with for_fit(batches.endless()) as stream:
        trainee.fit(
            stream,
            epochs=settings.epochs,
            steps_per_epoch=steps,
            callbacks=[_telling(observe)],
            shuffle=False,
            verbose=0,
        )
    detector.trainable = True
    return detector


def _telling(observe: Callable[[int, float], None]) -> keras.callbacks.Callback:
    def ended(epoch: int, logs: dict[str, float]) -> None:
        if not np.isfinite(logs["loss"]):
            raise TrainingError("the loss is no number any more; lower the learning rate")
        observe(epoch + 1, float(logs["loss"]))

    return keras.callbacks.LambdaCallback(on_epoch_end=ended)


def _optimizer(settings: DetectorSettings, steps: int) -> keras.optimizers.Optimizer:
    warmup = max(steps // 10, 1)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, max(steps - warmup, 1), warmup_target=settings.rate, warmup_steps=warmup
    )
    return keras.optimizers.Adam(rate, global_clipnorm=10.0)


def start_detector(path: Path) -> keras.Model:
    """Load an installed detector's Keras form."""
    return keras.saving.load_model(path, compile=False)


def saved_detector(network: keras.Model, path: Path) -> None:
    """Write a detector; the file appears whole or not at all.

    Raises:
        TrainingError: it cannot be written.
    """
    with tempfile.TemporaryDirectory() as scratch, written_whole(path) as opened:
        made = Path(scratch) / "model.keras"
        network.save(made)
        opened.write(made.read_bytes())


def judge_detector(
    network: keras.Model,
    images: tuple[AnnotatedImage, ...],
    folder: Path,
    overlaps: tuple[float, ...] = (0.5, 0.75),
) -> dict[float, float]:
    """Return the average precision at each overlap, through the system's own decoding."""
    detector = YuNetDetector(_KerasSession(network))
    scores, correct = [], {overlap: [] for overlap in overlaps}  # type: ignore[var-annotated]
    faces = 0
    for annotated in images:
        image = read_image(folder / annotated.name, max_pixels=50_000_000)
        found = detector.detect(image, min_face_px=24, min_score=LEAST_SCORE)
        scores.append(found.detection_scores)
        faces += len(annotated.boxes_xyxy_px)
        for overlap in overlaps:
            claimed = match_image(
                found.boxes_xyxy_px.astype(np.float64),
                found.detection_scores,
                annotated.boxes_xyxy_px,
                least_iou=overlap,
            )
            correct[overlap].append(claimed >= 0)
    joined = np.concatenate(scores)
    return {
        overlap: average_precision(joined, np.concatenate(right), faces)
        for overlap, right in correct.items()
    }


class _KerasSession:
    """A Keras network behind the protocol of exported ones."""

    def __init__(self, network: keras.Model) -> None:
        self._network = network

    def run(self, batch: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
        """Run the network; see `InferenceSession.run`."""
        outputs = keras.ops.convert_to_numpy(self._network(batch, training=False))
        return np.asarray(outputs, np.float32)
