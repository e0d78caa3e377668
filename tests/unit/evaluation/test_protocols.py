"""Protocols, runs and reports on made-up templates: sound ones, failed ones and broken ones."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from facerec.errors import EvaluationError
from facerec.evaluation.pictures.face_table import QUALITY_NAMES, Acquisition, FaceTable
from facerec.evaluation.pictures.folder import PeoplePictures
from facerec.evaluation.pictures.pairs_file import LabelledPairs
from facerec.evaluation.protocols.identification import split_open_set
from facerec.evaluation.protocols.verification import pairs_difference, verify_pairs
from facerec.evaluation.report.attempts import compare_runs
from facerec.evaluation.report.subject import TestedSystem
from facerec.evaluation.report.writing import write_report
from facerec.evaluation.runs.identification_run import IdentificationInput, identification_run
from facerec.evaluation.runs.verification_run import VerificationInput, verification_run

SYSTEM = TestedSystem("d", "e", "s", (), "made up")


def pictures(sizes: list[int]) -> PeoplePictures:
    people = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    names = tuple(f"p{i:03d}" for i in range(len(sizes)))
    paths = tuple(f"{names[p]}/{row:05d}.jpg" for row, p in enumerate(people))
    return PeoplePictures(Path("/nowhere"), paths, people, names)


def table(vectors: NDArray[np.float64]) -> FaceTable:
    n = len(vectors)
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return FaceTable(
        np.zeros(n, np.uint8),
        np.ones(n, np.int32),
        np.zeros((n, 4), np.float32),
        np.zeros((n, 5, 2), np.float32),
        np.ones(n, np.float32),
        np.random.default_rng(9).random((n, len(QUALITY_NAMES))).astype(np.float32),
        unit,
    )


def failed(given: FaceTable, rows: list[int]) -> FaceTable:
    outcomes = given.outcomes.copy()
    outcomes[rows] = tuple(Acquisition).index(Acquisition.NO_FACE)
    return replace(given, outcomes=outcomes)


PEOPLE = pictures([1] * 60 + [4] * 60)


def sound(seed: int = 0, noise: float = 0.9, people: PeoplePictures = PEOPLE) -> FaceTable:
    random = np.random.default_rng(seed)
    own = random.normal(size=(len(people.names), 32))
    return table(own[people.people] + noise * random.normal(size=(len(people), 32)))


def verified(given: FaceTable) -> dict:
    return verification_run(VerificationInput(SYSTEM, PEOPLE, given)).record


def test_a_sound_system_is_not_warned_of() -> None:
    run = verification_run(VerificationInput(SYSTEM, PEOPLE, sound()))
    assert run.warnings == ()
    assert set(run.record) >= {"tar_at_far", "eer", "fta", "counts", "intervals"}
    assert 0 < run.record["eer"] < 0.2
    low, high = run.record["intervals"]["eer"]
    assert low <= run.record["eer"] <= high
    json.dumps(run.record, allow_nan=False)


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ("shuffled", "do not tell people apart"),
        ("constant", "templates are all alike"),
        ("leaking", "Different pictures of a person give the same template"),
        ("leaking a little", "no error at all"),
    ],
)
def test_a_broken_embedder_is_exposed(broken: str, words: str) -> None:
    random = np.random.default_rng(1)
    good = sound()
    own = random.normal(size=(len(PEOPLE.names), 32))[PEOPLE.people]
    vectors = {
        "shuffled": random.permutation(good.embeddings),
        "constant": np.ones((len(PEOPLE), 32)) + 1e-4 * random.normal(size=(len(PEOPLE), 32)),
        "leaking": own + 1e-4 * random.normal(size=own.shape),
        "leaking a little": good.embeddings + 2.0 * own,
    }[broken]
    given = table(vectors.astype(np.float64))
    run = verification_run(VerificationInput(SYSTEM, PEOPLE, given))
    assert any(words in warning for warning in run.warnings), run.warnings
    assert words in run.report.warnings[0]
    searched = identification_run(IdentificationInput(SYSTEM, PEOPLE, given))
    assert searched.warnings, "the search must expose it too"


def test_failures_are_counted_and_never_help() -> None:
    good = sound()
    worse = verified(failed(good, list(range(60, 90))))
    better = verified(good)
    assert worse["fta"] == pytest.approx(30 / len(PEOPLE))
    assert worse["counts"]["no_face"] == 30
    assert worse["counts"]["mated_comparisons"] == better["counts"]["mated_comparisons"]
    assert worse["counts"]["mated_comparisons_failed"] > 0
    assert worse["tar_at_far"]["1e-2"] < better["tar_at_far"]["1e-2"]


def test_failed_probes_and_people_who_fail_to_enrol_are_missed() -> None:
    good = sound(noise=0.2)
    first_of_person_70 = int(np.flatnonzero(PEOPLE.people == 70)[0])
    record = identification_run(
        IdentificationInput(SYSTEM, PEOPLE, failed(good, [first_of_person_70]))
    ).record
    assert record["fte"] == pytest.approx(1 / 60)
    assert record["counts"]["enrolled"] == 59
    assert record["fnir_at_fpir"]["0.1"] == pytest.approx(3 / 180)  # that person's probes
    assert record["by_references"]["2"]["fte"] == 0.0  # the second reference serves


def test_the_split_takes_first_pictures_and_leaves_nobody_on_both_sides() -> None:
    people = pictures([1, 3, 2, 1, 4]).people
    split = split_open_set(people, 2)
    assert split.references.tolist() == [1, 2, 7, 8]  # who has two pictures takes no part
    assert split.probes.tolist() == [3, 9, 10]
    assert split.strangers.tolist() == [0, 6]
    again = split_open_set(people, 2, seed=3)
    assert sorted([*again.references, *again.probes]) == [1, 2, 3, 7, 8, 9, 10]
    assert again.strangers.tolist() == [0, 6]


@pytest.mark.parametrize(
    ("sizes", "words"),
    [([1, 1], "more than 1 picture"), ([2, 2], "no strangers")],
)
def test_a_split_that_is_not_possible_says_why(sizes: list[int], words: str) -> None:
    with pytest.raises(EvaluationError, match=words):
        split_open_set(pictures(sizes).people, 1)


def test_one_single_person_is_refused_in_words() -> None:
    alone = pictures([5])
    with pytest.raises(EvaluationError, match=r"at least two people.* 1 person"):
        verification_run(VerificationInput(SYSTEM, alone, sound(people=alone)))
    singles = pictures([1, 1, 1])
    with pytest.raises(EvaluationError, match="at least one person must have two pictures"):
        verification_run(VerificationInput(SYSTEM, singles, sound(people=singles)))


def test_nobody_with_a_face_is_refused_in_words() -> None:
    given = failed(sound(), list(range(len(PEOPLE))))
    with pytest.raises(EvaluationError, match="0 of 300 pictures with a face"):
        verification_run(VerificationInput(SYSTEM, PEOPLE, given))
    with pytest.raises(EvaluationError, match="nobody can be enrolled"):
        identification_run(IdentificationInput(SYSTEM, PEOPLE, given))


def test_missing_and_failed_pictures_of_pairs_count_as_wrong() -> None:
    four = pictures([2, 2])
    vectors = table(np.array([[1.0, 0], [1, 0.1], [0, 1], [0.1, 1]]))
    pairs = LabelledPairs(
        np.array([[0, 1], [0, 2], [2, 3], [-1, 1]], np.int32),
        np.array([True, False, True, False]),
        np.zeros(4, np.int32),
        (("p000", "p000"), ("p000", "p001"), ("p001", "p001"), ("x", "p000")),
        ("0|1", "0|2", "2|3", "x|1"),
        ("x/x_0001",),
    )
    result = verify_pairs(vectors, pairs)
    assert (result.accuracy.mean, result.failed) == (0.75, 1)
    assert verify_pairs(failed(vectors, [3]), pairs).accuracy.mean == 0.5
    (whole, part) = (verify_pairs(vectors, pairs), verify_pairs(failed(vectors, [3]), pairs))
    worse = pairs_difference(whole, part, pairs)
    assert worse is not None and worse.low == -1 and worse.high == 0  # a draw of p001 alone
    same = pairs_difference(part, part, pairs)
    assert same is not None and same.low == same.high == 0
    record = verification_run(VerificationInput(SYSTEM, four, vectors, pairs)).record
    assert record["accuracy"] == 0.75
    assert (record["counts"]["missing"], record["fta"]) == (1, 0.2)


def test_groups_that_differ_are_warned_of() -> None:
    random = np.random.default_rng(3)
    own = random.normal(size=(len(PEOPLE.names), 32))
    group = np.arange(len(PEOPLE.names)) % 2
    own[group == 1] += 1.2  # the people of one group resemble each other
    given = table(own[PEOPLE.people] + 0.5 * random.normal(size=(len(PEOPLE), 32)))
    labels = tuple("ab"[g] for g in group)
    run = verification_run(VerificationInput(SYSTEM, PEOPLE, given, groups=labels))
    assert any("FMR of group b" in warning for warning in run.warnings)
    assert {entry["group"] for entry in run.record["groups"]} == {"a", "b"}
    even = verification_run(
        VerificationInput(SYSTEM, PEOPLE, sound(), groups=labels, group_factor=3.0)
    )
    assert even.warnings == ()


def test_a_report_holds_everything_and_fetches_nothing(tmp_path: Path) -> None:
    run = verification_run(VerificationInput(SYSTEM, PEOPLE, sound()))
    write_report(tmp_path / "r", run.report, run.record, run.attempts)
    page = (tmp_path / "r" / "index.html").read_text()
    assert "http" not in page and "<script" not in page and 'src="data:image/png' in page
    for words in ("Counts and failures", "Limits of these figures", "FMR", "Processor"):
        assert words in page
    for name in ("det", "roc", "scores", "discard"):
        assert (tmp_path / "r" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((tmp_path / "r" / "result.json").read_text()) == json.loads(
        json.dumps(run.record)
    )
    assert not list((tmp_path / "r").glob("*.unfinished"))


def test_two_runs_are_compared_attempt_by_attempt(tmp_path: Path) -> None:
    for name, noise in (("good", 0.6), ("worse", 1.4), ("again", 0.6)):
        run = verification_run(VerificationInput(SYSTEM, PEOPLE, sound(noise=noise)))
        write_report(tmp_path / name, run.report, run.record, run.attempts)
    found = compare_runs(tmp_path / "worse", tmp_path / "good")["tar_at_far:1e-3"]
    assert found.difference > 0 and found.p_value < 0.01 and found.interval.low > 0
    same = compare_runs(tmp_path / "good", tmp_path / "again")["tar_at_far:1e-3"]
    assert same.difference == 0 and same.p_value == 1.0
    with pytest.raises(EvaluationError, match="not the folder of a report"):
        compare_runs(tmp_path / "good", tmp_path)
    searched = identification_run(IdentificationInput(SYSTEM, PEOPLE, sound()))
    write_report(tmp_path / "i", searched.report, searched.record, searched.attempts)
    with pytest.raises(EvaluationError, match="a report on verification"):
        compare_runs(tmp_path / "good", tmp_path / "i")
