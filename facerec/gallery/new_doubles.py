"""Looking, while nobody else can write, for who was enrolled since a newcomer was compared.

Comparing a newcomer with everybody takes a while, in which another process may enrol the same
person. So whoever enrols says when they compared; whoever was changed after that is compared with
again in the transaction that stores the newcomer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from facerec.errors import SamePersonError
from facerec.gallery.encryption.vault import Vault
from facerec.gallery.index.reading import changed_since, read_rows_of
from facerec.gallery.profile import NewProfile
from facerec.gallery.storage.query_parts import in_parts

__all__ = ["Compared", "refuse_new_doubles"]


@dataclass(frozen=True)
class Compared:
    """With whom newcomers were compared.

    Attributes:
        revision: Everybody of this revision was compared with.
        similarity: Who is less like a newcomer than this does not matter.
    """

    revision: int
    similarity: float


def refuse_new_doubles(
    connection: Connection, vault: Vault, people: Sequence[NewProfile], compared: Compared
) -> None:
    """Compare newcomers with who was changed since they were compared with everybody.

    Args:
        connection: Holds the write lock.
        vault: Opens templates.
        people: The newcomers.
        compared: With whom they were compared.

    Raises:
        SamePersonError: somebody is as like one of them as matters.
    """
    changed = sorted(changed_since(connection, compared.revision))
    if not changed:
        return
    probes: dict[str, list[NDArray[np.float32]]] = {}
    for template in (one for person in people for one in person.templates):
        probes.setdefault(template.embedding_space, []).append(template.embedding)
    for some in in_parts(changed):
        found = read_rows_of(connection, vault, some)
        for space in probes.keys() & found.keys():
            mine = np.stack(probes[space])
            theirs = found[space].embeddings
            if mine.shape[1] == theirs.shape[1] and (
                float((theirs @ mine.T).max()) >= compared.similarity
            ):
                raise SamePersonError(
                    "somebody who may be the same person was enrolled or changed at the same "
                    "moment; enrol again, and they are compared"
                )
