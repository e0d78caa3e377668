"""The scan of lists: what it says of itself holds for other probes, and what it is used for works.

Twelve thousand people in 32 dimensions; whom an exact search finds is found by NumPy.
"""

from typing import NoReturn

import numpy as np
import pytest
from numpy.typing import NDArray

from facerec.gallery.index import cluster_scan
from facerec.gallery.index.cluster_scan import CLUSTERED_FROM, ClusterScan, looks_alike
from facerec.gallery.index.index_set import IndexSet
from facerec.gallery.index.person_score import SHIPPED
from facerec.gallery.index.rows import Changes, IndexedRows
from facerec.gallery.index.rules import IndexRules
from facerec.gallery.index.vector_index import VectorIndex, merge
from facerec.gallery.index.vector_scan import Scanned
from facerec.gallery.index.vector_segment import Segment

PEOPLE, SIZE = 12_000, 32
RULES = IndexRules(approximate_from=CLUSTERED_FROM)
NOBODY = np.zeros(0, np.int64)


def directions(count: int, seed: int) -> NDArray[np.float32]:
    vectors = np.random.default_rng(seed).standard_normal((count, SIZE), dtype=np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def rows_of(vectors: NDArray[np.float32], first: int = 0) -> IndexedRows:
    people = np.arange(first, first + len(vectors))
    return IndexedRows(vectors, people, np.array([b"p-%06d" % person for person in people]))


@pytest.fixture(scope="module")
def vectors() -> NDArray[np.float32]:
    return directions(PEOPLE, 1)


@pytest.fixture(scope="module")
def index(vectors: NDArray[np.float32]) -> VectorIndex:
    return VectorIndex(SIZE, rules=RULES).updated(NOBODY, rows_of(vectors))


@pytest.fixture(scope="module")
def scan(vectors: NDArray[np.float32]) -> ClusterScan:
    return ClusterScan(vectors)


def looks(vectors: NDArray[np.float32], similarity: float, seed: int) -> NDArray[np.float32]:
    return looks_alike(vectors, np.full(len(vectors), similarity), np.random.default_rng(seed))


def test_the_recall_it_states_holds_for_other_probes(
    vectors: NDArray[np.float32], index: VectorIndex
) -> None:
    probes = looks(vectors[::12], 0.75, seed=7)
    exact = (probes @ vectors.T).argmax(axis=1)
    found = [index.search(probe, 1)[0] for probe in probes]
    right = np.mean([hit.person == best for hit, best in zip(found, exact, strict=True)])
    assert right >= 0.998
    for hit, probe in zip(found, probes, strict=True):
        assert -hit.distance == pytest.approx(float(vectors[hit.person] @ probe), abs=1e-5)


def test_the_recall_of_strangers_it_states_holds_for_others(
    vectors: NDArray[np.float32], scan: ClusterScan, index: VectorIndex
) -> None:
    """Who is missed is replaced by somebody less alike: nobody is named for it."""
    probes = directions(2000, 8)
    similarities = probes @ vectors.T
    found = [index.search(probe, 1)[0] for probe in probes]
    right = np.mean(
        [hit.person == row.argmax() for hit, row in zip(found, similarities, strict=True)]
    )
    assert right == pytest.approx(scan.plan.recall_of_strangers, abs=0.03)
    most = similarities.max(axis=1)
    assert all(-hit.distance <= best + 1e-5 for hit, best in zip(found, most, strict=True))


def test_strangers_lie_as_the_vectors_do_and_are_like_none_of_them() -> None:
    """Also where all vectors have something in common, as those of uncentred networks do."""
    spread = np.linspace(0.2, 2, SIZE, dtype=np.float32)
    lying = directions(20_000, 4) * spread + 0.1
    lying /= np.linalg.norm(lying, axis=1, keepdims=True)
    strangers = cluster_scan._strangers(lying[::2])
    others, theirs = lying[1::2] @ lying[::20].T, strangers @ lying[::20].T
    assert np.linalg.norm(strangers, axis=1) == pytest.approx(1, abs=1e-5)
    assert strangers.mean(axis=0) == pytest.approx(lying.mean(axis=0), abs=0.02)
    assert theirs.std() == pytest.approx(others.std(), rel=0.05)
    assert np.median(theirs.max(axis=1)) == pytest.approx(np.median(others.max(axis=1)), abs=0.02)


def test_the_recall_it_states_is_of_other_probes_than_chose_the_lists(
    vectors: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lists are chosen so that none of the choosing looks, here of 3, is missed."""
    monkeypatch.setattr(cluster_scan, "_CHOOSING", 3)
    monkeypatch.setattr(cluster_scan, "_LEFT_OUT", 0)
    monkeypatch.setattr(cluster_scan, "_STATING", 200)
    scans = [ClusterScan(vectors[:CLUSTERED_FROM], seed) for seed in range(3)]
    assert min(scan.plan.recall for scan in scans) < 0.99
    assert all("measured on 400 other probes" in scan.description for scan in scans)


@pytest.mark.parametrize("size", [2, 3, 32, 128, 300])
def test_turned_vectors_are_as_alike_as_before(size: int) -> None:
    """Every direction is kept once, whether or not the numbers fill whole groups."""
    rng = np.random.default_rng(size)
    lying = rng.standard_normal((500, size), dtype=np.float32) * np.linspace(
        0.2, 2, size, dtype=np.float32
    )
    turn = cluster_scan._balanced(lying)
    assert turn.shape[1] % cluster_scan._together(size) == 0
    turned = lying @ turn
    np.testing.assert_allclose(turned @ turned.T, lying @ lying.T, rtol=1e-4, atol=1e-3)


def test_turned_vectors_differ_alike_in_each_group_that_has_a_code() -> None:
    lying = np.random.default_rng(0).standard_normal((4000, 126), dtype=np.float32)
    lying *= np.exp(-np.linspace(0, 2, 126, dtype=np.float32))
    products = np.log((lying @ cluster_scan._balanced(lying)).std(axis=0)).reshape(-1, 3).sum(1)
    as_they_are = np.log(lying.std(axis=0)).reshape(-1, 3).sum(axis=1)
    assert np.ptp(products) < np.ptp(as_they_are) / 4


def test_people_with_equal_vectors_count_as_found(vectors: NDArray[np.float32]) -> None:
    """Whichever of the two is found: both are most alike."""
    scan = ClusterScan(np.repeat(vectors, 2, axis=0))
    assert scan.plan.recall >= 0.998


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_vectors_that_are_all_equal_are_kept_and_found() -> None:
    same = np.repeat(directions(1, 3), CLUSTERED_FROM, axis=0)
    index = VectorIndex(SIZE, rules=RULES).updated(NOBODY, rows_of(same))
    hits = index.search(same[0], 2)
    assert len({hit.person for hit in hits}) == 2
    assert [-hit.distance for hit in hits] == pytest.approx([1, 1], abs=1e-5)


def test_it_reads_a_part_and_says_which(vectors: NDArray[np.float32], scan: ClusterScan) -> None:
    plan, lists = scan.plan, len(scan.plan.centres)
    assert 0 < plan.read <= lists
    assert 0.998 <= plan.recall <= 1
    assert f"{plan.read} of {lists} lists, recall@1 {plan.recall:.4f} of" in scan.description
    assert 0.5 < plan.recall_of_strangers <= 1
    assert f"and {plan.recall_of_strangers:.4f} of strangers" in scan.description
    assert scan.best(vectors[0], 50).ceiling == -np.inf


@pytest.mark.parametrize("places", [50, PEOPLE])
def test_no_row_is_more_like_a_probe_than_it_says(
    vectors: NDArray[np.float32], scan: ClusterScan, places: int
) -> None:
    """Also of more rows than have codes like the probe."""
    for probe in looks(vectors[:20], 0.7, seed=6):
        found = scan.best(probe, places)
        similarities = vectors[found.rows] @ probe
        assert (similarities <= found.most).all()
        assert (found.most <= similarities + 1e-4).all()


def test_a_plan_keeps_the_same_vectors_in_the_same_lists_without_measuring(
    vectors: NDArray[np.float32], scan: ClusterScan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> NoReturn:
        raise AssertionError("it was measured again")

    monkeypatch.setattr(cluster_scan, "_measured", refuse)
    again = ClusterScan(vectors, plan=scan.plan)
    assert again.description == scan.description
    for probe in looks(vectors[:20], 0.7, seed=5):
        assert again.best(probe, 50).rows.tolist() == scan.best(probe, 50).rows.tolist()
    ClusterScan(vectors[: int(0.95 * PEOPLE)], plan=scan.plan)
    for others in (vectors[: int(0.85 * PEOPLE)], np.repeat(vectors, 2, axis=0)):
        with pytest.raises(AssertionError, match="measured again"):
            ClusterScan(others, plan=scan.plan)


def test_fewer_lists_find_fewer_people(vectors: NDArray[np.float32]) -> None:
    """That the recall comes from what is read: with one list of all most looks are missed."""
    scan = ClusterScan(vectors)
    probes, best = looks(vectors[:300], 0.6, seed=3), np.arange(300)

    def share() -> float:
        found = (scan.best(probe, 500).rows for probe in probes)
        return float(np.mean([row in rows for row, rows in zip(best, found, strict=True)]))

    full = share()
    scan._read(1)
    assert full > 0.97
    assert share() < full - 0.2


def test_people_are_added_changed_and_left_out(
    vectors: NDArray[np.float32], index: VectorIndex
) -> None:
    new = directions(3, 2)
    changed = index.updated(np.array([5, 6]), rows_of(new, PEOPLE))
    assert [changed.search(probe, 1)[0].person for probe in new] == [PEOPLE, PEOPLE + 1, PEOPLE + 2]
    assert {hit.person for hit in changed.search(vectors[5], 50)}.isdisjoint({5, 6})
    assert index.search(vectors[5], 1)[0].person == 5
    assert changed.searched == PEOPLE + 1
    back = changed.updated(NOBODY, rows_of(vectors[5:6], 5))
    assert back.search(vectors[5], 1)[0].person == 5
    assert back.how == index.how


def test_when_nearly_all_are_left_out_the_rest_are_found(
    vectors: NDArray[np.float32], index: VectorIndex
) -> None:
    few = index.updated(np.arange(PEOPLE - 4), rows_of(directions(0, 1)))
    found = few.search(vectors[0], 4)
    assert sorted(hit.person for hit in found) == list(range(PEOPLE - 4, PEOPLE))


def test_more_people_than_are_read_are_found_all_the_same(
    vectors: NDArray[np.float32], index: VectorIndex
) -> None:
    everybody = index.search(vectors[0], PEOPLE)
    exact = np.argsort(-(vectors @ vectors[0]), kind="stable")
    assert len(everybody) == PEOPLE
    assert [hit.person for hit in everybody[:100]] == exact[:100].tolist()


def test_merged_segments_are_kept_in_lists_too(vectors: NDArray[np.float32]) -> None:
    half = PEOPLE // 2
    parts = [
        Segment.of(rows_of(vectors[:half]), CLUSTERED_FROM),
        Segment.of(rows_of(vectors[half:], half), CLUSTERED_FROM),
    ]
    assert [part.approximation for part in parts] == ["", ""]
    merged = merge((parts[0], parts[1])).new
    assert merged is not None
    assert merged.approximation.startswith("ivf")


def test_several_templates_of_a_person_score_as_the_rule_says(
    vectors: NDArray[np.float32],
) -> None:
    people = np.repeat(np.arange(PEOPLE // 3), 3)
    ids = np.array([b"p-%06d" % person for person in people])
    index = VectorIndex(SIZE, rules=RULES).updated(NOBODY, IndexedRows(vectors, people, ids))
    assert index.how.startswith("ivf")
    probe = looks(vectors[300:301], 0.9, seed=2)[0]
    best = index.search(probe, 2)
    exact = (vectors @ probe).reshape(-1, 3).max(axis=1)
    assert best[0].person == int(exact.argmax()) == 100
    assert -best[0].distance == pytest.approx(float(exact[100]), abs=1e-5)


def test_who_was_read_counts_with_what_was_not_read() -> None:
    """The best of their templates may lie in a list that is not read, another in one that is."""
    rng = np.random.default_rng(3)
    probe, others = directions(1, 5)[0], directions(1000, 6)
    similarities = rng.uniform(-0.1, 0.1, 1000).astype(np.float32)
    similarities[[0, 1, 2, 4]] = 0.8, 0.22, 0.431, 0.399
    aside = others - (others @ probe)[:, None] * probe
    aside /= np.linalg.norm(aside, axis=1, keepdims=True)
    vectors = similarities[:, None] * probe + np.sqrt(1 - similarities**2)[:, None] * aside
    people = np.arange(1000) // 2

    class ButTheFirst:
        spare, description, plan = 200, "", None

        def best(self, probe: NDArray[np.float32], places: int) -> Scanned:
            return Scanned(np.arange(1, 1000), similarities[1:] + np.float32(1e-5), -np.inf)

    ids = np.array([b"p-%06d" % person for person in people])
    segment = Segment.of(IndexedRows(vectors.astype(np.float32), people, ids))
    segment.core.scan = ButTheFirst()
    exact = [SHIPPED.of(vectors[2 * person : 2 * person + 2], probe) for person in range(500)]
    best, second = np.argsort(exact)[:-3:-1]
    hits = segment.search(probe, 2, SHIPPED)
    assert [hit.person for hit in hits] == [best, second] == [0, 1]


@pytest.mark.parametrize("approximate_from", [0, PEOPLE + 1, CLUSTERED_FROM])
def test_an_answer_says_whether_it_is_exact(
    vectors: NDArray[np.float32], approximate_from: int
) -> None:
    """Never silently: and never below the stated size."""
    members = {"default": np.arange(PEOPLE)}
    changes = Changes(1, "1", "", NOBODY, {"space": rows_of(vectors)}, members)
    rules = IndexRules(approximate_from=approximate_from)
    found = IndexSet(rules=rules).updated(changes).search(vectors[0], "space", ["default"], 2)
    assert (found.index == "exact") == (approximate_from != CLUSTERED_FROM)
    if approximate_from == CLUSTERED_FROM:
        assert found.index.startswith("ivf: ")
        assert "recall@1" in found.index
