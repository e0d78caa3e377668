"""What a terminal shows while cameras are watched: a line a camera, and decisions above it."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from facerec.cli.console import messages, warn
from facerec.cli.telling import decision_line

if TYPE_CHECKING:
    from facerec.errors import FaceRecError
    from facerec.video.camera_health import CameraHealth
    from facerec.video.observation import Observation, TrackDecision, TrackView
    from facerec.video.source import FrameSource

__all__ = ["LiveView"]

_REFRESHES_PER_S = 4
_RATE_OVER_S = 2.0
_LEAST_WIDTHS = {"camera": 6, "state": 5}
"""Which columns a narrow terminal keeps."""
_COLOURS = {"live": "green", "lost": "red", "failed": "red", "ended": "dim"}


@dataclass
class _Row:
    """What is known of one camera."""

    source: "FrameSource"
    looked_at: int = 0
    seen_s: deque[float] = field(default_factory=deque)
    faces: tuple["TrackView", ...] = ()
    decisions: int = 0
    last: str = ""
    over: str = ""

    def fps(self, now_s: float) -> float:
        """Frames a second that were looked at of late."""
        while self.seen_s and now_s - self.seen_s[0] > _RATE_OVER_S:
            self.seen_s.popleft()
        if len(self.seen_s) < 2:
            return 0.0
        return (len(self.seen_s) - 1) / max(self.seen_s[-1] - self.seen_s[0], 1e-3)


class LiveView:
    """A table of cameras that stays at the terminal's end; safe to tell from several threads."""

    def __init__(self, console: Console, cameras: Iterable[tuple[str, "FrameSource"]]) -> None:
        """Show nothing yet.

        Args:
            console: A terminal.
            cameras: Name and source of each.
        """
        self._rows = {name: _Row(source) for name, source in cameras}
        self._lock = Lock()
        self._live = Live(
            console=console, get_renderable=self._table, refresh_per_second=_REFRESHES_PER_S
        )

    def see(self, camera: str, observation: "Observation") -> None:
        """Take in what a camera's frame showed."""
        with self._lock:
            row = self._rows[camera]
            row.looked_at += 1
            row.seen_s.append(monotonic())
            row.faces = observation.tracks

    def tell(self, told: "TrackDecision") -> None:
        """Print a decision above the table, and remember it as the camera's last."""
        with self._lock:
            row = self._rows[told.camera]
            row.decisions += 1
            who = told.name or told.verdict.decision.outcome.value
            row.last = f"{told.decided.astimezone():%H:%M:%S} {who}"
        self._live.console.print(decision_line(told), soft_wrap=True)

    def end(self, camera: str, error: "FaceRecError | None") -> None:
        """Show that a camera is watched no longer, and print above the table why, if it failed."""
        with self._lock:
            row = self._rows[camera]
            row.over, row.faces = "ended" if error is None else "failed", ()
        if error is not None:
            # Where both are one terminal, what goes past the table would tear it.
            warn(f"{camera}: {error}", self._live.console if messages.is_terminal else messages)

    def __enter__(self) -> Self:
        self._live.start(refresh=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def _table(self) -> Table:
        """Draw all cameras as they are now."""
        from facerec.video.source_health import health_of

        table = Table(box=None, pad_edge=False, header_style="dim")
        for heading in ("camera", "state", "fps", "dropped", "in view", "decisions", "last"):
            to_right = heading in ("fps", "dropped", "decisions")
            table.add_column(
                heading,
                no_wrap=True,
                justify="right" if to_right else "left",
                min_width=_LEAST_WIDTHS.get(heading),
            )
        with self._lock:
            now_s = monotonic()
            for name, row in self._rows.items():
                health = health_of(row.source, row.looked_at)
                table.add_row(
                    escape(name),
                    _state(row.over, health),
                    "" if row.over else f"{row.fps(now_s):.1f}",
                    str(row.source.dropped),
                    escape(_in_view(row, health)),
                    str(row.decisions),
                    escape(row.last),
                )
        return table


def _state(over: str, health: "CameraHealth") -> str:
    """Return the state of a camera in its colour, with what is wrong with its pictures."""
    word = over or health.state.value
    colour = _COLOURS.get(word, "yellow")
    if word == "live" and health.fault is not None:
        return f"[red]{health.fault.value}[/]"
    return f"[{colour}]{word}[/]"


def _in_view(row: _Row, health: "CameraHealth") -> str:
    """Return who is in view, or why nothing is."""
    if health.state.value != "live" and not row.over:
        return health.trouble
    return ", ".join(_who(face) for face in row.faces)


def _who(face: "TrackView") -> str:
    """Return who a face in view is, as far as that is known now."""
    if face.name is not None:
        return face.name
    verdict = face.evidence.verdict
    return "looking" if verdict is None or face.in_doubt else verdict.decision.outcome.value
