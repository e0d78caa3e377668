"""A small certificate authority for a site that has none, and reading what it certified.

A client's certificate says in URIs of its subject alternative name what the client is there for
(``urn:facerec:role:gate``) and which gates it speaks for (``urn:facerec:gate:main``). Keys are
ECDSA on P-256; the profile of the certificates is RFC 5280's.
"""

import ipaddress
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from facerec.errors import ServiceError, UnauthenticatedError
from facerec_identity.security.caller import Caller, Role
from facerec_identity.security.certificate_register import CertificateRecord, CertificateRegister

__all__ = ["CertificateAuthority", "CertifiedCaller", "IssuedCertificate", "read_client"]

_ROLE = "urn:facerec:role:"
_GATE = "urn:facerec:gate:"
_AUTHORITY_DAYS = 3650
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}$)(?:{_LABEL}\.)*(?!\d+$){_LABEL}")
"""RFC 1123, section 2.1; a last part of digits alone would be that of a mistyped address."""
_CLOCKS_DIFFER = timedelta(minutes=5)
"""Certificates begin that much in the past, for machines whose clock is late."""


@dataclass(frozen=True)
class IssuedCertificate:
    """Files of a certificate that was issued.

    Attributes:
        certificate: PEM file of the certificate.
        key: PEM file of its private key, readable by its owner alone.
        expires: When it ends, UTC.
    """

    certificate: Path
    key: Path
    expires: datetime


@dataclass(frozen=True)
class CertifiedCaller:
    """What a client's certificate says.

    Attributes:
        caller: Who it is.
        serial: The certificate's number.
        expires: When it ends, UTC.
    """

    caller: Caller
    serial: int
    expires: datetime


