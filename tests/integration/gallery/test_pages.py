"""Reading people a page at a time."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from facerec.errors import GalleryDamagedError, GalleryError, GalleryNotFoundError
from facerec.gallery.gallery import Gallery
from facerec.gallery.profile import NewProfile, Profile, ProfileState
from tests.integration.gallery.conftest import Opener
from tests.integration.gallery.test_gallery import template

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


def filled(gallery: Gallery) -> Gallery:
    """25 people, their ids in another order than their enrolment; some not matched now."""
    gallery.create_gallery("staff")
    for n in range(25):
        gallery.enrol_many(
            [
                NewProfile(
                    f"Person {n}",
                    [template(n)] * (1 + n % 2),
                    ["default", "staff"] if n % 3 == 0 else ["default"],
                    profile_id=f"p{(n * 7) % 25:02d}",
                    valid_from=NOW + DAY if n == 4 else None,
                    valid_until=NOW - DAY if n == 5 else None,
                )
            ]
        )
    gallery.set_state("p06", ProfileState.SUSPENDED)
    return gallery


def all_pages(
    gallery: Gallery, limit: int, name: str | None, state: ProfileState | None
) -> list[Profile]:
    found: list[Profile] = []
    after: str | None = ""
    while after is not None:
        page = gallery.pages.page(limit=limit, after=after, gallery=name, state=state)
        assert len(page.profiles) <= limit
        assert page.next_after is None or len(page.profiles) == limit
        found += page.profiles
        after = page.next_after
    return found


def test_pages_together_are_the_whole_list(open_home: Opener) -> None:
    with open_home() as gallery:
        filled(gallery)
        for name in (None, "staff"):
            for state in (None, *ProfileState):
                expected = [p for p in gallery.list(name) if state in (None, p.state)]
                expected.sort(key=lambda profile: profile.profile_id)
                for limit in (1, 4, 25, 1000):
                    assert all_pages(gallery, limit, name, state) == expected
        states = [profile.state for profile in gallery.list()]
        assert states.count(ProfileState.EXPIRED) == 2


def test_one_person_is_read_as_among_all(open_home: Opener) -> None:
    """It is another question to the database."""
    with open_home() as gallery:
        filled(gallery)
        for purpose in ("gate", "canteen"):
            gallery.life_cycle.give_consent(
                "p07", purpose=purpose, legal_basis="contract", evidence="form 1"
            )
        gallery.life_cycle.withdraw_consent("p07")
        everybody = gallery.list()
        assert {len(profile.consents) for profile in everybody} == {0, 2}
        assert [gallery.get(profile.profile_id) for profile in everybody] == list(everybody)


def test_people_who_come_and_go_between_pages(open_home: Opener) -> None:
    with open_home() as gallery:
        filled(gallery)
        first = gallery.pages.page(limit=10)
        assert first.next_after == "p09"
        gallery.life_cycle.erase("p03")
        gallery.life_cycle.erase("p10")
        gallery.enrol("N", [template(1)], profile_id="p105")
        second = gallery.pages.page(limit=3, after=first.next_after)
        assert [profile.profile_id for profile in second.profiles] == ["p105", "p11", "p12"]


def test_a_page_reads_nobody_else(tmp_path: Path) -> None:
    """The others' records are made unreadable, which the whole list notices."""
    path = tmp_path / "gallery.db"
    with Gallery.open(path) as gallery:
        filled(gallery)
    connection = sqlite3.connect(path)
    connection.execute("UPDATE profile SET details = zeroblob(40) WHERE profile_id > 'p04'")
    connection.commit()
    connection.close()
    with Gallery.open(path) as gallery:
        assert len(gallery.pages.page(limit=5).profiles) == 5
        with pytest.raises(GalleryDamagedError):
            gallery.pages.page(limit=6)
        with pytest.raises(GalleryDamagedError):
            gallery.list()


def test_wrong_questions_are_refused(open_home: Opener) -> None:
    with open_home() as gallery:
        for limit in (0, -1, 1001):
            with pytest.raises(GalleryError, match="1 to 1000"):
                gallery.pages.page(limit=limit)
        with pytest.raises(GalleryNotFoundError, match="there are: default"):
            gallery.pages.page(limit=1, gallery="nowhere")
        assert gallery.pages.page(limit=1).profiles == ()
