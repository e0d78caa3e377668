"""Operating points kept in a home."""

from dataclasses import replace
from pathlib import Path

import pytest

from facerec.decision.factory_operating_point import factory_operating_points
from facerec.decision.operating_point_store import FACTORY, OperatingPointStore
from facerec.errors import OperatingPointError
from tests.unit.decision.test_operating_point import POINT

GATE = replace(POINT, name="gate-2026")


def test_the_factorys_is_in_use_until_another_is_added(tmp_path: Path) -> None:
    store = OperatingPointStore(tmp_path / "points")
    factory = factory_operating_points()[0]
    assert store.all() == ()
    assert store.in_use(factory.embedding_space) == factory
    store.add(GATE)
    assert store.in_use_name() == "gate-2026"
    assert store.in_use("space") == GATE
    assert OperatingPointStore(tmp_path / "points").all() == (GATE,)
    store.use(FACTORY)
    assert store.in_use(factory.embedding_space) == factory


def test_one_of_another_space_is_refused_not_passed_over(tmp_path: Path) -> None:
    store = OperatingPointStore(tmp_path)
    store.add(GATE)
    with pytest.raises(OperatingPointError, match="measured in the embedding space space"):
        store.in_use(factory_operating_points()[0].embedding_space)


def test_an_unknown_name_names_those_there_are(tmp_path: Path) -> None:
    store = OperatingPointStore(tmp_path)
    store.add(GATE, use=False)
    assert store.in_use_name() == FACTORY
    with pytest.raises(OperatingPointError, match=r"no operating point is named x; .*gate-2026"):
        store.use("x")


@pytest.mark.parametrize(
    "name", ["", "../x", "A", "factory", "factory-sface", "in-use", "a/b", "x" * 65]
)
def test_a_name_unfit_for_a_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(OperatingPointError, match="small letters"):
        OperatingPointStore(tmp_path).add(replace(GATE, name=name))
    assert not list(tmp_path.iterdir())


def test_a_damaged_file_is_named_and_never_passed_over(tmp_path: Path) -> None:
    store = OperatingPointStore(tmp_path)
    store.add(GATE)
    path = tmp_path / "gate-2026.json"
    path.write_text(path.read_text()[:100])
    with pytest.raises(OperatingPointError, match="gate-2026 cannot be read"):
        store.in_use("space")
