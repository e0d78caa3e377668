"""``facerec profiles export, erase``: what is held of people, and its end."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facerec.cli.console import Home, Json, emit, fail, json_text, output, stated_failures
from facerec.cli.profile_record import profile_record
from facerec.cli.profile_update import ProfileId

if TYPE_CHECKING:
    from facerec.gallery.life_cycle import Receipt
    from facerec.gallery.profile import Template

__all__ = ["erase_profile", "export_profile", "list_receipts", "receipt_record"]


def export_profile(
    profile_id: ProfileId,
    to: Annotated[
        Path | None, typer.Option("--output", help="File to write.  [default: stdout]")
    ] = None,
    home: Home = None,
) -> None:
    """Give all that is held of a person, as one JSON object: templates and kept images too."""
    with stated_failures():
        from facerec.assembly import open_gallery
        from facerec.gallery.audit.event import AuditEvent, AuditKind
        from facerec.settings import load_settings

        with open_gallery(load_settings(home)) as people:
            profile, templates = people.get(profile_id), people.templates(profile_id)
            images = people.reembedder.source(profile_id).images
            with _told_of(to):
                # Before the journal says that it was handed out.
                if to is not None:
                    to.touch(mode=0o600, exist_ok=False)
            people.record_now(AuditEvent(AuditKind.PROFILE_EXPORTED, profile_id=profile_id))
        record = profile_record(profile) | {
            "references": [_template(t) for t in templates],
            "images": [_image(sha256, data) for sha256, data in images.items()],
        }
        if to is None:
            emit(record)
            return
        with _told_of(to):
            to.write_text(json_text(record) + "\n", encoding="utf-8")


@contextmanager
def _told_of(to: Path | None) -> Iterator[None]:
    """Say why a file cannot be written."""
    try:
        yield
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


def list_receipts(home: Home = None, as_json: Json = False) -> None:
    """List the receipts of all erasures; they do not tell of whom."""
    with stated_failures():
        from facerec.assembly import open_gallery
        from facerec.settings import load_settings

        with open_gallery(load_settings(home)) as people:
            receipts = people.life_cycle.receipts()
    if as_json:
        emit([receipt_record(receipt) for receipt in receipts])
        return
    for receipt in receipts:
        output.print(
            f"{receipt.erased:%Y-%m-%d %H:%M} UTC  {receipt.receipt_id}  {receipt.reason.value}  "
            f"{receipt.templates} template(s)  {receipt.evidence_sha256}",
            soft_wrap=True,
        )
    if not receipts:
        output.print("nobody was erased")


def receipt_record(receipt: "Receipt") -> dict[str, Any]:
    """Return the JSON form of a receipt."""
    return {
        "receipt_id": receipt.receipt_id,
        "reason": receipt.reason.value,
        "erased": receipt.erased,
        "templates": receipt.templates,
        "evidence_sha256": receipt.evidence_sha256,
    }


def _template(template: "Template") -> dict[str, Any]:
    return {
        "template_id": template.template_id,
        "embedding_space": template.embedding_space,
        "quality": template.quality,
        "source": template.source,
        "content_sha256": template.content_sha256,
        "captured": template.captured,
        "accepted": template.accepted,
        "created": template.created,
        "embedding_float32_base64": base64.b64encode(
            template.embedding.astype("<f4").tobytes()
        ).decode(),
    }


def _image(sha256: str, data: bytes) -> dict[str, Any]:
    return {"content_sha256": sha256, "file_base64": base64.b64encode(data).decode()}
