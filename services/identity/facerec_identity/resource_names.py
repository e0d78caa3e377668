"""Names of resources as the API writes them (google.aip.dev/122), and the ids in them."""

from facerec.errors import RequestError

__all__ = [
    "gallery_from_proto",
    "gallery_to_proto",
    "gate_from_proto",
    "gate_to_proto",
    "profile_id_from_proto",
    "profile_name_to_proto",
    "template_from_proto",
    "template_name_to_proto",
]

_GALLERIES = "galleries/"
_PROFILES = "profiles/"
_TEMPLATES = "/templates/"
_GATES = "gates/"
_LARGEST_NUMBER = 2**63 - 1


def gallery_from_proto(resource: str, field: str) -> str:
    """Return the gallery's name in ``galleries/{gallery}``.

    Raises:
        RequestError: it is not such a resource name.
    """
    return _resource_id(resource, _GALLERIES, field)


def gallery_to_proto(name: str) -> str:
    """Return the resource name of a gallery."""
    return _GALLERIES + name


def gate_from_proto(resource: str, field: str) -> str:
    """Return the gate's name in ``gates/{gate}``.

    Raises:
        RequestError: it is not such a resource name.
    """
    return _resource_id(resource, _GATES, field)


def gate_to_proto(name: str) -> str:
    """Return the resource name of a gate."""
    return _GATES + name


def profile_id_from_proto(resource: str, field: str) -> str:
    """Return the id in ``profiles/{profile}``.

    Raises:
        RequestError: it is not such a resource name.
    """
    return _resource_id(resource, _PROFILES, field)


def profile_name_to_proto(profile_id: str) -> str:
    """Return the resource name of a profile."""
    return _PROFILES + profile_id


def template_from_proto(resource: str, field: str) -> tuple[str, int]:
    """Return the ids of profile and template in ``profiles/{profile}/templates/{template}``.

    Raises:
        RequestError: it is not such a resource name.
    """
    profile, _, number = resource.partition(_TEMPLATES)
    digits = number.isascii() and number.isdigit() and len(number) <= len(str(_LARGEST_NUMBER))
    if not digits or int(number) > _LARGEST_NUMBER:
        raise RequestError(
            f"must be a resource name such as {_PROFILES}example{_TEMPLATES}1", field=field
        )
    return _resource_id(profile, _PROFILES, field), int(number)


def template_name_to_proto(profile_id: str, template_id: int) -> str:
    """Return the resource name of a template."""
    return f"{_PROFILES}{profile_id}{_TEMPLATES}{template_id}"


def _resource_id(resource: str, prefix: str, field: str) -> str:
    identifier = resource.removeprefix(prefix)
    if not resource.startswith(prefix) or not identifier or "/" in identifier:
        raise RequestError(f"must be a resource name such as {prefix}example", field=field)
    return identifier
