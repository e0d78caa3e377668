"""``facerec bench serve`` as a user types it: that it measures, not how fast this machine is."""

from pathlib import Path

from tests.e2e.conftest import Facerec


def test_the_server_is_measured_under_every_load(
    facerec: Facerec, pictures: dict[str, Path]
) -> None:
    chosen = [pictures["obama-2012"], pictures["collins"]]
    done = facerec("bench", "serve", *chosen, "--seconds", 2, "--json")
    assert done.code == 0, done.err
    times = done.record
    assert 0 < times["look_up_ms_p50"] < times["lone_ms_p50"]
    assert (
        times["share_of_analysis_alone"] == times["capacity_per_s"] / times["analysis_alone_per_s"]
    )
    # Three times what it can do for two seconds: everything is answered or refused, nothing breaks.
    answers = times["overload_answers"]
    assert answers["OK"] >= 1
    assert answers.keys() <= {"OK", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"}
    assert times["overload_longest_s"] > 0
    assert times["recovery_s"] > 0


def test_a_home_without_networks(
    facerec: Facerec, pictures: dict[str, Path], tmp_path: Path
) -> None:
    done = facerec("bench", "serve", pictures["collins"], home=tmp_path)
    assert done.code == 1
    assert "facerec models pull" in done.err
