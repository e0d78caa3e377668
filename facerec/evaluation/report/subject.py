"""What was tested, on what, and what could not be acquired."""

from dataclasses import dataclass
from typing import Any

from facerec.evaluation.pictures.face_table import Acquisition, FaceTable
from facerec.evaluation.report.content import Section, Table
from facerec.evaluation.report.environment import Environment

__all__ = ["Failures", "TestedSystem", "failures_of", "setting_sections"]


@dataclass(frozen=True)
class TestedSystem:
    """The networks and settings under test.

    Attributes:
        detector: Name of the detector.
        embedder: Name of the embedder; "" where only detection is tested.
        embedding_space: Id of the space of its embeddings; "" likewise.
        settings: Further settings that the result depends on, name and value.
        data: Name of the data, the last two parts of its folder.
    """

    __test__ = False  # the name begins as pytest's classes do

    detector: str
    embedder: str
    embedding_space: str
    settings: tuple[tuple[str, str], ...]
    data: str


@dataclass(frozen=True)
class Failures:
    """Pictures that gave no template (failures to acquire, FTA).

    Attributes:
        pictures: All pictures, missing ones included.
        no_face: No face was found.
        unreadable: Not a picture that can be taken.
        missing: Named by the protocol but not in the folder.
        several_faces: Pictures that show more than one face; counted, not failed.
    """

    pictures: int
    no_face: int
    unreadable: int
    missing: int
    several_faces: int

    @property
    def fta(self) -> float:
        """Failure-to-acquire rate."""
        return (self.no_face + self.unreadable + self.missing) / max(self.pictures, 1)

    def record(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "pictures": self.pictures,
            "no_face": self.no_face,
            "unreadable": self.unreadable,
            "missing": self.missing,
            "several_faces": self.several_faces,
        }


def failures_of(table: FaceTable, missing: int = 0) -> Failures:
    """Count the failures of a table of faces."""
    return Failures(
        len(table) + missing,
        table.count(Acquisition.NO_FACE),
        table.count(Acquisition.UNREADABLE),
        missing,
        int((table.faces_found > 1).sum()),
    )


def setting_sections(
    system: TestedSystem, environment: Environment, limits: tuple[str, ...]
) -> tuple[Section, ...]:
    """Return the parts of a page on the system, the machine, and the limits of the figures."""
    named = [
        ("Detector", system.detector),
        ("Embedder", system.embedder),
        ("Embedding space", system.embedding_space),
        ("Data", system.data),
        *system.settings,
    ]
    machine = [
        ("Measured", environment.measured_at),
        ("Processor", f"{environment.processor}, {environment.cores} core(s)"),
        ("System", f"{environment.system}, Python {environment.python}"),
        ("Packages", ", ".join(f"{name} {number}" for name, number in environment.packages)),
    ]
    rows = tuple((name, value) for name, value in [*named, *machine] if value)
    return (
        Section("What was tested, and with what", tables=(Table("", ("", ""), rows),)),
        Section("Limits of these figures", paragraphs=limits),
    )
