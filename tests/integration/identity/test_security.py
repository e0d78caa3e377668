"""Who gets in, what each role may do, and what a stranger learns: against a real TLS server."""

import asyncio
import importlib
import json
import pkgutil
import ssl
import stat
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from time import sleep
from typing import Any

import grpc
import pytest
from cryptography import x509
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

import facerec.v1 as api
from facerec.client import CallError, GateClient, Tls
from facerec.errors import ServiceError
from facerec.settings import ServerSettings
from facerec_identity.security.access_table import ACCESS, PUBLIC
from facerec_identity.security.caller import Role
from facerec_identity.server import IdentityServer
from tests.integration.identity.server_process import ServerProcess, facerec
from tests.integration.identity.site import Site, ask, ask_aloud, free_address

MODULES = [
    importlib.import_module(f"facerec.v1.{found.name}")
    for found in pkgutil.iter_modules(api.__path__)
    if found.name.endswith("_pb2")
]
SERVICES = [
    *(service for m in MODULES for service in m.DESCRIPTOR.services_by_name.values()),
    *reflection_pb2.DESCRIPTOR.services_by_name.values(),
    *health_pb2.DESCRIPTOR.services_by_name.values(),
]
METHODS = sorted(
    f"/{service.full_name}/{method.name}" for service in SERVICES for method in service.methods
)
IDENTIFY = "/facerec.v1.VerificationService/Identify"
UNAUTHENTICATED = grpc.StatusCode.UNAUTHENTICATED
DENIED = grpc.StatusCode.PERMISSION_DENIED

# What each role may do, written a second time: the table must not change unnoticed.
ASK = {"Verify", "Identify", "ServerReflectionInfo"}
READ = {"GetProfile", "ListProfiles", "ListTemplates", "ListGalleries", "GetGallery"}
ENROL = {
    *("CreateProfile", "UpdateProfile", "EraseProfile", "BatchEnroll"),
    *("CreateTemplate", "DeleteTemplate"),
}
AUDIT = {
    *("ListGates", "GetGate", "ListOperatingPoints", "ListModels", "GetStatistics"),
    *("ListAuditEntries", "WatchDecisions"),
}
PASS = {"Authorize", "StreamAuthorize"}
ADMINISTER = {"CreateGallery", "DeleteGallery", "CreateGate", "UpdateGate", "DeleteGate"}
MAY = {
    Role.GATE: ASK | PASS,
    Role.ENROLLER: ASK | READ | ENROL,
    Role.AUDITOR: READ | AUDIT | {"ServerReflectionInfo"},
    Role.ADMINISTRATOR: ASK | READ | ENROL | AUDIT | PASS | ADMINISTER,
}
# A gate may watch the decisions of its own gates; an empty request asks for those of all.


@pytest.fixture(scope="module")
def site(new_home: Callable[[], Path]) -> Site:
    return Site.found(new_home())


@pytest.fixture(scope="module")
def token_address() -> str:
    return free_address()


@pytest.fixture(scope="module")
def guarded(site: Site, token_address: str) -> Iterator[ServerProcess]:
    """Certificates on one address, tokens on the other."""
    settings = {
        "FACEREC_SERVER__TOKEN_LISTEN": token_address,
        "FACEREC_SERVER__LOG_LEVEL": "info",
        "FACEREC_SERVER__LOG_FORMAT": "json",
    }
    with ServerProcess(site.home, **settings) as running:
        yield running


@pytest.fixture
def token_channel(site: Site, guarded: ServerProcess, token_address: str) -> Iterator[grpc.Channel]:
    with grpc.secure_channel(token_address, site.tls().credentials()) as channel:
        yield channel


def test_every_service_of_the_api_is_walked() -> None:
    assert {service.full_name.rsplit(".", 1)[-1] for service in SERVICES} == {
        *("VerificationService", "EnrollmentService", "AdminService"),
        *("ServerReflection", "Health"),
    }
    assert len(METHODS) > 30


def test_the_table_has_a_row_for_every_method_and_no_other() -> None:
    assert sorted(ACCESS.keys() | PUBLIC) == METHODS
    assert not ACCESS.keys() & PUBLIC
    assert all(ACCESS.values())


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("method", METHODS)
def test_every_method_with_every_role(
    site: Site, guarded: ServerProcess, token_channel: grpc.Channel, method: str, role: Role
) -> None:
    """An empty request gets past the guard, or not: by certificate and by token the same."""
    allowed = method in PUBLIC or method.rsplit("/")[-1] in MAY[role]
    with grpc.secure_channel(guarded.address, site.tls(role.value).credentials()) as channel:
        by_certificate = ask(channel, method)
    by_token = ask(token_channel, method, f"Bearer {site.token(role)}")
    for code in (by_certificate, by_token):
        assert code is not UNAUTHENTICATED
        assert (code is not DENIED) == allowed, code


