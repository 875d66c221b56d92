"""The results as a table of Markdown: medians, least and most, ratios."""
import glob
import json
import os
import platform
import re
import statistics

from figures import FIGURES
from peers import nginx

ORDER = ['paperboy', 'nchan', 'floor', 'kernel', 'ws', 'socketio']


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
    """Of a peer's results; none where it has no such figure."""
    try:
        return [figure.of(result) for result in results]
    except KeyError:
        return []


def brief(row, result):
    parts = []
    for name in row.targets:
        got = values(FIGURES[name], [result])
        parts += [f'{FIGURES[name].text(value)} {FIGURES[name].title}'
                  for value in got]
    return ', '.join(parts + faults(result))


def faults(result):
    """What wasn't as it should be."""
    found = [f'{name} {result[name]}' for name in
             ('failed', 'closed_by_server', 'missing', 'duplicates', 'reorders',
              'publish_errors') if result.get(name)]
    if result.get('completeness', 1) < 1:
        found.append(f'{100 * result["completeness"]:.2f} % complete')
    return found


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


def line(row, name, results, peers):
    figure = FIGURES[name]
    got = {peer: values(figure, results.get(peer, [])) for peer in ORDER}
    ours = got['paperboy']
    measure = got['kernel'] or got['floor']
    cells = [f'{row.title}: {figure.title}', *(cell(figure, got[peer])
                                               for peer in peers),
             ratio(ours, got['nchan']), ratio(ours, measure),
             row.targets[name]]
    return '| ' + ' | '.join(cells) + ' |'


def write(bench, rows):
    found = {row.name: read(bench, row) for row in rows}
    there = {peer for results in found.values() for peer in results}
    peers = [peer for peer in ORDER if peer in there]
    lines = header(found, bench)
    lines += ['| | ' + ' | '.join(peers)
              + ' | paperboy : nchan | paperboy : floor | target |',
              '| --- ' * (len(peers) + 4) + '|']
    for row in rows:
        if found[row.name] and not row.x:
            lines += [line(row, name, found[row.name], peers)
                      for name in row.targets]
    lines += ['', 'Median (least–most). The floor is the kernel alone where it '
              'was measured, else the bare server.', '']
    lines += remarks(rows, found) + commands(rows, found)
    with open(bench.out + '/table.md', 'w') as file:
        file.write('\n'.join(lines) + '\n')


def header(found, bench):
    versions = {result[0]['version'] for results in found.values()
                for result in results.values()}
    return [f'{machine()}. {nginx.nginx_version()}; '
            + '; '.join(sorted(versions)) + '.', '']


def remarks(rows, found):
    """What didn't arrive is said."""
    lines = []
    for row in rows:
        for peer, results in found[row.name].items():
            kinds = sorted({fault for result in results
                            for fault in faults(result)})
            if kinds:
                lines.append(f'- {row.name}, {peer}: ' + '; '.join(kinds))
    return lines + [''] if lines else []


def commands(rows, found):
    lines = ['```sh']
    for row in rows:
        results = found[row.name].get('paperboy')
        if results and not row.x:
            lines += [f'# {row.name}', plain(results[0]['command'])]
    return lines + ['```']


def plain(command):
    """Without what differs from run to run, and without this machine's paths."""
    command = re.sub(r' --server-pids \S+', '', command)
    command = re.sub(r'127\.0\.0\.1:\d+', 'HOST:PORT', command)
    return re.sub(r'(?<= )/\S*/(?=[\w.-]+( |$))', '', command)


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
