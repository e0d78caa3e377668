"""``facerec bench serve``: the gate API under load."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facerec.cli.console import Home, Json, emit, fail, messages, output, stated_failures

if TYPE_CHECKING:
    from facerec.settings import Settings

__all__ = ["bench_serve"]

_FACEREC = "from facerec.cli.main import main; main()"


def bench_serve(
    pictures: Annotated[
        list[Path], typer.Argument(help="Pictures as gates send them.", exists=True, dir_okay=False)
    ],
    seconds: Annotated[float, typer.Option("--seconds", min=1, help="Length of each load.")] = 10,
    home: Home = None,
    json: Json = False,
) -> None:
    """Start a server and measure it: alone, busy, at half and at three times its capacity."""
    with stated_failures():
        import asyncio

        from facerec.settings import load_settings
        from facerec_identity.load_benchmark import measure_load

        settings, data = load_settings(home), [path.read_bytes() for path in pictures]
        with messages.status("Measuring analysis alone"):
            alone = _analysis_alone(settings, data, seconds)
        with messages.status("Measuring the server"), _server(settings) as address:
            times = asyncio.run(measure_load(address, data, seconds))
    share = times.capacity_per_s / alone
    if json:
        emit({"analysis_alone_per_s": alone, "share_of_analysis_alone": share, **asdict(times)})
        return
    output.print(
        f"without analysis  {times.look_up_ms_p50:.2f} ms a call (median)\n"
        f"alone             {times.lone_ms_p50:.1f} ms a call (median)\n"
        f"busy              {times.capacity_per_s:.1f} calls a second, {share:.2f} of "
        f"{alone:.1f} for decoding and analysis without a server\n"
        f"half load         {times.half_load_ms_p99:.1f} ms (99 of 100 calls), "
        f"{times.half_load_ms_p99 / times.lone_ms_p50:.1f} times a lone call\n"
        f"three times       {times.overload_answers}, longest {times.overload_longest_s:.2f} s, "
        f"recovered in {times.recovery_s:.2f} s"
    )


def _analysis_alone(settings: "Settings", pictures: Sequence[bytes], seconds: float) -> float:
    """Return pictures a second, decoded and analysed in as many threads as the server has."""
    from facerec.analysis.image_decoding import decode_image
    from facerec.analysis.main_face import largest_first
    from facerec.assembly import build_analyzer

    analyzer = build_analyzer(settings)

    def analyse(data: bytes) -> None:
        image = decode_image(data, max_pixels=settings.analysis.max_image_pixels)
        found = analyzer.detect(image)
        analyzer.embed(image, found[largest_first(found)[:1]])

    def thread(_: int) -> int:
        done = 0
        while time.perf_counter() < ended_s:
            analyse(pictures[done % len(pictures)])
            done += 1
        return done

    for data in pictures:
        analyse(data)
    begun_s = time.perf_counter()
    ended_s = begun_s + seconds
    workers = settings.server.analysis_workers
    with ThreadPoolExecutor(workers) as threads:
        done = sum(threads.map(thread, range(workers)))
    return done / (time.perf_counter() - begun_s)


@contextmanager
def _server(settings: "Settings") -> Iterator[str]:
    """Run a server of this home in a process of its own, without TLS and for any rate."""
    import json

    environment = {
        **os.environ,
        "FACEREC_HOME": str(settings.home),
        "FACEREC_SERVER__CALLS_PER_SECOND_PER_CLIENT": "0",
    }
    command = [sys.executable, "-c", _FACEREC, "serve", "--listen", "127.0.0.1:0", "--json"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline() if process.stdout is not None else ""
        if not line:
            fail("the server to be measured did not start; try: facerec serve")
        try:
            yield json.loads(line)["listening"]
        finally:
            process.terminate()