def bad_tokens(site: Site) -> dict[str, str | None]:
    good = site.token(Role.ADMINISTRATOR)
    revoked = site.token(Role.ADMINISTRATOR)
    site.tokens.revoke(revoked.split("_")[1], datetime.now(UTC))
    return {
        "none": None,
        "empty": "",
        "no scheme": good,
        "another scheme": f"Basic {good}",
        "nonsense": "Bearer nonsense",
        "only an id": f"Bearer facerec_{good.split('_')[1]}_",
        "altered": f"Bearer {good[:-1]}{'A' if good[-1] != 'A' else 'B'}",
        "longer": f"Bearer {good}A",
        "of another": f"Bearer facerec_{revoked.split('_')[1]}_{good.split('_', 2)[2]}",
        "expired": f"Bearer {site.token(Role.ADMINISTRATOR, days=-0.001)}",
        "revoked": f"Bearer {revoked}",
        "wrong audience": f"Bearer {site.token(Role.ADMINISTRATOR, audience='other')}",
    }


def test_bad_tokens_are_all_the_same_to_a_stranger(site: Site, token_channel: grpc.Channel) -> None:
    """Neither the cause, nor which methods there are, nor whether the request was a message."""
    answers = set()
    for token in bad_tokens(site).values():
        for method in (*ACCESS, "/facerec.v1.VerificationService/Nothing", "/x/y"):
            answers.add(ask_aloud(token_channel, method, token))
    assert len(answers) == 1, answers
    (code, said) = answers.pop()
    assert code is UNAUTHENTICATED
    assert "the call carries no valid credentials" in said


def test_what_the_server_lacks_is_told_to_those_it_knows(
    site: Site, token_channel: grpc.Channel
) -> None:
    token = f"Bearer {site.token(Role.GATE)}"
    assert ask(token_channel, "/x/y", token) is grpc.StatusCode.UNIMPLEMENTED


def test_a_revoked_token_ends_on_an_open_connection(
    site: Site, token_channel: grpc.Channel
) -> None:
    token = site.token(Role.GATE)
    assert ask(token_channel, IDENTIFY, f"Bearer {token}") is grpc.StatusCode.INVALID_ARGUMENT
    done = facerec("tokens", "revoke", token.split("_")[1], home=site.home)
    assert done.returncode == 0, done.stderr
    assert ask(token_channel, IDENTIFY, f"Bearer {token}") is UNAUTHENTICATED


def test_a_revoked_certificate_ends_on_an_open_connection(
    site: Site, guarded: ServerProcess
) -> None:
    site.certify("leaver", [Role.GATE])
    with grpc.secure_channel(guarded.address, site.tls("leaver").credentials()) as channel:
        assert ask(channel, IDENTIFY) is grpc.StatusCode.INVALID_ARGUMENT
        done = facerec("pki", "revoke", site.pki / "leaver.crt", home=site.home)
        assert done.returncode == 0, done.stderr
        assert ask(channel, IDENTIFY) is UNAUTHENTICATED


def test_a_certificate_without_a_role_is_nobodys(site: Site, guarded: ServerProcess) -> None:
    site.certify("roleless", [])
    with grpc.secure_channel(guarded.address, site.tls("roleless").credentials()) as channel:
        assert ask(channel, IDENTIFY) is UNAUTHENTICATED


def test_a_client_does_not_talk_to_another_server(
    site: Site, guarded: ServerProcess, tmp_path: Path
) -> None:
    mine, other = site.tls("administrator"), Site.found(tmp_path)
    tls = Tls(other.tls().authority, mine.certificate, mine.key)
    with GateClient(guarded.address, timeout_s=30, tls=tls) as gate:
        with pytest.raises(CallError, match="certificate"):
            gate.profile("p")


