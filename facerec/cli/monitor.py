"""``facerec monitor``: watch the cameras and gates of a file, for as long as it runs."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facerec.cli.console import Home, Json, emit, output, stated_failures

if TYPE_CHECKING:
    from facerec.settings import Settings
    from facerec.video.observation import TrackDecision
    from facerec_monitor.service import Ready

__all__ = ["monitor"]


def monitor(
    config: Annotated[
        Path,
        typer.Option(
            "--config", help="TOML file of cameras and gates.", dir_okay=False, show_default=False
        ),
    ],
    check: Annotated[
        bool, typer.Option("--check", help="Check the file, and watch nothing.")
    ] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Watch cameras and answer gates until stopped (Ctrl-C or SIGTERM); SIGHUP reads the file anew.

    With --json, one CloudEvent a line and a decision.
    """
    with stated_failures():
        from facerec.settings import load_settings

        settings = load_settings(home)
        if check:
            _check(config, settings, as_json)
        else:
            _run(config, settings, as_json)


def _check(config: Path, settings: "Settings", as_json: bool) -> None:
    """Look at the file, and at whether the home has the galleries; say what the file holds."""
    from facerec.assembly import open_gallery
    from facerec_monitor.configuration import load_configuration

    secret = settings.watch.webhook_secret.get_secret_value()
    found = load_configuration(config, settings.gates, webhook_secret=secret)
    if settings.database_path.exists() or settings.database.url.get_secret_value():
        with open_gallery(settings) as gallery:
            for camera in found.cameras:
                gallery.require_galleries(found.searched_by(camera, settings.gallery))
    counts = {"cameras": len(found.cameras), "gates": len(found.gates)}
    if as_json:
        emit(counts)
        return
    output.print(
        f"{config}: {counts['cameras']} camera(s), {counts['gates']} gate(s), no fault",
        soft_wrap=True,
    )


def _run(config: Path, settings: "Settings", as_json: bool) -> None:
    """Watch until stopped."""
    from facerec_identity.memory import give_back_freed_memory

    give_back_freed_memory()
    from facerec.cli.telling import print_decision
    from facerec_monitor.logging_setup import log_to_stderr
    from facerec_monitor.service import run_monitor

    def ready(started: "Ready") -> None:
        where = f"; health and metrics on {started.listening}" if started.listening else ""
        if not as_json:
            output.print(
                f"facerec: watching {', '.join(started.cameras)}{where}; stop with Ctrl-C",
                soft_wrap=True,
            )

    def heard(told: "TrackDecision", event: Mapping[str, Any]) -> None:
        if as_json:
            emit(event)
        else:
            print_decision(told)

    log_to_stderr(settings.server.log_format)
    run_monitor(settings, config, on_ready=ready, heard=heard)
