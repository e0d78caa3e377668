"""Any history of changes, with crashes and reopening, against a plain model of the gallery."""

import shutil
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from facerec.errors import ProfileExistsError, ProfileNotFoundError
from facerec.gallery.gallery import Gallery
from facerec.gallery.life_cycle import ProfileChange, Validity
from facerec.gallery.profile import NewProfile, NewTemplate, ProfileState
from tests.integration.gallery.postgres_server import PostgresServer
from tests.integration.gallery.test_gallery import SPACE, template, unit

START = datetime(2030, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
GALLERIES = ("default", "staff")


@dataclass
class Person:
    """What the model holds of somebody."""

    number: int
    seeds: list[int]
    galleries: set[str]
    active: bool = True
    begins: datetime | None = None
    ends: datetime | None = None
    external_id: str = ""

    def may_be_matched(self, now: datetime) -> bool:
        begun = self.begins is None or self.begins <= now
        return self.active and begun and not (self.ends is not None and self.ends <= now)


class GalleryMachine(RuleBasedStateMachine):
    """Does the same to a gallery and to the model, and compares what they say."""

    people = Bundle("people")

    @initialize()
    def initialise(self) -> None:
        self.begin()

    @rule()
    def crash_somehow(self) -> None:
        self.crash()

    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.now = START
        self.model: dict[str, Person] = {}
        self.enrolled = 0
        self.gallery = self.opened()
        self.gallery.create_gallery("staff")

    def opened(self) -> Gallery:
        # No snapshots in the background: a copy of files that a thread is writing is no image of
        # any one instant. Those are killed for real in test_kills.py.
        return Gallery.open(
            self.folder / "gallery.db", clock=lambda: self.now, snapshot_every=1_000_000
        )

    @rule(
        target=people,
        seeds=st.lists(st.integers(0, 9), min_size=1, max_size=3),
        galleries=st.sets(st.sampled_from(GALLERIES), min_size=1),
    )
    def enrol(self, seeds: list[int], galleries: set[str]) -> str:
        self.enrolled += 1
        who = f"p{self.enrolled}"
        templates: list[NewTemplate] = [template(seed) for seed in seeds]
        self.gallery.enrol_many([NewProfile("N", templates, sorted(galleries), who)])
        self.model[who] = Person(self.enrolled, list(seeds), set(galleries))
        return who

    @rule(who=people, seed=st.integers(0, 9))
    def add_template(self, who: str, seed: int) -> None:
        self.gallery.add_templates(who, [template(seed)])
        self.model[who].seeds.append(seed)

    @rule(who=people, active=st.booleans())
    def set_state(self, who: str, active: bool) -> None:
        self.gallery.set_state(who, ProfileState.ACTIVE if active else ProfileState.SUSPENDED)
        self.model[who].active = active

    @rule(who=people, galleries=st.sets(st.sampled_from(GALLERIES), min_size=1))
    def move(self, who: str, galleries: set[str]) -> None:
        self.gallery.life_cycle.update(who, ProfileChange(galleries=sorted(galleries)))
        self.model[who].galleries = set(galleries)

    @rule(who=people, begins=st.integers(-3, 3), hours=st.integers(1, 4))
    def set_validity(self, who: str, begins: int, hours: int) -> None:
        first = START + begins * HOUR
        validity = Validity(first, first + hours * HOUR)
        self.gallery.life_cycle.update(who, ProfileChange(validity=validity))
        self.model[who].begins, self.model[who].ends = validity.begins, validity.ends

    @rule(who=consumes(people))
    def erase(self, who: str) -> None:
        self.gallery.life_cycle.erase(who)
        del self.model[who]
        with pytest.raises(ProfileNotFoundError):
            self.gallery.get(who)

    @rule(hours=st.integers(-5, 6))
    def set_clock(self, hours: int) -> None:
        self.now = START + hours * HOUR

    @rule()
    def rotate_the_master_key(self) -> None:
        self.gallery.rotate_master_key()

    @rule(saved=st.booleans())
    def reopen(self, saved: bool) -> None:
        if saved:
            self.gallery.save_snapshot()
        self.gallery.close()
        self.gallery = self.opened()

    def crash(self) -> None:
        """Go on with a copy of the files as they are, while the other one is still open."""
        copy = Path(tempfile.mkdtemp()) / "home"
        shutil.copytree(self.folder, copy)
        self.gallery.close()
        shutil.rmtree(self.folder)
        self.folder = copy
        self.gallery = self.opened()

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        stored = {profile.profile_id: profile for profile in self.gallery.list()}
        assert list(stored) == sorted(self.model, key=lambda who: self.model[who].number)
        for who, person in self.model.items():
            assert stored[who].templates == len(person.seeds)
            assert set(stored[who].galleries) == person.galleries

    @rule(who=people, external_id=st.sampled_from(["", "x", "y"]))
    def set_external_id(self, who: str, external_id: str) -> None:
        """An external id is one person's at a time; who has none is found by none."""
        holders = {p.external_id: name for name, p in self.model.items() if p.external_id}
        change = ProfileChange(external_id=external_id)
        if holders.get(external_id, who) != who:
            with pytest.raises(ProfileExistsError):
                self.gallery.life_cycle.update(who, change)
            return
        self.gallery.life_cycle.update(who, change)
        self.model[who].external_id = external_id

    @rule(who=people, seed=st.integers(0, 9))
    def add_template_in_spite_of(self, who: str, seed: int) -> None:
        accepted = replace(template(seed), accepted=("blurred",))
        self.gallery.add_templates(who, [accepted])
        self.model[who].seeds.append(seed)
        assert self.gallery.templates(who)[-1].accepted == ("blurred",)

    @invariant()
    def finds_by_external_id(self) -> None:
        for external_id in ("x", "y"):
            holders = [n for n, p in self.model.items() if p.external_id == external_id]
            assert self.gallery.find_external(external_id) == next(iter(holders), None)

    @invariant()
    def knows_who_is_enrolled_but_not_matched(self) -> None:
        """A check for double enrolment sees those whom no search finds."""
        best = {
            who: max(float(unit(seed) @ unit(4)) for seed in person.seeds)
            for who, person in self.model.items()
            if not person.may_be_matched(self.now)
        }
        found = dict(self.gallery.enrolling.most_alike_dormant(unit(4), SPACE))
        expected = sorted(best.values(), reverse=True)[:2]
        assert np.allclose(list(found.values()), expected, atol=1e-6)
        assert all(abs(best[who] - similarity) < 1e-6 for who, similarity in found.items())
        templates = sum(len(person.seeds) for person in self.model.values())
        assert self.gallery.enrolling.templates() == templates

    @invariant()
    def finds_what_brute_force_finds(self) -> None:
        for galleries in (["default"], ["default", "staff"]):
            best = {
                who: max(float(unit(seed) @ unit(4)) for seed in person.seeds)
                for who, person in self.model.items()
                if person.may_be_matched(self.now) and person.galleries & set(galleries)
            }
            expected = sorted(best, key=lambda who: (-best[who], self.model[who].number))
            found = self.gallery.search(unit(4), embedding_space=SPACE, galleries=galleries, k=50)
            assert list(found.profile_ids) == expected
            assert np.allclose(found.similarities, [best[who] for who in expected], atol=1e-6)
            assert found.searched == len(expected)
            assert found.revision == self.gallery.revision

    def teardown(self) -> None:
        if hasattr(self, "gallery"):
            self.gallery.close()
            shutil.rmtree(self.folder)


TestGallery = GalleryMachine.TestCase
TestGallery.settings = settings(max_examples=12, stateful_step_count=15)


@pytest.mark.slow
class TestGalleryAtLength(GalleryMachine.TestCase):  # type: ignore[misc, name-defined]
    """The same, longer."""

    settings = settings(max_examples=150, stateful_step_count=30)


def test_on_postgresql(postgres: PostgresServer) -> None:
    """The same on a server, where a crash is that all connections are gone."""

    class OnPostgres(GalleryMachine):
        def begin(self) -> None:
            self.url = postgres.new_database()
            super().begin()

        def opened(self) -> Gallery:
            path = self.folder / "gallery.db"
            return Gallery.open(path, clock=lambda: self.now, url=self.url)

        def crash(self) -> None:
            postgres.end_connections(self.url)

    run_state_machine_as_test(OnPostgres, settings=settings(max_examples=3, stateful_step_count=12))
