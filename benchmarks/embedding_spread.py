"""Prints how templates of real people spread, beside those that `facerec bench search` makes up.

    .venv/bin/python benchmarks/embedding_spread.py IMAGES [--home HOME]

IMAGES holds one folder of pictures a person. Whatever is fitted in
`facerec/evaluation/search_population.py` is printed for both.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facerec.cli.evaluation_setup import TemplateMaker, evaluation_settings
from facerec.evaluation.pictures.folder import find_people
from facerec.evaluation.search_population import Population

SHARES = (1, 5, 25, 50, 75, 95)


def alike(variances: NDArray[np.float64]) -> float:
    """Return how many equal variances spread as these do: sum(v)^2 / sum(v^2)."""
    return float(variances.sum() ** 2 / (variances**2).sum())


def describe(what: str, templates: NDArray[np.float32], people: NDArray[np.int64]) -> None:
    """Print the spread of templates (n, d), whose people (n,) are given by number."""
    similarities = templates @ templates.T
    first, second = np.triu_indices(len(templates), 1)
    same = people[first] == people[second]
    mated, others = similarities[first, second][same], similarities[first, second][~same]
    numbers, counts = np.unique(people, return_counts=True)
    means = np.array([templates[people == number].mean(axis=0) for number in numbers])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    between = np.linalg.eigvalsh(np.cov(means.T))
    many = numbers[counts >= 6]
    within = [
        templates[people == n] - templates[people == n].mean(axis=0, keepdims=True) for n in many
    ]
    print(
        f"{what}: {len(templates)} templates of {len(numbers)} people\n"
        f"  mated similarity, percentiles {SHARES}: {np.percentile(mated, SHARES).round(3)}\n"
        f"  non-mated similarity: mean {others.mean():.4f}, deviation {others.std():.4f}\n"
        f"  people spread as in {alike(between):.0f} directions alike"
    )
    if within:
        variances = np.linalg.eigvalsh(np.cov(np.concatenate(within).T))
        print(f"  their looks as in {alike(variances):.0f} directions alike")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", type=Path)
    parser.add_argument("--home", type=Path)
    options = parser.parse_args()
    maker = TemplateMaker.of(evaluation_settings(options.home))
    pictures = find_people(options.images)
    table = maker.acquire(pictures)
    real = table.embeddings[table.acquired]
    describe("real", real, np.asarray(pictures.people)[table.acquired])
    made = Population(2 * len(pictures.names), real.shape[1])
    rows, probes = made.looked_at(len(pictures.names))
    both = np.concatenate([made.enrolled(), probes])
    describe("made up", both, np.concatenate([np.arange(made.count), rows]))


if __name__ == "__main__":
    main()
