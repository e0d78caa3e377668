"""The child process of `facerec.models.workshop`: ``python -m ... ORDER.json ANSWER.json``."""

import json
import sys
from pathlib import Path

from facerec.errors import FaceRecError
from facerec.models import workshop
from facerec.models.convert import convert

__all__ = ["main"]


def main(order: Path, answer: Path) -> None:
    """Do one job and write ``{}`` or the error that it raised."""
    record = json.loads(order.read_text(encoding="utf-8"))
    job = getattr(workshop, record.pop("job"))(**record)
    said: dict[str, str] = {}
    try:
        convert(job)
    except FaceRecError as error:
        said = {"error": type(error).__name__, "message": str(error)}
    answer.write_text(json.dumps(said), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