def test_a_gate_is_never_told_scores(
    site: Site, guarded: ServerProcess, portraits: dict[str, bytes]
) -> None:
    one, two = portraits["obama-2010"], portraits["obama-2009"]
    with GateClient(guarded.address, timeout_s=60, tls=site.tls("enroller")) as desk:
        enrolled = desk.enrol("Barack Obama", [portraits["obama-2012"]], profile_id="obama")
        assert enrolled.profile is not None
        seen = desk.verify(one, two)
        (seen_face,) = desk.identify(one, main_only=True).faces
    with GateClient(guarded.address, timeout_s=60, tls=site.tls("gate")) as gate:
        hidden = gate.verify(one, two)
        (hidden_face,) = gate.identify(one, main_only=True).faces
    assert seen.match and hidden.match
    assert seen.similarity is not None and seen.threshold is not None
    assert (hidden.similarity, hidden.threshold, hidden.similarity_fmr) == (None, None, None)
    assert seen_face.similarity is not None and seen_face.threshold is not None
    assert (hidden_face.similarity, hidden_face.threshold, hidden_face.margin) == (None,) * 3
    assert hidden_face.profile_id == "obama"


def test_a_new_certificate_needs_no_restart(
    site: Site, guarded: ServerProcess, token_address: str
) -> None:
    def serial() -> int:
        host, port = token_address.rsplit(":", 1)
        pem = ssl.get_server_certificate((host, int(port)), ca_certs=str(site.pki / "ca.crt"))
        return x509.load_pem_x509_certificate(pem.encode("ascii")).serial_number

    before = serial()
    site.certify_server()
    after = serial()
    assert after != before
    # What cannot be used is not taken: the server goes on with what it has.
    key = site.pki / "server.key"
    good = key.read_bytes()
    key.write_bytes(b"half a key")
    assert serial() == after
    key.write_bytes(good)


def test_the_log_names_callers_and_no_secret(
    site: Site, guarded: ServerProcess, token_channel: grpc.Channel
) -> None:
    token = site.token(Role.AUDITOR)
    ask(token_channel, "/facerec.v1.EnrollmentService/ListProfiles", f"Bearer {token}")
    ask(token_channel, IDENTIFY, "Bearer facerec_000000000000_sesame")
    text = guarded.messages()
    assert f"token:{token.split('_')[1]}" in text
    assert token.split("_", 2)[2] not in text
    assert "sesame" not in text
    assert "Obama" not in text


def test_a_line_of_the_log_tells_who_asked_what_and_how_long_it_took(
    site: Site, guarded: ServerProcess, portraits: dict[str, bytes]
) -> None:
    with GateClient(guarded.address, timeout_s=60, tls=site.tls("administrator")) as gate:
        assert gate.identify(portraits["obama-2010"]).faces
        with pytest.raises(CallError):
            gate.profile("nobody")
    lines: list[dict[str, Any]] = []
    for _ in range(200):  # an answer is sent before its line is written
        written = guarded.messages().splitlines()
        lines = [json.loads(line) for line in written if line[:1] == "{" and '"code"' in line]
        if lines[-1]["code"] == "NOT_FOUND":
            break
        sleep(0.05)
    asked, failed = lines[-2:]
    stages = [f"{stage}_ms" for stage in ("decode", "detect", "align", "embed", "search")]
    for line in (asked, failed):
        assert {"time", "level", "request_id", "queue_ms", "duration_ms"} <= line.keys()
        assert line["client"] == "certificate:administrator"
    assert (asked["rpc"], asked["code"]) == (IDENTIFY[1:], "OK")
    assert all(asked[stage] > 0 for stage in stages)
    assert asked["queue_ms"] + sum(asked[stage] for stage in stages) <= asked["duration_ms"]
    assert failed["rpc"].endswith("EnrollmentService/GetProfile")
    assert failed["code"] == "NOT_FOUND"
    assert len({line["request_id"] for line in lines}) == len(lines)


