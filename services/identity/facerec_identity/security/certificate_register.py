"""Which certificates an authority has issued, so that one can be revoked whose file is gone."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter

from facerec_identity.security.caller import Role
from facerec_identity.shared_file import SharedFile

__all__ = ["CertificateRecord", "CertificateRegister"]


@dataclass(frozen=True)
class CertificateRecord:
    """What is kept of a certificate.

    Attributes:
        name: Of the client; ``server`` for a server.
        serial: Its serial number, in hexadecimal.
        hosts: Names and addresses of a server; none for a client.
        roles: Of a client.
        gates: That a client speaks for.
        issued: When, UTC.
        expires: When it ends, UTC.
    """

    name: str
    serial: str
    hosts: tuple[str, ...]
    roles: tuple[Role, ...]
    gates: tuple[str, ...]
    issued: datetime
    expires: datetime


_RECORDS = TypeAdapter(tuple[CertificateRecord, ...])


class CertificateRegister:
    """The records of one authority, in a file beside its own."""

    def __init__(self, folder: Path) -> None:
        """Open nothing yet.

        Args:
            folder: Of the authority.
        """
        self._file = SharedFile(
            folder / "issued.json",
            _RECORDS,
            (),
            damaged="issued.json, the register of certificates, cannot be read; restore it from a "
            "backup, or move it away: then certificates are revoked by their files only",
        )

    def records(self) -> tuple[CertificateRecord, ...]:
        """Return all, oldest first; those that were issued before there was a register are missing.

        Raises:
            ServiceError: the file is damaged or cannot be read.
        """
        return self._file.read()

    def add(self, record: CertificateRecord) -> None:
        """Enter a certificate.

        Raises:
            ServiceError: the file is damaged or cannot be written.
        """
        self._file.change(lambda records: (*records, record))
