"""What a report page is made of."""

from dataclasses import dataclass, field

__all__ = ["Figure", "PicturePair", "Report", "Section", "Table"]


@dataclass(frozen=True)
class Figure:
    """A plot.

    Attributes:
        name: File name without ending.
        png: The picture.
        caption: What it shows, and what to see in it.
    """

    name: str
    png: bytes
    caption: str


@dataclass(frozen=True)
class Table:
    """A table of text.

    Attributes:
        caption: What it shows.
        header: Column headings.
        rows: Cells.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class PicturePair:
    """Two aligned faces of a comparison that went wrong.

    Attributes:
        pngs: Both pictures.
        caption: Whose they are said to be, and the score.
    """

    pngs: tuple[bytes, bytes]
    caption: str


@dataclass(frozen=True)
class Section:
    """A part of the page, in the order: text, tables, figures, picture pairs."""

    heading: str
    paragraphs: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()
    picture_pairs: tuple[PicturePair, ...] = ()


@dataclass(frozen=True)
class Report:
    """A page.

    Attributes:
        title: What was tested.
        summary: The answer in a sentence or two.
        warnings: What makes the figures doubtful or bad news; shown before everything else.
        sections: The rest.
    """

    title: str
    summary: str
    warnings: tuple[str, ...] = ()
    sections: tuple[Section, ...] = field(default_factory=tuple)
