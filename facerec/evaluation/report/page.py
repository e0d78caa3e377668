"""A report as one self-contained HTML page that also prints well."""

import base64
from html import escape

from facerec.evaluation.report.content import Figure, PicturePair, Report, Section, Table

__all__ = ["report_page"]

STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.55 system-ui, "Liberation Sans", Arial, sans-serif; color: #1c2430;
  max-width: 60rem; margin: 2.5rem auto; padding: 0 1.25rem; background: #fff; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .6rem; }
h2 { font-size: 1.25rem; margin: 2.4rem 0 .6rem; padding-bottom: .25rem;
  border-bottom: 1px solid #d5dbe3; }
.summary { font-size: 1.1rem; }
.warnings { border-left: 4px solid #b3261e; background: #fdf1f0; padding: .6rem 1rem;
  margin: 1.2rem 0; }
.warnings h2 { border: 0; margin: 0; padding: 0; color: #8c1d18; }
table { border-collapse: collapse; width: 100%; margin: .8rem 0 1.4rem; font-size: .93rem; }
caption { text-align: left; color: #4d5a6b; padding-bottom: .35rem; }
th, td { text-align: left; padding: .3rem .7rem .3rem 0; border-bottom: 1px solid #e6eaef;
  vertical-align: top; font-variant-numeric: tabular-nums; overflow-wrap: break-word; }
th { font-weight: 600; }
figure { margin: 1rem 0 1.6rem; break-inside: avoid; }
figure img { width: 100%; max-width: 44rem; height: auto; }
figcaption { color: #4d5a6b; font-size: .93rem; overflow-wrap: anywhere; }
.pairs { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 1rem; }
.pairs figure { margin: 0; }
.pairs img { width: 49%; }
footer { margin-top: 3rem; color: #4d5a6b; font-size: .9rem; }
@media print {
  body { margin: 0; max-width: none; font-size: 10.5pt; }
  h2 { break-after: avoid; }
  table, .warnings { break-inside: avoid; }
  figure img { max-width: 15cm; }
  .pairs { grid-template-columns: repeat(3, 1fr); }
}
@page { margin: 18mm; }
"""


def report_page(report: Report) -> str:
    """Return the HTML of a report: no script, no file beside it, nothing fetched."""
    body = "\n".join(_section(section) for section in report.sections)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(report.title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{escape(report.title)}</h1>\n"
        f'<p class="summary">{escape(report.summary)}</p>\n'
        f"{_warnings(report.warnings)}{body}\n</body>\n</html>\n"
    )


def _warnings(warnings: tuple[str, ...]) -> str:
    if not warnings:
        return ""
    items = "".join(f"<li>{escape(warning)}</li>" for warning in warnings)
    return f'<div class="warnings"><h2>Read this first</h2><ul>{items}</ul></div>\n'


def _section(section: Section) -> str:
    parts = [f"<section>\n<h2>{escape(section.heading)}</h2>"]
    parts += [f"<p>{escape(text)}</p>" for text in section.paragraphs]
    parts += [_table(table) for table in section.tables]
    parts += [_figure(figure) for figure in section.figures]
    if section.picture_pairs:
        pairs = "\n".join(_pair(pair) for pair in section.picture_pairs)
        parts.append(f'<div class="pairs">\n{pairs}\n</div>')
    return "\n".join([*parts, "</section>"])


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in table.header)
    rows = "\n".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows
    )
    return (
        f"<table>\n<caption>{escape(table.caption)}</caption>\n"
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>"
    )


def _figure(figure: Figure) -> str:
    return (
        f'<figure><img alt="{escape(figure.caption)}" src="{_inline(figure.png)}">'
        f"<figcaption>{escape(figure.caption)}</figcaption></figure>"
    )


def _pair(pair: PicturePair) -> str:
    images = "".join(f'<img alt="" src="{_inline(png)}">' for png in pair.pngs)
    return f"<figure>{images}<figcaption>{escape(pair.caption)}</figcaption></figure>"


def _inline(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
