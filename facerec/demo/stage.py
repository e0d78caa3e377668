"""The place where the demo's film plays: an entrance hall with a gate, drawn from scratch."""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["GATE_TOP_PX", "HEIGHT_PX", "HORIZON_PX", "WIDTH_PX", "draw_gate", "draw_hall"]

WIDTH_PX, HEIGHT_PX = 1280, 720
HORIZON_PX = 270
"""Height of the camera: the eyes of whoever is as tall as it hangs are here at any distance."""
GATE_TOP_PX = 600
"""From here down the gate hides what is behind it."""

_WALL_ENDS_PX = 470
_DEPTH_BLUR_PX = 3.2

# BGR
_WALL = (196, 200, 202)
_WALL_BELOW = (168, 174, 178)
_PANEL = (182, 188, 191)
_WOOD = (92, 128, 168)
_GLASS = (214, 206, 186)
_FRAME = (92, 88, 84)
_FLOOR = (128, 134, 140)
_JOINT = (106, 112, 118)
_LAMP = (240, 250, 255)
_STEEL = (148, 142, 136)
_STEEL_EDGE = (206, 202, 198)
_DARK_STEEL = (78, 74, 70)
_GREEN_LIGHT = (120, 200, 60)


def draw_hall() -> NDArray[np.float32]:
    """Return the hall behind the gate, out of focus: float32 (HEIGHT_PX, WIDTH_PX, 3), 0..255."""
    image = np.zeros((HEIGHT_PX, WIDTH_PX, 3), np.float32)
    _draw_wall(image)
    _draw_windows(image)
    _draw_floor(image)
    _draw_lamps(image)
    soft = cv2.GaussianBlur(image, (0, 0), _DEPTH_BLUR_PX)
    return np.asarray(soft * _vignette()[..., None], np.float32)


def draw_gate() -> NDArray[np.float32]:
    """Return the gate in the foreground: float32 (HEIGHT_PX - GATE_TOP_PX, WIDTH_PX, 3), 0..255."""
    height = HEIGHT_PX - GATE_TOP_PX
    image = np.zeros((height, WIDTH_PX, 3), np.float32)
    shade = np.linspace(1.08, 0.62, height, dtype=np.float32)[:, None, None]
    image[:] = np.array(_STEEL, np.float32) * shade
    cv2.rectangle(image, (0, 0), (WIDTH_PX, 12), _STEEL_EDGE, cv2.FILLED)
    cv2.line(image, (0, 13), (WIDTH_PX, 13), _DARK_STEEL, 2)
    for x in range(160, WIDTH_PX, 320):
        cv2.line(image, (x, 14), (x, height), _DARK_STEEL, 2, cv2.LINE_AA)
        cv2.line(image, (x + 2, 14), (x + 2, height), _STEEL_EDGE, 1, cv2.LINE_AA)
    for x in (320, 960):
        cv2.rectangle(image, (x - 46, 48), (x + 46, 62), _DARK_STEEL, cv2.FILLED)
        cv2.rectangle(image, (x - 42, 52), (x + 42, 58), _GREEN_LIGHT, cv2.FILLED)
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 1.6), np.float32)


def _draw_wall(image: NDArray[np.float32]) -> None:
    """Paint a panelled wall, lighter towards the middle."""
    light = 1 + 0.10 * np.cos(np.linspace(-np.pi / 2, np.pi / 2, WIDTH_PX, dtype=np.float32))
    image[:_WALL_ENDS_PX] = np.array(_WALL, np.float32) * light[None, :, None]
    image[300:_WALL_ENDS_PX] = np.array(_WALL_BELOW, np.float32) * light[None, :, None]
    cv2.rectangle(image, (0, 292), (WIDTH_PX, 306), _WOOD, cv2.FILLED)
    for x in range(0, WIDTH_PX, 160):
        cv2.rectangle(image, (x + 18, 24), (x + 142, 270), _PANEL, 3, cv2.LINE_AA)
    cv2.rectangle(image, (560, 96), (720, _WALL_ENDS_PX), _FRAME, cv2.FILLED)
    cv2.rectangle(image, (570, 106), (637, _WALL_ENDS_PX), _GLASS, cv2.FILLED)
    cv2.rectangle(image, (643, 106), (710, _WALL_ENDS_PX), _GLASS, cv2.FILLED)


def _draw_windows(image: NDArray[np.float32]) -> None:
    """Paint two tall windows with the light of a cloudy day."""
    for left in (70, 1010):
        right = left + 200
        cv2.rectangle(image, (left - 10, 50), (right + 10, 282), _FRAME, cv2.FILLED)
        sky = np.linspace(250, 214, 216, dtype=np.float32)[:, None, None]
        image[58:274, left:right] = sky * np.array((1.0, 0.985, 0.955), np.float32)
        cv2.rectangle(image, (left, 216), (right, 274), (128, 156, 132), cv2.FILLED)
        cv2.line(image, ((left + right) // 2, 58), ((left + right) // 2, 274), _FRAME, 7)


def _draw_floor(image: NDArray[np.float32]) -> None:
    """Paint a tiled floor in perspective, with the windows' light on it."""
    depth = np.linspace(0.82, 1.05, HEIGHT_PX - _WALL_ENDS_PX, dtype=np.float32)[:, None, None]
    image[_WALL_ENDS_PX:] = np.array(_FLOOR, np.float32) * depth
    middle = WIDTH_PX // 2
    for step in range(-14, 15):
        near = (middle + step * 190, HEIGHT_PX)
        far = (middle + step * 62, _WALL_ENDS_PX)
        cv2.line(image, far, near, _JOINT, 2, cv2.LINE_AA)
    for row in range(1, 8):
        y = _WALL_ENDS_PX + round(250 * (1 - 1 / (1 + 0.28 * row)))
        cv2.line(image, (0, y), (WIDTH_PX, y), _JOINT, 2)
    glow = np.zeros(image.shape[:2], np.float32)
    for x in (170, 1110):
        cv2.ellipse(glow, (x, 520), (170, 34), 0, 0, 360, 1.0, cv2.FILLED)
    image += 34 * np.asarray(cv2.GaussianBlur(glow, (0, 0), 22), np.float32)[..., None]


def _draw_lamps(image: NDArray[np.float32]) -> None:
    """Hang lamps into the hall; their light falls on the wall behind."""
    glow = np.zeros(image.shape[:2], np.float32)
    for x in (400, 880):
        cv2.line(image, (x, 0), (x, 40), _FRAME, 3)
        cv2.ellipse(image, (x, 50), (42, 14), 0, 0, 360, _LAMP, cv2.FILLED, cv2.LINE_AA)
        cv2.circle(glow, (x, 70), 60, 1.0, cv2.FILLED)
    image += 46 * np.asarray(cv2.GaussianBlur(glow, (0, 0), 55), np.float32)[..., None]


def _vignette() -> NDArray[np.float32]:
    """Return how much light the lens lets through, (height, width), 0..1."""
    y = np.linspace(-1, 1, HEIGHT_PX, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, WIDTH_PX, dtype=np.float32)[None]
    return np.asarray(1 - 0.20 * np.minimum(1, (x**2 + y**2) / 2) ** 1.5, np.float32)
