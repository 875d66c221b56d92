"""Draws lines with points and their spread as SVG, for light and dark pages."""
import math
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 760, 440
LEFT, RIGHT, TOP, BOTTOM = 78, 120, 56, 60

STYLE = """
.page { fill: #ffffff }
text { font: 13px system-ui, sans-serif; fill: #475569 }
.title { font-size: 16px; font-weight: 600; fill: #0f172a }
.grid { stroke: #e2e8f0 } .axis { stroke: #94a3b8 }
.line { fill: none; stroke-width: 2.5; stroke-linejoin: round }
.spread { stroke-width: 1.5; opacity: .55 }
.label { font-weight: 600 }
.paperboy { --c: #2563eb } .nchan { --c: #d97706 } .floor { --c: #64748b }
.kernel { --c: #94a3b8 } .uws { --c: #db2777 } .ws { --c: #059669 }
.socketio { --c: #9333ea }
.line, .spread { stroke: var(--c) } .dot, .label { fill: var(--c) }
@media (prefers-color-scheme: dark) {
  .page { fill: #0f172a } text { fill: #94a3b8 } .title { fill: #f1f5f9 }
  .grid { stroke: #1e293b } .axis { stroke: #475569 }
  .paperboy { --c: #60a5fa } .nchan { --c: #fbbf24 } .floor { --c: #cbd5e1 }
  .kernel { --c: #64748b } .uws { --c: #f472b6 } .ws { --c: #34d399 }
  .socketio { --c: #c084fc }
}
"""


@dataclass(frozen=True)
class Plot:
    title: str
    x: str
    y: str
    log_x: bool = False
    log_y: bool = False


@dataclass(frozen=True)
class Point:
    x: float
    y: float
    least: float
    most: float


@dataclass(frozen=True)
class Series:
    key: str
    name: str
    points: list


class Axis:
    """From values to places between two ends."""

    def __init__(self, values, log, begin, end, cover=False):
        self.log, self.begin, self.end = log, begin, end
        self.ticks = log_ticks(values, cover) if log \
            else even_ticks(max(values))
        low, high = min(values), max(values)
        if log:
            self.low = math.log10(min([low, self.ticks[0]]))
            self.high = math.log10(max([high, self.ticks[-1]]))
        else:
            self.low, self.high = 0, max(high, self.ticks[-1])

    def place(self, value):
        at = math.log10(value) if self.log else value
        share = (at - self.low) / ((self.high - self.low) or 1)
        return self.begin + share * (self.end - self.begin)


def log_ticks(values, cover):
    low = math.floor(math.log10(min(values)) + 1e-9)
    high = math.ceil(math.log10(max(values)) - 1e-9)
    factors = (1,) if high - low > 3 else (1, 3)
    ticks = [factor * 10.0 ** power for power in range(low, high + 1)
             for factor in factors]
    before = [tick for tick in ticks if tick <= min(values) * 1.001][-1:]
    after = [tick for tick in ticks if tick >= max(values) * 0.999][:1]
    inside = [tick for tick in ticks if min(values) < tick < max(values)]
    if cover or not inside:
        return sorted({*before, *inside, *after})
    return [tick for tick in ticks
            if min(values) * 0.999 <= tick <= max(values) * 1.001]


def even_ticks(most):
    """Five to nine of them, from 0 to what holds the most."""
    unit = 10.0 ** (math.floor(math.log10(most or 1)) - 1)
    step = next(unit * factor for factor in (1, 2, 5, 10, 20)
                if (most or 1) / (unit * factor) <= 8)
    return [step * i for i in range(math.ceil(most / step) + 1)]


def short(value):
    for size, letter in ((1e6, 'M'), (1e3, 'k')):
        if value >= size:
            return f'{value / size:g}{letter}'
    return f'{value:g}'


def draw(plot, series):
    points = [point for line in series for point in line.points]
    x = Axis([point.x for point in points], plot.log_x, LEFT, WIDTH - RIGHT)
    y = Axis([value for point in points for value in (point.least, point.most)],
             plot.log_y, HEIGHT - BOTTOM, TOP, cover=True)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} '
        f'{HEIGHT}" role="img" aria-label="{escape(plot.title)}">',
        f'<style>{STYLE}</style>',
        f'<rect class="page" width="{WIDTH}" height="{HEIGHT}" rx="8"/>',
        words(LEFT, 30, plot.title, 'title'), *frame(plot, x, y)]
    for line in series:
        parts += curve(line, x, y)
    parts += labels(series, y)
    return '\n'.join(parts) + '\n</svg>\n'


def words(x, y, text, kind='', anchor='start', more=''):
    return (f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" '
            f'text-anchor="{anchor}"{more}>{escape(text)}</text>')


def rule(x1, y1, x2, y2, kind):
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'class="{kind}"/>')


def frame(plot, x, y):
    parts = []
    for tick in y.ticks:
        at = y.place(tick)
        parts += [rule(LEFT, at, WIDTH - RIGHT, at, 'grid'),
                  words(LEFT - 10, at + 4, short(tick), anchor='end')]
    for tick in x.ticks:
        at = x.place(tick)
        parts += [rule(at, HEIGHT - BOTTOM, at, HEIGHT - BOTTOM + 5, 'axis'),
                  words(at, HEIGHT - BOTTOM + 21, short(tick),
                        anchor='middle')]
    middle = (LEFT + WIDTH - RIGHT) / 2
    turned = (TOP + HEIGHT - BOTTOM) / 2
    return parts + [
        rule(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, 'axis'),
        words(middle, HEIGHT - 14, plot.x, anchor='middle'),
        words(0, 0, plot.y, anchor='middle',
              more=f' transform="translate(20 {turned:.1f}) rotate(-90)"')]


def curve(line, x, y):
    places = [(x.place(point.x), y.place(point.y)) for point in line.points]
    path = ' '.join(f'{px:.1f},{py:.1f}' for px, py in places)
    parts = [f'<g class="{line.key}">',
             f'<polyline class="line" points="{path}"/>']
    for point, (px, py) in zip(line.points, places):
        parts += [rule(px, y.place(point.least), px, y.place(point.most),
                       'spread'),
                  f'<circle class="dot" cx="{px:.1f}" cy="{py:.1f}" r="4"/>']
    return parts + ['</g>']


def labels(series, y):
    """Each line's name at its end, moved apart where they would meet."""
    wanted = sorted(((y.place(line.points[-1].y), line) for line in series),
                    key=lambda pair: pair[0])
    parts, last = [], 0
    for at, line in wanted:
        at = max(at, last + 17)
        last = at
        parts.append(f'<g class="{line.key}">'
                     + words(WIDTH - RIGHT + 12, at + 4, line.name, 'label')
                     + '</g>')
    return parts
