"""The gallery on real files: what is stored, what is found, what is refused."""

import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from facerec.errors import (
    ArrayError,
    EmbeddingSpaceError,
    GalleryError,
    GalleryNotFoundError,
    ProfileExistsError,
    ProfileNotFoundError,
)
from facerec.gallery.gallery import Gallery
from facerec.gallery.profile import NewTemplate, ProfileState
from tests.integration.gallery.conftest import Opener

SPACE = "sface-1"


def unit(seed: int, size: int = 16) -> NDArray[np.float32]:
    x = np.random.default_rng(seed).normal(size=size).astype(np.float32)
    return (x / np.linalg.norm(x)).astype(np.float32)


def template(seed: int, space: str = SPACE, size: int = 16, content: str = "") -> NewTemplate:
    return NewTemplate(unit(seed, size), space, 0.8, f"picture {seed}", content)


@pytest.fixture
def gallery(open_home: Opener) -> Iterator[Gallery]:
    with open_home() as opened:
        yield opened


@pytest.fixture
def in_file(tmp_path: Path) -> Iterator[Gallery]:
    with Gallery.open(tmp_path / "home" / "gallery.db") as opened:
        yield opened


def found(gallery: Gallery, seed: int, **where: object) -> list[str]:
    candidates = gallery.search(unit(seed), embedding_space=SPACE, **where)  # type: ignore[arg-type]
    return list(candidates.profile_ids)


def test_everything_that_is_enrolled_is_given_back(gallery: Gallery) -> None:
    gallery.create_gallery("staff")
    profile = gallery.enrol(
        "  Ada   Byron ",
        [template(1, content="ab"), template(2)],
        galleries=["staff", "default"],
        profile_id="ada",
        consent="form 7",
    )
    assert (profile.profile_id, profile.name, profile.consent) == ("ada", "Ada Byron", "form 7")
    assert profile.galleries == ("default", "staff")
    assert profile.state is ProfileState.ACTIVE
    assert profile.templates == 2
    assert profile.created.utcoffset() is not None
    assert gallery.get("ada") == profile
    assert gallery.list() == gallery.list("staff") == (profile,)
    first, second = gallery.templates("ada")
    assert np.array_equal(first.embedding, unit(1))
    assert (first.embedding_space, first.quality, first.source) == (SPACE, 0.8, "picture 1")
    assert (first.content_sha256, second.content_sha256) == ("ab", "")
    assert first.template_id < second.template_id
    assert gallery.enrolled_content("Ada Byron") == {"ada": frozenset({"ab"})}
    assert gallery.enrolled_content("Somebody") == {}


def test_everything_is_there_after_closing_and_opening_again(open_home: Opener) -> None:
    with open_home() as first:
        profile = first.enrol("Ada", [template(1)])
        revision = first.revision
    with open_home() as second:
        assert second.get(profile.profile_id) == profile
        assert second.revision == revision
        assert found(second, 1) == [profile.profile_id]


def test_search_names_everybody_once_with_their_best_template(gallery: Gallery) -> None:
    a = gallery.enrol("A", [template(1), template(2), template(3)]).profile_id
    b = gallery.enrol("B", [template(4)]).profile_id
    for seed, best in ((1, a), (2, a), (3, a), (4, b)):
        candidates = gallery.search(unit(seed), embedding_space=SPACE)
        assert candidates.profile_ids == (best, b if best == a else a)
        assert candidates.similarities.dtype == np.float32
        assert candidates.similarities[0] == pytest.approx(1.0, abs=1e-6)
        other = [unit(4)] if best == a else [unit(1), unit(2), unit(3)]
        assert candidates.similarities[1] == pytest.approx(max(unit(seed) @ o for o in other))
        assert (candidates.searched, candidates.revision) == (2, gallery.revision)
    assert found(gallery, 1, k=1) == [a]


def test_an_empty_gallery_answers_with_nobody(gallery: Gallery) -> None:
    candidates = gallery.search(unit(1), embedding_space=SPACE)
    assert (len(candidates), candidates.searched) == (0, 0)


