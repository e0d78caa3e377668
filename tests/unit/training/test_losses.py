"""Losses against NumPy, their papers' own cases, and numerical gradients."""

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from facerec.training.margin_losses import (
    Margin,
    MarginLoss,
    cross_entropy,
    margin_logits,
    normalised_lengths,
)
from facerec.training.metric_losses import (
    cosine_distillation,
    relational_distillation,
    semi_hard_triplets,
)

RANDOM = np.random.default_rng(5)
EMBEDDINGS = RANDOM.standard_normal((8, 6))
CENTRES = RANDOM.standard_normal((5, 6))
TEACHER = RANDOM.standard_normal((8, 6))
PEOPLE = np.array([0, 0, 1, 1, 2, 2, 3, 0], np.int32)
LENGTHS = RANDOM.uniform(-1, 1, 8)


def unit(x: np.ndarray) -> np.ndarray:
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def margin_loss(embeddings: np.ndarray, margin: Margin, scale: float, size: float) -> np.ndarray:
    """Loop over embeddings and people, straight from the papers' equations."""
    losses = []
    for x, person, z in zip(unit(embeddings), PEOPLE, LENGTHS, strict=True):
        logits = []
        for other, centre in enumerate(unit(CENTRES)):
            cosine = float(x @ centre)
            angle = np.arccos(cosine)
            if other == person:
                cosine = {
                    Margin.SOFTMAX: cosine,
                    Margin.COSFACE: cosine - size,
                    Margin.ARCFACE: np.cos(min(angle + size, np.pi)),
                    Margin.ADAFACE: np.cos(np.clip(angle - size * z, 0, np.pi)) - size * (z + 1),
                }[margin]
            logits.append(scale * cosine)
        own = logits[person]
        losses.append(-np.log(np.exp(own) / np.sum(np.exp(logits))))
    return np.array(losses)


def keras_margin_loss(embeddings, margin: Margin, scale: float, size: float):
    cosines = ops.matmul(
        embeddings / ops.sqrt(ops.sum(embeddings**2, axis=-1, keepdims=True)),
        ops.transpose(ops.convert_to_tensor(unit(CENTRES))),
    )
    lengths = ops.convert_to_tensor(LENGTHS) if margin is Margin.ADAFACE else None
    logits = margin_logits(cosines, PEOPLE, margin, scale=scale, size=size, lengths=lengths)
    return cross_entropy(logits, PEOPLE)


def triplets(embeddings: np.ndarray, margin: float = 0.2) -> float:
    points = unit(embeddings)
    losses = []
    for a in range(len(points)):
        far = {n: float(((points[a] - points[n]) ** 2).sum()) for n in range(len(points))}
        negatives = [far[n] for n in far if PEOPLE[n] != PEOPLE[a]]
        for p in range(len(points)):
            if p == a or PEOPLE[p] != PEOPLE[a]:
                continue
            beyond = [d for d in negatives if d > far[p]]
            losses.append(max(0.0, far[p] - (min(beyond) if beyond else max(negatives)) + margin))
    return float(np.mean(losses))


def relations(embeddings: np.ndarray) -> float:
    def relative(points: np.ndarray) -> np.ndarray:
        n = len(points)
        d = np.array([np.linalg.norm(points[i] - points[j]) for i in range(n) for j in range(n)])
        apart = ~np.eye(n, dtype=bool).ravel()
        return d[apart] / d[apart].mean()

    gaps = np.abs(relative(unit(embeddings)) - relative(unit(TEACHER)))
    return float(np.mean(np.where(gaps <= 1, gaps**2 / 2, gaps - 0.5)))


def numerical_gradient(of: Callable[[np.ndarray], float]) -> np.ndarray:
    gradient, step = np.zeros_like(EMBEDDINGS), 1e-6
    for place in np.ndindex(*EMBEDDINGS.shape):
        moved = [EMBEDDINGS.copy(), EMBEDDINGS.copy()]
        moved[0][place] += step
        moved[1][place] -= step
        gradient[place] = (of(moved[0]) - of(moved[1])) / (2 * step)
    return gradient


def gradient(of: Callable) -> np.ndarray:
    x = tf.Variable(EMBEDDINGS)
    with tf.GradientTape() as tape:
        value = ops.sum(of(x))
    return tape.gradient(value, x).numpy()


