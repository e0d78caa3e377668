"""One thing that the demo expected, and what came."""

from dataclasses import dataclass

__all__ = ["Check"]


@dataclass(frozen=True)
class Check:
    """An expectation of the demo and the answer to it.

    Attributes:
        step: What was done, in a few words.
        subject: Whom it was about.
        expected: The right answer.
        answered: The answer that came.
        similarity: Cosine similarity that the answer rests on; None without one.
        threshold: Similarity from which it would have been a yes; None without one.
        seconds: Time to the answer; None where time says nothing.
    """

    step: str
    subject: str
    expected: str
    answered: str
    similarity: float | None
    threshold: float | None
    seconds: float | None

    @property
    def passed(self) -> bool:
        """Whether the answer is the right one."""
        return self.answered == self.expected
