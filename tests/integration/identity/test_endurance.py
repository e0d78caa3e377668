"""Many thousands of calls of every kind: broken ones, which all get an answer, and mixed ones.

``FACEREC_ENDURANCE=whole`` makes 20,000 broken and 50,000 mixed calls in place of the tenth part.
"""

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from facerec.client import GateClient
from facerec_identity.security.access_table import ACCESS
from tests.integration.identity import pictures
from tests.integration.identity.every_call import ENDLESS, Call, code_of, whole_calls
from tests.integration.identity.server_process import ServerProcess

WHOLE = os.environ.get("FACEREC_ENDURANCE") == "whole"
FUZZED_CALLS = 20_000 if WHOLE else 2_000
MIXED_CALLS = 50_000 if WHOLE else 5_000
WARM_UP_CALLS = 10_000 if WHOLE else 3_000
SEED = 20_251_123
"""The same mutations in every run, so that a failure can be had again."""

CLIENTS = 4
ANSWERS = {
    *("OK", "INVALID_ARGUMENT", "NOT_FOUND", "ALREADY_EXISTS", "RESOURCE_EXHAUSTED"),
    *("FAILED_PRECONDITION", "PERMISSION_DENIED", "ABORTED"),
}
"""Whatever is sent: never INTERNAL, UNKNOWN or UNAVAILABLE, and none that hangs."""

VERIFY = "/facerec.v1.VerificationService/Verify"
ANALYSED = {"Identify", "Verify", "Authorize", "StreamAuthorize", "CreateTemplate"}
GROWS = {"CreateProfile", "BatchEnroll"}
"""Would enrol more and more people, whom a server rightly remembers."""


@pytest.fixture(scope="module")
def tough(new_home: Callable[[], Path], portraits: dict[str, bytes]) -> Iterator[ServerProcess]:
    home = new_home()
    (home / "facerec.toml").write_text('[gates.main]\ngalleries = ["default"]\n', "utf-8")
    with ServerProcess(home, FACEREC_SERVER__CALLS_PER_SECOND_PER_CLIENT="0") as running:
        with GateClient(running.address, timeout_s=60) as desk:
            assert desk.enrol("P", [portraits["obama-2012"]], profile_id="p").profile is not None
        yield running


def thumbnails(portrait: bytes) -> list[bytes]:
    """A small picture in every format that the server takes."""
    small = pictures.of_height(pictures.decoded(portrait), 64)
    return [pictures.encoded(small, kind) for kind in (".jpg", ".png", ".webp", ".bmp", ".tiff")]


