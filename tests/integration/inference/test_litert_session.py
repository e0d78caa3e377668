"""`LiteRtSession` on the default networks, on small graphs and on damaged files."""

import gc
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from facerec.errors import ArrayError, ModelDamagedError
from facerec.inference.litert_session import HUGE_PAGES_AFTER, MOST_PREPARED, LiteRtSession
from facerec.inference.native_log import without_chatter


@pytest.fixture(scope="module")
def sface(home: Path) -> Path:
    return home / "models" / "sface" / "model.tflite"


@pytest.fixture(scope="module")
def yunet(home: Path) -> Path:
    return home / "models" / "yunet" / "model.tflite"


def noise(*shape: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def test_any_batch_gives_the_same_rows(sface: Path) -> None:
    session = LiteRtSession(sface, 2)
    chips = noise(5, 112, 112, 3)
    together = session.run(chips)
    assert together.dtype == np.float32
    assert together.shape == (5, 128)
    alone = np.concatenate([session.run(chips[i : i + 1]) for i in range(5)])
    np.testing.assert_allclose(together, alone, atol=1e-4)


def test_any_size_in_any_order_gives_what_a_fresh_session_gives(yunet: Path) -> None:
    """More sizes than are kept prepared, so that interpreters are resized and used again."""
    session = LiteRtSession(yunet, 1)
    sizes = [(64, 96), (32, 32), (96, 64), (160, 128), (256, 320), (32, 64)]
    assert len(sizes) > MOST_PREPARED
    for height, width in [*sizes, *reversed(sizes), *sizes]:
        image = noise(1, height, width, 3, seed=height * width)
        output = session.run(image)
        assert output.shape == (1, height * width * (1 / 64 + 1 / 256 + 1 / 1024), 16)
        np.testing.assert_array_equal(output, LiteRtSession(yunet, 1).run(image))


def test_the_number_of_threads_does_not_change_the_answer(sface: Path) -> None:
    chips = noise(1, 112, 112, 3)
    np.testing.assert_allclose(
        LiteRtSession(sface, 1).run(chips), LiteRtSession(sface, 2).run(chips), atol=1e-4
    )


def test_huge_pages_change_no_answer(sface: Path, yunet: Path) -> None:
    """They are asked for in the midst of these runs, once for each size."""
    for path, sizes in ((sface, [(112, 112)]), (yunet, [(480, 640), (192, 192), (480, 640)])):
        session = LiteRtSession(path, 2)
        for height, width in sizes:
            image = noise(1, height, width, 3)
            runs = [session.run(image) for _ in range(HUGE_PAGES_AFTER + 2)]
            for again in runs[1:]:
                np.testing.assert_array_equal(again, runs[0])


def test_outputs_are_the_caller_s_own(sface: Path) -> None:
    session = LiteRtSession(sface, 1)
    first = session.run(noise(1, 112, 112, 3))
    kept = first.copy()
    session.run(noise(1, 112, 112, 3, seed=1))
    np.testing.assert_array_equal(first, kept)
    first[:] = 0
    np.testing.assert_array_equal(session.run(noise(1, 112, 112, 3)), kept)


def test_threads_do_not_mix_their_images(yunet: Path) -> None:
    session = LiteRtSession(yunet, 1)
    images = [noise(1, 32 * (1 + i % 3), 64, 3, seed=i) for i in range(8)]
    expected = [session.run(image) for image in images]
    wrong: list[int] = []

    def work(i: int) -> None:
        for _ in range(15):
            if not np.array_equal(session.run(images[i]), expected[i]):
                wrong.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(images))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize(
    "batch",
    [
        np.zeros((1, 112, 112, 3), np.float32),
        np.zeros((112, 112, 3), np.uint8),
        np.zeros((1, 112, 112, 4), np.uint8),
        np.zeros((1, 113, 112, 3), np.uint8),
        np.zeros((0, 112, 112, 3), np.uint8),
    ],
)
def test_other_batches_are_refused(sface: Path, batch: NDArray[np.uint8]) -> None:
    with pytest.raises(ArrayError, match="batch must be uint8"):
        LiteRtSession(sface, 1).run(batch)


def test_a_size_that_the_graph_cannot_take_is_refused_and_the_session_goes_on(yunet: Path) -> None:
    session = LiteRtSession(yunet, 1)
    good = noise(1, 64, 64, 3)
    expected = session.run(good)
    with pytest.raises(ArrayError, match=r"cannot take a batch of shape \(1, 48, 48, 3\)"):
        session.run(noise(1, 48, 48, 3))
    np.testing.assert_array_equal(session.run(good), expected)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.99])
def test_a_truncated_file_is_damaged(yunet: Path, tmp_path: Path, share: float) -> None:
    data = yunet.read_bytes()
    path = tmp_path / "model.tflite"
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ModelDamagedError) as caught:
        LiteRtSession(path, 1).run(noise(1, 64, 64, 3))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_text_is_no_network(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_text("no network " * 100)
    with pytest.raises(ModelDamagedError, match="pull or import it again"):
        LiteRtSession(path, 1)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelDamagedError, match=r"none\.tflite is missing"):
        LiteRtSession(tmp_path / "none.tflite", 1)


def test_large_networks_are_prepared_once(sface: Path) -> None:
    """A second interpreter of SFace would hold its weights a second time: 38 MB and more."""
    session = LiteRtSession(sface, 1)
    session.run(noise(4, 112, 112, 3))
    before = resident_bytes()
    for n in (1, 2, 3, 4):
        session.run(noise(n, 112, 112, 3))
    assert resident_bytes() - before < 15e6


def test_many_runs_keep_memory_level(yunet: Path) -> None:
    session = LiteRtSession(yunet, 1)
    sizes = [(1, 32 * h, 32 * w, 3) for h in (2, 4, 6) for w in (3, 5, 7)]
    images = [noise(*size) for size in sizes]
    for image in images * 3:
        session.run(image)
    gc.collect()
    before = resident_bytes()
    for image in images * 30:
        session.run(image)
    assert resident_bytes() - before < 10e6


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_a_serving_process_is_silent_and_free_of_tensorflow(yunet: Path) -> None:
    code = (
        "import sys, numpy as np\n"
        "from pathlib import Path\n"
        "from facerec.inference.litert_session import LiteRtSession\n"
        "session = LiteRtSession(Path(sys.argv[1]), 1)\n"
        "session.run(np.zeros((1, 64, 64, 3), np.uint8))\n"
        "session.run(np.zeros((1, 96, 64, 3), np.uint8))\n"
        "assert not {'tensorflow', 'keras', 'onnx'} & set(sys.modules), sorted(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(yunet)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_only_the_named_chatter_is_dropped(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="kept"), without_chatter("INFO: x"):
        os.write(2, b"INFO: x made\nERROR: lost disk\n")
        raise ValueError("kept")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "ERROR: lost disk\nafter\n"
