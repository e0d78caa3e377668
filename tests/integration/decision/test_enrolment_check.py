"""Newcomers held against a real gallery: doubles, look-alikes, outliers, in every state."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from facerec.decision.enrolment_check import EnrolmentCheck, Overrides
from facerec.decision.enrolment_rules import EnrolmentRules, Objection, thresholds
from facerec.decision.factory_operating_point import factory_operating_points
from facerec.errors import EmbeddingSpaceError, SamePersonError
from facerec.gallery.gallery import Gallery
from facerec.gallery.index import keeper
from facerec.gallery.profile import NewTemplate, ProfileState

POINT = factory_operating_points()[0]
SPACE = POINT.embedding_space
RULES = EnrolmentRules(1e-3, 1e-2, 1e-3, 0.05)
NOW = datetime(2030, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def person(number: int, *, like: int | None = None, similarity: float = 0.0) -> NDArray[np.float32]:
    """Return a unit vector that is orthogonal to all others but `like`."""
    vector = np.zeros(64, np.float32)
    vector[number] = np.sqrt(1 - similarity**2)
    if like is not None:
        vector[like] = similarity
    return vector


def template(vector: NDArray[np.float32], space: str = SPACE) -> NewTemplate:
    return NewTemplate(vector, space, 0.9, "picture")


class Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gallery(tmp_path: Path, clock: Clock) -> Iterator[Gallery]:
    with Gallery.open(tmp_path / "gallery.db", clock=clock) as opened:
        opened.create_gallery("watch-list")
        opened.enrol("Ada", [template(person(0))], profile_id="ada")
        opened.enrol(
            "Bob", [template(person(1))], profile_id="bob", galleries=["default", "watch-list"]
        )
        opened.enrol("Eve", [template(person(2))], profile_id="eve", galleries=["watch-list"])
        yield opened


@pytest.fixture
def check(gallery: Gallery) -> EnrolmentCheck:
    return EnrolmentCheck(gallery, POINT, RULES)


LIMITS = thresholds(POINT, RULES, templates=3, pictures=1)


def test_somebody_new_is_taken(check: EnrolmentCheck) -> None:
    judged = check.judge([template(person(9))], name="Zoe")
    assert (judged.refusal, judged.doubles, judged.look_alikes) == (None, (), ())
    assert [t.accepted for t in judged.templates] == [()]


@pytest.mark.parametrize(("who", "number"), [("ada", 0), ("bob", 1), ("eve", 2)])
def test_the_same_person_is_known_in_every_gallery(
    check: EnrolmentCheck, who: str, number: int
) -> None:
    again = [template(person(9, like=number, similarity=LIMITS.same_person + 0.01))]
    judged = check.judge(again, name="Zoe")
    assert judged.refusal is Objection.ALREADY_ENROLLED
    assert judged.templates == ()
    (double,) = judged.doubles
    assert double.profile_id == who
    assert double.similarity == pytest.approx(LIMITS.same_person + 0.01, abs=1e-5)
    assert double.threshold == pytest.approx(LIMITS.same_person)
    taken = check.judge(again, name="Zoe", overrides=Overrides(double=True))
    assert taken.refusal is None
    assert [t.accepted for t in taken.templates] == [("already_enrolled",)]
    # Further pictures of that person themself are no double.
    assert check.judge(again, name="Ada", profile_id=who).refusal in (
        None,
        Objection.NOT_LIKE_THE_OTHERS,
    )


def test_the_same_person_is_known_while_suspended_and_before_and_after_their_time(
    check: EnrolmentCheck, gallery: Gallery, clock: Clock
) -> None:
    guest = template(person(5))
    gallery.enrol(
        "Guest", [guest], profile_id="guest", valid_from=NOW + DAY, valid_until=NOW + 3 * DAY
    )
    gallery.set_state("ada", ProfileState.SUSPENDED)
    for day in (0, 2, 4, 2, 0):  # the clock is set back, too
        clock.now = NOW + day * DAY
        assert check.judge([guest], name="X").doubles[0].profile_id == "guest"
        assert check.judge([template(person(0))], name="X").doubles[0].profile_id == "ada"
    gallery.life_cycle.erase("guest")
    gallery.add_templates("ada", [template(person(6))])
    assert check.judge([guest], name="X").refusal is None
    assert check.judge([template(person(6))], name="X").doubles[0].profile_id == "ada"
    gallery.set_state("ada", ProfileState.ACTIVE)
    assert check.judge([template(person(6))], name="X").doubles[0].profile_id == "ada"


def test_another_process_suspends_somebody(check: EnrolmentCheck, gallery: Gallery) -> None:
    assert check.judge([template(person(0))], name="X").doubles[0].profile_id == "ada"
    with Gallery.open(gallery.path) as other:
        other.set_state("ada", ProfileState.SUSPENDED)
        other.enrol("New", [template(person(7))], profile_id="new")
    assert check.judge([template(person(0))], name="X").doubles[0].profile_id == "ada"
    assert check.judge([template(person(7))], name="X").doubles[0].profile_id == "new"


def is_enrolled(check: EnrolmentCheck, newcomer: NewTemplate) -> bool:
    """Judge somebody new and store them, as the commands do; return whether they are stored."""
    judged = check.judge([newcomer], name="N")
    if judged.refusal is not None:
        return False
    try:
        check.gallery.enrol("N", judged.templates, compared=judged.against)
    except SamePersonError:
        return False
    return True


def test_who_is_committed_and_not_yet_acknowledged_is_not_enrolled_twice(
    check: EnrolmentCheck, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others' searches are answered as before the first enrolment; the check must not be."""
    newcomer = template(person(9))
    gallery.search(newcomer.embedding, embedding_space=SPACE)
    committed, go_on, judging = threading.Event(), threading.Event(), threading.current_thread()
    catch_up = gallery._keeper._catch_up

    def late() -> None:
        if threading.current_thread() is not judging:
            committed.set()
            assert go_on.wait(60)
        catch_up()

    monkeypatch.setattr(gallery._keeper, "_catch_up", late)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(is_enrolled, check, newcomer)
        try:
            assert committed.wait(60)
            assert not is_enrolled(check, newcomer)
        finally:
            go_on.set()
        assert first.result(60)
    assert len(gallery.list()) == 4


