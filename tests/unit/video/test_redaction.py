import pytest
from hypothesis import given
from hypothesis import strategies as st

from facerec.video.naming import source_name
from facerec.video.redaction import redact


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("0", "0"),
        ("clips/a@b.mp4", "clips/a@b.mp4"),
        ("rtsp://cam.example:554/live", "rtsp://cam.example:554/live"),
        ("rtsp://ada:geheim@cam.example:554/live", "rtsp://cam.example:554/live"),
        ("rtsp://ada:p@ss@cam.example/live", "rtsp://cam.example/live"),
        ("http://cam.example/x?token=abc", "http://cam.example/x?..."),
        ("http://cam.example/x#abc", "http://cam.example/x?..."),
        ("rtsp://ada:p/q@cam.example/live", "rtsp://(address with a password)"),
        ("rtsp://ada:p#q@cam.example/live", "rtsp://(address with a password)"),
        ("rtsp://ada:p?q@cam.example/live", "rtsp://(address with a password)"),
        ("http://[broken/live", "http://(unreadable address)"),
        ("rtsp:/ada:geheim@cam.example/live", "rtsp:(address without //)"),
        ("rtsp://cam/user=ada&password=geheim&channel=1.sdp", "rtsp://cam/..."),
        ("rtsp://cam/cam/user=ada_password=geheim/live", "rtsp://cam/cam/.../live"),
    ],
)
def test_what_is_shown_of_an_address(given: str, shown: str) -> None:
    assert redact(given) == shown


SECRET = st.text("abcXYZ0189_-.~!$&'()*+,;=:@/?#%[]", min_size=6).map(lambda s: "Q9" + s + "9Q")


@given(SECRET, SECRET)
def test_no_password_and_no_query_ever_shows(password: str, token: str) -> None:
    shown = redact(f"rtsp://admin:{password}@cam.example:554/stream?key={token}")
    assert password not in shown
    assert token not in shown
    assert "Q9" not in shown


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("0", "camera-0"),
        ("/dev/video0", "video0"),
        ("clips/gate.west.mkv", "gate.west"),
        ("rtsp://ada:geheim@Cam.Example:554/live", "cam.example"),
        ("rtsp://[::1]:8554/live", "::1"),
        ("rtsp://ge/heim@cam/live", "stream"),
        ("rtsp://ada:ge#heim@cam/live", "stream"),
        ("rtsp:/ada:geheim@cam/live", "stream"),
        ("http://[broken/live", "stream"),
    ],
)
def test_a_sources_name_holds_no_part_of_a_password(given: str, name: str) -> None:
    assert source_name(given) == name


@given(SECRET)
def test_no_name_of_a_source_holds_a_password(password: str) -> None:
    assert "Q9" not in source_name(f"rtsp://{password}@cam.example/live").upper()