class CertificateAuthority:
    """A folder with ``ca.crt``, ``ca.key`` and what was issued from them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.register = CertificateRegister(folder)

    @property
    def certificate(self) -> Path:
        """The file that clients and servers trust."""
        return self._folder / "ca.crt"

    def create(self, name: str, now: datetime) -> IssuedCertificate:
        """Make the authority.

        Raises:
            ServiceError: there is one, or the folder cannot be written.
        """
        if self.certificate.exists() or self._key_file.exists():
            raise ServiceError(
                f"{self._folder} holds an authority; certificates of two could not be told apart, "
                "so choose another folder with --dir"
            )
        key = ec.generate_private_key(ec.SECP256R1())
        expires = now + timedelta(days=_AUTHORITY_DAYS)
        builder = _builder(name, key.public_key(), now, expires).issuer_name(_named(name))
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        builder = builder.add_extension(_key_usage(authority=True), True)
        return self._store("ca", builder.sign(key, hashes.SHA256()), key, expires)

    def issue_server(self, hosts: Sequence[str], days: int, now: datetime) -> IssuedCertificate:
        """Certify a server as ``server.crt``; one that is there is replaced.

        Args:
            hosts: Names and IP addresses under which clients know it, at least one.
            days: How long it is valid.
            now: Present time, UTC.

        Raises:
            ServiceError: one is no name of a host; nothing is replaced.
        """
        wanted = CertificateRecord("server", "", tuple(hosts), (), (), now, now + timedelta(days))
        names = [_general_name(host) for host in hosts]
        return self._issue(wanted, hosts[0], names, ExtendedKeyUsageOID.SERVER_AUTH)

    def issue_client(
        self,
        name: str,
        *,
        roles: Sequence[Role],
        gates: Sequence[str],
        lifetime: timedelta,
        now: datetime,
    ) -> IssuedCertificate:
        """Certify a client as ``NAME.crt``; one that is there is replaced."""
        uris = [_ROLE + role.value for role in roles] + [_GATE + gate for gate in gates]
        names = [x509.UniformResourceIdentifier(uri) for uri in uris]
        wanted = CertificateRecord(name, "", (), tuple(roles), tuple(gates), now, now + lifetime)
        return self._issue(wanted, name, names, ExtendedKeyUsageOID.CLIENT_AUTH)

    @property
    def _key_file(self) -> Path:
        return self._folder / "ca.key"

    def _issue(
        self,
        wanted: CertificateRecord,
        common_name: str,
        names: Sequence[x509.GeneralName],
        use: x509.ObjectIdentifier,
    ) -> IssuedCertificate:
        authority, authority_key = self._load()
        key = ec.generate_private_key(ec.SECP256R1())
        expires = min(wanted.expires, authority.not_valid_after_utc)
        begins = min(wanted.issued, expires) - _CLOCKS_DIFFER
        builder = _builder(common_name, key.public_key(), begins, expires)
        builder = builder.issuer_name(authority.subject)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        builder = builder.add_extension(_key_usage(authority=False), True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([use]), True)
        builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
        builder = builder.add_extension(issuer, False)
        made = builder.sign(authority_key, hashes.SHA256())
        # Before it is in anybody's hands: what is not in the register may never be found again.
        self.register.add(replace(wanted, serial=f"{made.serial_number:x}", expires=expires))
        return self._store(wanted.name, made, key, expires)

    def _load(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        try:
            certificate = x509.load_pem_x509_certificate(self.certificate.read_bytes())
            key = serialization.load_pem_private_key(self._key_file.read_bytes(), password=None)
        except (OSError, ValueError, TypeError) as error:
            raise ServiceError(
                f"no authority can be read in {self._folder}; make one with: facerec pki init"
            ) from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ServiceError(f"the key in {self._folder} is none that facerec pki init makes")
        return certificate, key

    def _store(
        self,
        name: str,
        certificate: x509.Certificate,
        key: ec.EllipticCurvePrivateKey,
        expires: datetime,
    ) -> IssuedCertificate:
        issued = IssuedCertificate(
            self._folder / f"{name}.crt", self._folder / f"{name}.key", expires
        )
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            _write(issued.key, _private_pem(key), 0o600)
            _write(issued.certificate, certificate.public_bytes(serialization.Encoding.PEM), 0o644)
        except OSError as error:
            raise ServiceError(f"cannot write to {self._folder}: {error.strerror}") from error
        return issued


def read_client(pem: bytes) -> CertifiedCaller:
    """Read the certificate of a client; that an authority vouches for it was checked before.

    Raises:
        UnauthenticatedError: it names no role.
    """
    certificate = x509.load_pem_x509_certificate(pem)
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        uris = extension.value.get_values_for_type(x509.UniformResourceIdentifier)
        roles = frozenset(Role(u.removeprefix(_ROLE)) for u in uris if u.startswith(_ROLE))
    except (x509.ExtensionNotFound, ValueError) as error:
        raise UnauthenticatedError("the certificate names no role that is known") from error
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if not roles or not names:
        raise UnauthenticatedError("the certificate names no role or nobody")
    gates = frozenset(u.removeprefix(_GATE) for u in uris if u.startswith(_GATE))
    caller = Caller(f"certificate:{names[0].value!s}", roles, gates)
    return CertifiedCaller(caller, certificate.serial_number, certificate.not_valid_after_utc)


def _builder(
    name: str, public_key: ec.EllipticCurvePublicKey, begins: datetime, expires: datetime
) -> x509.CertificateBuilder:
    identifier = x509.SubjectKeyIdentifier.from_public_key(public_key)
    return (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins.astimezone(UTC))
        .not_valid_after(expires.astimezone(UTC))
        .add_extension(identifier, critical=False)
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        if not _HOST.fullmatch(host):
            raise ServiceError(
                f"a host is a name such as gates.example, or an IP address; received {host!r}"
            ) from None
        return x509.DNSName(host)


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write(path: Path, data: bytes, mode: int) -> None:
    """Replace a file as a whole, so that a running server never reads half of one."""
    scratch = path.with_name(path.name + ".new")
    scratch.unlink(missing_ok=True)
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with open(descriptor, "wb") as file:
        file.write(data)
    scratch.replace(path)
