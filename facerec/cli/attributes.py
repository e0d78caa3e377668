"""Attributes of people as users write them."""

from collections.abc import Iterable, Mapping

from facerec.errors import GalleryError

__all__ = ["with_attributes"]


def with_attributes(known: Mapping[str, str], given: Iterable[str]) -> dict[str, str]:
    """Return attributes changed as texts of the form ``KEY=VALUE`` say; ``KEY=`` removes one.

    Raises:
        GalleryError: a text is of another form.
    """
    attributes = dict(known)
    for text in given:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise GalleryError(f"an attribute must be KEY=VALUE; received {text[:40]!r}")
        attributes[key] = value
    return {key: value for key, value in attributes.items() if value}
