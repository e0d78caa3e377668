"""``facerec pki``: certificates for a site that has no authority of its own."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facerec.cli.console import Home, Json, emit, fail, output, stated_failures
from facerec.cli.recording import record_in_home

if TYPE_CHECKING:
    from facerec_identity.security.certificates import IssuedCertificate

__all__ = ["pki"]

pki = typer.Typer(name="pki", help="Certificates of servers and gates.", no_args_is_help=True)

_Dir = Annotated[
    Path | None,
    typer.Option(
        "--dir",
        help="Folder of the authority.  [default: pki in the home]",
        show_default=False,
        file_okay=False,
    ),
]


@pki.command("init")
def init(
    name: Annotated[
        str, typer.Option("--name", help="Name of the authority.")
    ] = "facerec site authority",
    folder: _Dir = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Make a certificate authority: ca.crt, which clients and servers trust, and ca.key.

    Whoever has ca.key can make certificates: keep it where no server runs, or offline.
    """
    with stated_failures():
        from datetime import UTC, datetime

        from facerec_identity.security.certificates import CertificateAuthority

        made = CertificateAuthority(_folder(folder, home)).create(name, datetime.now(UTC))
        _tell(made, as_json)


@pki.command("issue")
def issue(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Name of a client; none for a server.")
    ] = None,
    hosts: Annotated[
        list[str] | None,
        typer.Option("--host", help="Certify a server that clients reach by this name or address."),
    ] = None,
    roles: Annotated[
        list[str] | None,
        typer.Option("--role", help="gate, enroller, auditor or administrator; may be repeated."),
    ] = None,
    gates: Annotated[
        list[str] | None,
        typer.Option("--gate", help="Gate that the client may speak for; may be repeated."),
    ] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=3650, help="Valid for.")] = 365,
    folder: _Dir = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Certify a server (--host) or a client (NAME --role); a running server takes its new one."""
    with stated_failures():
        from datetime import UTC, datetime, timedelta

        from facerec_identity.security.certificates import CertificateAuthority
        from facerec_identity.security.grants import granted_roles, named_gates, plain_name

        authority, now = CertificateAuthority(_folder(folder, home)), datetime.now(UTC)
        if (name is None) == (not hosts):
            fail("give --host NAME for a server, or NAME and --role ROLE for a client")
        if name is None:
            made = authority.issue_server(hosts or (), days, now)
            _record(home, f"server: {', '.join(hosts or ())}")
            _tell(made, as_json)
            return
        made = authority.issue_client(
            plain_name(name),
            roles=sorted(granted_roles(roles or ())),
            gates=sorted(named_gates(gates or ())),
            lifetime=timedelta(days=days),
            now=now,
        )
        _record(home, f"{name}: {', '.join(sorted(roles or ()))}", ", ".join(sorted(gates or ())))
        _tell(made, as_json)


@pki.command("revoke")
def revoke(
    certificate: Annotated[
        Path, typer.Argument(help="The client's certificate file.", dir_okay=False)
    ],
    home: Home = None,
) -> None:
    """Refuse a client's certificate from its next call on, on every server of this home."""
    with stated_failures():
        from facerec.gallery.audit_event import AuditEvent, AuditKind
        from facerec.settings import load_settings
        from facerec_identity.security.revocations import RevokedCertificates

        settings = load_settings(home)
        RevokedCertificates(settings.revoked_certificates_path).revoke(certificate)
        event = AuditEvent(AuditKind.CERTIFICATE_REVOKED, note=certificate.name)
        record_in_home(settings, event)
        output.print(f"{certificate} is refused from now on", soft_wrap=True)


def _record(home: Path | None, note: str, gates: str = "") -> None:
    """Enter in the journal of the home, if it has one, that a certificate was issued."""
    from facerec.gallery.audit_event import AuditEvent, AuditKind
    from facerec.settings import load_settings

    event = AuditEvent(AuditKind.CERTIFICATE_ISSUED, place=gates, note=note)
    record_in_home(load_settings(home), event)


def _folder(folder: Path | None, home: Path | None) -> Path:
    from facerec.settings import load_settings

    return load_settings(home).pki_dir if folder is None else folder


def _tell(made: "IssuedCertificate", as_json: bool) -> None:
    if as_json:
        emit({"certificate": made.certificate, "key": made.key, "expires": made.expires})
        return
    output.print(f"certificate  {made.certificate}", soft_wrap=True)
    output.print(f"key          {made.key}  (keep it secret)", soft_wrap=True)
    output.print(f"valid until  {made.expires:%Y-%m-%d %H:%M} UTC")
