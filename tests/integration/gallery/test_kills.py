"""Killed at any instant, a writer loses nothing acknowledged; truth, index and journal agree."""

import multiprocessing
import os
import random
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import pytest

from facerec.errors import ProfileNotFoundError
from facerec.gallery.gallery import Gallery
from facerec.gallery.index.reading import read_changes
from facerec.gallery.profile import ProfileState
from tests.integration.gallery.test_gallery import SPACE, template, unit

PRELOAD = ["facerec.gallery.gallery", "tests.integration.gallery.test_gallery", __name__]


def write_for_ever(path: Path, journal: Path, seed: int) -> None:
    """Change the gallery at random; note each change before it is made and when it is done."""
    rng = random.Random(seed)
    with Gallery.open(path, snapshot_every=3) as gallery:
        out = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        known = [profile.profile_id for profile in gallery.list()]
        for number in range(100_000):
            action = rng.choice(["enrol", "enrol", "add", "suspend", "activate", "erase", "search"])
            who = f"n{seed}-{number}" if action == "enrol" else rng.choice([*known, "nobody"])
            os.write(out, f"begin {action} {who}\n".encode())
            if not do(gallery, action, who, number):
                action = "search"
            known += [who] if action == "enrol" else []
            known = [name for name in known if action != "erase" or name != who]
            os.write(out, f"done {action} {who}\n".encode())


def do(gallery: Gallery, action: str, who: str, number: int) -> bool:
    """Make one change; return whether it was one."""
    try:
        if action == "enrol":
            gallery.enrol("N", [template(number)], profile_id=who)
        elif action == "add":
            gallery.add_templates(who, [template(number)])
        elif action == "erase":
            gallery.life_cycle.erase(who)
        elif action == "search":
            gallery.search(unit(1), embedding_space=SPACE)
        else:
            suspended = action == "suspend"
            state = ProfileState.SUSPENDED if suspended else ProfileState.ACTIVE
            gallery.set_state(who, state)
    except ProfileNotFoundError:
        return False
    return action != "search"


State = dict[str, tuple[bool, int]]
"""Id of each person -> whether active, number of templates."""


def after(state: State, action: str, who: str) -> State:
    """Return what a plain model of the gallery holds after a change."""
    if action == "enrol":
        return state | {who: (True, 1)}
    if who not in state:
        return state
    active, templates = state[who]
    changed = {
        "add": (active, templates + 1),
        "suspend": (False, templates),
        "activate": (True, templates),
    }
    if action == "erase":
        return {name: held for name, held in state.items() if name != who}
    return state | {who: changed.get(action, state[who])}


def check(path: Path, possible: list[State]) -> State:
    """Open what the killed process left: one of the possible states, and an index that agrees."""
    with Gallery.open(path, snapshot_every=1_000_000) as gallery:
        stored = {
            profile.profile_id: (profile.state is ProfileState.ACTIVE, profile.templates)
            for profile in gallery.list()
        }
        assert stored in possible
        active = sorted(who for who, (is_active, _) in stored.items() if is_active)
        found = gallery.search(unit(1), embedding_space=SPACE, k=100_000)
        assert sorted(found.profile_ids) == active
        index = gallery._keeper.current().state().rows
        with gallery._database.reading() as connection:
            truth = read_changes(connection, gallery._database.vault, 0, "", "9").rows
        assert sorted(index) == sorted(truth)
        for space, rows in truth.items():
            both = [(r.profile_ids.tolist(), r.embeddings.tolist()) for r in (index[space], rows)]
            first, second = (sorted(zip(*pair, strict=True)) for pair in both)
            assert first == second
        check_journal(gallery)
        return stored


def check_journal(gallery: Gallery) -> None:
    """Hold that each change has its entry and each entry its change, in one unbroken chain."""
    made = [entry.event.revision for entry in gallery.journal.read(limit=1_000_000)]
    assert [revision for revision in made if revision] == list(range(2, gallery.revision + 1))
    assert gallery.journal.verify().sound


def changes_made(path: Path) -> int:
    """Return how many changes the home has ever had."""
    with Gallery.open(path) as gallery:
        return gallery.revision - 1


def run_and_kill(kills: int, tmp_path: Path, seed: int) -> tuple[int, int]:
    """Return how many changes were acknowledged, and how many kills hit one half-way."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    rng = np.random.default_rng(seed)
    path, journal = tmp_path / "gallery.db", tmp_path / "journal"
    Gallery.open(path).close()
    state: State = {}
    changes = 0
    acknowledged = interrupted = 0
    for attempt in range(kills):
        journal.unlink(missing_ok=True)
        writer: BaseProcess = context.Process(
            target=write_for_ever, args=(path, journal, seed + attempt)
        )
        writer.start()
        while not journal.exists():
            assert writer.is_alive()
            time.sleep(0.001)
        time.sleep(float(rng.uniform(0, 0.3)))
        writer.kill()
        writer.join()
        lines = [line.split() for line in journal.read_text().splitlines()]
        for word, action, who in lines:
            if word == "done":
                state = after(state, action, who)
                acknowledged += 1
                changes += action != "search"
        possible = [state]
        before = changes
        if lines and lines[-1][0] == "begin":
            interrupted += 1
            changes += changes_made(path) - before
            possible.append(after(state, lines[-1][1], lines[-1][2]))
        assert changes_made(path) == changes
        assert changes - before in (0, 1)
        state = check(path, possible)
    return acknowledged, interrupted


def test_a_dozen_kills(tmp_path: Path) -> None:
    run_and_kill(12, tmp_path, seed=0)


@pytest.mark.slow
def test_two_hundred_kills(tmp_path: Path) -> None:
    acknowledged, interrupted = run_and_kill(200, tmp_path, seed=1000)
    assert acknowledged > 200
    assert interrupted > 50
