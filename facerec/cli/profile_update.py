"""``facerec profiles update``: change what is held of a person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from facerec.cli.attributes import with_attributes
from facerec.cli.console import Home, Json, emit, output, stated_failures
from facerec.cli.profile_record import profile_record, state_of
from facerec.cli.times import time_of
from facerec.errors import GalleryError

if TYPE_CHECKING:
    from facerec.gallery.gallery import Gallery
    from facerec.gallery.life_cycle import ProfileChange, Validity
    from facerec.gallery.profile import Profile, ProfileState, Retention

__all__ = ["ProfileId", "update_profile"]

_NEVER = "never"

ProfileId = Annotated[str, typer.Argument(metavar="ID", help="Id of the person.")]
NewName = Annotated[str | None, typer.Option("--name", help="New name.")]
NewGalleries = Annotated[
    list[str] | None,
    typer.Option("--gallery", help="New galleries in place of all old; repeatable."),
]
Suspend = Annotated[
    bool | None,
    typer.Option("--suspend/--activate", help="No longer match the person, or again."),
]
Begins = Annotated[
    str | None, typer.Option("--valid-from", help="Matched from this time on, or 'never'.")
]
Ends = Annotated[
    str | None, typer.Option("--valid-until", help="Matched until this time, or 'never'.")
]
ExternalId = Annotated[
    str | None, typer.Option("--external-id", help="Id in your own records; '' for none.")
]
Attributes = Annotated[
    list[str] | None,
    typer.Option("--attribute", help="KEY=VALUE; repeatable; 'KEY=' removes it."),
]
EraseOn = Annotated[
    str | None, typer.Option("--erase-on", help="Erase from this time on, or 'never'.")
]
EraseUnseen = Annotated[
    int | None,
    typer.Option("--erase-unseen-days", min=0, help="Erase once unseen so long; 0: never."),
]
GivenConsent = Annotated[
    str | None, typer.Option("--consent", help="Record a consent: where its evidence is.")
]
WithdrawConsent = Annotated[
    bool, typer.Option("--withdraw-consent", help="Record that all consents are withdrawn.")
]


def update_profile(
    profile_id: ProfileId,
    name: NewName = None,
    gallery: NewGalleries = None,
    suspend: Suspend = None,
    valid_from: Begins = None,
    valid_until: Ends = None,
    external_id: ExternalId = None,
    attribute: Attributes = None,
    erase_on: EraseOn = None,
    erase_unseen_days: EraseUnseen = None,
    consent: GivenConsent = None,
    withdraw_consent: WithdrawConsent = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Change what is held of a person; what no option names stays as it is.

    Times are ISO 8601, such as 2030-01-31 or 2030-01-31T18:00+01:00; without a zone they are UTC.
    """
    from facerec.assembly import open_gallery
    from facerec.settings import load_settings

    times = _Times(valid_from, valid_until, erase_on)
    wanted = _Wanted(name, gallery, suspend, external_id, attribute or [], erase_unseen_days)
    with stated_failures(), open_gallery(load_settings(home)) as people:
        known = people.get(profile_id)
        change = wanted.change(known, times)
        _require_a_change(change, known, consent, withdraw_consent)
        if _changes(change):
            people.life_cycle.update(profile_id, change)
        _change_consents(people, profile_id, consent, withdraw_consent)
        changed = people.get(profile_id)
        if as_json:
            emit(profile_record(changed))
        else:
            output.print(f"{profile_id} is changed and {state_of(changed)}")


@dataclass(frozen=True)
class _Times:
    """Times as they were written; None for what is not to change."""

    valid_from: str | None
    valid_until: str | None
    erase_on: str | None


@dataclass(frozen=True)
class _Wanted:
    """What else is to change; None, or nothing, for what is not."""

    name: str | None
    galleries: Sequence[str] | None
    suspend: bool | None
    external_id: str | None
    attributes: Sequence[str]
    erase_unseen_days: int | None

    def change(self, known: "Profile", times: _Times) -> "ProfileChange":
        """Return the change of a profile; wrong usage where a value is not fit."""
        from facerec.gallery.life_cycle import ProfileChange

        try:
            return ProfileChange(
                name=self.name,
                external_id=self.external_id,
                attributes=(
                    with_attributes(known.attributes, self.attributes) if self.attributes else None
                ),
                state=_state(self.suspend),
                galleries=self.galleries,
                validity=_validity(known, times),
                retention=_retention(known, times, self.erase_unseen_days),
            )
        except GalleryError as error:
            raise typer.BadParameter(str(error)) from error


def _changes(change: "ProfileChange") -> bool:
    return any(value is not None for value in vars(change).values())


def _require_a_change(
    change: "ProfileChange", known: "Profile", evidence: str | None, withdraw: bool
) -> None:
    """Refuse what would change nothing, or would fail when a part of it is done."""
    if not _changes(change) and evidence is None and not withdraw:
        raise typer.BadParameter("say what to change, by an option at least")
    if withdraw and evidence is None and all(given.withdrawn for given in known.consents):
        raise GalleryError("the person has no such consent that stands; see profiles show")


def _change_consents(
    people: "Gallery", profile_id: str, evidence: str | None, withdraw: bool
) -> None:
    if evidence is not None:
        people.life_cycle.give_consent(
            profile_id, purpose="identification", legal_basis="consent", evidence=evidence
        )
    if withdraw:
        people.life_cycle.withdraw_consent(profile_id)


def _state(suspend: bool | None) -> "ProfileState | None":
    from facerec.gallery.profile import ProfileState

    if suspend is None:
        return None
    return ProfileState.SUSPENDED if suspend else ProfileState.ACTIVE


def _validity(known: "Profile", times: _Times) -> "Validity | None":
    from facerec.gallery.life_cycle import Validity

    if times.valid_from is None and times.valid_until is None:
        return None
    return Validity(
        _time(times.valid_from, known.valid_from), _time(times.valid_until, known.valid_until)
    )


def _retention(known: "Profile", times: _Times, days: int | None) -> "Retention | None":
    from facerec.gallery.profile import Retention

    if times.erase_on is None and days is None:
        return None
    kept = known.retention
    unseen = kept.erase_unseen_days if days is None else (days or None)
    return Retention(_time(times.erase_on, kept.erase_on), unseen)


def _time(text: str | None, known: datetime | None) -> datetime | None:
    """Read a time; None leaves what is known, and 'never' removes it."""
    if text is None or text == _NEVER:
        return known if text is None else None
    return time_of(text)
