"""Galleries on each database system that there is."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from facerec.gallery.gallery import Gallery
from tests.integration.gallery.postgres_server import PostgresServer


class Opener(Protocol):
    """Opens the one gallery of a test, as often as it is called."""

    def __call__(self, **how: object) -> Gallery: ...


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def open_home(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """What opens a gallery that is empty at first, on SQLite and on PostgreSQL in turn."""
    url = ""
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.new_database()
    path = tmp_path / "home" / "gallery.db"
    return lambda **how: Gallery.open(path, url=url, **how)  # type: ignore[arg-type]
