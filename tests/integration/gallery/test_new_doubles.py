"""Two who enrol one newcomer in the same moment: one of them does, the other is told so."""

import multiprocessing
from dataclasses import replace
from multiprocessing.synchronize import Barrier
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from facerec.errors import ProfileExistsError, SamePersonError
from facerec.gallery.gallery import Gallery
from facerec.gallery.new_doubles import Compared
from facerec.gallery.profile import NewProfile, ProfileState
from facerec.gallery.storage import schema
from facerec.gallery.storage.kept_images import read_images
from facerec.gallery.storage.reading import owner_of
from tests.integration.gallery.test_gallery import SPACE, template, unit

PRELOAD = ["facerec.gallery.gallery", "tests.integration.gallery.test_gallery", __name__]
LIKE = 0.99
ROUNDS = 12


def race(path: Path, barrier: Barrier, number: int, results: "multiprocessing.Queue[str]") -> None:
    """Enrol one newcomer after another, each at the moment at which another process does."""
    with Gallery.open(path) as gallery:
        for newcomer in range(ROUNDS):
            barrier.wait()
            compared = Compared(gallery.revision, LIKE)
            barrier.wait()  # both have compared; neither has stored
            try:
                gallery.enrol("N", [template(newcomer)], compared=compared)
                results.put(f"{newcomer} stored by {number}")
            except SamePersonError:
                results.put(f"{newcomer} refused to {number}")


def test_two_processes_enrol_one_newcomer_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    path, barrier, results = tmp_path / "gallery.db", context.Barrier(2), context.Queue()
    Gallery.open(path).close()
    racers = [context.Process(target=race, args=(path, barrier, n, results)) for n in range(2)]
    for racer in racers:
        racer.start()
    told = sorted(results.get(timeout=60) for _ in range(2 * ROUNDS))
    for racer in racers:
        racer.join()
    for newcomer in range(ROUNDS):
        words = [line.split()[1] for line in told if line.split()[0] == str(newcomer)]
        assert sorted(words) == ["refused", "stored"]
    with Gallery.open(path) as gallery:
        assert len(gallery.list()) == ROUNDS
        for newcomer in range(ROUNDS):
            best = gallery.search(unit(newcomer), embedding_space=SPACE).similarities
            assert best[0] == pytest.approx(1, abs=1e-6)
            assert best[1] < LIKE


@pytest.fixture
def two(tmp_path: Path) -> tuple[Gallery, Gallery]:
    path = tmp_path / "gallery.db"
    with Gallery.open(path) as first:
        first.enrol("Before", [template(900)], profile_id="before")
    return Gallery.open(path), Gallery.open(path)


def test_only_who_is_alike_and_new_since_then_counts(two: tuple[Gallery, Gallery]) -> None:
    mine, theirs = two
    compared = Compared(mine.revision, LIKE)
    theirs.enrol("Other", [template(1)])
    mine.enrol("N", [template(2)], compared=compared)  # somebody else
    mine.enrol("N", [template(900)], compared=compared)  # known when it was compared
    with pytest.raises(SamePersonError):
        mine.enrol("N", [template(3), template(1)], compared=compared)
    mine.enrol("N", [template(1)], compared=Compared(mine.revision, LIKE))
    mine.enrol("N", [template(1)])  # whatever others do
    assert len(mine.list()) == 6


def test_who_was_given_another_template_or_suspended_meanwhile_counts(
    two: tuple[Gallery, Gallery],
) -> None:
    mine, theirs = two
    compared = Compared(mine.revision, LIKE)
    theirs.add_templates("before", [template(5)])
    theirs.set_state("before", ProfileState.SUSPENDED)
    with pytest.raises(SamePersonError):
        mine.enrol("N", [template(5)], compared=compared)


def test_of_several_newcomers_all_or_nobody_is_stored(two: tuple[Gallery, Gallery]) -> None:
    mine, theirs = two
    compared = Compared(mine.revision, LIKE)
    theirs.enrol("Other", [template(1)])
    people = [NewProfile("N", [template(n)], ["default"], profile_id=f"n{n}") for n in (7, 1)]
    before = mine.revision
    with pytest.raises(SamePersonError):
        mine.enrol_many(people, compared)
    assert mine.revision == before
    with pytest.raises(Exception, match="no profile has the id"):
        mine.get("n7")