@pytest.mark.parametrize("margin", list(Margin))
@pytest.mark.parametrize(("scale", "size"), [(1.0, 0.35), (16.0, 0.5)])
def test_margin_losses_are_those_of_their_papers(margin: Margin, scale: float, size: float) -> None:
    expected = margin_loss(EMBEDDINGS, margin, scale, size)
    received = keras_margin_loss(ops.convert_to_tensor(EMBEDDINGS), margin, scale, size)
    np.testing.assert_allclose(received, expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("margin", list(Margin))
def test_gradients_of_margin_losses_are_the_slopes(margin: Margin) -> None:
    expected = numerical_gradient(lambda x: float(margin_loss(x, margin, 4.0, 0.4).sum()))
    received = gradient(lambda x: keras_margin_loss(x, margin, 4.0, 0.4))
    np.testing.assert_allclose(received, expected, atol=2e-6)


def test_adaface_is_arcface_for_the_worst_and_cosface_for_middling_chips() -> None:
    """Section 3.3 of the AdaFace paper: z = -1 and z = 0."""
    cosines = ops.convert_to_tensor(RANDOM.uniform(-0.9, 0.9, (8, 5)))

    def logits(margin: Margin, z: float | None = None) -> np.ndarray:
        lengths = None if z is None else ops.convert_to_tensor(np.full(8, z))
        return np.asarray(
            margin_logits(cosines, PEOPLE, margin, scale=64, size=0.4, lengths=lengths)
        )

    adaface = Margin.ADAFACE
    np.testing.assert_allclose(logits(adaface, -1.0), logits(Margin.ARCFACE), atol=1e-9)
    np.testing.assert_allclose(logits(adaface, 0.0), logits(Margin.COSFACE), atol=1e-9)
    # z = 1: the angle is made smaller by m, and 2 m taken off (a good chip may be pulled harder).
    own = np.asarray(cosines)[np.arange(8), PEOPLE]
    good = 64 * (np.cos(np.maximum(np.arccos(own) - 0.4, 0)) - 0.8)
    np.testing.assert_allclose(logits(adaface, 1.0)[np.arange(8), PEOPLE], good, atol=1e-6)


def test_adaface_follows_lengths_as_the_paper_says() -> None:
    """Equation 9, h = .33: a deviation above the mean is z = .33, three and more are 1."""
    z = normalised_lengths(ops.convert_to_tensor([20.0, 25.0, 40.0, 1.0]), 20.0, 5.0 - 1e-3)
    np.testing.assert_allclose(z, [0, 0.33, 1, -1], atol=1e-6)
    loss = MarginLoss(5, Margin.ADAFACE, momentum=0.9)
    embeddings = ops.convert_to_tensor(30 * unit(EMBEDDINGS).astype(np.float32))
    loss(embeddings, PEOPLE, training=False)
    assert float(loss.mean.numpy()) == 20
    loss(embeddings, PEOPLE, training=True)
    assert float(loss.mean.numpy()) == pytest.approx(21)
    assert float(loss.deviation.numpy()) == pytest.approx(90, abs=1e-3)


def test_beyond_pi_arcface_does_not_praise() -> None:
    """At cos(pi - .1), an angle .5 larger is beyond pi, where the cosine rises again."""
    worst = ops.convert_to_tensor(np.array([[-np.cos(0.1)]]))
    logits = margin_logits(worst, np.array([0]), Margin.ARCFACE, scale=1, size=0.5)
    assert float(logits[0, 0]) == pytest.approx(-1.0)


def test_triplets_take_semi_hard_negatives() -> None:
    received = semi_hard_triplets(ops.convert_to_tensor(EMBEDDINGS), PEOPLE)
    assert float(received) == pytest.approx(triplets(EMBEDDINGS), abs=1e-9)
    expected = numerical_gradient(triplets)
    got = gradient(lambda x: semi_hard_triplets(x, PEOPLE))
    np.testing.assert_allclose(got, expected, atol=1e-6)


def test_a_batch_without_pairs_has_no_triplet_loss() -> None:
    x = ops.convert_to_tensor(EMBEDDINGS)
    assert float(semi_hard_triplets(x, np.arange(8))) == 0
    assert float(semi_hard_triplets(x, np.zeros(8, np.int32))) == 0


def test_the_facenet_margin_by_hand() -> None:
    """Anchor and positive at 60 degrees (squared distance 1), negatives at 90 (2) and 180 (4)."""
    angles = np.deg2rad([0, 60, 90, 180])
    x = ops.convert_to_tensor(np.stack([np.cos(angles), np.sin(angles)], axis=1))
    # a=0: negative at 2 -> max(0, 1 - 2 + .2) = 0. a=60 deg: the negative at 90 deg is nearer than
    # the positive, the one at 180 deg has distance 3: 0. With alpha 1.5: .5 and 0.
    assert float(semi_hard_triplets(x, np.array([0, 0, 1, 2]), 0.2)) == 0
    assert float(semi_hard_triplets(x, np.array([0, 0, 1, 2]), 1.5)) == pytest.approx(0.25)


def test_distillation_losses() -> None:
    x, teacher = (ops.convert_to_tensor(v) for v in (EMBEDDINGS, TEACHER))
    expected = 1 - (unit(EMBEDDINGS) * unit(TEACHER)).sum(axis=1)
    np.testing.assert_allclose(cosine_distillation(x, teacher), expected, atol=1e-9)
    assert float(relational_distillation(x, teacher)) == pytest.approx(relations(EMBEDDINGS))
    slopes = numerical_gradient(lambda v: float((1 - (unit(v) * unit(TEACHER)).sum(1)).sum()))
    np.testing.assert_allclose(
        gradient(lambda v: cosine_distillation(v, teacher)), slopes, atol=1e-6
    )
    slopes = numerical_gradient(relations)
    np.testing.assert_allclose(
        gradient(lambda v: relational_distillation(v, teacher)), slopes, atol=1e-6
    )


def test_relations_ask_nothing_of_directions_or_size() -> None:
    """Park and others 2019: a turned copy of the teacher, in more dimensions, is perfect."""
    turn = np.linalg.qr(RANDOM.standard_normal((9, 9)))[0][:6]
    x = ops.convert_to_tensor(3 * TEACHER @ turn)
    assert float(relational_distillation(x, ops.convert_to_tensor(TEACHER))) < 1e-12


def whole_loss(embeddings: np.ndarray, centres: np.ndarray, margin: Margin, z: float) -> float:
    """The mean loss of a batch against centres of any length, straight from the equations."""
    cosines = unit(embeddings) @ unit(centres).T
    own = np.arange(len(PEOPLE)), PEOPLE
    angles = np.arccos(cosines[own])
    asked = {
        Margin.SOFTMAX: cosines[own],
        Margin.COSFACE: cosines[own] - 0.4,
        Margin.ARCFACE: np.cos(np.minimum(angles + 0.4, np.pi)),
        Margin.ADAFACE: np.cos(np.clip(angles - 0.4 * z, 0, np.pi)) - 0.4 * (z + 1),
    }
    logits = cosines.copy()
    logits[own] = asked[margin]
    return float(np.mean(np.log(np.exp(4 * logits).sum(axis=1)) - 4 * logits[own]))


@pytest.mark.parametrize("margin", list(Margin))
def test_the_layer_learns_embeddings_and_centres_down_the_slope(margin: Margin) -> None:
    """The whole layer: lengths and centres brought to 1, and what both are moved by."""
    loss = MarginLoss(5, margin, scale=4.0, size=0.4)
    embeddings = (30 * unit(EMBEDDINGS)).astype(np.float32)
    loss(ops.convert_to_tensor(embeddings), PEOPLE)  # builds it
    centres = (3 * CENTRES).astype(np.float32)
    loss.centres.assign(centres)
    z = 0.33 * (30.0 - 20.0) / (100.0 + 1e-3)  # of the first mean and deviation; no slope of it
    x = tf.Variable(embeddings)
    with tf.GradientTape() as tape:
        value = ops.mean(loss(x, PEOPLE))
    slopes = tape.gradient(value, [x, loss.centres.value])
    assert float(value) == pytest.approx(whole_loss(embeddings, centres, margin, z), rel=1e-5)
    for received, at in zip(slopes, (0, 1), strict=True):
        given = [embeddings.astype(float), centres.astype(float)]
        expected = np.zeros_like(given[at])
        for place in np.ndindex(*expected.shape):
            ends = []
            for step in (1e-5, -1e-5):
                moved = [array.copy() for array in given]
                moved[at][place] += step
                ends.append(whole_loss(moved[0], moved[1], margin, z))
            expected[place] = (ends[0] - ends[1]) / 2e-5
        np.testing.assert_allclose(received, expected, atol=2e-6)
