"""Putting the parts together from settings."""

from pathlib import Path

import pytest

from facerec.assembly import (
    build_analyzer,
    build_gate_rules,
    build_recognizer,
    open_gallery,
    person_score,
)
from facerec.errors import ModelNotFoundError, OperatingPointError, SettingsError
from facerec.gallery.index.person_score import MAXIMUM, SHIPPED
from facerec.inference import ModelTask
from facerec.models.store import ModelStore
from facerec.settings import GateSettings, load_settings


def test_all_missing_networks_are_named_at_once(tmp_path: Path) -> None:
    advice = r"run: facerec models pull yunet sface centerface$"
    with pytest.raises(ModelNotFoundError, match=advice):
        build_analyzer(load_settings(tmp_path))


def test_people_are_scored_as_the_settings_say_and_by_default_as_was_measured(
    tmp_path: Path,
) -> None:
    assert person_score(load_settings(tmp_path)) == SHIPPED
    plain = load_settings(tmp_path, search={"best_templates": 1, "mean_template": False})
    assert person_score(plain) == MAXIMUM
    with open_gallery(plain) as gallery:
        assert gallery.score == MAXIMUM


def test_a_network_for_another_task_is_refused(home: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="task"):
        build_analyzer(load_settings(home, analysis={"detector": "sface"}))
    with pytest.raises(ModelNotFoundError, match="task"):
        build_analyzer(load_settings(home, analysis={"embedder": "yunet"}))


def test_analyzer_embeds_in_the_space_of_the_network_and_rates_are_known(home: Path) -> None:
    settings = load_settings(home, decision={"target_fpir": 0.05, "min_margin": 0.1})
    space = build_analyzer(settings).embedding_space
    store = ModelStore(settings.models_dir)
    assert space == store.require("sface", ModelTask.EMBEDDER).embedding_space
    recognizer = build_recognizer(settings, space)
    assert recognizer.embedding_space == space
    assert (recognizer.target_fpir, recognizer.min_margin) == (0.05, 0.1)
    assert recognizer.target_fmr == settings.decision.target_fmr
    with pytest.raises(OperatingPointError, match="no error rates are known"):
        build_recognizer(settings, "another space")


def test_gallery_lies_in_the_home(tmp_path: Path) -> None:
    with open_gallery(load_settings(tmp_path / "new")) as gallery:
        assert gallery.galleries() == ("default",)
    assert (tmp_path / "new" / "gallery.db").is_file()


def test_the_rules_of_a_gate_are_read_from_the_settings_file(tmp_path: Path) -> None:
    (tmp_path / "facerec.toml").write_text(
        '[gates.north]\ngalleries = ["staff"]\nzone = [[0, 0], [1, 0], [1, 0.5]]\n'
        'min_face_px = 60\nschedule = ["mon-fri 07:00-19:00"]\ntime_zone = "Europe/Berlin"\n'
    )
    rules = build_gate_rules(load_settings(tmp_path).gates["north"])
    assert rules.zone is not None
    assert rules.zone.area == pytest.approx(0.25)
    assert (rules.galleries, rules.min_face_px, rules.nearest_only) == (("staff",), 60, True)
    assert str(rules.schedule.zone) == "Europe/Berlin"


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ('galeries = ["staff"]', "did you mean gates.north.galleries?"),
        ('galleries = ["staff"]\nzonee = []', "did you mean gates.north.zone?"),
        ("galleries = []", "at least 1"),
    ],
)
def test_a_slip_in_a_gates_settings_is_named(tmp_path: Path, text: str, advice: str) -> None:
    (tmp_path / "facerec.toml").write_text(f"[gates.north]\n{text}\n")
    with pytest.raises(SettingsError) as caught:
        load_settings(tmp_path)
    assert advice in str(caught.value)


@pytest.mark.parametrize("zone", ["Nowhere/None", "", "../etc/passwd"])
def test_a_time_zone_that_is_none_is_refused(zone: str) -> None:
    with pytest.raises(SettingsError, match="Europe/Berlin"):
        build_gate_rules(GateSettings(galleries=("staff",), time_zone=zone))
