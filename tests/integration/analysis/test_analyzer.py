"""`FaceAnalyzer` as the settings compose it, on real photographs and clips."""

import csv
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facerec.analysis.analyzer import FaceAnalyzer
from facerec.analysis.faces import Faces
from facerec.analysis.main_face import main_face
from facerec.analysis.quality import QualityFlaw, flaws
from facerec.assembly import build_analyzer
from facerec.settings import load_settings
from facerec.video.quiet_opencv import quiet_opencv

Photographs = dict[str, NDArray[np.uint8]]


@pytest.fixture(scope="module")
def analyzer(home: Path) -> FaceAnalyzer:
    return build_analyzer(load_settings(home))


def main_embedding(analyzer: FaceAnalyzer, image: NDArray[np.uint8]) -> NDArray[np.float32]:
    faces = analyzer.analyze(image)
    chosen = main_face(faces, image.shape)
    assert chosen is not None
    assert faces.embeddings is not None
    return faces.embeddings[chosen]


def test_one_person_is_alike_and_others_are_not(
    analyzer: FaceAnalyzer, photographs: Photographs
) -> None:
    embedded = {key: main_embedding(analyzer, image) for key, image in photographs.items()}
    obama = [embedded[key] for key in ("obama-2009", "obama-2010", "obama-2012")]
    others = [embedded["biden-2010"], embedded["collins"]]
    mated = [float(obama[i] @ obama[j]) for i in range(3) for j in range(i)]
    non_mated = [float(a @ b) for a in obama for b in others] + [float(others[0] @ others[1])]
    assert min(mated) > 0.5
    assert max(non_mated) < 0.3


def test_an_embedding_does_not_depend_on_the_faces_beside_it(
    analyzer: FaceAnalyzer, photographs: Photographs
) -> None:
    images = [cv2.resize(image, (400, 400)) for image in photographs.values()]
    side_by_side = np.concatenate(images, axis=1)
    found = analyzer.detect(side_by_side)
    assert len(found) >= 5
    together = analyzer.embed(side_by_side, found).embeddings
    assert together is not None
    for i in range(len(found)):
        alone = analyzer.embed(side_by_side, found[i : i + 1]).embeddings
        assert alone is not None
        np.testing.assert_allclose(together[i], alone[0], atol=1e-5)


def test_the_steps_together_are_the_steps_one_by_one(
    analyzer: FaceAnalyzer, photographs: Photographs
) -> None:
    image = photographs["obama-2012"]
    at_once = analyzer.analyze(image)
    stepwise = analyzer.embed(image, analyzer.detect(image))
    assert at_once.embeddings is not None
    assert stepwise.embeddings is not None
    assert at_once.quality is not None
    np.testing.assert_array_equal(at_once.embeddings, stepwise.embeddings)
    np.testing.assert_allclose(np.linalg.norm(at_once.embeddings, axis=1), 1, atol=1e-5)
    assert len(at_once.quality) == len(at_once)


def test_a_picture_without_faces_is_an_answer(analyzer: FaceAnalyzer) -> None:
    for shape in ((1, 1, 3), (300, 200, 3)):
        faces = analyzer.analyze(np.zeros(shape, np.uint8))
        assert isinstance(faces, Faces)
        assert len(faces) == 0
        assert faces.embeddings is not None
        assert faces.embeddings.shape == (0, 128)
        assert faces.quality is not None
        assert len(faces.quality) == 0


def test_spoiling_a_photograph_is_named(analyzer: FaceAnalyzer, photographs: Photographs) -> None:
    image = photographs["obama-2012"]
    small = cv2.resize(image, None, fx=0.05, fy=0.05, interpolation=cv2.INTER_AREA)
    spoilt = {
        None: image,
        QualityFlaw.BLURRED: cv2.GaussianBlur(image, (0, 0), 14),
        QualityFlaw.BADLY_LIT: (image * 0.06).astype(np.uint8),
        QualityFlaw.TOO_SMALL: cv2.copyMakeBorder(small, 20, 20, 20, 20, cv2.BORDER_REPLICATE),
    }
    found = {}
    for flaw, picture in spoilt.items():
        faces = analyzer.detect(picture)
        if not len(faces):  # not even found: refused all the more
            continue
        assert faces.quality is not None
        found[flaw] = flaws(faces.quality, 0)
        if flaw is not None:
            assert flaw in found[flaw]
    assert found[None] == ()
    assert len(found) >= 3


def test_threads_do_not_mix_faces(analyzer: FaceAnalyzer, photographs: Photographs) -> None:
    images = list(photographs.values())
    expected = [main_embedding(analyzer, image) for image in images]
    wrong: list[int] = []

    def work(i: int) -> None:
        for _ in range(3):
            if float(main_embedding(analyzer, images[i]) @ expected[i]) < 0.9999:
                wrong.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(images))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_people_before_a_camera(analyzer: FaceAnalyzer, data_dir: Path) -> None:
    """Every tenth frame of each gate clip: found, fit, most like their person's other clip."""
    embeddings: dict[str, NDArray[np.float32]] = {}
    with (data_dir / "gate_clips" / "labels.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))
    clips = {row[0]: row[1] for row in rows if row[0].endswith(".mkv")}
    assert len(clips) == 8
    for clip in clips:
        with quiet_opencv():
            film = cv2.VideoCapture(str(data_dir / "gate_clips" / clip))
        of_clip = []
        for index in range(40):
            ok, frame = film.read()
            assert ok
            if index % 10:
                continue
            faces = analyzer.analyze(frame)
            chosen = main_face(faces, frame.shape)
            assert chosen is not None, f"{clip}, frame {index}"
            assert faces.quality is not None
            assert flaws(faces.quality, chosen) == ()
            assert faces.embeddings is not None
            of_clip.append(faces.embeddings[chosen])
        embeddings[clip] = np.stack(of_clip)
    means = {clip: found.mean(axis=0) for clip, found in embeddings.items()}
    for clip, found in embeddings.items():
        others = {other: found @ mean for other, mean in means.items() if other != clip}
        mated = [value for other, value in others.items() if clips[other] == clips[clip]]
        non_mated = [value for other, value in others.items() if clips[other] != clips[clip]]
        assert (np.max(mated, axis=0) > np.max(non_mated, axis=0) + 0.1).all(), clip
