"""``facerec cameras``: what cameras are good for."""

from typing import TYPE_CHECKING, Annotated

import typer

from facerec.cli.console import Home, Json, emit, messages, output, stated_failures

if TYPE_CHECKING:
    from facerec.video.camera_probe import CameraProbe
    from facerec.video.opencv_source import OpenCvSource

__all__ = ["cameras"]

cameras = typer.Typer(name="cameras", help="See what cameras are good for.", no_args_is_help=True)


@cameras.callback()
def _root() -> None:
    pass


@cameras.command()
def probe(
    source: Annotated[str, typer.Argument(help="A URL, a device (0 or /dev/video0) or a film.")],
    seconds: Annotated[float, typer.Option("--seconds", min=1, max=600, help="Time to look.")] = 5,
    udp: Annotated[bool, typer.Option("--udp", help="Read RTSP over UDP instead of TCP.")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Look at a camera for some seconds and say whether its view is fit for recognition.

    Stand where people will stand. Nobody is recognised, and nothing is kept.
    """
    with stated_failures():
        from time import monotonic

        from facerec.assembly import build_analyzer
        from facerec.settings import load_settings
        from facerec.video.camera_probe import judge_camera
        from facerec.video.capture_options import CaptureOptions
        from facerec.video.opencv_source import OpenCvSource
        from facerec.video.probing import sample_camera

        settings = load_settings(home)
        analyzer = build_analyzer(settings)
        options = CaptureOptions(rtsp_transport="udp" if udp else "tcp")
        asked_s = monotonic()
        with messages.status("Looking"), OpenCvSource(source, options) as opened:
            samples = sample_camera(
                opened,
                analyzer,
                asked_s=asked_s,
                seconds=seconds,
                min_quality=settings.decision.min_quality,
            )
            found = judge_camera(samples)
            _show(opened, found, as_json)


def _show(source: "OpenCvSource", found: "CameraProbe", as_json: bool) -> None:
    """Print what was found."""
    width, height = source.resolution_wh
    if as_json:
        emit(
            {
                "camera": source.name,
                "address": source.address,
                "width": width,
                "height": height,
                "codec": source.codec or None,
                "stated_fps": round(source.fps, 2),
                "live": source.is_live,
                **{name: value for name, value in vars(found).items() if name != "flaws"},
                "flaws": {flaw.value: count for flaw, count in found.flaws},
            }
        )
        return
    faces = "none seen"
    if found.face_px is not None:
        low, middle, high = found.face_px
        faces = f"{low:.0f} to {high:.0f} px wide, {middle:.0f} in the middle"
        faces += f"; in {found.with_face} of {found.searched} frames, {found.fit_share:.0%} fit"
    blur = "not known without a face"
    if found.sharpness is not None:
        blur = f"sharpness of faces {found.sharpness:.2f} of 1"
    flaws = ", ".join(f"{flaw.value} ({count})" for flaw, count in found.flaws) or "none"
    lines = [
        f"{source.address}",
        f"picture   {width}x{height}, {source.codec or 'codec not stated'}, "
        f"{found.fps:.1f} frames a second ({source.fps:.1f} stated)",
        f"latency   first frame after {found.first_frame_s:.2f} s, "
        f"longest gap {found.longest_gap_s * 1000:.0f} ms",
        f"light     mean grey level {found.brightness:.0f} of 255",
        f"faces     {faces}",
        f"blur      {blur}",
        f"flaws     {flaws}",
        f"fitness   {found.fitness.value.replace('_', ' ')}",
        *(f"          {advice}" for advice in found.advice),
    ]
    for line in lines:
        output.print(line, markup=False, soft_wrap=True)