async def test_on_this_machine_without_tls_a_token_can_be_demanded(tmp_path: Path) -> None:
    server = IdentityServer(ServerSettings(listen="127.0.0.1:0", local_roles=()))
    address = str(await server.open())
    async with grpc.aio.insecure_channel(address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.unary_unary(IDENTIFY)(b"")
    assert caught.value.code() is UNAUTHENTICATED
    await server.drain()


async def test_a_stranger_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    """Or anybody could fill the server's memory with requests that nobody will answer."""
    server = IdentityServer(ServerSettings(listen="127.0.0.1:0", local_roles=()))
    address = str(await server.open())
    async with grpc.aio.insecure_channel(address) as channel:
        for method in ACCESS:
            call = channel.stream_stream(method)()  # of which no request is ever sent
            assert await asyncio.wait_for(call.code(), 30) is UNAUTHENTICATED
    await server.drain()


async def test_a_client_that_calls_too_often_is_told_when_to_try_again() -> None:
    # So few that a machine which stands still for a minute does not earn it another.
    server = IdentityServer(ServerSettings(listen="127.0.0.1:0", calls_per_second_per_client=1e-3))
    address = str(await server.open())
    async with grpc.aio.insecure_channel(address) as channel:
        call = channel.unary_unary(IDENTIFY)
        codes = []
        for _ in range(3):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call(b"")
            codes.append(caught.value.code())
    assert codes == [grpc.StatusCode.UNAVAILABLE] + [grpc.StatusCode.RESOURCE_EXHAUSTED] * 2
    await server.drain()


def test_a_token_is_not_sent_in_clear() -> None:
    with pytest.raises(ServiceError, match="TLS"):
        GateClient("gate.example:443", token="facerec_x_y")


def test_tokens_at_rest(site: Site) -> None:
    token = site.token(Role.GATE)
    file = site.home / "tokens.json"
    assert token.split("_", 2)[2] not in file.read_text("utf-8")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for key in site.pki.glob("*.key"):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_tokens_that_are_issued_at_once_are_all_kept(tmp_path: Path) -> None:
    site = Site(tmp_path)
    together = threading.Barrier(4)

    def issue(_: int) -> str:
        together.wait()
        return site.token(Role.GATE)

    with ThreadPoolExecutor(4) as threads:
        issued = set(threads.map(issue, range(8)))
    assert len(issued) == 8
    assert len(site.tokens.records()) == 8


def test_a_damaged_file_of_tokens_lets_nobody_in_and_no_server_start(tmp_path: Path) -> None:
    (tmp_path / "tokens.json").write_text("[{", "utf-8")
    done = facerec("tokens", "list", home=tmp_path)
    assert done.returncode == 1
    assert "cannot be read" in done.stderr


def test_a_certificate_whose_file_was_replaced_is_revoked_by_name_or_number(
    site: Site, guarded: ServerProcess, tmp_path: Path
) -> None:
    """One was stolen, and the client has had a new one since: the stolen one's file is gone."""

    def asked(tls: Tls) -> grpc.StatusCode:
        with grpc.secure_channel(guarded.address, tls.credentials()) as channel:
            return ask(channel, IDENTIFY)

    def revoke(what: str) -> str:
        done = facerec("pki", "revoke", what, home=site.home)
        return done.stdout if done.returncode == 0 else done.stderr

    certificates = []
    for _ in range(3):
        site.certify("west", [Role.GATE])
        certificates.append(site.tls("west"))
    listed = json.loads(facerec("pki", "list", "--json", home=site.home).stdout)
    first, *others = [row["serial"] for row in listed if row["name"] == "west"]
    assert len({first, *others}) == 3
    assert "1 certificate(s)" in revoke(first[:16])
    assert [asked(tls) for tls in certificates] == [
        UNAUTHENTICATED,
        *[grpc.StatusCode.INVALID_ARGUMENT] * 2,
    ]
    assert "3 certificate(s)" in revoke("west")
    assert {asked(tls) for tls in certificates} == {UNAUTHENTICATED}
    rows = facerec("pki", "list", home=site.home).stdout
    assert sum("yes" in line for line in rows.splitlines() if "west" in line) == 3
    # By its number alone, on a machine where nothing was issued.
    site.certify("east", [Role.GATE])
    east = site.tls("east")
    assert asked(east) is grpc.StatusCode.INVALID_ARGUMENT
    done = facerec("pki", "list", "--json", home=site.home)
    (number,) = [row["serial"] for row in json.loads(done.stdout) if row["name"] == "east"]
    done = facerec("pki", "revoke", number, "--dir", tmp_path, home=site.home)
    assert done.returncode == 0, done.stderr
    assert asked(east) is UNAUTHENTICATED
    # Neither a server's nor what nobody knows.
    for what in ("server", "nobody", first[:15]):
        assert "see: facerec pki list" in revoke(what)


def test_who_is_known_is_told_what_is_not_allowed(site: Site, guarded: ServerProcess) -> None:
    with grpc.secure_channel(guarded.address, site.tls("gate").credentials()) as channel:
        code, said = ask_aloud(channel, "/facerec.v1.EnrollmentService/ListProfiles")
    assert code is DENIED
    assert said.startswith("the caller's roles do not allow this call")
