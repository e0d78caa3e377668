"""All cameras of a configuration, started and stopped as the configuration changes."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from threading import Lock

from facerec.assembly import build_gate_rules
from facerec.monitor_assembly import MonitorMaker
from facerec.settings import GateSettings
from facerec.video.gate_keeper import GateKeeper
from facerec.video.observation import TrackDecision
from facerec_monitor.camera_worker import CameraStatus, CameraWorker
from facerec_monitor.configuration import CameraSettings, MonitorSettings

__all__ = ["Applied", "Supervisor"]


@dataclass(frozen=True)
class Applied:
    """What applying a configuration changed: names of cameras."""

    started: tuple[str, ...]
    stopped: tuple[str, ...]
    kept: tuple[str, ...]


@dataclass(frozen=True)
class _Wanted:
    """All that makes one camera's worker what it is; another one needs another worker."""

    camera: CameraSettings
    gate: GateSettings | None
    searched: tuple[str, ...]


class Supervisor:
    """Runs one worker a camera."""

    def __init__(
        self,
        maker: MonitorMaker,
        default_gallery: str,
        tell: Callable[[TrackDecision, GateKeeper | None], None],
    ) -> None:
        """Run nothing yet.

        Args:
            maker: Makes monitors around the loaded networks.
            default_gallery: Searched by cameras that name neither a gate nor galleries.
            tell: Called with every decision and the gate that is to answer, by several threads.
        """
        self._maker = maker
        self._default_gallery = default_gallery
        self._tell = tell
        self._workers: dict[str, tuple[_Wanted, CameraWorker]] = {}
        self._keepers: dict[str, tuple[GateSettings, GateKeeper]] = {}
        self._lock = Lock()

    def apply(self, configuration: MonitorSettings) -> Applied:
        """Run the cameras of a configuration; those that did not change go on undisturbed.

        Raises:
            GalleryNotFoundError: a gallery is named that there is not; nothing was changed.
        """
        wanted = {
            name: _Wanted(
                camera,
                configuration.gates[camera.gate] if camera.gate else None,
                configuration.searched_by(name, self._default_gallery),
            )
            for name, camera in configuration.cameras.items()
        }
        for each in wanted.values():
            self._maker.gallery.require_galleries(each.searched)
        with self._lock:
            kept = tuple(n for n, (old, _) in self._workers.items() if wanted.get(n) == old)
            stopped = tuple(name for name in self._workers if name not in kept)
            started = tuple(name for name in wanted if name not in kept)
            leaving = [self._workers.pop(name)[1] for name in stopped]
        _stop_all(leaving)
        self._keep_gates(configuration.gates)
        for name in started:
            worker = self._worker(name, wanted[name])
            with self._lock:
                self._workers[name] = (wanted[name], worker)
            worker.start()
        return Applied(started, stopped, kept)

    def statuses(self) -> tuple[CameraStatus, ...]:
        """Return how each camera is doing, by name."""
        with self._lock:
            workers: Sequence[CameraWorker] = [worker for _, worker in self._workers.values()]
        return tuple(sorted((worker.status for worker in workers), key=lambda status: status.name))

    def close(self) -> None:
        """Stop all cameras; unfinished tracks are told first."""
        with self._lock:
            leaving = [worker for _, worker in self._workers.values()]
            self._workers.clear()
        _stop_all(leaving)

    def _keep_gates(self, gates: Mapping[str, GateSettings]) -> None:
        """Make keepers of gates; one whose settings did not change remembers its grants."""
        for name, settings in gates.items():
            if name not in self._keepers or self._keepers[name][0] != settings:
                keeper = GateKeeper(name, build_gate_rules(settings), self._maker.gallery)
                self._keepers[name] = (settings, keeper)

    def _worker(self, name: str, wanted: _Wanted) -> CameraWorker:
        keeper = self._keepers[wanted.camera.gate][1] if wanted.gate is not None else None
        make = partial(
            self._maker.monitor,
            name,
            wanted.searched,
            None if keeper is None else keeper.rules,
        )
        return CameraWorker(name, wanted.camera, make, lambda told: self._tell(told, keeper))


def _stop_all(workers: Sequence[CameraWorker]) -> None:
    """Stop cameras side by side: each that gives no frames takes seconds to let go."""
    if workers:
        with ThreadPoolExecutor(len(workers), thread_name_prefix="stop") as pool:
            list(pool.map(CameraWorker.stop, workers))
