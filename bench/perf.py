"""perf, the program: whether it can be had, what it samples by, and how. What
it writes is large, and not left behind."""
import os
import signal
import subprocess

import samples
from peers import server

FREQUENCY = 997  # a second of a processor's time; not in step with other timers
STACK = 8192  # bytes of it are kept, to see who called


def event(directory):
    """What it can sample by here, having seen that it can."""
    try:
        said = subprocess.run(['perf', 'stat', '-x,', '-e', 'cycles', 'true'],
                              capture_output=True, text=True).stderr
    except OSError:
        raise SystemExit('perf: there is none; Debian has it in linux-perf')
    found = 'cycles' if said[:1].isdigit() else 'cpu-clock'
    data = os.path.join(directory, 'perf.data')
    try:
        said = subprocess.run(
            record(found, data) + ['dd', 'if=/dev/zero', 'of=/dev/null',
                                   'bs=1M', 'count=1000'],
            capture_output=True, text=True).stderr.strip()
        chains = script(data)
    finally:
        remove(data)
    if not any(samples.is_kernel(file) and function != '[unknown]'
               for chain in chains for function, file in chain):
        raise SystemExit('perf: sees nothing of the kernel; it needs root, or '
                         'kernel.perf_event_paranoid=1 and kernel.kptr_restrict'
                         f'=0 {said}')
    return found


def record(event, data):
    """Words, behind which it is said of what."""
    return ['perf', 'record', '-q', '-k', 'mono', '-e', event, '-F',
            str(FREQUENCY), '--call-graph', f'dwarf,{STACK}', '-o', data]


def script(data, begin=0, end=10**9):
    """The samples between two readings of the monotonic clock."""
    said = subprocess.run(
        ['perf', 'script', '-i', data, '--no-inline', '--time',
         f'{begin:.6f},{end:.6f}', '-F', 'time,ip,sym,dso'],
        capture_output=True, text=True, errors='replace').stdout
    return list(samples.read(said.splitlines()))


def remove(data):
    """Those that were there before it was written anew, too."""
    for path in (data, data + '.old'):
        if os.path.exists(path):
            os.unlink(path)


class Recording:
    """Of processes: has begun when it is entered, and goes on until stop(), or
    until it is left; then its file is gone."""

    def __init__(self, event, data, pids):
        self.event = event
        self.data = data
        self.pids = pids
        self.process = None
        self.complaint = None  # until it has ended

    def __enter__(self):
        remove(self.data)
        try:
            self.start()
            return self
        except BaseException:
            self.__exit__()
            raise

    def start(self):
        commands, self.command = os.pipe()
        self.answer, answers = os.pipe()
        self.process = subprocess.Popen(
            record(self.event, self.data) + [
                '-D', '-1', '--control', f'fd:{commands},{answers}', '-p',
                ','.join(map(str, self.pids))], pass_fds=(commands, answers),
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            preexec_fn=server.end_with_parent)
        os.close(commands)
        os.close(answers)
        try:
            os.write(self.command, b'enable\n')
            os.read(self.answer, 16)  # nothing, where it could not begin
        except BrokenPipeError:
            pass

    def stop(self):
        """Gives what it complained of."""
        if self.complaint is None:
            self.process.send_signal(signal.SIGINT)
            self.complaint = self.process.communicate()[1].strip()
            os.close(self.command)  # were it closed before, it would give up
            os.close(self.answer)
        return self.complaint

    def __exit__(self, *_):
        try:
            if self.process:
                self.stop()
        finally:
            remove(self.data)

    def samples(self, begin, end):
        return script(self.data, begin, end)
