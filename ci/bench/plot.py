#   This Source Code Form is subject to the terms of the Mozilla Public
#   License, v. 2.0. If a copy of the MPL was not distributed with this
#   file, You can obtain one at http://mozilla.org/MPL/2.0/.
"""Figures as a drawing: bars for ratios, lines for what grows with size."""

import math
import xml.etree.ElementTree as tree

WIDTH, BAR, CHART = 900, 22, 260
COLORS = ["#1b6ca8", "#c8553d", "#588157", "#8d6a9f", "#b08900", "#444444"]


def text(parent, x, y, words, **more):
    node = tree.SubElement(parent, "text", {"x": f"{x:.1f}", "y": f"{y:.1f}", **more})
    node.text = words


def bars(parent, rows, top):
    """Ratios with their spread, as parts of what is wanted: they differ by a factor of twenty."""
    rows = [row for row in rows if "want" in row]
    if not rows:
        return top
    left, width = 380, 420
    most = max(max(max(row["ratios"]) / row["want"] for row in rows), 1.2)
    for row in rows:
        def at(ratio, want=row["want"]):
            return left + width * ratio / want / most
        text(parent, left - 8, top + 15, row["what"], **{"text-anchor": "end"})
        tree.SubElement(parent, "rect", {
            "x": str(left), "y": str(top + 3), "width": f"{at(row['ratio']) - left:.1f}",
            "height": str(BAR - 6), "fill": COLORS[0]})
        tree.SubElement(parent, "path", {
            "d": f"M{at(min(row['ratios'])):.1f},{top + 11}H{at(max(row['ratios'])):.1f}",
            "stroke": "#111", "stroke-width": "2"})
        tree.SubElement(parent, "path", {
            "d": f"M{at(row['want']):.1f},{top}v{BAR}", "stroke": COLORS[1],
            "stroke-width": "2", "stroke-dasharray": "3 2"})
        text(parent, left + width + 8, top + 15, f"{row['ratio']:.2f} of {row['want']:g}")
        top += BAR
    text(parent, left, top + 16, "median, spread (black), what is wanted (dashed)")
    return top + 40


def lines(parent, series, top, title):
    """Each series over a logarithmic axis of size."""
    if not series:
        return top
    left, width = 80, 560
    xs = [x for points in series.values() for x, _ in points]
    high = max(y for points in series.values() for _, y in points) * 1.1
    low_x, high_x = math.log10(min(xs)), math.log10(max(xs))

    def place(x, y):
        across = (math.log10(x) - low_x) / ((high_x - low_x) or 1)
        return left + width * across, top + CHART - (CHART - 30) * y / high

    text(parent, left, top + 14, title, **{"font-weight": "bold"})
    for part in range(5):
        value = high * part / 4
        y = place(min(xs), value)[1]
        tree.SubElement(parent, "path", {"d": f"M{left},{y:.1f}h{width}", "stroke": "#ccc"})
        text(parent, left - 6, y + 4, f"{value:.3g}", **{"text-anchor": "end"})
    for x in sorted(set(xs)):
        text(parent, place(x, 0)[0], top + CHART + 16, f"{x:,}", **{"text-anchor": "middle"})
    for number, (name, points) in enumerate(series.items()):
        color = COLORS[number % len(COLORS)]
        tree.SubElement(parent, "polyline", {
            "points": " ".join("%.1f,%.1f" % place(x, y) for x, y in points),
            "fill": "none", "stroke": color, "stroke-width": "2"})
        text(parent, left + width + 12, top + 40 + 18 * number, name, fill=color)
    return top + CHART + 40


def svg(rows, series):
    root = tree.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "font-size": "12",
                                "font-family": "sans-serif"})
    back = tree.SubElement(root, "rect", {"width": "100%", "height": "100%", "fill": "white"})
    back.tail = "\n"
    bottom = bars(root, rows, 20)
    recovery = {name: points for name, points in series.items() if name.startswith("recovery")}
    sizes = {name: points for name, points in series.items() if name not in recovery}
    bottom = lines(root, sizes, bottom, "processor time of the broker a round trip, in us, "
                   "against the number of peers")
    bottom = lines(root, recovery, bottom, "seconds from start to first dispatch, against "
                   "requests on disk")
    root.set("viewBox", f"0 0 {WIDTH} {bottom}")
    root.set("width", str(WIDTH))
    root.set("height", str(bottom))
    return tree.tostring(root, encoding="unicode") + "\n"
