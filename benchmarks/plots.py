"""A plot of a section, with a panel for each kind of figure, and a bar with an error line for each contender."""

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

from benchmarks import results

OURS_COLOUR, PEER_COLOUR = "#1f6f5c", "#a9b4b0"
PANEL_WIDTH, BAR_HEIGHT, PANELS_MAX = 4.2, 0.42, 4


def draw(section: results.Section, path: Path) -> None:
    """Write a bar chart of the figures that have the unit of the section's first one, in at most PANELS_MAX panels.

    If the section has no figures, write nothing. The first contender must be the project.
    """
    if not section.figures:
        return
    unit = section.figures[0].unit
    titles = list(dict.fromkeys(figure.what for figure in section.figures if figure.unit == unit))[
        :PANELS_MAX
    ]
    ours = section.figures[0].contender
    count = len(dict.fromkeys(figure.contender for figure in section.figures))
    size = (PANEL_WIDTH * len(titles) + 1, BAR_HEIGHT * count + 1.4)
    drawing, panels = plt.subplots(1, len(titles), figsize=size, squeeze=False, layout="constrained")
    for panel, title in zip(panels[0], titles, strict=True):
        figures = [f for f in section.figures if (f.what, f.unit) == (title, unit)][::-1]
        names = [figure.contender for figure in figures]
        medians = [figure.median for figure in figures]
        spread = [[f.median - f.low for f in figures], [f.high - f.median for f in figures]]
        colours = [OURS_COLOUR if name == ours else PEER_COLOUR for name in names]
        bars = panel.barh(names, medians, xerr=spread, color=colours, error_kw={"ecolor": "#555", "lw": 1})
        panel.bar_label(bars, [f"{median:,.4g}" for median in medians], padding=6, fontsize=8)
        panel.set_title(title, fontsize=10)
        panel.set_xlabel(unit, fontsize=8)
        panel.margins(x=0.25)
        panel.tick_params(labelsize=8)
        panel.spines[["top", "right"]].set_visible(False)
    for panel in panels[0][1:]:
        panel.set_yticklabels([])
    drawing.suptitle(section.title, fontsize=11)
    drawing.savefig(path, dpi=110)
    plt.close(drawing)
