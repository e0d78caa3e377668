"""Where events go: what is understood, and what is said of the rest."""

import pytest

from facerec.errors import SettingsError
from facerec.video.destination import Destination


def parsed(text: str) -> Destination:
    return Destination.parse(text, webhook_secret="between us")


def test_a_path_is_a_file() -> None:
    assert parsed("out/a@b.jsonl") == Destination("file", "out/a@b.jsonl", "out/a@b.jsonl")


def test_a_webhook_is_called_without_the_password_in_its_address() -> None:
    found = parsed("https://ada:ge%40heim@host:8443/hook?key=abc")
    assert (found.kind, found.path) == ("webhook", "https://host:8443/hook?key=abc")
    assert (found.user, found.password) == ("ada", "ge@heim")
    assert found.shown == "https://host:8443/hook?..."
    assert "heim" not in repr(found)


def test_a_broker_has_a_port_and_a_topic() -> None:
    found = parsed("mqtt://ada:geheim@[::1]/gates/main")
    assert (found.kind, found.host, found.port, found.path) == ("mqtt", "::1", 1883, "gates/main")
    assert parsed("mqtt://host:99/x").port == 99


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (" ", "no place to go"),
        ("ftp://host/x", "use a path, http://, https:// or mqtt://HOST/TOPIC"),
        ("mqtts://host/x", "cannot be sent to mqtts://host/x"),
        ("https:///hook", "names no host"),
        ("https://host:geheim/hook", "names no host"),
        ("http://[broken/hook", "names no host"),
        ("mqtt://host", "no broker and topic"),
        ("mqtt://host/a/+/b", "no broker and topic"),
    ],
)
def test_what_is_no_place_is_refused(text: str, says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parsed(text)
    assert says in str(caught.value)


def test_a_webhook_needs_a_secret() -> None:
    with pytest.raises(SettingsError, match="FACEREC_WATCH__WEBHOOK_SECRET"):
        Destination.parse("https://host/x", webhook_secret="")
