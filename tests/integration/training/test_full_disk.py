"""A disk that is really full while a run is kept: a small file system for one process."""

import subprocess
import sys
from pathlib import Path

from tests.integration.gallery.test_read_only_home import unshared

MOUNTED = 'mount -t tmpfs -o size=1m none "$1" && shift && exec "$@"'
KEEP = """
import sys
from pathlib import Path
import numpy as np
from facerec.errors import TrainingError
from facerec.training.curves import EpochRecord
from facerec.training.run_folder import RunFolder
from facerec.training.tensorboard_file import append_scalars
from facerec.training.whole_files import load_arrays, save_arrays
run = RunFolder(Path(sys.argv[1]))
save_arrays(run.checkpoint, [np.arange(1000)], {"epoch": 1})
record = EpochRecord(1, 1.0, 0.2, 0.5, 0.1, 1.0)
for again in range(2):
    try:
        run.keep_best([np.zeros(1_000_000, np.float32)], record)
    except TrainingError as error:
        print(error)
    print(sorted(path.name for path in run.path.iterdir()))
(run.path / "filler").write_bytes(bytes(900_000))
left = 1_000_000
while left:
    try:
        with (run.path / "filler").open("ab") as opened:
            opened.write(bytes(left))
    except OSError:
        left //= 2
try:
    run.keep_epochs((record,), "full", 0.0)
except TrainingError as error:
    print(error)
try:
    append_scalars(run.path / "filler", {"loss": 1.0} | {f"{n}": 1.0 for n in range(999)}, 1, 0.0)
except TrainingError as error:
    print(error)
print(load_arrays(run.checkpoint)[1]["epoch"], sorted(path.name for path in run.path.iterdir()))
"""


def test_a_full_disk_is_told_and_leaves_what_was_kept(tmp_path: Path) -> None:
    python = [sys.executable, "-c", KEEP, str(tmp_path)]
    done = subprocess.run(
        [*unshared(), "sh", "-c", MOUNTED, "sh", str(tmp_path), *python],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    first, kept, second, kept_again, third, fourth, last = done.stdout.splitlines()
    assert first == second
    assert first.startswith(f"{tmp_path / 'best.npz'} cannot be written: No space left on device")
    assert "make room and go on with: facerec train resume" in first
    assert kept == kept_again == "['checkpoint.npz']"
    assert third.startswith(f"{tmp_path / 'epochs.jsonl'} cannot be written: No space left")
    assert fourth.startswith(f"{tmp_path / 'filler'} cannot be written: No space left")
    assert last == "1 ['checkpoint.npz', 'filler']"
