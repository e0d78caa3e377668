"""Losses on distances: triplets, and learning from a teacher's embeddings.

None has weights of its own, so each is a function of a batch.
"""

import keras
from keras import ops

__all__ = ["cosine_distillation", "relational_distillation", "semi_hard_triplets", "unit"]


def unit(embeddings: keras.KerasTensor) -> keras.KerasTensor:
    """Return embeddings brought to length 1, with a finite slope at 0."""
    return embeddings / ops.sqrt(ops.sum(ops.square(embeddings), axis=-1, keepdims=True) + 1e-12)


def semi_hard_triplets(
    embeddings: keras.KerasTensor, people: keras.KerasTensor, margin: float = 0.2
) -> keras.KerasTensor:
    """Return the triplet loss of a batch with semi-hard negatives, a scalar.

    F. Schroff, D. Kalenichenko, J. Philbin: "FaceNet", CVPR 2015, section 3.2 (margin .2): every
    pair of one person is an anchor and a positive; its negative is the nearest embedding of
    somebody else that is farther away than the positive, or, where there is none, the farthest of
    all. The loss of a triplet is ``max(0, d(a, p) - d(a, n) + margin)`` of squared distances; the
    mean is taken over all pairs. Hardest negatives would
    collapse the network early on, as they say.

    Args:
        embeddings: (n, d), raw.
        people: int (n,).
        margin: alpha.

    Returns:
        Scalar; 0 for a batch without two pictures of a person or without two people.
    """
    points = unit(embeddings)
    distances = ops.maximum(2 - 2 * ops.matmul(points, ops.transpose(points)), 0.0)
    same = ops.equal(ops.expand_dims(people, 0), ops.expand_dims(people, 1))
    itself = ops.cast(ops.eye(ops.shape(points)[0]), "bool")
    pairs = ops.cast(ops.logical_and(same, ops.logical_not(itself)), distances.dtype)
    others = ops.logical_not(same)
    # [a, p, n]: is n somebody else, farther from a than p is?
    farther = ops.expand_dims(distances, 1) > ops.expand_dims(distances, 2)
    usable = ops.logical_and(farther, ops.expand_dims(others, 1))
    beyond = 8.0  # above any squared distance of points of the sphere
    nearest = ops.min(ops.where(usable, ops.expand_dims(distances, 1), beyond), axis=-1)
    farthest = ops.max(ops.where(others, distances, -1.0), axis=-1, keepdims=True)
    negatives = ops.where(nearest < beyond, nearest, farthest)
    valid = pairs * ops.cast(farthest >= 0, distances.dtype)
    losses = ops.maximum(distances - negatives + margin, 0.0) * valid
    return ops.sum(losses) / ops.maximum(ops.sum(valid), 1.0)


def cosine_distillation(
    embeddings: keras.KerasTensor, teacher: keras.KerasTensor
) -> keras.KerasTensor:
    """Return ``1 - cos`` between student and teacher for each chip, (n,).

    A student that reaches 0 gives the teacher's embeddings, so it needs as many numbers.
    """
    return 1 - ops.sum(unit(embeddings) * unit(teacher), axis=-1)


def relational_distillation(
    embeddings: keras.KerasTensor, teacher: keras.KerasTensor
) -> keras.KerasTensor:
    """Return how far distances within a batch differ from the teacher's, a scalar.

    W. Park, D. Kim, Y. Lu, M. Cho: "Relational Knowledge Distillation", CVPR 2019, equations 5 to 8
    (RKD-D): distances over their mean in the batch, compared with Huber's loss (delta 1), the mean
    over all pairs. It asks nothing of directions, so student and teacher may differ in size.
    """
    here, there = (_relative_distances(unit(x)) for x in (embeddings, teacher))
    gaps = ops.abs(here - there)
    losses = ops.where(gaps <= 1, 0.5 * ops.square(gaps), gaps - 0.5)
    count = ops.cast(ops.shape(losses)[0], losses.dtype)
    return ops.sum(losses) / ops.maximum(count * (count - 1), 1.0)


def _relative_distances(points: keras.KerasTensor) -> keras.KerasTensor:
    squared = ops.maximum(2 - 2 * ops.matmul(points, ops.transpose(points)), 0.0)
    count = ops.shape(points)[0]
    apart = 1 - ops.eye(count, dtype=points.dtype)
    # The root's slope is infinite at 0, where a point meets itself: there it is cut off.
    distances = ops.sqrt(ops.where(apart > 0, squared + 1e-12, 1.0)) * apart
    pairs = ops.maximum(ops.sum(apart), 1.0)
    return distances / ops.maximum(ops.sum(distances) / pairs, 1e-6)