def test_only_the_named_galleries_are_searched_and_everybody_counts_once(gallery: Gallery) -> None:
    gallery.create_gallery("staff")
    a = gallery.enrol("A", [template(1)], galleries=["default"]).profile_id
    b = gallery.enrol("B", [template(2)], galleries=["staff"]).profile_id
    c = gallery.enrol("C", [template(3)], galleries=["default", "staff"]).profile_id
    assert sorted(found(gallery, 1, k=9)) == sorted([a, c])
    assert sorted(found(gallery, 1, galleries=["staff"], k=9)) == sorted([b, c])
    both = gallery.search(unit(1), embedding_space=SPACE, galleries=["default", "staff"], k=9)
    assert sorted(both.profile_ids) == sorted([a, b, c])
    assert both.searched == 3
    gallery.add_to_galleries(a, ["staff"])
    assert found(gallery, 1, galleries=["staff"]) == [a, found(gallery, 1, galleries=["staff"])[1]]
    assert gallery.get(a).galleries == ("default", "staff")


def test_added_templates_are_searched_at_once(gallery: Gallery) -> None:
    a = gallery.enrol("A", [template(1)]).profile_id
    gallery.enrol("B", [template(2)])
    before = gallery.search(unit(9), embedding_space=SPACE)
    assert gallery.add_templates(a, [template(9)]).templates == 2
    after = gallery.search(unit(9), embedding_space=SPACE)
    assert before.similarities[0] < 0.9
    assert after.similarities[0] == pytest.approx(1.0)
    assert after.profile_ids[0] == a
    assert after.searched == before.searched == 2
    assert after.revision == before.revision + 1


def test_suspended_people_are_not_matched_until_they_are_active_again(gallery: Gallery) -> None:
    a = gallery.enrol("A", [template(1)]).profile_id
    b = gallery.enrol("B", [template(2)]).profile_id
    assert found(gallery, 1) == [a, b]
    assert gallery.set_state(a, ProfileState.SUSPENDED).state is ProfileState.SUSPENDED
    assert found(gallery, 1) == [b]
    assert gallery.search(unit(1), embedding_space=SPACE).searched == 1
    gallery.add_templates(a, [template(3)])
    assert found(gallery, 3) == [b]
    gallery.set_state(a, ProfileState.ACTIVE)
    assert found(gallery, 3) == [a, b]


def test_spaces_never_mix(gallery: Gallery) -> None:
    gallery.enrol("A", [template(1, space="dlib-1", size=8)])
    with pytest.raises(EmbeddingSpaceError, match=r"sface-1, but people are in dlib-1: enrol them"):
        found(gallery, 1)
    b = gallery.enrol("B", [template(2), template(2, space="dlib-1", size=8)]).profile_id
    assert found(gallery, 1) == [b]
    assert gallery.references(b, "dlib-1").shape == (1, 8)
    with pytest.raises(EmbeddingSpaceError, match="no template in the embedding space other"):
        gallery.references(b, "other")


def test_embeddings_of_a_space_all_have_one_length(gallery: Gallery) -> None:
    gallery.enrol("A", [template(1)])
    revision = gallery.revision
    for templates in (
        [template(2, size=8)],
        [template(2), template(3, size=8)],
        [template(2, space="new", size=8), template(3, space="new", size=16)],
    ):
        with pytest.raises(EmbeddingSpaceError, match="numbers"):
            gallery.enrol("B", templates)
    with pytest.raises(ArrayError, match=r"shape \(16,\)"):
        gallery.search(unit(1, size=8), embedding_space=SPACE)
    assert gallery.revision == revision
    assert len(gallery.list()) == 1


@pytest.mark.parametrize(
    "probe",
    [
        np.zeros(16, np.float32),
        np.full(16, np.nan, np.float32),
        np.ones(16, np.float64) / 4,
        np.ones((1, 16), np.float32) / 4,
    ],
)
def test_a_probe_that_is_no_unit_vector_is_refused(
    gallery: Gallery, probe: NDArray[np.float32]
) -> None:
    with pytest.raises(ArrayError, match="probe must be"):
        gallery.search(probe, embedding_space=SPACE)


