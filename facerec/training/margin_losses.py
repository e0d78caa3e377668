"""Classification losses with a margin: softmax, CosFace, ArcFace, AdaFace.

All make a logit of the cosine between an embedding and the centre of each person, and differ in
what they ask of the embedding's own person: more than being nearest.

    softmax   s cos t                           (normalised softmax: no margin)
    CosFace   s (cos t - m)                     H. Wang et al., CVPR 2018, equation 4
    ArcFace   s cos(t + m)                      J. Deng et al., CVPR 2019, equation 3
    AdaFace   s (cos(t - m z) - m (z + 1))      M. Kim et al., CVPR 2022, equation 11

where t is the angle to the own person's centre, and z, -1 to 1, the embedding's length against the
running mean of lengths: a chip of poor quality gives a short embedding, and pulling hard at an
unrecognisable one teaches noise. At z = -1 AdaFace is ArcFace, at z = 0 CosFace (its section 3.3).
"""

from enum import StrEnum

import keras
from keras import ops

__all__ = ["Margin", "MarginLoss", "cross_entropy", "margin_logits", "normalised_lengths"]

MOST_COSINE = 1 - 1e-6
"""Cosines are kept within, for the slope of the arc cosine is infinite at 1."""


class Margin(StrEnum):
    """Which margin the own person's logit has."""

    SOFTMAX = "softmax"
    COSFACE = "cosface"
    ARCFACE = "arcface"
    ADAFACE = "adaface"


def margin_logits(
    cosines: keras.KerasTensor,
    people: keras.KerasTensor,
    margin: Margin,
    *,
    scale: float,
    size: float,
    lengths: keras.KerasTensor | None = None,
) -> keras.KerasTensor:
    """Make logits of cosines.

    Args:
        cosines: (n, c) of embeddings with centres.
        people: int (n,) own person of each embedding.
        margin: Which.
        scale: s.
        size: m; radians for ArcFace and AdaFace.
        lengths: (n,) z of AdaFace, -1..1; of `normalised_lengths`.

    Returns:
        (n, c).
    """
    own = ops.one_hot(people, cosines.shape[-1], dtype=cosines.dtype)
    if margin is Margin.SOFTMAX:
        return scale * cosines
    if margin is Margin.COSFACE:
        return scale * (cosines - size * own)
    z = ops.reshape(-ops.ones_like(people) if lengths is None else lengths, (-1, 1))
    z = ops.cast(z, cosines.dtype)
    angles = ops.arccos(ops.clip(cosines, -MOST_COSINE, MOST_COSINE))
    # Beyond pi the cosine would rise again, so that the worst embeddings were praised.
    moved = ops.cos(ops.clip(angles - size * z, 0.0, 3.141592653589793)) - size * (z + 1)
    return scale * ops.where(own > 0, moved, cosines)


def normalised_lengths(
    lengths: keras.KerasTensor,
    mean: keras.KerasTensor,
    deviation: keras.KerasTensor,
    *,
    concentration: float = 0.33,
) -> keras.KerasTensor:
    """Return z of AdaFace: lengths over running mean and deviation, cut to -1..1.

    Equation 9 of the paper; two thirds of all lengths lie within at its h = .33.
    """
    return ops.clip((lengths - mean) / (deviation + 1e-3) * concentration, -1.0, 1.0)


def cross_entropy(logits: keras.KerasTensor, people: keras.KerasTensor) -> keras.KerasTensor:
    """Return the cross-entropy of each embedding, (n,), with the softmax over all people."""
    largest = ops.max(logits, axis=-1, keepdims=True)
    total = ops.log(ops.sum(ops.exp(logits - largest), axis=-1)) + largest[:, 0]
    own = ops.one_hot(people, logits.shape[-1], dtype=logits.dtype)
    return total - ops.sum(own * logits, axis=-1)


class MarginLoss(keras.layers.Layer):  # type: ignore[misc]
    """Learned centres of the people and the loss of embeddings against them.

    Args:
        people: Number of people.
        margin: Which margin.
        scale: s of the logits.
        size: m of the margin.
        momentum: Of AdaFace's running mean and deviation of lengths (.01 a step in the paper).
        seed: Of the first centres.
    """

    def __init__(
        self,
        people: int,
        margin: Margin,
        *,
        scale: float = 64.0,
        size: float = 0.5,
        momentum: float = 0.99,
        seed: int = 0,
    ) -> None:
        super().__init__(name="margin_loss", dtype="float32")
        self._people = people
        self._margin = margin
        self._scale, self._size, self._momentum = scale, size, momentum
        self._seed = seed

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make the centres, points drawn evenly from the sphere."""
        first = keras.initializers.RandomNormal(stddev=1.0, seed=self._seed)
        self.centres = self.add_weight(
            shape=(self._people, shape[-1]), initializer=first, name="centres"
        )
        # 20 and 100 are the paper's own first values; a hundred steps forget them.
        self.mean = self.add_weight(
            shape=(), initializer=keras.initializers.Constant(20.0), trainable=False, name="mean"
        )
        self.deviation = self.add_weight(
            shape=(),
            initializer=keras.initializers.Constant(100.0),
            trainable=False,
            name="deviation",
        )
        super().build(shape)

    def call(
        self, embeddings: keras.KerasTensor, people: keras.KerasTensor, training: bool = False
    ) -> keras.KerasTensor:
        """Return the loss of each embedding, (n,).

        Args:
            embeddings: float32 (n, d), raw output of the network.
            people: int32 (n,).
            training: Whether to follow the lengths.
        """
        lengths = ops.sqrt(ops.sum(ops.square(embeddings), axis=-1) + 1e-12)
        unit = embeddings / ops.expand_dims(lengths, -1)
        centres = ops.normalize(self.centres, axis=-1)
        cosines = ops.matmul(unit, ops.transpose(centres))
        # How good a chip is must not be learned by making embeddings shorter: no gradient.
        seen = ops.stop_gradient(ops.clip(lengths, 1e-3, 100.0))
        if training and self._margin is Margin.ADAFACE:
            self._follow(seen)
        z = normalised_lengths(seen, self.mean, self.deviation)
        logits = margin_logits(
            cosines,
            people,
            self._margin,
            scale=self._scale,
            size=self._size,
            lengths=z if self._margin is Margin.ADAFACE else None,
        )
        return cross_entropy(logits, people)

    def _follow(self, lengths: keras.KerasTensor) -> None:
        for held, now in ((self.mean, ops.mean(lengths)), (self.deviation, ops.std(lengths))):
            held.assign(self._momentum * held + (1 - self._momentum) * now)
