"""``facerec backup`` and ``facerec restore``."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facerec.cli.console import Home, Json, emit, messages, output, stated_failures

if TYPE_CHECKING:
    from facerec.settings import Settings

__all__ = ["backup", "restore"]

File = Annotated[Path, typer.Argument(help="The backup's file.", show_default=False)]

_POINTS = "operating-points"


def backup(file: File, home: Home = None, as_json: Json = False) -> None:
    """Write a backup of people, journal and operating points, also while servers run.

    What is encrypted stays so: the backup is of no use without the master key, which it does not
    hold, nor networks, settings, certificates and tokens.
    """
    with stated_failures():
        from facerec.assembly import open_gallery
        from facerec.errors import FaceRecError
        from facerec.gallery.audit.event import AuditEvent, AuditKind
        from facerec.gallery.backup.backing_up import back_up
        from facerec.gallery.times import utc_now
        from facerec.settings import load_settings

        settings = load_settings(home)
        file = file.expanduser().absolute()
        with open_gallery(settings) as people:
            # Before it: there is no copy of which the journal does not know.
            event = AuditEvent(AuditKind.BACKED_UP, revision=people.revision)
            people.record_now(event)
            try:
                manifest = back_up(people.database, file, _points(settings), utc_now())
            except FaceRecError:
                people.record_now(replace(event, outcome="failed"))
                raise
    if as_json:
        emit({"file": file, **vars(manifest)})
        return
    output.print(
        f"{file} holds {manifest.profiles} profile(s), {manifest.templates} template(s) and "
        f"{manifest.entries} entries of the journal",
        soft_wrap=True,
    )
    messages.print(
        f"It opens with the master key {manifest.master_key_id}, which it does not hold: keep that "
        "apart. Nor does it hold networks, facerec.toml, certificates and tokens.",
        soft_wrap=True,
    )


def restore(file: File, home: Home = None, as_json: Json = False) -> None:
    """Bring a home to the state of a backup, which is checked before anything is replaced.

    Who was erased since stays erased as far as this home's receipts tell, and its journal goes on.
    """
    with stated_failures():
        from facerec.assembly import restore_gallery
        from facerec.settings import load_settings

        settings = load_settings(home)
        restored = restore_gallery(
            settings, file.expanduser().absolute(), lambda folder: _unpack_points(settings, folder)
        )
    if as_json:
        emit(restored)
        return
    output.print(
        f"restored to {restored.manifest.created}: {restored.profiles} profile(s)", soft_wrap=True
    )
    if restored.erased_again:
        output.print(f"{restored.erased_again} profile(s) that were erased since are left out")
    if restored.set_aside is not None:
        output.print(f"the damaged database is now {restored.set_aside}", soft_wrap=True)
    if not restored.kept_journal:
        messages.print(
            "This home had no journal of its own to go by: erase anew whoever was erased after the "
            "backup was made.",
            soft_wrap=True,
        )


def _points(settings: "Settings") -> dict[str, Path]:
    """Return the files of the operating points, by their names in a backup."""
    folder = settings.operating_points_dir
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    return {f"{_POINTS}/{file.name}": file for file in files if file.is_file()}


def _unpack_points(settings: "Settings", folder: Path) -> None:
    """Put back the operating points that are not there; those that are may be newer."""
    from facerec.errors import BackupError

    points = settings.operating_points_dir
    try:
        points.mkdir(parents=True, exist_ok=True)
        for file in sorted((folder / _POINTS).glob("*")):
            if not (points / file.name).exists():
                shutil.copyfile(file, points / file.name)
    except OSError as error:
        raise BackupError(
            f"people and journal are restored, but not the operating points: {points} cannot be "
            f"written: {error.strerror}; make it writable and restore again"
        ) from error
