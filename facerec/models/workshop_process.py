"""The child process of `facerec.models.workshop`: jobs on stdin, answers on stdout, a line each."""

import json
import os
import sys

from facerec.errors import FaceRecError
from facerec.models import workshop
from facerec.models.convert import convert
from facerec.models.convert_embedder import convert_embedder
from facerec.models.export import export
from facerec.models.import_keras import import_keras

__all__ = ["main"]


def main() -> None:
    """Do jobs until stdin ends; answer each with ``{}`` or the error that it raised."""
    # Libraries print to stdout as they please: that goes where stderr goes, answers go by a copy.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for order in sys.stdin:
        record = json.loads(order)
        job: workshop.Job = getattr(workshop, record.pop("job"))(**record)
        answer: dict[str, str] = {}
        try:
            _do(job)
        except FaceRecError as error:
            answer = {"error": type(error).__name__, "message": str(error)}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _do(job: workshop.Job) -> None:
    match job:
        case workshop.ConvertJob():
            convert(job)
        case workshop.ConvertEmbedderJob():
            convert_embedder(job)
        case workshop.ImportKerasJob():
            import_keras(job)
        case workshop.ExportJob():
            export(job)


if __name__ == "__main__":
    main()
