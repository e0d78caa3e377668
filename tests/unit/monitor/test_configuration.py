"""The file of cameras and gates: what is taken, and what is said of what is not."""

from pathlib import Path

import pytest

from facerec.errors import SettingsError
from facerec.settings import GateSettings
from facerec_monitor.configuration import load_configuration

WHOLE = """
listen = "127.0.0.1:0"
send = ["events.jsonl"]

[cameras.north]
url = "rtsp://ada:${CAMERA_PASSWORD}@camera/live"
gate = "main"

[cameras.south]
url = "0"
galleries = ["staff", "guests"]

[gates.main]
galleries = ["staff"]
zone = [[0, 0], [1, 0], [1, 1]]
"""
SECRET = {"CAMERA_PASSWORD": "geheim"}


def written(folder: Path, text: str) -> Path:
    path = folder / "monitor.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load_configuration(written(folder, text), {}, SECRET)
    said = str(caught.value)
    assert "\n" not in said
    assert "geheim" not in said
    return said


def test_a_whole_file_is_taken(tmp_path: Path) -> None:
    found = load_configuration(written(tmp_path, WHOLE), {}, SECRET)
    assert found.cameras["north"].url.get_secret_value() == "rtsp://ada:geheim@camera/live"
    assert "geheim" not in repr(found)
    assert found.cameras["south"].galleries == ("staff", "guests")
    assert found.gates["main"].zone[2] == (1.0, 1.0)
    assert [place.get_secret_value() for place in found.send] == ["events.jsonl"]


def test_a_camera_may_guard_a_gate_of_the_settings(tmp_path: Path) -> None:
    text = '[cameras.a]\nurl = "0"\ngate = "east"\n'
    east = GateSettings(galleries=("staff",), cool_down_s=7)
    found = load_configuration(written(tmp_path, text), {"east": east}, {})
    assert found.gates["east"].cool_down_s == 7


@pytest.mark.parametrize(
    ("old", "new", "advice"),
    [
        ("gate = ", "gaet = ", "did you mean cameras.north.gate?"),
        ("[cameras.north]", "[camera.north]", "did you mean cameras?"),
        ("zone = ", "zonne = ", "did you mean gates.main.zone?"),
        ("[cameras.south]", "[cameras.north]", "two cameras or gates have one name"),
        ("[cameras.south]", "[cameras.North]", "the cameras north and North have one name"),
        ("[[0, 0], [1, 0], [1, 1]]", "[[0, 0], [0, 0], [0, 0]]", "gate main: a zone has no size"),
        ("[[0, 0], [1, 0], [1, 1]]", "[[0, 0], [640, 0], [1, 1]]", "divide pixels"),
        ('gate = "main"', 'gate = "mian"', "which there is not; gates: main"),
        ('gate = "main"', 'gate = "main"\ngalleries = ["x"]', "names galleries and a gate"),
        ("${CAMERA_PASSWORD}", "${CAMERA_PASWORD}", "the variable CAMERA_PASWORD"),
        ("${CAMERA_PASSWORD}", "$1", "write $$"),
        ('url = "0"', 'url = " "', "camera south has no address"),
        ('url = "0"', "url = 0", "cameras.south.url"),
        ('galleries = ["staff"]', 'galleries = ["staff"]\nschedule = ["7-19"]', "mon-fri"),
        ('url = "0"', 'url = "0', "is not TOML"),
        ('"127.0.0.1:0"', '"nowhere"', "listen must be HOST:PORT"),
        ('"events.jsonl"', '"ftp://host/x"', "use a path, http://, https:// or mqtt://"),
        ('"events.jsonl"', '"https://host/x"', "FACEREC_WATCH__WEBHOOK_SECRET"),
        ('"events.jsonl"', '"mqtt://${USER_NAME}@host/x"', "the variable USER_NAME"),
    ],
)
def test_a_slip_is_named_with_what_would_be_right(
    tmp_path: Path, old: str, new: str, advice: str
) -> None:
    assert old in WHOLE
    assert advice in refusal(tmp_path, WHOLE.replace(old, new))


def test_a_file_without_cameras_is_refused(tmp_path: Path) -> None:
    assert "cameras" in refusal(tmp_path, 'listen = "127.0.0.1:0"\n')
    assert "cameras" in refusal(tmp_path, "[cameras]\n")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load_configuration(tmp_path / "none.toml", {}, {})


def test_a_dollar_sign_can_be_written(tmp_path: Path) -> None:
    text = '[cameras.a]\nurl = "rtsp://ada:a$$b@camera/"\n'
    found = load_configuration(written(tmp_path, text), {}, {})
    assert found.cameras["a"].url.get_secret_value() == "rtsp://ada:a$b@camera/"


def test_the_password_of_a_receiver_may_come_from_the_environment(tmp_path: Path) -> None:
    text = WHOLE.replace("events.jsonl", "mqtt://ada:${CAMERA_PASSWORD}@broker/gates")
    found = load_configuration(written(tmp_path, text), {}, SECRET)
    assert found.send[0].get_secret_value() == "mqtt://ada:geheim@broker/gates"
    assert "geheim" not in repr(found)