def broken(call: Call, chance: random.Random) -> Call:
    """The same call with one of its messages mutated; or, of a stream, lost or sent twice."""
    messages = list(call.messages)
    at = chance.randrange(len(messages))
    kind = chance.randrange(8) if len(messages) > 1 else 7
    if kind == 0:
        del messages[at]
    elif kind == 1:
        messages.insert(at, messages[chance.randrange(len(messages))])
    else:
        messages[at] = mutated(messages[at], chance)
    return Call(call.method, tuple(messages))


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Flip, cut, repeat or overwrite some of it; near the front, where the headers are, more."""
    made = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        if not made:
            return chance.randbytes(chance.randrange(8))
        at = int(len(made) * chance.random() ** chance.choice((1, 4)))
        match chance.randrange(5):
            case 0:
                made[at] ^= 1 << chance.randrange(8)
            case 1:
                made[at] = chance.choice((0, 0x7F, 0x80, 0xFF))
            case 2:
                del made[at : at + chance.randint(1, 64)]
            case 3:
                made[at:at] = made[at : at + chance.randint(1, 64)]
            case _:
                made[at : at + 4] = chance.randbytes(4)
    return bytes(made)


def make_calls(address: str, calls: Sequence[Call]) -> Counter[tuple[str, str]]:
    """Make calls from several clients at once and count them by method and answer."""

    def client(share: Sequence[Call]) -> Counter[tuple[str, str]]:
        options = [("grpc.use_local_subchannel_pool", 1)]
        with grpc.insecure_channel(address, options=options) as channel:
            return Counter((call.name, code_of(channel, call)) for call in share)

    with ThreadPoolExecutor(CLIENTS) as threads:
        counts = threads.map(client, [calls[i::CLIENTS] for i in range(CLIENTS)])
        return sum(counts, Counter())


def codes(answers: Counter[tuple[str, str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for (_, code), count in answers.items():
        total[code] += count
    return total


def test_there_is_a_whole_request_for_every_call_and_it_is_taken_for_one(
    tough: ServerProcess, portraits: dict[str, bytes]
) -> None:
    """What is mutated must be near something that works, or all ends at the first check."""
    calls = whole_calls(thumbnails(portraits["obama-2012"])[:1])
    assert {call.method for call in calls} == set(ACCESS)
    answers = make_calls(tough.address, calls)
    refused = {name for (name, code) in answers if code == "INVALID_ARGUMENT"}
    assert refused <= {"ListProfiles"}  # its page token is made up


@pytest.mark.slow
def test_whatever_is_sent_is_answered(tough: ServerProcess, portraits: dict[str, bytes]) -> None:
    calls = list(fuzzed(thumbnails(portraits["obama-2012"]), random.Random(SEED)))
    answers = make_calls(tough.address, calls)
    print(sorted(codes(answers).items()))
    assert answers.total() == FUZZED_CALLS
    assert codes(answers).keys() <= ANSWERS, answers
    assert {name for name, _ in answers} == {method.rsplit("/", 1)[-1] for method in ACCESS}
    assert codes(answers)["INVALID_ARGUMENT"] > FUZZED_CALLS / 10
    with GateClient(tough.address, timeout_s=60) as gate:
        assert gate.identify(portraits["obama-2009"]).faces
    assert tough.process.poll() is None
    # libtiff writes to stderr itself what it finds wrong with a picture; our own log has nothing.
    said = tough.messages()
    assert "failed with" not in said and "Traceback" not in said


def fuzzed(portrait: Sequence[bytes], chance: random.Random) -> Iterator[Call]:
    """Yield broken messages, and whole ones that hold broken pictures."""
    seeds = by_method(whole_calls(portrait))
    for number in range(FUZZED_CALLS):
        if number % 3 == 0:
            around = whole_calls([mutated(chance.choice(portrait), chance)])
            yield chance.choice([call for call in around if call.name in ANALYSED | GROWS])
            continue
        # Every method as often as any other, but that which costs a moment each.
        method = chance.choice(list(seeds))
        if method.endswith(ENDLESS) and chance.random() < 0.9:
            method = VERIFY
        yield broken(chance.choice(seeds[method]), chance)


def by_method(calls: Sequence[Call]) -> dict[str, list[Call]]:
    found: dict[str, list[Call]] = {}
    for call in calls:
        found.setdefault(call.method, []).append(call)
    return found


@pytest.mark.slow
def test_a_days_worth_of_calls_leaves_nothing_behind(
    tough: ServerProcess, portraits: dict[str, bytes]
) -> None:
    """Good and bad, mixed; one in a hundred is analysed, so that it takes minutes, not hours."""
    chance = random.Random(SEED)
    whole = [c for c in whole_calls(thumbnails(portraits["obama-2012"])) if c.name not in GROWS]
    analysed = [call for call in whole if call.name in ANALYSED]
    cheap = [call for call in whole if call.name not in ANALYSED | {ENDLESS, "ListModels"}]
    rare = [call for call in whole if call.name in {ENDLESS, "ListModels"}]
    bad = [broken(call, chance) for call in analysed + cheap]
    bad = [call for call in bad if code_is_bad(tough.address, call)]
    assert len({call.name for call in bad}) > 10
    mixed = [
        chance.choice(analysed if i % 200 else rare)
        if i % 100 == 0
        else chance.choice(cheap if i % 2 else bad)
        for i in range(MIXED_CALLS)
    ]
    make_calls(tough.address, mixed[:WARM_UP_CALLS])
    memory_kib, before = tough.memory_kib("VmRSS"), held(tough)
    answers = make_calls(tough.address, mixed)
    after_kib = tough.memory_kib("VmRSS")
    print(sorted(codes(answers).items()), memory_kib, after_kib, before, held(tough))
    assert answers.total() == MIXED_CALLS
    assert codes(answers).keys() <= ANSWERS, answers
    assert after_kib < 1.03 * memory_kib
    # A connection more may still be closing, and gRPC keeps spare threads for some seconds.
    threads, files = held(tough)
    assert threads <= before[0] + 4
    assert files <= before[1] + CLIENTS


def code_is_bad(address: str, call: Call) -> bool:
    with grpc.insecure_channel(address) as channel:
        return code_of(channel, call) == "INVALID_ARGUMENT"


def held(server: ServerProcess) -> tuple[int, int]:
    """How many threads and open files a server has, sockets among them."""
    folder = Path(f"/proc/{server.process.pid}")
    return len(list((folder / "task").iterdir())), len(list((folder / "fd").iterdir()))
