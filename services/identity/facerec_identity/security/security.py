"""All that guards one server, as its settings say."""

from dataclasses import dataclass

from facerec.settings import ServerSettings, Settings
from facerec_identity.security.authenticator import Authenticator
from facerec_identity.security.caller import Role
from facerec_identity.security.revocations import RevokedCertificates
from facerec_identity.security.tls_files import TlsFiles
from facerec_identity.security.tokens import TokenStore

__all__ = ["Security"]


@dataclass(frozen=True)
class Security:
    """What guards a server.

    Attributes:
        authenticator: Tells who calls.
        tls: The server's certificate files; None for a server without TLS.
    """

    authenticator: Authenticator
    tls: TlsFiles | None

    @classmethod
    def without_tls(cls, settings: ServerSettings) -> "Security":
        """Return what guards a server that only this machine can reach and that has no files."""
        return cls(
            Authenticator(
                tokens=None,
                revoked=None,
                audience=settings.audience,
                local_roles=map(Role, settings.local_roles),
            ),
            None,
        )

    @classmethod
    def of(cls, settings: Settings) -> "Security":
        """Return what the settings and the files in the home say.

        Raises:
            SettingsError: the settings contradict each other.
            ServiceError: the file of tokens or of revocations is damaged.
        """
        tokens = TokenStore(settings.tokens_path)
        revoked = RevokedCertificates(settings.revoked_certificates_path)
        tokens.records()
        _ = 0 in revoked
        authenticator = Authenticator(
            tokens=tokens,
            revoked=revoked,
            audience=settings.server.audience,
            local_roles=map(Role, settings.server.local_roles),
        )
        return cls(authenticator, TlsFiles.of(settings))
