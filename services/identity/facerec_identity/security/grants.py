"""Reads what an operator grants to a client."""

import re
from collections.abc import Iterable

from facerec.errors import ServiceError
from facerec_identity.security.caller import Role

__all__ = ["GATELESS", "granted_roles", "named_gates", "plain_name", "speaks_for_none"]

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
"""Names that are safe in a file's name, in a certificate and in a line of a log."""


GATELESS = "it speaks for no gate, so Authorize and StreamAuthorize will be refused; see --gate"
"""What an operator is told of a client that `speaks_for_none`."""


def speaks_for_none(roles: Iterable[Role], gates: Iterable[str]) -> bool:
    """Return whether a client has the role of a gate and none to speak for."""
    return Role.GATE in roles and not any(gates)


def granted_roles(words: Iterable[str]) -> frozenset[Role]:
    """Return roles.

    Raises:
        ServiceError: there is none, or one is not known.
    """
    try:
        roles = frozenset(Role(word) for word in words)
    except ValueError as error:
        raise ServiceError(f"a role is one of {', '.join(Role)}; {error}") from error
    if not roles:
        raise ServiceError(f"give at least one --role: {', '.join(Role)}")
    return roles


def named_gates(names: Iterable[str]) -> frozenset[str]:
    """Return names of gates.

    Raises:
        ServiceError: one is not fit for a name.
    """
    return frozenset(plain_name(name) for name in names)


def plain_name(name: str) -> str:
    """Return a name of a client or gate.

    Raises:
        ServiceError: it is not fit for one.
    """
    if not _PLAIN.fullmatch(name) or name in ("ca", "server"):
        raise ServiceError(
            "a name is 1 to 63 letters, digits, '.', '_' and '-', begins with a letter or digit, "
            f"and is not 'ca' or 'server'; received {name!r}"
        )
    return name