def test_who_was_enrolled_elsewhere_since_the_revision_was_asked_is_not_enrolled_twice(
    check: EnrolmentCheck, gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Searches take the database's word of a moment ago; here of as long ago as the test takes."""
    monkeypatch.setattr(keeper, "_ASK_AGAIN_S", 3600.0)
    newcomer = template(person(9))
    gallery.search(newcomer.embedding, embedding_space=SPACE)
    with Gallery.open(gallery.path) as other:
        other.create_gallery("its-own")
        other.enrol("N", [newcomer], galleries=["its-own"])
    assert not is_enrolled(check, newcomer)
    assert len(gallery.list()) == 4


def test_look_alikes_are_warned_of_and_taken(check: EnrolmentCheck) -> None:
    between = (LIMITS.look_alike + LIMITS.same_person) / 2
    judged = check.judge([template(person(9, like=1, similarity=between))], name="Zoe")
    assert judged.refusal is None
    assert [x.profile_id for x in judged.look_alikes] == ["bob"]
    assert len(judged.templates) == 1
    below = LIMITS.look_alike - 0.01
    judged = check.judge([template(person(9, like=1, similarity=below))], name="Zoe")
    assert judged.look_alikes == ()


def test_more_pictures_are_held_against_a_higher_threshold(check: EnrolmentCheck) -> None:
    """A stranger with ten pictures has ten chances."""
    vector = person(9, like=1, similarity=LIMITS.same_person + 0.005)
    one = check.judge([template(vector)], name="Z")
    ten = check.judge([template(vector)] * 10, name="Z")
    assert one.refusal is Objection.ALREADY_ENROLLED
    assert ten.refusal is None
    assert [x.profile_id for x in ten.look_alikes] == ["bob"]


def test_a_picture_of_somebody_else_is_left_out(check: EnrolmentCheck) -> None:
    own = [template(person(9)), template(person(10)), template(person(9))]
    judged = check.judge(own, name="Z")
    assert (judged.refusal, judged.outliers) == (None, (1,))
    assert [t.embedding[9] for t in judged.templates] == [1, 1]
    both = check.judge(own, name="Z", overrides=Overrides(outliers=True))
    assert [t.accepted for t in both.templates] == [(), ("not_like_the_others",), ()]
    two = check.judge(own[:2], name="Z")
    assert (two.refusal, two.templates) == (Objection.PICTURES_DISAGREE, ())
    two = check.judge(own[:2], name="Z", overrides=Overrides(outliers=True))
    assert [t.accepted for t in two.templates] == [("pictures_disagree",)] * 2


def test_an_outlier_who_is_enrolled_makes_nobody_a_double(check: EnrolmentCheck) -> None:
    """The left-out picture is not searched: it says nothing of the person."""
    own = [template(person(9)), template(person(0)), template(person(9))]
    assert check.judge(own, name="Z").refusal is None


def test_further_pictures_must_be_like_what_is_enrolled(check: EnrolmentCheck) -> None:
    judged = check.judge([template(person(9))] * 2, name="Ada", profile_id="ada")
    assert judged.refusal is Objection.NOT_LIKE_THE_OTHERS
    assert judged.outliers == (0, 1)
    mixed = check.judge([template(person(9)), template(person(0))], name="Ada", profile_id="ada")
    assert (mixed.refusal, mixed.outliers, len(mixed.templates)) == (None, (0,), 1)


def test_the_same_display_name_is_told(check: EnrolmentCheck, gallery: Gallery) -> None:
    gallery.enrol("Ada", [template(person(8))], profile_id="ada2")
    new = [template(person(9))]
    assert check.judge(new, name=" Ada ").same_name == ("ada", "ada2")
    assert check.judge([template(person(0))], name="Ada", profile_id="ada").same_name == ("ada2",)
    assert check.judge(new, name="Zoe").same_name == ()


def test_people_in_another_space_are_not_compared(tmp_path: Path) -> None:
    with Gallery.open(tmp_path / "gallery.db") as gallery:
        gallery.enrol("A", [template(person(0), "other")])
        check = EnrolmentCheck(gallery, POINT, RULES)
        assert check.judge([template(person(0))], name="B").refusal is None
        with pytest.raises(EmbeddingSpaceError, match="other"):
            check.judge([template(person(0), "other")], name="B")


def test_what_was_overridden_stays_with_the_template(gallery: Gallery) -> None:
    noted = NewTemplate(person(9), SPACE, 0.1, "p", accepted=("blurred", "already_enrolled"))
    profile = gallery.enrol("Z", [noted])
    with Gallery.open(gallery.path) as again:
        (stored,) = again.templates(profile.profile_id)
        assert again.templates("ada")[0].accepted == ()
    assert stored.accepted == ("blurred", "already_enrolled")
    assert b"already_enrolled" not in gallery.path.read_bytes()
