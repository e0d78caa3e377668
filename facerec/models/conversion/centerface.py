"""Weights of CenterFace from the ONNX file that its authors publish."""

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from facerec.models.centerface import CENTERFACE_STAGES, build_centerface
from facerec.models.conversion.layers import LayerWeights, matched
from facerec.models.conversion.onnx_graph import (
    Convolution,
    Normalization,
    OnnxWeights,
    dequantise_onnx,
)

__all__ = ["centerface_from_onnx"]

_NECK = (
    "neck_lateral3",
    "neck_up2",
    "neck_lateral2",
    "neck_up1",
    "neck_lateral1",
    "neck_up0",
    "neck_lateral0",
)
_BRANCHES = ("heatmap", "size", "offset", "landmarks")


def centerface_from_onnx(path: Path) -> keras.Model:
    """Build CenterFace with the weights of an ONNX file of the same architecture.

    Raises:
        ModelImportError: the file is not a CenterFace.
    """
    source = OnnxWeights(dequantise_onnx(path))
    network = build_centerface()
    weights = LayerWeights(network)
    body = ["stem", *_backbone_names()]
    names = [*body, *_NECK, "head_mix", *_BRANCHES]
    found = dict(matched(names, source.convolutions(), "CenterFace"))
    # Trained on RGB; the Keras network takes BGR.
    stem = found["stem"]
    found["stem"] = replace(stem, kernel=stem.kernel[:, ::-1])
    ups = [name for name in _NECK if name.startswith("neck_up")]
    for name, normalization in zip(ups, source.normalizations(), strict=True):
        found[name] = _as_subpixels(found[name], normalization)
    for name in [*body, *_NECK, "head_mix"]:
        weights.set_convolution(name, found[name])
    head = [found[branch] for branch in _BRANCHES]
    kernel = np.concatenate([branch.kernel for branch in head])
    bias = np.concatenate([branch.bias for branch in head if branch.bias is not None])
    weights.set_convolution("head", replace(head[0], kernel=kernel, bias=bias))
    weights.finish()
    return network


def _backbone_names() -> list[str]:
    names = []
    for stage, (expansion, _, blocks, _) in enumerate(CENTERFACE_STAGES):
        for block in range(blocks):
            parts = (
                ("expand", "depthwise", "project") if expansion > 1 else ("depthwise", "project")
            )
            names += [f"stage{stage}_block{block}_{part}" for part in parts]
    return names


def _as_subpixels(source: Convolution, normalization: Normalization) -> Convolution:
    """Write a 2x2, stride-2 transposed convolution and its normalisation as a 1x1 convolution.

    Returns:
        Kernel (4 out, in, 1, 1): output channel ``(2 row + column) out + o`` is pixel (row, column)
        of channel o, the order of `keras.ops.depth_to_space`.
    """
    scale = normalization.gamma / np.sqrt(normalization.variance + normalization.epsilon)
    kernel = source.kernel * scale[:, None, None]  # (in, out, row, column)
    inputs, outputs = kernel.shape[:2]
    kernel = kernel.transpose(2, 3, 1, 0).reshape(4 * outputs, inputs, 1, 1)
    bias = np.tile(normalization.beta - normalization.mean * scale, 4)
    return Convolution("Conv", kernel.astype(np.float32), bias.astype(np.float32), 1)
