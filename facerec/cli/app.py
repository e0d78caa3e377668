"""The commands: one subcommand a module of this package.

Modules here import heavy runtimes (OpenCV, FAISS, gRPC, Keras) inside their commands, so that
``facerec --help`` is instant and a serving command never loads TensorFlow.
"""

import os
from typing import Annotated

import typer

from facerec import __version__
from facerec.cli.audit import audit
from facerec.cli.backup import backup, restore
from facerec.cli.bench import bench
from facerec.cli.calibrate import calibrate
from facerec.cli.cameras import cameras
from facerec.cli.console import Home
from facerec.cli.demo import demo
from facerec.cli.detect import detect
from facerec.cli.enroll import enroll
from facerec.cli.evaluate import evaluate
from facerec.cli.gallery import gallery
from facerec.cli.gate import gate
from facerec.cli.identify import identify
from facerec.cli.keys import keys
from facerec.cli.models import models
from facerec.cli.monitor import monitor
from facerec.cli.operating_points import operating_points
from facerec.cli.pki import pki
from facerec.cli.profiles import profiles
from facerec.cli.retention import retention
from facerec.cli.serve import serve
from facerec.cli.tokens import tokens
from facerec.cli.train import train
from facerec.cli.verify import verify
from facerec.cli.watch import watch

__all__ = ["app"]

app = typer.Typer(
    name="facerec",
    help="Real-time facial recognition for access control.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"facerec {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    home: Home = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Version.")
    ] = False,
) -> None:
    if home is not None:
        # As if the variable were set: the command's own --home, if given as well, wins.
        os.environ["FACEREC_HOME"] = str(home)


app.command()(detect)
app.command()(enroll)
app.command()(verify)
app.command()(identify)
app.command()(watch)
app.command()(monitor)
app.command()(demo)
app.command()(serve)
app.add_typer(bench, name="bench")
app.add_typer(cameras)
app.add_typer(gate)
app.add_typer(pki)
app.add_typer(tokens)
app.add_typer(models)
app.add_typer(profiles)
app.add_typer(retention)
app.add_typer(keys)
app.add_typer(audit)
app.command()(backup)
app.add_typer(gallery)
app.command()(restore)
app.add_typer(evaluate)
app.add_typer(train)
app.command()(calibrate)
app.add_typer(operating_points)
