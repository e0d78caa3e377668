"""The child process of `facerec.models.workshop`: ``python -m ... ORDER.json ANSWER.json``."""

import json
import sys
from pathlib import Path

from facerec.errors import FaceRecError
from facerec.models import workshop
from facerec.models.convert import convert
from facerec.models.export import export
from facerec.models.import_keras import import_keras

__all__ = ["main"]


def main(order: Path, answer: Path) -> None:
    """Do one job and write ``{}`` or the error that it raised."""
    record = json.loads(order.read_text(encoding="utf-8"))
    job: workshop.Job = getattr(workshop, record.pop("job"))(**record)
    said: dict[str, str] = {}
    try:
        _do(job)
    except FaceRecError as error:
        said = {"error": type(error).__name__, "message": str(error)}
    answer.write_text(json.dumps(said), encoding="utf-8")


def _do(job: workshop.Job) -> None:
    match job:
        case workshop.ConvertJob():
            convert(job)
        case workshop.ImportKerasJob():
            import_keras(job)
        case workshop.ExportJob():
            export(job)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
