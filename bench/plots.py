"""The curves among the rows, as plots."""
import statistics

import chart
import table
from figures import FIGURES

PLOTS = [
    ('fanout', 'curve-fanout', 'deliveries',
     chart.Plot('Fan-out as fast as it goes', 'subscribers of one channel',
                'deliveries a second', log_x=True)),
    ('latency', 'curve-latency', 'p99',
     chart.Plot('Latency by rate, 1,000 subscribers', 'deliveries a second',
                'p99, milliseconds', log_x=True, log_y=True)),
    ('memory', 'curve-memory', 'growth',
     chart.Plot('Memory of idle connections',
                'connections, each with a channel of its own',
                'megabytes of the server')),
]
NAMES = {'paperboy': 'Paperboy', 'nchan': 'nchan', 'floor': 'bare server',
         'kernel': 'kernel alone', 'uws': 'uWebSockets', 'ws': 'ws',
         'socketio': 'Socket.IO'}


def write(bench, rows):
    for name, group, figure, plot in PLOTS:
        series = series_of(bench, [row for row in rows if row.group == group],
                           FIGURES[figure])
        if series:
            with open(f'{bench.out}/{name}.svg', 'w') as file:
                file.write(chart.draw(plot, series))


def series_of(bench, rows, figure):
    points = {}
    for row in rows:
        for peer, results in table.read(bench, row).items():
            # A latency at a rate that wasn't reached is none of that rate.
            got = table.values(figure, [result for result in results if
                                        table.reached(result) >= table.ENOUGH])
            if got:
                points.setdefault(peer, []).append(chart.Point(
                    row.x, statistics.median(got), min(got), max(got)))
    return [chart.Series(peer, NAMES[peer], points[peer])
            for peer in table.ORDER if peer in points]
