"""`facerec evaluate strangers`, on part of the development data."""

from pathlib import Path

import pytest

from tests.e2e.conftest import Facerec


@pytest.mark.slow
def test_strangers_are_named_as_rarely_as_asked_for(
    facerec: Facerec, data_dir: Path, tmp_path: Path
) -> None:
    images = tmp_path / "people"
    images.mkdir()
    folders = sorted(path for path in (data_dir / "lfw_dev" / "images").iterdir() if path.is_dir())
    several = [path for path in folders if len(list(path.glob("*.jpg"))) > 1]
    alone = [path for path in folders if len(list(path.glob("*.jpg"))) == 1]
    for folder in (*several[:60], *alone[:60]):
        (images / folder.name).symlink_to(folder)
    done = facerec("evaluate", "strangers", "--images", images, "--mated", "--json")
    assert done.code == 0, done.err
    record = done.record
    assert record["counts"] == {"enrolled": 60, "templates_each": 1}
    for rate in record["fpir"].values():
        assert rate["visits"] == 60
        assert rate["keeps_target"], rate
    strict, mated = record["mated"]["0.001"], record["mated"]["0.01"]
    assert mated["wrong"] == strict["wrong"] == 0
    assert mated["right"] >= 57  # 95 %
    assert strict["right"] <= mated["right"]


def test_a_folder_without_strangers_is_refused(facerec: Facerec, tmp_path: Path) -> None:
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "1.jpg").write_bytes(b"")
    done = facerec("evaluate", "strangers", "--images", tmp_path)
    assert done.code == 1
    assert "the strangers" in done.err
