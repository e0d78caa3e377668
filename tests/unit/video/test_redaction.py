import pytest
from hypothesis import given
from hypothesis import strategies as st

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
