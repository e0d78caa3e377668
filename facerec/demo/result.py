"""What comes of a demo."""

from dataclasses import dataclass

from facerec.demo.check import Check
from facerec.demo.folder import DemoFolder

__all__ = ["DemoResult"]


@dataclass(frozen=True)
class DemoResult:
    """What came of a demo.

    Attributes:
        checks: What was expected and what came, in order.
        folder: Where the files lie.
        remarks: What to know about the people.
        seconds: How long it took.
    """

    checks: tuple[Check, ...]
    folder: DemoFolder
    remarks: str
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether every answer was the right one."""
        return all(check.passed for check in self.checks)
