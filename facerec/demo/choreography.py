"""Who walks where in the demo's film, and what happens to light and focus."""

from dataclasses import dataclass

import numpy as np

__all__ = ["ACTORS", "DURATION_S", "FPS", "Actor", "Pose", "defocus_px", "light"]

FPS = 25
DURATION_S = 9.6


@dataclass(frozen=True)
class Mark:
    """Where an actor is at a moment: middle of the face and its height, in pixels of the stage."""

    time_s: float
    face_x_px: float
    face_height_px: float
    tilt_deg: float = 0.0


@dataclass(frozen=True)
class Pose:
    """Where an actor is now.

    Attributes:
        face_x_px: Middle of the face.
        rise_px: How far the step lifts the head.
        face_height_px: From chin to hairline.
        tilt_deg: Turn in the picture's plane, counter-clockwise.
        speed_px_s: Speed across the picture.
    """

    face_x_px: float
    rise_px: float
    face_height_px: float
    tilt_deg: float
    speed_px_s: float


@dataclass(frozen=True)
class Actor:
    """One person's way through the film.

    Attributes:
        picture: Key of the photograph that the person is cut out of.
        gain: Brightness, to make up for the photograph's own light.
        marks: Where the person is when; between marks they move smoothly.
    """

    picture: str
    gain: float
    marks: tuple[Mark, ...]

    def pose(self, time_s: float) -> Pose | None:
        """Return where the actor is; None before the first and after the last mark."""
        times = np.array([mark.time_s for mark in self.marks])
        if not times[0] <= time_s <= times[-1]:
            return None
        after = int(np.clip(np.searchsorted(times, time_s), 1, len(times) - 1))
        a, b = self.marks[after - 1], self.marks[after]
        share = (time_s - a.time_s) / (b.time_s - a.time_s)
        eased = share * share * (3 - 2 * share)  # starts and stops gently
        slope = 6 * share * (1 - share) / (b.time_s - a.time_s)
        speed = (b.face_x_px - a.face_x_px) * slope
        size = a.face_height_px + (b.face_height_px - a.face_height_px) * eased
        # Two steps a second lift the head by a twentieth of the face; a standing person only sways.
        walking = min(1.0, abs(speed) / 250)
        rise = size * (0.05 * walking * abs(np.sin(2 * np.pi * time_s)) + 0.01 * np.sin(3 * time_s))
        sway = 1.2 * np.sin(2 * np.pi * 0.55 * time_s + a.face_x_px)
        return Pose(
            face_x_px=a.face_x_px + (b.face_x_px - a.face_x_px) * eased,
            rise_px=float(rise),
            face_height_px=size,
            tilt_deg=a.tilt_deg + (b.tilt_deg - a.tilt_deg) * eased + float(sway),
            speed_px_s=speed,
        )


ACTORS: tuple[Actor, ...] = (
    Actor(
        "obama-2010",
        1.25,
        (
            Mark(0.2, -240, 124),
            Mark(1.9, 450, 150, -2),
            Mark(2.4, 470, 164, 3),
            Mark(3.2, 500, 162, -2),
            Mark(4.9, 1530, 136),
        ),
    ),
    Actor(
        "biden-2010",
        1.15,
        (
            Mark(4.3, 1520, 138),
            Mark(5.7, 930, 150, 3),
            Mark(6.8, 900, 172, -3),
            Mark(7.6, 910, 168, 2),
            Mark(8.9, 1530, 144),
        ),
    ),
    Actor(
        "collins",
        0.95,
        (
            Mark(4.9, -260, 132),
            Mark(6.3, 330, 146, -3),
            Mark(7.6, 370, 176, 4),
            Mark(8.8, 500, 190, -2),
            Mark(9.6, 540, 192, 2),
        ),
    ),
)


def light(time_s: float) -> float:
    """Return the hall's brightness: the lamps fail for a while."""
    return float(1 - 0.38 * _hump(time_s, 6.8, 7.7, 0.3))


def defocus_px(time_s: float) -> float:
    """Return the lens' blur: the camera hunts for focus twice."""
    return float(2.6 * _hump(time_s, 2.5, 2.9, 0.2) + 2.2 * _hump(time_s, 8.2, 8.5, 0.2))


def _hump(time_s: float, start_s: float, end_s: float, ramp_s: float) -> float:
    """Return 1 between start and end, 0 far from it, and straight ramps between."""
    return float(np.clip(min(time_s - start_s, end_s - time_s) / ramp_s + 1, 0, 1))
