"""Where settings come from, which of them wins, and what is said of a slip."""

from pathlib import Path

import pytest

from facerec.errors import SettingsError
from facerec.settings import load_settings


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FACEREC_ANALYSIS", "FACEREC_ANALYSIS__MIN_FACE_PX"):
        monkeypatch.delenv(name, raising=False)


def test_flags_win_over_variables_over_the_file_over_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    default = load_settings(tmp_path).analysis
    (tmp_path / "facerec.toml").write_text("[analysis]\nmin_face_px = 40\n")
    assert load_settings(tmp_path).analysis.min_face_px == 40 != default.min_face_px
    monkeypatch.setenv("FACEREC_ANALYSIS__MIN_FACE_PX", "50")
    assert load_settings(tmp_path).analysis.min_face_px == 50
    flagged = load_settings(tmp_path, analysis={"min_face_px": 60}).analysis
    assert flagged.min_face_px == 60
    assert flagged.detector == default.detector


def test_the_file_is_read_in_the_home_that_the_variable_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "facerec.toml").write_text("[analysis]\nmin_face_px = 40\n")
    monkeypatch.setenv("FACEREC_HOME", str(tmp_path))
    settings = load_settings()
    assert (settings.home, settings.analysis.min_face_px) == (tmp_path, 40)


def test_a_variable_of_a_section_that_there_is_not_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would set nothing, and whoever wrote it would think otherwise."""
    monkeypatch.setenv("FACEREC_DECISON__TARGET_FPIR", "0.001")
    with pytest.raises(SettingsError) as caught:
        load_settings(tmp_path)
    assert str(caught.value) == (
        "the variable FACEREC_DECISON__TARGET_FPIR sets nothing: no section is decison; "
        "did you mean FACEREC_DECISION__...?"
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"garbage ][", "is not TOML: Expected '='"),
        (b"[analysis]\nmin_face_px = 40\nmin_face_px = 50", "is not TOML: Cannot overwrite"),
        ("# T\u00fcr".encode("latin-1"), "is no text in UTF-8; save it as UTF-8"),
    ],
    ids=["no TOML", "twice", "Latin-1"],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "facerec.toml"
    path.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        load_settings(tmp_path)
    assert str(caught.value).startswith(f"{path} {said}")
    assert "\n" not in str(caught.value)


def test_a_file_that_the_system_refuses_is_named(tmp_path: Path) -> None:
    """A name that is too long stands in for missing rights, which root always has."""
    home = tmp_path / ("h" * 300)
    with pytest.raises(SettingsError) as caught:
        load_settings(home)
    assert str(caught.value).startswith(f"{home / 'facerec.toml'} cannot be read: File name too")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[analysis]\ndetecter = "x"', "analysis.detecter is not known; did you mean"),
        ("[analysis]\nmin_face_px = 4", "setting analysis.min_face_px: input should be greater"),
        ("[analisis]\n", "setting analisis is not known; did you mean analysis?"),
    ],
)
def test_a_slip_is_named_with_the_nearest_known_key(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "facerec.toml").write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_settings(tmp_path)
    assert said in str(caught.value)


def test_a_variable_that_is_no_json_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACEREC_ANALYSIS", "{bad")
    with pytest.raises(SettingsError, match="a FACEREC_ variable cannot be read"):
        load_settings(tmp_path)
