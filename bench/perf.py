"""perf, the program: whether it can be had, what it samples by, and how."""
import os
import signal
import subprocess

import samples

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
    recording = Recording(
        found, os.path.join(directory, 'perf.data'),
        ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=1M', 'count=1000'])
    said = recording.end()
    if not any(samples.is_kernel(file) and function != '[unknown]'
               for chain in recording.samples() for function, file in chain):
        raise SystemExit('perf: sees nothing of the kernel; it needs root, or '
                         'kernel.perf_event_paranoid=1 and kernel.kptr_restrict'
                         f'=0 {said}')
    return found


class Recording:
    """Begins at once: of processes, as ['-p', '1,2'], or of a command."""

    def __init__(self, event, data, words):
        self.data = data
        self.process = subprocess.Popen(
            ['perf', 'record', '-q', '-k', 'mono', '-e', event, '-F',
             str(FREQUENCY), '--call-graph', f'dwarf,{STACK}', '-o', data,
             *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True)

    def stop(self):
        self.process.send_signal(signal.SIGINT)

    def end(self):
        """Waits for it, and gives what it complained of."""
        return self.process.communicate()[1].strip()

    def samples(self, begin=0, end=10**9):
        """Between two readings of the monotonic clock. They are had once."""
        script = subprocess.run(
            ['perf', 'script', '-i', self.data, '--no-inline', '--time',
             f'{begin:.6f},{end:.6f}', '-F', 'time,ip,sym,dso'],
            capture_output=True, text=True, errors='replace').stdout
        if os.path.exists(self.data):
            os.unlink(self.data)
        return list(samples.read(script.splitlines()))
