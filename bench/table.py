"""The results as a table of Markdown: medians, least and most, ratios."""
import glob
import json
import os
import platform
import re
import statistics
import textwrap

from figures import FIGURES
from peers import nginx

ENOUGH = 0.95  # of the rate that was asked, for a latency at that rate
ORDER = ['paperboy', 'nchan', 'floor', 'kernel', 'uws', 'ws', 'socketio']


def read(bench, row):
    """The results of a row by peer."""
    results = {}
    path = f'{bench.out}/{row.name}.jsonl'
    if os.path.exists(path):
        with open(path) as file:
            for line in file:
                result = json.loads(line)
                results.setdefault(result['peer'], []).append(result)
    return results


def values(figure, results):
    """Of a peer's results; none of those that have no such figure."""
    found = []
    for result in results:
        try:
            if 'failure' not in result:
                found.append(figure.of(result))
        except (KeyError, ZeroDivisionError):
            pass
    return found


def brief(row, result):
    if 'failure' in result:
        return 'failed: ' + result['failure']
    parts = []
    for name in row.targets:
        got = values(FIGURES[name], [result])
        parts += [f'{FIGURES[name].text(value)} {FIGURES[name].title}'
                  for value in got]
    return ', '.join(parts + faults(row, result))


def faults(row, result):
    """What wasn't as it should be."""
    if 'failure' in result:
        said = plain(' '.join(result['failure'].split()))
        return [f'round {result["round"]} failed: {said}']
    found = of_connections(result) + of_messages(result)
    status = result.get('status', 0)
    if status not in (0, 1) or status and not found:
        found.append(f'the load client ended with {status}')
    if reached(result) < ENOUGH:
        found.append(f'{100 * reached(result):.0f} % of the rate that was '
                     'asked')
    return found + lacking(row, result)


def of_connections(result):
    """Where a client says how many there were to be, and how many were."""
    found = []
    opened = result.get('open')
    if opened is not None and opened < result.get('connections', opened):
        found.append(f'{opened:,} of {result["connections"]:,} connections '
                     'opened')
    if opened is not None and result.get('open_after', opened) < opened:
        found.append(f'{result["open_after"]:,} of {opened:,} connections '
                     'stayed')
    return found + [f'{name} {result[name]}' for name in
                    ('failed', 'closed_by_server') if result.get(name)]


def of_messages(result):
    found = [f'{name} {result[name]}' for name in
             ('missing', 'duplicates', 'reorders', 'late_first',
              'misdelivered', 'damaged', 'protocol_errors', 'publish_errors')
             if result.get(name)]
    if result.get('completeness', 1) < 1:
        found.append(f'{100 * result["completeness"]:.2f} % complete')
    return found


def lacking(row, result):
    """Figures that can't be had of it. What others don't tell is no fault of
    theirs."""
    found = []
    for name in row.targets:
        try:
            FIGURES[name].of(result)
        except ZeroDivisionError:
            found.append(f'no "{FIGURES[name].title}"')
        except KeyError as missing:
            if result['peer'] == 'paperboy':
                found.append(f'no "{FIGURES[name].title}", since there is no '
                             f'"{missing.args[0]}"')
    return found


def reached(result):
    """What share of the messages a second that were to be published."""
    if not result.get('asked_per_s'):
        return 1
    if not result['publish_s']:
        return 0
    return result['published'] / result['publish_s'] / result['asked_per_s']


def cell(figure, got):
    if not got:
        return '–'
    text = figure.text(statistics.median(got))
    if len(got) > 1:
        text += f' ({figure.text(min(got))}–{figure.text(max(got))})'
    return text


def ratio(got, other):
    if not got or not other or not statistics.median(other):
        return '–'
    return f'{statistics.median(got) / statistics.median(other):.2f}'


