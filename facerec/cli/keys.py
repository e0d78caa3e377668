"""``facerec keys``: the master key that opens what is stored."""

import typer

from facerec.cli.console import Home, Json, emit, output, stated_failures

__all__ = ["keys"]

keys = typer.Typer(name="keys", help="The master key of what is stored.", no_args_is_help=True)


@keys.command()
def show(home: Home = None, as_json: Json = False) -> None:
    """Say which master key is in use, by an id that tells nothing of it."""
    with stated_failures():
        from facerec.assembly import open_gallery
        from facerec.settings import load_settings

        with open_gallery(load_settings(home)) as people:
            key_id = people.master_key_id
    if as_json:
        emit({"master_key_id": key_id})
    else:
        output.print(f"master key {key_id}")


@keys.command()
def rotate(home: Home = None, as_json: Json = False) -> None:
    """Take a new master key into use; nothing that it protects is written anew.

    A key file gets a new random key. A variable or command must give the new key first and the
    present one after it until this is done. Copies of the gallery made before need the old key:
    destroy it, and nobody who has been erased can be read from them any more.
    """
    with stated_failures():
        from facerec.assembly import open_gallery
        from facerec.settings import load_settings

        with open_gallery(load_settings(home)) as people:
            before = people.master_key_id
            count = people.rotate_master_key()
            key_id = people.master_key_id
    if as_json:
        emit({"master_key_id": key_id, "profiles": count})
    else:
        output.print(f"master key {key_id} now protects {count} profile(s)")
        output.print(
            f"Keep a copy of it. Backups made before open with {before} alone: make a new one."
        )