def test_many_people_at_once_are_told_apart(tmp_path: Path) -> None:
    """One statement stores all of them: each gets their own number, key, galleries and consent."""
    with Gallery.open(tmp_path / "gallery.db") as gallery:
        gallery.create_gallery("odd")
        people = [
            NewProfile(
                f"Name {n}",
                [template(2 * n), template(2 * n + 1)][: 1 + n % 2],
                ["default", "odd", "odd"] if n % 2 else ["default"],
                profile_id=f"p-{(n * 7919) % 1201:04d}",  # not in the order of the numbers
                consent=f"form {n}" if n % 3 == 0 else "",
                external_id=f"e{n}",
                attributes={"floor": str(n)},
            )
            for n in range(1200)
        ]
        enrolled = gallery.enrol_many(people)
        assert enrolled.profile_ids == tuple(person.profile_id for person in people)
        assert enrolled.revision == gallery.revision
        stored = {profile.profile_id: profile for profile in gallery.list()}
        assert [profile.profile_id for profile in gallery.list()] == list(enrolled.profile_ids)
        for n, person in enumerate(people):
            profile = stored[str(person.profile_id)]
            assert (profile.name, profile.external_id) == (f"Name {n}", f"e{n}")
            assert profile.galleries == (("default", "odd") if n % 2 else ("default",))
            assert profile.consent == person.consent
            assert (profile.templates, profile.attributes) == (1 + n % 2, {"floor": str(n)})
        for n in (0, 1, 599, 1199):
            found = gallery.search(
                unit(2 * n), embedding_space=SPACE, min_revision=enrolled.revision
            )
            assert found.profile_ids[0] == people[n].profile_id
            theirs = gallery.templates(str(people[n].profile_id))
            assert np.allclose(theirs[0].embedding, unit(2 * n))


def test_many_people_take_no_more_statements_than_few(tmp_path: Path) -> None:
    """Pictures to keep are stored together too, each once a person."""
    counts: list[int] = []

    def count(*_: object) -> None:
        counts[-1] += 1

    with Gallery.open(tmp_path / "gallery.db") as gallery:
        sa.event.listen(sa.Engine, "before_cursor_execute", count)
        try:
            for first, people in ((0, 1), (10, 2), (100, 60)):  # the first also reads a key
                counts.append(0)
                gallery.enrol_many(
                    [
                        NewProfile(
                            "N",
                            [replace(template(n), image=b"picture %d" % n)] * 2,
                            ["default"],
                            profile_id=f"p{n}",
                            consent="form",
                            external_id=f"e{n}",
                        )
                        for n in range(first, first + people)
                    ]
                )
        finally:
            sa.event.remove(sa.Engine, "before_cursor_execute", count)
        assert 5 < counts[1] == counts[2] < 30
        with gallery.database.reading() as connection:
            owner = owner_of(connection, gallery.database.vault, 63)
            assert list(read_images(connection, 63, owner).values()) == [b"picture 159"]
            kept = connection.scalar(sa.select(sa.func.count()).select_from(schema.image))
            assert kept == 63


@pytest.mark.parametrize(
    "second",
    [
        NewProfile("N", [template(2)], ["default"], profile_id="same"),
        NewProfile("N", [template(2)], ["default"], external_id="17"),
    ],
)
def test_an_id_that_two_of_the_newcomers_have_is_refused(
    tmp_path: Path, second: NewProfile
) -> None:
    first = NewProfile("N", [template(1)], ["default"], profile_id="same", external_id="17")
    with Gallery.open(tmp_path / "gallery.db") as gallery:
        with pytest.raises(ProfileExistsError):
            gallery.enrol_many([first, second])
        assert gallery.list() == ()
        gallery.enrol_many([first])
        with pytest.raises(ProfileExistsError):
            gallery.enrol_many([second])


def test_nobody_is_enrolled_in_the_present_revision(tmp_path: Path) -> None:
    with Gallery.open(tmp_path / "gallery.db") as gallery:
        assert gallery.enrol_many([]).revision == gallery.revision == 1
