"""Making certificates and tokens, and what is wrong with the files of a client."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from facerec.client import Tls
from facerec.errors import ServiceError
from facerec_identity.security.certificates import CertificateAuthority
from tests.integration.identity.server_process import facerec
from tests.integration.identity.site import Site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site.found(tmp_path_factory.mktemp("home"))


def test_the_commands(tmp_path: Path) -> None:
    """From nothing to the files of a server and a gate."""

    def run(*words: str) -> str:
        done = facerec(*words, home=tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("pki", "init")
    run("pki", "issue", "--host", "gate.example", "--host", "10.1.2.3")
    run("pki", "issue", "north", "--role", "gate", "--gate", "main")
    assert facerec("pki", "init", home=tmp_path).returncode == 1
    assert facerec("pki", "issue", "north", home=tmp_path).returncode == 1
    assert facerec("pki", "issue", "../x", "--role", "gate", home=tmp_path).returncode == 1
    server = x509.load_pem_x509_certificate((tmp_path / "pki/server.crt").read_bytes())
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["gate.example"]
    server.verify_directly_issued_by(
        x509.load_pem_x509_certificate(
            CertificateAuthority(tmp_path / "pki").certificate.read_bytes()
        )
    )
    token = run("tokens", "issue", "lobby", "--role", "gate", "--gate", "main").strip()
    listed = run("tokens", "list", "--json")
    assert token.split("_")[1] in listed
    assert token.split("_", 2)[2] not in listed


@pytest.mark.parametrize("host", ["not a host", "10.1.2.300", "a..b", "-a.example", "x" * 64, ""])
def test_a_mistyped_host_does_not_replace_the_servers_certificate(site: Site, host: str) -> None:
    before = (site.pki / "server.crt").read_bytes()
    with pytest.raises(ServiceError, match="a host is a name such as"):
        site.authority.issue_server(["localhost", host], 30, datetime.now(UTC))
    assert (site.pki / "server.crt").read_bytes() == before


def test_a_gate_that_speaks_for_none_is_remarked(site: Site) -> None:
    for words in (("pki", "issue", "dumb"), ("tokens", "issue", "dumb")):
        for gates, remarked in ((), True), (("--gate", "main"), False):
            done = facerec(*words, "--role", "gate", *gates, home=site.home)
            assert done.returncode == 0, done.stderr
            assert ("speaks for no gate" in done.stderr) == remarked


def test_files_that_do_not_belong_together_are_not_taken_for_a_server_that_is_away(
    site: Site, tmp_path: Path
) -> None:
    ca, gate, other = (site.pki / name for name in ("ca.crt", "gate.crt", "auditor.key"))
    locked = tmp_path / "locked.key"
    key = serialization.load_pem_private_key((site.pki / "gate.key").read_bytes(), None)
    locked.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"sesame"),
        )
    )
    for wrong in (other, ca, locked):
        with pytest.raises(ServiceError, match="are no certificate and its key"):
            Tls.from_files(ca, gate, wrong)
    with pytest.raises(ServiceError, match="holds no certificate of an authority"):
        Tls.from_files(other)
    with pytest.raises(ServiceError, match=r"none\.key cannot be read"):
        Tls.from_files(ca, gate, site.pki / "none.key")
    Tls.from_files(ca, gate, site.pki / "gate.key")
