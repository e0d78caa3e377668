"""The network in training: embedder and losses together, for Keras' own ``fit``."""

from typing import Any

import keras
from keras import ops

from facerec.training.margin_losses import Margin, MarginLoss
from facerec.training.metric_losses import (
    cosine_distillation,
    relational_distillation,
    semi_hard_triplets,
)
from facerec.training.settings import TrainingSettings

__all__ = ["Trainee", "optimizer_of"]

MOMENTUM = 0.9
"""Of SGD, as in the ArcFace paper."""


class Trainee(keras.Model):  # type: ignore[misc]
    """An embedder with what it is to learn.

    It takes batches of `Batches`, as a dict, and returns the terms of its loss; ``compute_loss``
    weighs them. Nothing in it belongs to one backend.

    Args:
        embedder: Takes chips; gives raw embeddings.
        settings: Which losses, at which weights.
        people: Number of people learned from.
    """

    def __init__(self, embedder: keras.Model, settings: TrainingSettings, people: int) -> None:
        # What the teacher says stays as exact as it is; layers cast what they take themselves.
        super().__init__(name="trainee", autocast=False)
        self.embedder = embedder
        self._settings = settings
        self.margin_loss = None
        if settings.loss not in ("triplet", "none"):
            self.margin_loss = MarginLoss(
                people,
                Margin(settings.loss),
                scale=settings.scale,
                size=settings.margin,
                seed=settings.seed,
            )

    def call(
        self, inputs: dict[str, keras.KerasTensor], training: bool = False
    ) -> dict[str, keras.KerasTensor]:
        """Return each term of the loss, a number a chip or one a batch."""
        settings = self._settings
        embeddings = ops.cast(self.embedder(inputs["chips"], training=training), "float32")
        terms: dict[str, keras.KerasTensor] = {}
        if self.margin_loss is not None:
            terms["label"] = self.margin_loss(embeddings, inputs["people"], training=training)
        elif settings.loss == "triplet":
            terms["label"] = semi_hard_triplets(embeddings, inputs["people"], settings.margin)
        if settings.cosine_weight:
            terms["cosine"] = cosine_distillation(embeddings, inputs["teacher"])
        if settings.relational_weight:
            terms["relational"] = relational_distillation(embeddings, inputs["teacher"])
        return terms

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> keras.KerasTensor:
        """Return the weighted sum of the terms."""
        weights = {
            "label": self._settings.label_weight,
            "cosine": self._settings.cosine_weight,
            "relational": self._settings.relational_weight,
        }
        return sum(weights[name] * ops.mean(term) for name, term in y_pred.items())


def optimizer_of(settings: TrainingSettings, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """Return the optimizer with its schedule, clipping and averaging."""
    steps = settings.epochs * steps_per_epoch
    warmup = min(round(settings.warmup_epochs * steps_per_epoch), steps - 1)
    rate = keras.optimizers.schedules.CosineDecay(
        settings.learning_rate if not warmup else 0.0,
        decay_steps=max(steps - warmup, 1),
        warmup_target=settings.learning_rate if warmup else None,
        warmup_steps=warmup,
    )
    common = {
        "global_clipnorm": settings.clip_norm or None,
        "use_ema": settings.averaging > 0,
        "ema_momentum": settings.averaging or 0.99,
    }
    if settings.optimizer == "adamw":
        return keras.optimizers.AdamW(rate, weight_decay=settings.weight_decay, **common)
    decay = settings.weight_decay or None
    return keras.optimizers.SGD(
        rate, momentum=MOMENTUM, nesterov=True, weight_decay=decay, **common
    )
