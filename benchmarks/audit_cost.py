"""What the audit journal costs: an enrolment with and without it, and a decision.

    python benchmarks/audit_cost.py [--people 300]

The same work is done in turns by two homes in one process, one of which enters nothing, so that
what else the machine does falls on both alike. Medians and their ratio are printed.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from facerec.gallery.audit.event import AuditEvent, AuditKind
from facerec.gallery.gallery import Gallery
from facerec.gallery.profile import NewTemplate

SPACE = "benchmark-1"


def template(rng: np.random.Generator) -> NewTemplate:
    embedding = rng.normal(size=128).astype(np.float32)
    embedding /= np.linalg.norm(embedding)
    return NewTemplate(embedding, SPACE, 0.9, "made")


def milliseconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000


def without_journal(gallery: Gallery) -> Gallery:
    gallery.journal.append = lambda *_: None  # type: ignore[method-assign]
    return gallery


def measure(people: int, folder: Path) -> dict[str, float]:
    rng = np.random.default_rng(0)
    decision = AuditEvent(AuditKind.IDENTIFIED, outcome="identified", profile_id="p-0", score=0.7)
    taken: dict[str, list[float]] = {}
    with (
        Gallery.open(folder / "with" / "gallery.db") as journalled,
        without_journal(Gallery.open(folder / "without" / "gallery.db")) as plain,
    ):
        for number in range(people):
            one = template(rng)
            for name, gallery in (("enrol", journalled), ("enrol_plain", plain)):
                enrol = partial(gallery.enrol, "P", [one], profile_id=f"p-{number}")
                taken.setdefault(name, []).append(milliseconds(enrol))
        for _ in range(people):
            search = milliseconds(partial(plain.search, one.embedding, embedding_space=SPACE))
            taken.setdefault("search", []).append(search)
            queued = milliseconds(lambda: journalled.record(decision))
            taken.setdefault("decision_queued", []).append(queued)
            now = milliseconds(lambda: journalled.record_now(decision))
            taken.setdefault("decision_on_disk", []).append(now)
        batch = milliseconds(lambda: journalled.record_now(*[decision] * 10_000)) / 10_000
        journalled.journal.flush()
        entries = journalled.journal.last_number
        verify = milliseconds(journalled.journal.verify) / entries
    found = {f"{name}_ms": statistics.median(times) for name, times in taken.items()}
    pairs = zip(taken["enrol"], taken["enrol_plain"], strict=True)
    found["enrol_ratio"] = statistics.median(a / b for a, b in pairs)
    found["entry_in_batch_ms"] = batch
    found["verify_an_entry_ms"] = verify
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=300)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(arguments.people, Path(folder))
    print(json.dumps({name: round(value, 4) for name, value in found.items()}, indent=1))


if __name__ == "__main__":
    main()
