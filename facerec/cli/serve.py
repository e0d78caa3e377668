"""``facerec serve``: answer gates over gRPC."""

from typing import Annotated, Any

import typer

from facerec.cli.console import Home, Json, emit, output, stated_failures

__all__ = ["serve"]


def serve(
    listen: Annotated[
        str | None,
        typer.Option(
            "--listen",
            metavar="HOST:PORT",
            help="Address to listen on; port 0 takes a free one.  [default: 127.0.0.1:50051]",
            show_default=False,
        ),
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Answer gates over gRPC until stopped (Ctrl-C or SIGTERM), then let calls in flight finish.

    With --json, prints {"listening": "HOST:PORT"} once calls are answered.
    """
    with stated_failures():
        import asyncio

        from facerec.settings import load_settings
        from facerec_identity.memory import give_back_freed_memory
        from facerec_identity.parent_process import end_with_parent

        flags: dict[str, Any] = {} if listen is None else {"server": {"listen": listen}}
        settings = load_settings(home, **flags)

        def ready(address: str) -> None:
            if as_json:
                emit({"listening": address})
            else:
                output.print(f"facerec: listening on {address}; stop with Ctrl-C", soft_wrap=True)

        if settings.server.workers > 1:
            from facerec_identity.worker_processes import serve_in_processes

            serve_in_processes(settings, ready)
            return
        if settings.server.share_port:
            end_with_parent()
        give_back_freed_memory()
        from facerec_identity.server import serve as run_server

        asyncio.run(run_server(settings, ready))
