"""``facerec bench serve``: the gate API under load."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from facerec.cli.bench_serve_setup import DECOY_PEOPLE, furnish, pictures_of, running_server
from facerec.cli.console import Home, Json, emit, fail, messages, output, stated_failures

if TYPE_CHECKING:
    from facerec.analysis.analyzer import FaceAnalyzer
    from facerec.settings import Settings
    from facerec_identity.load_benchmark import LoadTimes, Throughput

__all__ = ["bench_serve", "report"]

_BATCH_WAIT_MS = 3.0
"""How long calls wait for each other on the side with batching, unless the settings say it."""


def bench_serve(
    sources: Annotated[
        list[Path],
        typer.Argument(
            help="Pictures as gates send them, or films, of which eight frames are taken each.",
            exists=True,
            dir_okay=False,
        ),
    ],
    seconds: Annotated[float, typer.Option("--seconds", min=1, help="Length of each load.")] = 10,
    home: Home = None,
    json: Json = False,
) -> None:
    """Measure a server: alone, busy, at half and at three times its capacity.

    It is a server of its own with a gallery of its own in a temporary folder: 10,000 people with
    made-up templates beside one person of each source. The home is not changed.
    """
    with stated_failures(), TemporaryDirectory() as scratch:
        from facerec.settings import load_settings

        throughput, times, real = _measure(load_settings(home), sources, seconds, Path(scratch))
    if json:
        emit({**asdict(throughput), **asdict(times), "decoys": DECOY_PEOPLE, "people": real})
        return
    output.print(report(throughput, times, real), soft_wrap=True)


def _measure(
    settings: "Settings", sources: Sequence[Path], seconds: float, scratch: Path
) -> "tuple[Throughput, LoadTimes, int]":
    """Start a server without and one with batching, and measure both; the first under all loads."""
    from facerec.assembly import build_analyzer

    groups = pictures_of(sources, settings.analysis.max_image_pixels)
    data = [picture for group in groups for picture in group]
    with messages.status("Making a gallery"):
        analyzer = build_analyzer(settings)
        furnish(scratch, settings, analyzer)
    analyse = _analysis(analyzer, settings.analysis.max_image_pixels)
    waits = (0.0, settings.server.batch_wait_ms or _BATCH_WAIT_MS)
    with ExitStack() as stack:
        servers = [
            stack.enter_context(running_server(settings, scratch, batch_wait_ms=wait))
            for wait in waits
        ]
        known = _enrol(servers[0], [group[0] for group in groups])
        workers = settings.server.analysis_workers
        throughput, times = _under_load(servers, data, known[0], analyse, workers, seconds)
    return throughput, times, len(known)


def _under_load(
    servers: Sequence[str],
    data: Sequence[bytes],
    known: str,
    analyse: Callable[[bytes], object],
    workers: int,
    seconds: float,
) -> "tuple[Throughput, LoadTimes]":
    """Measure the throughput of all servers, and how the first behaves under every load."""
    import asyncio

    from facerec_identity.load_benchmark import measure_load, measure_throughput

    alone = _without_server(analyse, data, workers)
    with messages.status("Measuring throughput"):
        throughput = asyncio.run(
            measure_throughput(alone, servers, data, workers=workers, seconds=seconds)
        )
    capacity = throughput.each_per_s[0]
    with messages.status("Measuring times"):
        times = asyncio.run(
            measure_load(
                servers[0], data, known, analyse=analyse, capacity_per_s=capacity, seconds=seconds
            )
        )
    return throughput, times


def _enrol(address: str, portraits: Sequence[bytes]) -> list[str]:
    """Enrol a person from each picture that is fit for it; return their ids."""
    from facerec.client import GateClient

    with GateClient(address, timeout_s=30) as desk:
        made = [desk.enrol("Somebody", [data], allow_same_person=True) for data in portraits]
    known = [result.profile.profile_id for result in made if result.profile is not None]
    if not known:
        fail("no source begins with a face that can be enrolled; give other pictures")
    return known


def _analysis(analyzer: "FaceAnalyzer", max_pixels: int) -> Callable[[bytes], object]:
    """Return what decodes and analyses a picture as a server does for a gate."""
    from facerec.analysis.image_decoding import decode_image
    from facerec.analysis.main_face import largest_first

    def analyse(data: bytes) -> object:
        image = decode_image(data, max_pixels=max_pixels)
        found = analyzer.detect(image)
        return analyzer.embed(image, found[largest_first(found)[:1]])

    return analyse


def _without_server(
    analyse: Callable[[bytes], object], pictures: Sequence[bytes], workers: int
) -> Callable[[float], float]:
    """Return what analyses for some seconds, in as many threads as a server has."""

    def alone(seconds: float) -> float:
        def thread(_: int) -> int:
            done = 0
            while time.perf_counter() < ended_s:
                analyse(pictures[done % len(pictures)])
                done += 1
            return done

        analyse(pictures[0])
        begun_s = time.perf_counter()
        ended_s = begun_s + seconds
        with ThreadPoolExecutor(workers) as threads:
            done = sum(threads.map(thread, range(workers)))
        return done / (time.perf_counter() - begun_s)

    return alone


def report(throughput: "Throughput", times: "LoadTimes", real: int) -> str:
    """Return the lines for people: what was measured, and the goal of what has one."""
    plain, joined = throughput.each_share
    least, most = throughput.each_share_range[0]
    lone = times.lone_ms_p50
    half, independent = times.half_load_ms_p99 / lone, times.half_load_random_ms_p99 / lone
    refused = times.refusal_ms_p50
    rows = [
        ("decoding and analysis, no server", f"{throughput.alone_per_s:.1f} pictures/s", ""),
        ("busy server", f"{throughput.each_per_s[0]:.1f} calls/s, {plain:.2f} of that", ">= .85"),
        ("", f"from {least:.2f} to {most:.2f} in rounds", ""),
        (
            "busy server with batching",
            f"{throughput.each_per_s[1]:.1f} calls/s, {joined:.2f} of that",
            "",
        ),
        ("lone call, median", f"{lone:.1f} ms", ""),
        ("of which not analysis, median", f"{times.overhead_ms_p50:.2f} ms", ""),
        ("call without analysis, median", f"{times.look_up_ms_p50:.2f} ms", "<= 2 ms"),
        ("half load, 99 of 100 calls", f"{half:.1f} lone calls", "<= 4"),
        ("half load at random, 99 of 100", f"{independent:.1f} lone calls", ""),
        ("three times, answers", str(times.overload_answers).strip("{}"), "no other"),
        ("three times, longest call", f"{times.overload_longest_s:.2f} s", "<= 3 s"),
        ("three times, a refusal, median", "none" if refused is None else f"{refused:.0f} ms", ""),
        ("until a lone call is usual again", f"{times.recovery_s:.2f} s", "<= 2 s"),
    ]
    head = f"{DECOY_PEOPLE:,} people with made-up templates and {real} of the pictures enrolled"
    return "\n".join([head, *(f"{what:<33} {found:<34} {goal}" for what, found, goal in rows)])
