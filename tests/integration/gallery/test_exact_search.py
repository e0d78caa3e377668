"""Search equals NumPy's brute force: on many random templates, and on real ones of real people."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from facerec.analysis.image_decoding import read_image
from facerec.assembly import build_analyzer
from facerec.gallery.gallery import Gallery
from facerec.gallery.index.index_set import IndexSet
from facerec.gallery.index.rows import Changes, IndexedRows
from facerec.gallery.profile import NewProfile, NewTemplate
from facerec.settings import load_settings

SPACE = "space"


def test_a_hundred_thousand_random_templates() -> None:
    """25,000 people of four templates each; mated probes, strangers, and enrolled templates."""
    rng = np.random.default_rng(1)
    people = np.repeat(np.arange(25_000), 4)
    centres = unit(rng.standard_normal((25_000, 128)))
    vectors = unit(0.8 * centres[people] + 0.6 * unit(rng.standard_normal((100_000, 128))))
    rows = IndexedRows(vectors, people, np.array([b"p%d" % person for person in people]))
    members = {"default": np.arange(25_000)}
    indexes = IndexSet().updated(Changes(1, "1", "", np.zeros(0, np.int64), {SPACE: rows}, members))
    mated = unit(0.8 * centres[:40] + 0.6 * unit(rng.standard_normal((40, 128))))
    for probe in np.concatenate([mated, unit(rng.standard_normal((40, 128))), vectors[::2500]]):
        best = (vectors @ probe).reshape(-1, 4).max(axis=1)
        order = np.argsort(-best)[:5]
        found = indexes.search(probe, SPACE, ["default"], 5)
        assert found.profile_ids == tuple(f"p{person}" for person in order)
        assert np.abs(found.similarities - best[order]).max() < 1e-5
        assert (found.searched, found.templates, found.elsewhere) == (25_000, 100_000, 0)


@pytest.mark.slow
def test_all_real_templates_of_lfw_original_and_mirrored(
    data_dir: Path, home: Path, tmp_path: Path
) -> None:
    names, vectors = lfw_templates(data_dir, home)
    assert len(vectors) > 5400
    people = sorted(set(names))
    of = {name: vectors[np.array(names) == name] for name in people}
    with Gallery.open(tmp_path / "gallery.db") as gallery:
        gallery.enrol_many(
            [
                NewProfile(
                    "N",
                    [NewTemplate(vector, SPACE, 1.0, "") for vector in of[name]],
                    ["default"],
                    profile_id=f"p-{number:04d}",
                )
                for number, name in enumerate(people)
            ]
        )
        starts = np.cumsum([0, *(len(of[name]) for name in people)])[:-1]
        ordered = np.concatenate([of[name] for name in people])
        for probe in ordered:
            best = np.maximum.reduceat(ordered @ probe, starts)
            order = np.argsort(-best, kind="stable")[:2]
            found = gallery.search(probe, embedding_space=SPACE)
            assert np.abs(found.similarities - best[order]).max() < 1e-5
            assert found.profile_ids[0] == f"p-{order[0]:04d}"
            second = best[int(found.profile_ids[1][2:])]  # two may be equally like the probe
            assert second == pytest.approx(best[order[1]], abs=1e-5)


def unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def lfw_templates(data_dir: Path, home: Path) -> tuple[list[str], NDArray[np.float32]]:
    """Templates of every picture and its mirror image, with their people; kept between runs."""
    analyzer = build_analyzer(load_settings(home, analysis={"mirrored_chip": False}))
    kept = home / "cache" / f"lfw-{analyzer.embedding_space.replace('/', '-')}"
    if kept.with_suffix(".npy").exists():
        names: list[str] = json.loads(kept.with_suffix(".json").read_text())
        return names, np.load(kept.with_suffix(".npy"))
    names, vectors = [], []
    for path in sorted((data_dir / "lfw_dev" / "images").rglob("*.jpg")):
        image = read_image(path, max_pixels=1_000_000)
        for shown in (image, np.ascontiguousarray(image[:, ::-1])):
            faces = analyzer.analyze(shown)
            if len(faces) and faces.embeddings is not None:
                names.append(path.stem.rpartition("_")[0])
                vectors.append(faces.embeddings[0])
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.with_suffix(".json").write_text(json.dumps(names))
    np.save(kept.with_suffix(".npy"), np.stack(vectors))
    return names, np.stack(vectors)
