"""Measures the operating points that facerec ships with, and writes their files.

    .venv/bin/python benchmarks/factory_operating_points.py IMAGES [--embedder NAME]
        [--home HOME] [--write]

IMAGES holds one folder of pictures a person. It does what `facerec calibrate --images` does, for
each embedder of the catalogue that is installed (or the one named), and says what the data is.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from facerec.cli.calibrate import Calibration, describe
from facerec.cli.evaluation_setup import TemplateMaker, evaluation_settings
from facerec.decision.operating_point_file import operating_point_to_json
from facerec.models.store import ModelStore

FACTORY = Path(__file__).resolve().parents[1] / "facerec" / "decision" / "factory"
EMBEDDERS = ("sface", "dlib-resnet")
DATA = "LFW deep-funneled, folds 1 and 2 of View 2"
REMARKS = (
    "Labeled Faces in the Wild, folds 1 and 2 of View 2, main face of each picture. Comparisons "
    "that share a person or a picture are not independent, so the rates are less certain than "
    "their number suggests; the intervals are over people. The data set has known label faults "
    "(one person under two names), which put mated comparisons among the highest non-mated ones: "
    "the rates of the tail are too high by that, so the thresholds err towards safety. Press "
    "photographs of public figures: measure on your own cameras before relying on it."
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", type=Path)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--write", action="store_true", help="write the files, too")
    parser.add_argument("--embedder", choices=EMBEDDERS, help="this one alone")
    options = parser.parse_args()
    for embedder in (options.embedder,) if options.embedder else EMBEDDERS:
        settings = evaluation_settings(options.home, None, embedder)
        if not ModelStore(settings.models_dir).has(embedder):
            print(f"{embedder} is not installed; left out")
            continue
        maker = TemplateMaker.of(settings)
        point = Calibration(maker, f"factory-{embedder}").run(None, None, options.images)
        provenance = replace(point.provenance, kind="factory", data=DATA, remarks=REMARKS)
        point = replace(point, provenance=provenance)
        print(describe(point))
        if options.write:
            path = FACTORY / f"{point.embedding_space}.json"
            path.write_text(operating_point_to_json(point), "utf-8")
            print(f"wrote {path.name}")


if __name__ == "__main__":
    main()
