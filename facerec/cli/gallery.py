"""``facerec gallery``: taking another network into use without enrolling everybody anew."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from facerec.cli.console import Home, Json, emit, output, stated_failures, warn

if TYPE_CHECKING:
    from pathlib import Path

    from facerec.settings import Settings

__all__ = ["gallery"]

gallery = typer.Typer(
    name="gallery", help="Change the network that people are known by.", no_args_is_help=True
)

To = Annotated[str, typer.Option("--to", help="Name of the network.", show_default=False)]


@gallery.command()
def reembed(
    to: To,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Make templates for another network, beside those that there are.

    From kept pictures, or where the network only subtracts a centre, from the templates
    themselves. Servers go on meanwhile, and both kinds can be searched. Killed, it goes on where
    it was when it is run again. Who has to be enrolled anew is listed.
    """
    with stated_failures():
        from facerec.assembly import open_gallery
        from facerec.cli.progress import progress_over
        from facerec.cli.reembedding import Embedding

        settings = _settings(home, to)
        with open_gallery(settings) as people:
            embedding = Embedding.of(settings)
            waiting = people.reembedder.spaces(embedding.space).waiting
            made = 0
            with progress_over(len(waiting), "re-embedding", shown=not as_json) as advance:
                for profile_id in waiting:
                    made += embedding.embed(people, profile_id)
                    advance(1)
            left = people.reembedder.spaces(embedding.space).waiting
    _tell(
        {"embedding_space": embedding.space, "made": made, "enrol_anew": left},
        f"{made} profile(s) have templates of {embedding.space} now",
        as_json,
    )


@gallery.command()
def switch(to: To, home: Home = None, as_json: Json = False) -> None:
    """Delete the templates of other networks of everybody who has some of this one.

    Before it, set analysis.embedder to the network and restart servers; whoever has no template of
    it keeps those there are, and is listed. The way back afterwards is to re-embed from pictures.
    """
    _change(to, home, as_json, back=False)


@gallery.command("roll-back")
def roll_back(to: To, home: Home = None, as_json: Json = False) -> None:
    """Take back what `reembed --to` made: delete its templates where there are others."""
    _change(to, home, as_json, back=True)


@gallery.command()
def spaces(home: Home = None, as_json: Json = False) -> None:
    """List the embedding spaces that people have templates in."""
    with stated_failures():
        from facerec.assembly import open_gallery
        from facerec.settings import load_settings

        with open_gallery(load_settings(home)) as people:
            counts = people.reembedder.people_by_space()
    if as_json:
        emit([{"embedding_space": space, "profiles": count} for space, count in counts.items()])
        return
    for space, count in counts.items():
        output.print(f"{space}: {count} profile(s)")


def _change(to: str, home: "Path | None", as_json: bool, *, back: bool) -> None:
    with stated_failures():
        from facerec.assembly import open_gallery
        from facerec.cli.reembedding import embedding_space
        from facerec.settings import load_settings

        settings = _settings(home, to)
        space = embedding_space(settings)
        with open_gallery(settings) as people:
            act = people.reembedder.take_back if back else people.reembedder.keep_only
            changed = act(space)
            left = people.reembedder.spaces(space).waiting
        chosen = load_settings(home).analysis.embedder
    done = "lost their templates of" if back else "are known by nothing but"
    _tell(
        {"embedding_space": space, "changed": changed, "enrol_anew": () if back else left},
        f"{changed} profile(s) {done} {space}",
        as_json,
    )
    if changed and (chosen == to) == back:
        warn(
            f"the setting analysis.embedder is {chosen}: set it to the network that people are "
            "known by, and restart servers, or nobody is recognised"
        )


def _settings(home: "Path | None", network: str) -> "Settings":
    """Return the settings with another embedder."""
    from facerec.settings import load_settings

    return load_settings(home, analysis={"embedder": network})


def _tell(record: dict[str, Any], text: str, as_json: bool) -> None:
    """Say what was done, and who has to be enrolled anew."""
    if as_json:
        emit(record)
        return
    output.print(text, soft_wrap=True)
    for profile_id in record["enrol_anew"]:
        output.print(f"{profile_id} has no kept picture: enrol anew (profiles add-pictures)")
