"""The server's certificate files, and credentials that follow them as they change."""

import logging
from dataclasses import dataclass
from pathlib import Path

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from facerec.errors import ServiceError, SettingsError
from facerec.settings import Settings

__all__ = ["TlsFiles"]

_logger = logging.getLogger(__name__)

_Stamp = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class TlsFiles:
    """PEM files of a server.

    Attributes:
        certificate: The server's certificate, with those between it and the authority.
        key: Its private key.
        client_ca: Authority whose clients may connect; None where clients need no certificate.
    """

    certificate: Path
    key: Path
    client_ca: Path | None

    @classmethod
    def of(cls, settings: Settings) -> "TlsFiles | None":
        """Return the files that the settings name, or those of ``facerec pki``; None for neither.

        Raises:
            SettingsError: one of certificate and key is set without the other.
        """
        server = settings.server
        if (server.tls_certificate is None) != (server.tls_key is None):
            raise SettingsError("set both of server.tls_certificate and server.tls_key, or neither")
        if server.tls_certificate is not None and server.tls_key is not None:
            return cls(server.tls_certificate, server.tls_key, server.tls_client_ca)
        if server.tls_client_ca is not None:
            raise SettingsError("server.tls_client_ca needs server.tls_certificate and tls_key")
        made = settings.pki_dir
        if (made / "server.crt").exists():
            return cls(made / "server.crt", made / "server.key", made / "ca.crt")
        return None

    def credentials(self, *, client_certificates: bool) -> grpc.ServerCredentials:
        """Return credentials of a port; changed files count from the next connection on.

        Args:
            client_certificates: Whether clients must show a certificate of `client_ca`.

        Raises:
            ServiceError: a file cannot be read, or the key is not the certificate's.
        """
        follower = _Follower(self, client_certificates)
        return grpc.dynamic_ssl_server_credentials(
            follower.first,
            follower.changed,  # type: ignore[arg-type]  # None is allowed: it means no change
            require_client_authentication=client_certificates,
        )


class _Follower:
    """Reads the files again when they have changed."""

    def __init__(self, files: TlsFiles, client_certificates: bool) -> None:
        self._files = files
        self._paths = [files.certificate, files.key]
        if client_certificates and files.client_ca is not None:
            self._paths.append(files.client_ca)
        self._stamp = self._present()
        self.first = self._read()

    def changed(self) -> grpc.ServerCertificateConfiguration | None:
        """Return the new configuration; None when nothing changed or it cannot be used."""
        try:
            stamp = self._present()
            if stamp == self._stamp:
                return None
            made = self._read()
        except ServiceError as error:
            _logger.error("certificates stay as they were: %s", error)
            return None
        self._stamp = stamp
        return made

    def _present(self) -> _Stamp:
        try:
            found = [path.stat() for path in self._paths]
        except OSError as error:
            raise ServiceError(
                f"{error.filename} cannot be read: {(error.strerror or '').lower()}"
            ) from error
        return tuple((status.st_mtime_ns, status.st_ino, status.st_size) for status in found)

    def _read(self) -> grpc.ServerCertificateConfiguration:
        try:
            certificate, key, *authorities = [path.read_bytes() for path in self._paths]
            public = serialization.load_pem_private_key(key, password=None).public_key()
            fits = x509.load_pem_x509_certificate(certificate).public_key() == public
            for authority in authorities:
                x509.load_pem_x509_certificates(authority)
        except (OSError, ValueError, TypeError) as error:
            raise ServiceError(
                f"{self._files.certificate}, its key or its authority is no PEM file that can be "
                "read; make them with: facerec pki issue"
            ) from error
        if not fits:
            raise ServiceError(f"{self._files.key} is not the key of {self._files.certificate}")
        return grpc.ssl_server_certificate_configuration(
            [(key, certificate)], root_certificates=authorities[0] if authorities else None
        )
