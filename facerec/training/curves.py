"""The learning curves of a run as one picture; opens no window."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

__all__ = ["EpochRecord", "curves_png"]

BLUE, RED, GREY = "#1f5fa8", "#c0392b", "#8a94a3"


@dataclass(frozen=True)
class EpochRecord:
    """What came of one epoch.

    Attributes:
        epoch: From 1.
        loss: Mean over the epoch's steps.
        eer: Equal error rate on the people held out.
        tar: True accept rate on them at a false match rate of 1 %.
        learning_rate: At the end of the epoch.
        seconds: That the epoch took, evaluation included.
    """

    epoch: int
    loss: float
    eer: float
    tar: float
    learning_rate: float
    seconds: float


def curves_png(records: Sequence[EpochRecord], title: str) -> bytes:
    """Draw loss and errors over epochs.

    Args:
        records: At least one.
        title: Heads the picture.
    """
    figure = Figure(figsize=(7.6, 5.4), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True)
    epochs = [record.epoch for record in records]
    above.plot(epochs, [record.loss for record in records], color=BLUE, marker=".")
    above.set(ylabel="Loss", title=title)
    below.plot(
        epochs, [record.eer for record in records], color=RED, marker=".", label="equal error rate"
    )
    below.plot(
        epochs,
        [1 - record.tar for record in records],
        color=GREY,
        marker=".",
        label="missed at FMR 1 %",
    )
    below.axhline(0.5, color=RED, linewidth=1, linestyle=":")
    below.set(xlabel="Epoch", ylabel="Error on people never seen", ylim=(0, 1.02))
    below.xaxis.set_major_locator(MaxNLocator(integer=True))
    below.legend(frameon=False)
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color="#e3e7ec")
    written = io.BytesIO()
    figure.savefig(written, format="png", metadata={"Software": "facerec"})
    return written.getvalue()