def test_unknown_galleries_are_named_with_those_that_there_are(gallery: Gallery) -> None:
    gallery.create_gallery("staff")
    message = "no gallery is named 'ghosts'; there are: default, staff"
    asked = ["staff", "ghosts"]
    with pytest.raises(GalleryNotFoundError, match=message):
        found(gallery, 1, galleries=asked)
    with pytest.raises(GalleryNotFoundError, match=message):
        gallery.list("ghosts")
    with pytest.raises(GalleryNotFoundError, match=message):
        gallery.require_galleries(asked)
    with pytest.raises(GalleryNotFoundError, match=message):
        gallery.enrol("A", [template(1)], galleries=asked)
    assert gallery.list() == ()
    with pytest.raises(GalleryError, match="at least one"):
        found(gallery, 1, galleries=[])


def test_unknown_people_are_refused(gallery: Gallery) -> None:
    for ask in (gallery.get, gallery.templates):
        with pytest.raises(ProfileNotFoundError, match="profiles list"):
            ask("nobody")
    with pytest.raises(ProfileNotFoundError):
        gallery.add_templates("nobody", [template(1)])
    with pytest.raises(ProfileNotFoundError):
        gallery.set_state("nobody", ProfileState.SUSPENDED)


def test_an_id_that_is_taken_is_refused_and_changes_nothing(gallery: Gallery) -> None:
    kept = gallery.enrol("A", [template(1)], profile_id="a")
    revision = gallery.revision
    with pytest.raises(ProfileExistsError, match="'a' exists"):
        gallery.enrol("B", [template(2)], profile_id="a")
    assert gallery.list() == (kept,)
    assert gallery.revision == revision


def test_enrolment_without_a_template_a_name_or_a_fit_id_is_refused(gallery: Gallery) -> None:
    with pytest.raises(GalleryError, match="at least one template"):
        gallery.enrol("A", [])
    with pytest.raises(GalleryError, match="printable"):
        gallery.enrol(" ", [template(1)])
    with pytest.raises(GalleryError, match="a-z"):
        gallery.enrol("A", [template(1)], profile_id="../A")
    with pytest.raises(GalleryError, match="a-z"):
        gallery.create_gallery("My Staff")
    assert gallery.list() == ()
    assert gallery.galleries() == ("default",)


def test_making_a_gallery_twice_is_no_change(gallery: Gallery) -> None:
    gallery.create_gallery("staff")
    revision = gallery.revision
    gallery.create_gallery("staff")
    assert gallery.revision == revision


def test_a_failure_half_way_leaves_nothing_behind(in_file: Gallery, tmp_path: Path) -> None:
    """A trigger of the database fails the second template, after profile and first are written."""
    kept = in_file.enrol("A", [template(1)])
    before = in_file.revision
    with sqlite3.connect(tmp_path / "home" / "gallery.db") as raw:
        raw.execute(
            "CREATE TRIGGER full BEFORE INSERT ON template WHEN NEW.source = 'picture 3' "
            "BEGIN SELECT RAISE(FAIL, 'no more'); END"
        )
    raw.close()
    with pytest.raises(GalleryError):
        in_file.enrol("B", [template(2), template(3)])
    assert in_file.list() == (kept,)
    assert in_file.revision == before
    assert found(in_file, 2) == [kept.profile_id]


def test_only_the_owner_can_read_the_files(in_file: Gallery, tmp_path: Path) -> None:
    in_file.enrol("A", [template(1)])
    home = tmp_path / "home"
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in home.iterdir()}
    assert set(files) >= {"gallery.db", "gallery.db-wal"}
    assert set(files.values()) == {0o600}


def test_search_of_twenty_thousand_equals_brute_force(in_file: Gallery) -> None:
    rng = np.random.default_rng(11)
    vectors = rng.normal(size=(20_000, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    # 500 people of 40 templates: fewer transactions than one a template, and many ties to sort out.
    owners = np.repeat(np.arange(500), 40)
    ids = np.array(
        [
            in_file.enrol(
                f"P{n}", [NewTemplate(v, SPACE, 1.0, "") for v in vectors[owners == n]]
            ).profile_id
            for n in range(500)
        ]
    )
    probes = rng.normal(size=(100, 16)).astype(np.float32)
    for probe in probes / np.linalg.norm(probes, axis=1, keepdims=True):
        best = (vectors @ probe).reshape(500, 40).max(axis=1)
        order = np.argsort(-best)[:5]
        candidates = in_file.search(probe, embedding_space=SPACE, k=5)
        assert candidates.profile_ids == tuple(ids[order])
        assert np.allclose(candidates.similarities, best[order], atol=1e-6)
