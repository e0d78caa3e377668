"""Where the files of a demo lie."""

from dataclasses import dataclass
from pathlib import Path

from facerec.errors import SettingsError
from facerec.settings import Settings, load_settings

__all__ = ["DemoFolder"]


@dataclass(frozen=True)
class DemoFolder:
    """The files of a demo, in a folder of its own.

    Attributes:
        root: The folder; need not exist.
    """

    root: Path

    @property
    def film(self) -> Path:
        """The film that is watched."""
        return self.root / "gate.mp4"

    @property
    def annotated(self) -> Path:
        """The film with boxes and names."""
        return self.root / "annotated.mp4"

    @property
    def sheet(self) -> Path:
        """The page of key frames."""
        return self.root / "contact-sheet.png"

    @property
    def events(self) -> Path:
        """The decisions as CloudEvents, one a line."""
        return self.root / "events.jsonl"

    @property
    def pictures(self) -> Path:
        """Folder of the photographs."""
        return self.root / "pictures"

    @property
    def home(self) -> Path:
        """A home of the demo's own, so that the user's gallery is not touched."""
        return self.root / "home"

    @property
    def server_log(self) -> Path:
        """What the server said on stderr."""
        return self.root / "server.log"

    def prepare(self, user: Settings) -> Settings:
        """Make the folder with an empty gallery that uses the user's networks.

        Args:
            user: Settings of the user's home.

        Returns:
            Settings of the demo's home.

        Raises:
            SettingsError: the folder cannot be made.
        """
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            settings = load_settings(self.home)
            for old in (self.film, self.annotated, self.sheet, self.events, self.server_log):
                old.unlink(missing_ok=True)
            for old in self.home.glob(f"{settings.database_path.name}*"):
                old.unlink()
            if settings.models_dir.is_symlink():
                settings.models_dir.unlink()
            if not settings.models_dir.exists():
                settings.models_dir.symlink_to(user.models_dir, target_is_directory=True)
        except OSError as error:
            raise SettingsError(
                f"the demo's folder {self.root} cannot be made ready: {error.strerror}; "
                "name another with --output"
            ) from error
        return settings
