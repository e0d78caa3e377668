"""Certificates that were revoked, by their serial numbers, in a file of one a line."""

import os
import threading
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509

from facerec.errors import ServiceError

__all__ = ["RevokedCertificates", "serial_in"]


class RevokedCertificates:
    """The revoked certificates; changes of the file are seen at the next call."""

    def __init__(self, path: Path) -> None:
        """Open nothing yet.

        Args:
            path: The file; while there is none, no certificate is revoked.
        """
        self._path = path
        self._lock = threading.Lock()
        self._stamp: tuple[int, int, int] | None = None
        self._serials: frozenset[int] = frozenset()

    def __contains__(self, serial: int) -> bool:
        with self._lock:
            try:
                found = self._path.stat()
                stamp = (found.st_mtime_ns, found.st_ino, found.st_size)
                if stamp != self._stamp:
                    lines = self._path.read_text("ascii").split()
                    self._serials = frozenset(int(line, 16) for line in lines)
                    self._stamp = stamp
            except FileNotFoundError:
                self._serials, self._stamp = frozenset(), None
            except (OSError, ValueError) as error:
                raise ServiceError(
                    "the file of revoked certificates cannot be read; every line of it must be "
                    "one serial number in hexadecimal"
                ) from error
            return serial in self._serials

    def revoke(self, serials: Sequence[int]) -> None:
        """Make certificates worthless from the next call on.

        Raises:
            ServiceError: the file cannot be written.
        """
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            with open(descriptor, "ab") as file:
                file.write("".join(f"{serial:x}\n" for serial in serials).encode("ascii"))
        except OSError as error:
            raise ServiceError(
                f"{self._path}, the list of revoked certificates, cannot be written: "
                f"{(error.strerror or '').lower()}"
            ) from error


def serial_in(certificate: Path) -> int:
    """Return the serial number of the certificate in a PEM file.

    Raises:
        ServiceError: there is none that can be read.
    """
    try:
        return x509.load_pem_x509_certificate(certificate.read_bytes()).serial_number
    except (OSError, ValueError) as error:
        raise ServiceError(f"{certificate} is no certificate that can be read") from error
