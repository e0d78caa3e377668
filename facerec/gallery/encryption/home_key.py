"""The keys of a home: how it is sealed when it is made, opened, and given a new master key."""

import secrets
from collections.abc import Mapping

from sqlalchemy import Connection, Table, bindparam, select, update

from facerec.errors import MasterKeyError
from facerec.gallery.audit.writing import SIGNING_OWNER
from facerec.gallery.encryption.master_key import KeySource
from facerec.gallery.encryption.vault import SealedKey, Vault
from facerec.gallery.storage import schema

__all__ = ["SNAPSHOT_OWNER", "new_home", "open_vault", "rewrap_keys"]

_TAGS = "tags"
"""Owner, as `Vault.wrap` takes it, of the key of tags."""

SNAPSHOT_OWNER = "index snapshot"
"""Owner of the key of the index snapshot."""


def new_home(source: KeySource) -> Mapping[str, object]:
    """Return the columns of the table ``home`` that give a new home its keys.

    Raises:
        MasterKeyError: there is no master key, and none can be made.
    """
    home_id = secrets.token_hex(16)
    _, sealed = Vault(home_id, source, source.load_or_make()).new_key(_TAGS)
    return {
        "home_id": home_id,
        "master_key_id": sealed.master_key_id,
        "tag_key": sealed.wrapped,
    }


def open_vault(connection: Connection, source: KeySource) -> Vault:
    """Return what opens a home.

    Raises:
        MasterKeyError: its master key is missing, or another one is given.
        RecordDamagedError: the home's own key was changed.
    """
    home = connection.execute(select(schema.home)).one()
    keys = source.load()
    if keys.find(home.master_key_id) is None:
        raise MasterKeyError(
            f"the master key given ({keys.current_id}) is not the one that opens this gallery "
            f"({home.master_key_id}); give the one that it was last used with"
        )
    vault = Vault(home.home_id, source, keys)
    vault.use_tag_key(vault.unwrap(SealedKey(home.master_key_id, home.tag_key), _TAGS))
    return vault


def rewrap_keys(connection: Connection, vault: Vault) -> int:
    """Wrap all keys of a home with the current master key; return how many people's there are.

    Raises:
        MasterKeyError: the present master key is not at hand.
        RecordDamagedError: a key was changed.
    """
    home = connection.execute(select(schema.home)).one()
    key = vault.unwrap(SealedKey(home.master_key_id, home.tag_key), _TAGS)
    sealed = vault.wrap(key, _TAGS)
    connection.execute(
        update(schema.home).values(master_key_id=sealed.master_key_id, tag_key=sealed.wrapped)
    )
    _rewrap_one(connection, vault, schema.snapshot, SNAPSHOT_OWNER)
    _rewrap_one(connection, vault, schema.audit_key, SIGNING_OWNER)
    query = select(schema.data_key, schema.profile.c.profile_id).join_from(
        schema.data_key, schema.profile
    )
    rows = []
    for row in connection.execute(query):
        key = vault.unwrap(SealedKey(row.master_key_id, row.wrapped), row.profile_id)
        sealed = vault.wrap(key, row.profile_id)
        rows.append({"number": row.profile, "id": sealed.master_key_id, "key": sealed.wrapped})
    if rows:
        statement = (
            update(schema.data_key)
            .where(schema.data_key.c.profile == bindparam("number"))
            .values(master_key_id=bindparam("id"), wrapped=bindparam("key"))
        )
        connection.execute(statement, rows)
    return len(rows)


def _rewrap_one(connection: Connection, vault: Vault, table: Table, owner: str) -> None:
    """Wrap the key of a table's one row anew, if there is a row."""
    row = connection.execute(select(table)).one_or_none()
    if row is not None:
        sealed = vault.wrap(vault.unwrap(SealedKey(row.master_key_id, row.wrapped), owner), owner)
        connection.execute(
            update(table).values(master_key_id=sealed.master_key_id, wrapped=sealed.wrapped)
        )