class Group:
    """The rows of one table, and the columns that it needs."""

    def __init__(self, rows, found):
        self.rows = [row for row in rows if found[row.name]]
        self.found = found
        there = {peer for row in self.rows for peer in found[row.name]}
        self.peers = [peer for peer in ORDER if peer in there]
        self.based = any(row.base for row in self.rows)

    def lines(self):
        heads = [*self.peers, *(f': {other}' for other in self.others()),
                 'target']
        yield '| | | ' + ' | '.join(heads) + ' |'
        yield '| --- ' * (len(heads) + 2) + '|'
        for row in self.rows:
            title = row.title
            for name in row.targets:
                yield self.line(row, name, title)
                title = ''

    def others(self):
        others = ['nchan'] if 'nchan' in self.peers else []
        if {'floor', 'kernel'} & set(self.peers):
            others.append('floor')
        if 'uws' in self.peers:
            others.append('uws')
        return others + (['base'] if self.based else [])

    def line(self, row, name, title):
        figure = FIGURES[name]
        got = {peer: values(figure, self.found[row.name].get(peer, []))
               for peer in ORDER}
        got['floor'], floor = got['floor'], got['kernel'] or got['floor']
        measures = {'nchan': got['nchan'], 'floor': floor,
                    'uws': got['uws']}
        if row.base:
            measures['base'] = values(
                figure, self.found.get(row.base, {}).get('paperboy', []))
        cells = [title, figure.title,
                 *(cell(figure, got[peer]) for peer in self.peers),
                 *(ratio(got['paperboy'], measures.get(other))
                   for other in self.others()), row.targets[name]]
        return '| ' + ' | '.join(cells) + ' |'


def write(bench, rows, titles):
    found = {row.name: read(bench, row) for row in rows}
    lines = header(found, bench)
    for name, title in titles.items():
        group = Group([row for row in rows if row.group == name], found)
        if group.rows and not group.rows[0].x:
            lines += [f'## {title}', '', *group.lines(), '']
    lines += remarks(rows, found) + commands(rows, found) \
        + configurations(bench, rows, found)
    with open(bench.out + '/table.md', 'w') as file:
        file.write('\n'.join(lines) + '\n')


def header(found, bench):
    versions = {result[0]['version'] for results in found.values()
                for result in results.values()}
    return [textwrap.fill(
        f'{machine()}. {nginx.nginx_version()}; '
        + '; '.join(sorted(versions)) + '. Medians (least–most); ": nchan" is '
        'the ratio of ours to it, ": floor" to the kernel alone where that was '
        'measured, else to the bare server.', 80), '']


def remarks(rows, found):
    """What didn't arrive is said."""
    lines = []
    for row in rows:
        for peer, results in found[row.name].items():
            kinds = sorted({fault for result in results
                            for fault in faults(row, result)})
            if kinds:
                lines.append(f'- {row.name}, {peer}: ' + '; '.join(kinds))
    return ['## What was not as it should be', '', *lines, ''] if lines else []


def commands(rows, found):
    lines = ['## Commands', '', '```sh']
    for row in rows:
        results = [result for result in found[row.name].get('paperboy', [])
                   if 'failure' not in result]
        if results and not row.x:
            lines += [f'# {row.name}', plain(results[0]['command'])]
    return lines + ['```']


def configurations(bench, rows, found):
    """Of the first row that is a table's, of those who have one."""
    lines = ['', '## Configurations', '',
             'Those of the other rows stand in `conf/`, beside the results.',
             '']
    shown = len(lines)
    for peer in ORDER:
        for row in rows:
            path = f'{bench.out}/conf/{peer}-{row.name}.conf'
            if peer in found[row.name] and os.path.exists(path):
                with open(path) as file:
                    lines += ['```nginx', f'# {peer}, {row.name}',
                              *file.read().rstrip().split('\n'), '```', '']
                break
    return lines[:-1] if len(lines) > shown else []


def plain(text):
    """Without what differs from run to run, and without paths of this
    machine."""
    text = re.sub(r' --server-pids \S+', '', text)
    text = re.sub(r'127\.0\.0\.1:\d+', 'HOST:PORT', text)
    return re.sub(r'(?<![\w:/])/\S*/(?=[\w.-])', '', text)


def machine():
    with open('/proc/cpuinfo') as file:
        cpu = re.search(r'^model name\s*: (.*)', file.read(), re.M)
    control = glob.glob('/proc/sys/net/ipv4/tcp_congestion_control')
    name = ''
    if control:
        with open(control[0]) as file:
            name = f', {file.read().strip()}'
    return (f'{platform.machine()}, {os.cpu_count()} cores'
            f'{" of " + cpu[1] if cpu else ""}, Linux {platform.release()}'
            f'{name}')
