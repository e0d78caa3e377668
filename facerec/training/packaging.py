"""From the best weights of a run to a package that ``facerec models import`` takes."""

import hashlib
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from facerec.decision.operating_point_file import operating_point_to_json
from facerec.errors import EvaluationError, TrainingError
from facerec.evaluation.calibration.calibrating import CalibrationSource, KnownFaces, calibrate
from facerec.evaluation.metrics.bootstrap import Interval
from facerec.inference import Alignment
from facerec.models.import_network import imported_space
from facerec.models.package import CALIBRATION, CARD, WEIGHTS, ModelPackage, write_package
from facerec.models.trainable import multiply_adds
from facerec.training.evaluating import EmbeddedPeople
from facerec.training.judging import Verdict, judge
from facerec.training.record_file import DataDescription
from facerec.training.whole_files import written_whole

__all__ = ["PackageStatement", "package", "refuse_existing", "refuse_worse", "scaled_alignment"]

DRAWS = 500
TOLERANCE = 0.002
"""How much worse an adapted network may measure: a fifth of a percentage point, under what a few
hundred people can tell from chance."""


@dataclass(frozen=True)
class PackageStatement:
    """What the maker of a package says of it.

    Attributes:
        name: Name of the network.
        license: SPDX expression of the weights' licence.
        intended_use: What it is for, in words.
        date: Day, ISO 8601.
    """

    name: str
    license: str
    intended_use: str
    date: str


def package(
    network: keras.Model,
    data: DataDescription,
    judged: EmbeddedPeople,
    run: dict[str, Any],
    statement: PackageStatement,
    output: Path,
) -> Verdict:
    """Write the package of a network.

    Args:
        network: With its weights; takes uint8 BGR chips.
        data: What was learned from.
        judged: Embeddings, by this network, of people it has not learned from: they tell its
            accuracy and its operating point.
        run: Record of the run.
        statement: What its maker says.
        output: File to write; appears whole or not at all.

    Returns:
        How well it tells these people apart.

    Raises:
        TrainingError: the file cannot be written.
    """
    alignment = scaled_alignment(data.alignment, int(network.input_shape[1]))
    content = _saved(network)
    digest = hashlib.sha256(content).hexdigest()
    space = imported_space(statement.name, digest, alignment)
    verdict = judge(judged.embeddings, judged.people, draws=DRAWS)
    point = _calibration(judged, statement, data, space, digest)
    members = {
        WEIGHTS: content,
        CARD: _card(network, data, verdict, run, statement, point is not None).encode(),
    }
    if point is not None:
        members[CALIBRATION] = point.encode()
    architecture, size = run["identity"]["settings"]["network"], int(network.output_shape[-1])
    about = ModelPackage(
        statement.name, str(architecture), statement.license, alignment, size, space, {}
    )
    refuse_existing(output)
    with written_whole(output) as opened:
        write_package(opened, about, members)
    return verdict


def refuse_existing(output: Path) -> None:
    """Refuse to write over a file, or into a folder that is not there.

    Raises:
        TrainingError: there is such a file, or no such folder.
    """
    if output.exists():
        raise TrainingError(f"{output} exists already; give another --output")
    if not output.parent.is_dir():
        raise TrainingError(
            f"there is no folder {output.parent}; make it, or give another --output"
        )


def _saved(network: keras.Model) -> bytes:
    """Return the content of a network's ``.keras`` file."""
    with tempfile.TemporaryDirectory() as scratch:
        weights = Path(scratch) / WEIGHTS
        network.save(weights)
        return weights.read_bytes()


def refuse_worse(before: Verdict, after: Verdict, where: str) -> None:
    """Refuse an adapted network that tells strangers apart worse than the one it began as.

    Args:
        before: The start, on people neither of them was adapted to.
        after: The adapted network, on the same pictures.
        where: Names these people, for the message.

    Raises:
        TrainingError: it is worse by more than `TOLERANCE` in either measure.
    """
    if after.eer > before.eer + TOLERANCE or after.tar < before.tar - TOLERANCE:
        raise TrainingError(
            f"the adapted network is worse than its start on {where}: equal error rate "
            f"{after.eer:.4f} after {before.eer:.4f}, true accepts at a false match rate of 1 % "
            f"{after.tar:.4f} after {before.tar:.4f}; it is not packaged: lower learning_rate or "
            "depth, raise cosine_weight, or give more people"
        )


def scaled_alignment(alignment: Alignment, side: int) -> Alignment:
    """Return where landmarks lie on a chip of another side, as `resized` moves them."""
    scale = side / alignment.chip_size_px
    marks = tuple((x * scale, y * scale) for x, y in alignment.landmarks_px)
    return Alignment(side, marks)


def _calibration(
    judged: EmbeddedPeople,
    statement: PackageStatement,
    data: DataDescription,
    space: str,
    digest: str,
) -> str | None:
    """Measure how often strangers reach each similarity; None with too few people for it."""
    faces = KnownFaces(judged.embeddings, judged.people, np.ones(len(judged.people), np.float32))
    source = CalibrationSource(
        statement.name,
        "pictures",
        f"people held out of: {data.origin}",
        space,
        data.detector.split()[0],
        statement.name,
        digest[:12],
        True,
        statement.date,
        "Measured on chips of people the network has not learned from; measure on your own "
        "cameras with: facerec calibrate",
    )
    try:
        return operating_point_to_json(calibrate(faces, source))
    except EvaluationError:
        return None


def _card(
    network: keras.Model,
    data: DataDescription,
    verdict: Verdict,
    run: dict[str, Any],
    statement: PackageStatement,
    calibrated: bool,
) -> str:
    identity = run["identity"]
    chosen = identity["settings"]
    taught = f"imitating {identity['teacher']}" if identity["teacher"] else "from labels alone"
    began = f"the weights of {identity['start']}" if identity["start"] else "random weights"
    people, pictures = run["people"], run["pictures"]
    return f"""\
# {statement.name}

Face embedder, {network.output_shape[-1]} numbers; architecture {chosen["network"]},
{network.count_params():,} parameters, {multiply_adds(network) / 1e6:.1f} million multiply-adds a
chip of {network.input_shape[1]} pixels; compare by cosine similarity.

- Made: {statement.date}, with facerec's `facerec train`, from {began}, {taught}.
- Data: {data.origin}; {pictures["learned"]} pictures of {people["learned"]} people learned from,
  found by {data.detector}; SHA-256 of the data {data.hash[:16]}.
- Terms of the data: {data.terms}.
- Licence of the weights: {statement.license}.
- Accuracy on {verdict.people} people held out ({verdict.pictures} pictures, {verdict.mated} mated
  comparisons), 95 % intervals over people: equal error rate {verdict.eer:.4f}
  ({_ends(verdict.eer_interval)}); true accepts at a false match rate of 1 % {verdict.tar:.4f}
  ({_ends(verdict.tar_interval)}).
- Calibration: {"in the package" if calibrated else "none: too few people were held out"}.
- Intended use: {statement.intended_use}.
- Limits: measured on people like those of the data only; error rates of other groups of people,
  cameras and lights are not known. It does not tell a live face from a picture of one.

Settings of the run:

```json
{json.dumps(chosen, indent=2)}
```
"""


def _ends(interval: Interval | None) -> str:
    return "no interval" if interval is None else f"{interval.low:.4f} to {interval.high:.4f}"
