"""Making the demo's film and watching it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from facerec.analysis.image_decoding import read_image
from facerec.decision.decision import Outcome
from facerec.demo.check import Check
from facerec.demo.choreography import ACTORS, DURATION_S, FPS, Actor
from facerec.demo.cutout import cut_out
from facerec.demo.enrolment import ENROLLEES, picture_path
from facerec.demo.film import render
from facerec.demo.folder import DemoFolder
from facerec.demo.key_frames import KeyFrame
from facerec.demo.outlines import OUTLINES
from facerec.demo.pictures import PICTURES
from facerec.demo.recording import record
from facerec.demo.stage import HEIGHT_PX, WIDTH_PX
from facerec.models.progress import Progress
from facerec.settings import Settings
from facerec.video import open_source
from facerec.video.monitor import Observation, TrackDecision
from facerec.video.video_writer import VideoWriter

__all__ = ["make_film", "watch_film"]


def make_film(folder: DemoFolder, settings: Settings, progress: Progress) -> None:
    """Write the film of people who walk through the hall."""
    progress.stage("cutting the people out of their photographs")
    limit = settings.analysis.max_image_pixels
    people = {
        key: cut_out(read_image(picture_path(folder, key), max_pixels=limit), outline)
        for key, outline in OUTLINES.items()
    }
    progress.stage("making the film")
    frames = round(DURATION_S * FPS)
    with VideoWriter(folder.film, fps=FPS, resolution_wh=(WIDTH_PX, HEIGHT_PX)) as film:
        for number, image in enumerate(render(people)):
            film.write(image)
            progress.advance(number + 1, frames)


def watch_film(
    folder: DemoFolder, settings: Settings, progress: Progress
) -> tuple[tuple[Check, ...], tuple[KeyFrame, ...]]:
    """Watch the film as ``facerec watch`` does, and hold each decision against the truth."""
    progress.stage("watching the film")
    witness = _Witness()
    total = round(DURATION_S * FPS)

    def see(observation: Observation) -> None:
        witness.see(observation)
        progress.advance(observation.frame.index + 1, total)

    with open_source(str(folder.film)) as source:
        recording = record(source, folder, settings, see=see)
    return _judged(witness.actor_of, recording.decisions), recording.key_frames


@dataclass
class _Witness:
    """Which actor each of the monitor's tracks was."""

    actor_of: dict[int, Actor] = field(default_factory=dict)

    def see(self, observation: Observation) -> None:
        """Note who stands where a new track begins."""
        for track in observation.tracks:
            if track.track_id in self.actor_of:
                continue
            middle = float(track.box_xyxy_px[0] + track.box_xyxy_px[2]) / 2
            nearest = _nearest_actor(middle, observation.frame.clock_s)
            if nearest is not None:
                self.actor_of[track.track_id] = nearest


def _nearest_actor(x_px: float, clock_s: float) -> Actor | None:
    """Return the actor whose face is nearest to a place, within a face's height of it."""
    near = [
        (abs(pose.face_x_px - x_px), actor)
        for actor in ACTORS
        if (pose := actor.pose(clock_s)) is not None
        and abs(pose.face_x_px - x_px) < pose.face_height_px
    ]
    return min(near, key=lambda entry: entry[0])[1] if near else None


def _judged(actor_of: Mapping[int, Actor], decisions: Sequence[TrackDecision]) -> tuple[Check, ...]:
    """Return one check an actor, and one for each name given to what is no actor."""
    persons = {picture.key: picture.person for picture in PICTURES}
    enrolled = {enrollee.name for enrollee in ENROLLEES}
    checks = []
    for actor in ACTORS:
        about = [decision for decision in decisions if actor_of.get(decision.track_id) is actor]
        person = persons[actor.picture]
        expected = person if person in enrolled else Outcome.UNKNOWN.value
        checks.append(_check(person, expected, about))
    ghosts = [d for d in decisions if d.track_id not in actor_of and d.name]
    checks += [_check("nobody", "nobody", [ghost]) for ghost in ghosts]
    return tuple(checks)


def _check(person: str, expected: str, decisions: Sequence[TrackDecision]) -> Check:
    """Hold the decisions about one person against the right answer; any wrong name fails."""
    answers = {_answer(decision): decision for decision in decisions}
    names = [decision.name for decision in decisions if decision.name]
    answered = next((name for name in names if name != expected), expected)
    if answered not in answers:
        answered = next(iter(answers), "not seen")
    told = answers.get(answered)
    return Check(
        step="watch",
        subject=person,
        expected=expected,
        answered=answered,
        similarity=told.verdict.decision.similarity if told else None,
        threshold=told.verdict.decision.threshold if told else None,
        seconds=told.verdict.latency_s if told else None,
    )


def _answer(decision: TrackDecision) -> str:
    return decision.name or decision.verdict.decision.outcome.value
