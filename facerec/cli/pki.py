"""``facerec pki``: certificates for a site that has no authority of its own."""

import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facerec.cli.console import Home, Json, emit, fail, output, stated_failures, warn
from facerec.cli.recording import record_in_home

if TYPE_CHECKING:
    from facerec_identity.security.certificate_register import CertificateRegister
    from facerec_identity.security.certificates import IssuedCertificate
    from facerec_identity.security.revocations import RevokedCertificates

__all__ = ["pki"]

pki = typer.Typer(name="pki", help="Certificates of servers and gates.", no_args_is_help=True)

_NUMBER = re.compile(r"[0-9a-fA-F]{32,40}")
"""A whole serial number, of a certificate that this machine may know nothing else of."""

_SHOWN_DIGITS = 16
"""Of a serial number in hexadecimal: a random one is told from others by half as many."""

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
        from facerec_identity.security.grants import (
            GATELESS,
            granted_roles,
            named_gates,
            plain_name,
            speaks_for_none,
        )

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
        if speaks_for_none(granted_roles(roles or ()), gates or ()):
            warn(GATELESS)
        _record(home, f"{name}: {', '.join(sorted(roles or ()))}", ", ".join(sorted(gates or ())))
        _tell(made, as_json)


@pki.command("list")
def list_certificates(folder: _Dir = None, home: Home = None, as_json: Json = False) -> None:
    """List the certificates that were issued, also those whose files were replaced since."""
    with stated_failures():
        from facerec_identity.security.certificate_register import CertificateRegister

        found, revoked = CertificateRegister(_folder(folder, home)).records(), _revoked(home)
        rows = [
            {**asdict(record), "revoked": int(record.serial, 16) in revoked} for record in found
        ]
    if as_json:
        emit(rows)
        return
    from rich.table import Table

    table = Table("name", "roles, or hosts", "gates", "number", "expires", "revoked")
    for row in rows:
        table.add_row(
            row["name"],
            ", ".join(row["roles"] or row["hosts"]),
            ", ".join(row["gates"]),
            row["serial"][:_SHOWN_DIGITS],
            f"{row['expires']:%Y-%m-%d}",
            "yes" if row["revoked"] else "",
        )
    output.print(table)


@pki.command("revoke")
def revoke(
    what: Annotated[
        str,
        typer.Argument(
            metavar="NAME|FILE|SERIAL",
            help="A client, for all its certificates so far; or one, by its file or number.",
        ),
    ],
    folder: _Dir = None,
    home: Home = None,
) -> None:
    """Refuse a client's certificates from its next call on, on every server of this home."""
    with stated_failures():
        from facerec.gallery.audit.event import AuditEvent, AuditKind
        from facerec.settings import load_settings
        from facerec_identity.security.certificate_register import CertificateRegister

        serials = _serials_of(what, CertificateRegister(_folder(folder, home)))
        _revoked(home).revoke(serials)
        event = AuditEvent(AuditKind.CERTIFICATE_REVOKED, note=Path(what).name)
        record_in_home(load_settings(home), event)
        output.print(f"{what}: {len(serials)} certificate(s) refused from now on")


def _serials_of(what: str, register: "CertificateRegister") -> list[int]:
    """Return the serial numbers that a client's name, a number or a file stands for."""
    from facerec_identity.security.revocations import serial_in

    found = [
        int(record.serial, 16)
        for record in register.records()
        if not record.hosts
        and (what == record.name or what == record.serial[: max(_SHOWN_DIGITS, len(what))])
    ]
    # A name comes first: somebody's folder may hold a file of that name.
    if found:
        return found
    if Path(what).exists():
        return [serial_in(Path(what))]
    if _NUMBER.fullmatch(what):
        return [int(what, 16)]
    fail(
        f"{what!r} is no client, file or number of a certificate; see: facerec pki list, where it "
        "was issued (whole numbers: with --json)"
    )


def _revoked(home: Path | None) -> "RevokedCertificates":
    from facerec.settings import load_settings
    from facerec_identity.security.revocations import RevokedCertificates

    return RevokedCertificates(load_settings(home).revoked_certificates_path)


def _record(home: Path | None, note: str, gates: str = "") -> None:
    """Enter in the journal of the home, if it has one, that a certificate was issued."""
    from facerec.gallery.audit.event import AuditEvent, AuditKind
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
