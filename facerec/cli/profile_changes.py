"""``facerec profiles update, export, erase``: what becomes of people who are enrolled."""

import base64
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facerec.cli.console import Home, Json, emit, fail, json_text, output, stated_failures

if TYPE_CHECKING:
    from facerec.gallery.life_cycle import Receipt
    from facerec.gallery.profile import Profile, Retention, Template

__all__ = ["erase_profile", "export_profile", "receipt_record", "update_profile"]

ProfileId = Annotated[str, typer.Argument(metavar="ID", help="Id of the person.")]
_NEVER = "never"


def update_profile(
    profile_id: ProfileId,
    name: Annotated[str | None, typer.Option("--name", help="New name.")] = None,
    gallery: Annotated[
        list[str] | None,
        typer.Option("--gallery", help="New galleries in place of all old; repeatable."),
    ] = None,
    suspend: Annotated[
        bool | None,
        typer.Option("--suspend/--activate", help="No longer match the person, or again."),
    ] = None,
    valid_from: Annotated[
        str | None, typer.Option("--valid-from", help="Matched from this time on, or 'never'.")
    ] = None,
    valid_until: Annotated[
        str | None, typer.Option("--valid-until", help="Matched until this time, or 'never'.")
    ] = None,
    external_id: Annotated[
        str | None, typer.Option("--external-id", help="Id in your own records; '' for none.")
    ] = None,
    attribute: Annotated[
        list[str] | None,
        typer.Option("--attribute", help="KEY=VALUE; repeatable; 'KEY=' removes it."),
    ] = None,
    erase_on: Annotated[
        str | None, typer.Option("--erase-on", help="Erase from this time on, or 'never'.")
    ] = None,
    erase_unseen_days: Annotated[
        int | None,
        typer.Option("--erase-unseen-days", min=0, help="Erase once unseen so long; 0: never."),
    ] = None,
    consent: Annotated[
        str | None, typer.Option("--consent", help="Record a consent: where its evidence is.")
    ] = None,
    withdraw_consent: Annotated[
        bool, typer.Option("--withdraw-consent", help="Record that all consents are withdrawn.")
    ] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Change what is held of a person; what no option names stays as it is.

    Times are ISO 8601, such as 2030-01-31 or 2030-01-31T18:00+01:00; without a zone they are UTC.
    """
    with stated_failures():
        from facerec.assembly import open_gallery
        from facerec.cli.profiles import profile_record
        from facerec.gallery.life_cycle import ProfileChange, Validity
        from facerec.gallery.profile import ProfileState
        from facerec.settings import load_settings

        with open_gallery(load_settings(home)) as people:
            known = people.get(profile_id)
            state = None
            if suspend is not None:
                state = ProfileState.SUSPENDED if suspend else ProfileState.ACTIVE
            validity = None
            if valid_from is not None or valid_until is not None:
                validity = Validity(
                    _time(valid_from, known.valid_from), _time(valid_until, known.valid_until)
                )
            change = ProfileChange(
                name=name,
                external_id=external_id,
                attributes=_attributes(known, attribute),
                state=state,
                galleries=gallery,
                validity=validity,
                retention=_retention(known, erase_on, erase_unseen_days),
            )
            people.life_cycle.update(profile_id, change)
            if consent is not None:
                people.life_cycle.give_consent(
                    profile_id, purpose="identification", legal_basis="consent", evidence=consent
                )
            if withdraw_consent:
                people.life_cycle.withdraw_consent(profile_id)
            changed = people.get(profile_id)
    if as_json:
        emit(profile_record(changed))
    else:
        output.print(f"{profile_id} is changed and {changed.state.value}")


def export_profile(
    profile_id: ProfileId,
    to: Annotated[
        Path | None, typer.Option("--output", help="File to write.  [default: stdout]")
    ] = None,
    home: Home = None,
) -> None:
    """Give all that is held of a person, templates included, as one JSON object."""
    with stated_failures():
        from facerec.assembly import open_gallery
        from facerec.cli.profiles import profile_record
        from facerec.settings import load_settings

        with open_gallery(load_settings(home)) as people:
            profile, templates = people.get(profile_id), people.templates(profile_id)
        record = profile_record(profile) | {"references": [_template(t) for t in templates]}
        if to is None:
            emit(record)
            return
        try:
            to.touch(mode=0o600, exist_ok=False)
            to.write_text(json_text(record) + "\n", encoding="utf-8")
        except OSError as error:
            fail(f"{to} cannot be written: {error.strerror}; name another with --output")


def erase_profile(
    profile_id: ProfileId,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Erase a person for good, and give a receipt."""
    with stated_failures():
        from facerec.assembly import open_gallery
        from facerec.settings import load_settings

        with open_gallery(load_settings(home)) as people:
            people.get(profile_id)
            if not yes:
                typer.confirm(f"Erase {profile_id} for good?", abort=True, err=True)
            receipt = people.life_cycle.erase(profile_id)
    if as_json:
        emit({"profile_id": profile_id} | receipt_record(receipt))
    else:
        output.print(f"{profile_id} is erased; receipt {receipt.receipt_id}")


def receipt_record(receipt: "Receipt") -> dict[str, Any]:
    """Return the JSON form of a receipt."""
    return {
        "receipt_id": receipt.receipt_id,
        "reason": receipt.reason.value,
        "erased": receipt.erased,
        "templates": receipt.templates,
        "evidence_sha256": receipt.evidence_sha256,
    }


def _time(text: str | None, known: datetime | None) -> datetime | None:
    """Read a time; None leaves what is known."""
    if text is None or text == _NEVER:
        return known if text is None else None
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"a time must be written as 2030-01-31 or 2030-01-31T18:00+01:00, or be "
            f"{_NEVER!r}; received {text!r}"
        ) from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _attributes(known: "Profile", given: list[str] | None) -> dict[str, str] | None:
    if not given:
        return None
    attributes = dict(known.attributes)
    for text in given:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise typer.BadParameter(f"an attribute must be KEY=VALUE; received {text!r}")
        attributes[key] = value
    return {key: value for key, value in attributes.items() if value}


def _retention(known: "Profile", date: str | None, days: int | None) -> "Retention | None":
    from facerec.gallery.profile import Retention

    if date is None and days is None:
        return None
    kept = known.retention
    unseen = kept.erase_unseen_days if days is None else (days or None)
    return Retention(_time(date, kept.erase_on), unseen)


def _template(template: "Template") -> dict[str, Any]:
    return {
        "template_id": template.template_id,
        "embedding_space": template.embedding_space,
        "quality": template.quality,
        "source": template.source,
        "content_sha256": template.content_sha256,
        "captured": template.captured,
        "created": template.created,
        "embedding_float32_base64": base64.b64encode(
            template.embedding.astype("<f4").tobytes()
        ).decode(),
    }
