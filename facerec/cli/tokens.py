"""``facerec tokens``: API tokens for callers that cannot use a certificate."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from facerec.cli.console import Home, Json, emit, output, stated_failures, warn
from facerec.cli.recording import record_in_home

if TYPE_CHECKING:
    from facerec_identity.security.tokens import TokenRecord

__all__ = ["tokens"]

tokens = typer.Typer(name="tokens", help="API tokens of clients.", no_args_is_help=True)


@tokens.command("issue")
def issue(
    name: Annotated[str, typer.Argument(help="Whom it is for, in your words.")],
    roles: Annotated[
        list[str],
        typer.Option("--role", help="gate, enroller, auditor or administrator; may be repeated."),
    ],
    gates: Annotated[
        list[str] | None,
        typer.Option("--gate", help="Gate that its bearer may speak for; may be repeated."),
    ] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=3650, help="Valid for.")] = 90,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Make a token and print it: it is shown this once and kept nowhere."""
    with stated_failures():
        from datetime import UTC, datetime, timedelta

        from facerec.gallery.audit.event import AuditEvent, AuditKind
        from facerec.settings import load_settings
        from facerec_identity.security.grants import (
            GATELESS,
            granted_roles,
            named_gates,
            plain_name,
            speaks_for_none,
        )
        from facerec_identity.security.tokens import TokenStore

        settings, now = load_settings(home), datetime.now(UTC)
        record, text = TokenStore(settings.tokens_path).issue(
            plain_name(name),
            roles=granted_roles(roles),
            gates=named_gates(gates or ()),
            audience=settings.server.audience,
            now=now,
            expires=now + timedelta(days=days),
        )
        if speaks_for_none(record.roles, record.gates):
            warn(GATELESS)
        note = f"token {record.token_id} for {record.name}: {', '.join(sorted(record.roles))}"
        place = ", ".join(sorted(record.gates))
        record_in_home(settings, AuditEvent(AuditKind.TOKEN_ISSUED, place=place, note=note))
    if as_json:
        emit({"token": text, **_record(record)})
        return
    output.print(text, soft_wrap=True)


@tokens.command("list")
def list_tokens(home: Home = None, as_json: Json = False) -> None:
    """List the tokens that were issued."""
    with stated_failures():
        from facerec.settings import load_settings
        from facerec_identity.security.tokens import TokenStore

        found = TokenStore(load_settings(home).tokens_path).records()
    if as_json:
        emit([_record(record) for record in found])
        return
    from rich.table import Table

    table = Table("id", "for", "roles", "gates", "expires", "revoked")
    for record in found:
        table.add_row(
            record.token_id,
            record.name,
            ", ".join(sorted(record.roles)),
            ", ".join(sorted(record.gates)),
            f"{record.expires:%Y-%m-%d %H:%M}",
            "" if record.revoked is None else f"{record.revoked:%Y-%m-%d %H:%M}",
        )
    output.print(table if found else "no token was issued; see: facerec tokens issue --help")


@tokens.command("revoke")
def revoke(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the token.")],
    home: Home = None,
) -> None:
    """Refuse a token from its next call on, on every server of this home."""
    with stated_failures():
        from datetime import UTC, datetime

        from facerec.gallery.audit.event import AuditEvent, AuditKind
        from facerec.settings import load_settings
        from facerec_identity.security.tokens import TokenStore

        settings = load_settings(home)
        TokenStore(settings.tokens_path).revoke(token_id, datetime.now(UTC))
        record_in_home(settings, AuditEvent(AuditKind.TOKEN_REVOKED, note=f"token {token_id}"))
        output.print(f"{token_id} is refused from now on")


def _record(record: "TokenRecord") -> dict[str, Any]:
    return {
        "token_id": record.token_id,
        "name": record.name,
        "roles": sorted(record.roles),
        "gates": sorted(record.gates),
        "audience": record.audience,
        "created": record.created,
        "expires": record.expires,
        "revoked": record.revoked,
    }
