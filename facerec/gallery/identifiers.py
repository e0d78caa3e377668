"""Ids of people and names of galleries."""

import re
import secrets

from facerec.errors import GalleryError

__all__ = [
    "DEFAULT_GALLERY",
    "check_display_name",
    "check_gallery_name",
    "check_profile_id",
    "new_profile_id",
]

DEFAULT_GALLERY = "default"
"""The one gallery that every home has from the start."""

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
"""Base 32 of RFC 4648 in lower case: no 0/o and 1/l to mistake when an id is read aloud."""

_SAFE = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
"""What is safe as part of a path, a URL and a gRPC resource name."""

_RULE = "1 to 64 of a-z, 0-9, '.', '_' and '-', the first a letter or digit"


_NAME_LENGTH = 200
"""Longest display name, in characters."""


def new_profile_id() -> str:
    """Return a random id, ``p-`` and 10 characters: 50 bits, so that nobody can guess or count.

    Among a million people two are given the same id with a chance of 0.04 %; the database's
    uniqueness then refuses the second.
    """
    return "p-" + "".join(secrets.choice(_ALPHABET) for _ in range(10))


def check_profile_id(profile_id: str) -> str:
    """Return an id that a user chose.

    Raises:
        GalleryError: it is not 1 to 64 of ``a-z0-9._-`` that begin with a letter or digit.
    """
    if not _SAFE.fullmatch(profile_id):
        raise GalleryError(f"a profile id must be {_RULE}; received {profile_id[:80]!r}")
    return profile_id


def check_gallery_name(name: str) -> str:
    """Return a gallery name that a user chose.

    Raises:
        GalleryError: it is not 1 to 64 of ``a-z0-9._-`` that begin with a letter or digit.
    """
    if not _SAFE.fullmatch(name):
        raise GalleryError(f"a gallery name must be {_RULE}; received {name[:80]!r}")
    return name


def check_display_name(name: str) -> str:
    """Return a person's name with its white space tidied.

    Raises:
        GalleryError: it is empty, longer than 200 characters, or has some that cannot be printed.
    """
    name = " ".join(name.split())
    if not name or len(name) > _NAME_LENGTH or not name.isprintable():
        raise GalleryError(f"a person's name must be 1 to {_NAME_LENGTH} printable characters")
    return name
