from itertools import islice

import numpy as np
import pytest

from facerec.demo.choreography import ACTORS, DURATION_S, FPS, Actor, defocus_px, light
from facerec.demo.cutout import Cutout, Outline, cut_out
from facerec.demo.film import render
from facerec.demo.stage import GATE_TOP_PX, HEIGHT_PX, HORIZON_PX, WIDTH_PX, draw_gate, draw_hall

TIMES = np.arange(0, DURATION_S, 1 / FPS)


@pytest.mark.parametrize("actor", ACTORS, ids=lambda actor: actor.picture)
def test_actors_walk_without_jumps_and_come_and_go_out_of_sight(actor: Actor) -> None:
    poses = [pose for time in TIMES if (pose := actor.pose(float(time))) is not None]
    steps = np.diff([[p.face_x_px, p.face_height_px, p.tilt_deg, p.rise_px] for p in poses], axis=0)
    assert (np.abs(steps).max(axis=0) < (60, 3, 3, 8)).all()
    # More than a body's half width beyond the border when first seen.
    first = poses[0]
    assert first.face_x_px < -first.face_height_px or first.face_x_px > WIDTH_PX + 200


@pytest.mark.parametrize("actor", ACTORS, ids=lambda actor: actor.picture)
def test_the_speed_said_is_the_speed_walked(actor: Actor) -> None:
    time = actor.marks[0].time_s + 0.7
    before, now, after = (actor.pose(time + step) for step in (-1e-4, 0, 1e-4))
    assert before
    assert now
    assert after
    measured = (after.face_x_px - before.face_x_px) / 2e-4
    assert now.speed_px_s == pytest.approx(measured, rel=1e-3)


def test_two_people_are_in_sight_at_once_for_a_while() -> None:
    together = 0
    for time in TIMES:
        poses = [actor.pose(float(time)) for actor in ACTORS]
        seen = [p for p in poses if p and 60 < p.face_x_px < WIDTH_PX - 60]
        together += len(seen) >= 2
    assert together / FPS > 1.5


def test_light_and_focus_change() -> None:
    assert min(map(light, TIMES)) < 0.7
    assert max(map(light, TIMES)) == 1
    assert max(map(defocus_px, TIMES)) > 2
    assert min(map(defocus_px, TIMES)) == 0


def person(colour: tuple[float, float, float]) -> Cutout:
    """A tall rectangle of one colour for a person."""
    height, width = 700, 200
    matte = np.ones((height, width), np.float32)
    image = matte[..., None] * np.array(colour, np.float32)
    return Cutout(image, matte, face_xy_px=(100, 120), face_height_px=150)


def test_the_film_shows_people_where_the_choreography_says_and_always_the_same() -> None:
    people = {actor.picture: person((0, 0, 255)) for actor in ACTORS}
    first = list(islice(render(people), 60))
    again = list(islice(render(people), 60))
    np.testing.assert_array_equal(first[-1], again[-1])
    assert first[0].shape == (HEIGHT_PX, WIDTH_PX, 3)
    assert first[0].dtype == np.uint8
    pose = ACTORS[0].pose(59 / FPS)
    assert pose is not None
    frame = first[-1].astype(int)
    red = (frame[..., 2] > 180) & (frame[..., :2].max(axis=-1) < 80)
    rows, columns = np.nonzero(red)
    assert columns.mean() == pytest.approx(pose.face_x_px, abs=25)
    assert rows.min() < HORIZON_PX < rows.max() < GATE_TOP_PX, "the gate stands in front"


def test_hall_and_gate_are_pictures_of_their_sizes() -> None:
    hall = draw_hall()
    assert hall.shape == (HEIGHT_PX, WIDTH_PX, 3)
    assert 0 <= hall.min() < hall.max() < 320
    assert draw_gate().shape == (HEIGHT_PX - GATE_TOP_PX, WIDTH_PX, 3)


def test_a_cutout_follows_the_edge_in_the_pixels_and_not_the_hand_that_drew() -> None:
    """A disc of 200 px radius on another colour, outlined by a rough octagon."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:1000, :1000]
    disc = (x - 500) ** 2 + (y - 500) ** 2 < 200**2
    image = np.where(disc[..., None], (40, 60, 200), (200, 180, 60)).astype(float)
    noisy = np.clip(image + rng.normal(0, 6, image.shape), 0, 255).astype(np.uint8)
    angles = np.arange(8) / 8 * 2 * np.pi
    points = tuple((0.5 + 0.206 * np.cos(a), 0.5 + 0.206 * np.sin(a)) for a in angles)
    cut = cut_out(noisy, Outline(points, eyes_y=0.45, face_x=0.5, face_height=0.3))
    scale = cut.matte.shape[0] / 1000
    area = float(cut.matte.sum()) / scale**2
    octagon = 0.206**2 * 8 / 2 * np.sin(np.pi / 4) * 1e6
    assert abs(octagon / (np.pi * 200**2) - 1) > 0.04
    assert area / (np.pi * 200**2) == pytest.approx(1, abs=0.025)
    assert cut.face_xy_px == pytest.approx((500 * scale, 450 * scale))
    assert cut.face_height_px == pytest.approx(300 * scale)
