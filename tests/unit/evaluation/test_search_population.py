"""Made-up people are alike and unlike as SFace finds real ones."""

import numpy as np

from facerec.evaluation.search_population import Population

PEOPLE = Population(60_000, 128)


def test_similarities_are_spread_as_those_of_real_people() -> None:
    """Of folds 1 and 2 of LFW: .092; .45, .58, .65, .71 and .80 (docs/gallery.md)."""
    templates = PEOPLE.enrolled()
    assert np.allclose(np.linalg.norm(templates, axis=1), 1, atol=1e-5)
    few = templates[:2000] @ templates[2000:4000].T
    assert abs(few.mean()) < 0.002
    assert abs(few.std() - 0.092) < 0.002
    rows, probes = PEOPLE.looked_at(4000)
    mated = np.einsum("ij,ij->i", templates[rows], probes)
    assert np.allclose(np.percentile(mated, [25, 50, 75]), [0.58, 0.65, 0.715], atol=0.02)
    assert np.allclose(np.percentile(mated, [5, 95]), [0.44, 0.80], atol=0.03)
    variances = np.sort(np.linalg.eigvalsh(np.cov(templates.T)))
    assert abs(variances.sum() ** 2 / (variances**2).sum() - 115) < 8


def test_the_same_seed_gives_the_same_people() -> None:
    once, again = Population(300, 16, 1).enrolled(), Population(300, 16, 1).enrolled()
    assert np.array_equal(once, again)
    assert not np.array_equal(once, Population(300, 16, 2).enrolled())
    first, second = (Population(60_000, 16).looked_at(50) for _ in range(2))
    assert np.array_equal(first[0], second[0]) and np.array_equal(first[1], second[1])


def test_strangers_are_like_nobody() -> None:
    people = Population(2000, 128)
    alike = (people.strangers(200) @ people.enrolled().T).max(axis=1)
    assert alike.max() < 0.5


def test_how_many_are_made_is_told() -> None:
    told: list[int] = []
    Population(60_000, 4).enrolled(told.append)
    assert sum(told) == 60_000 and len(told) == 2
