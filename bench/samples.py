"""What a sample of perf's belongs to: the rules, and the counting.

A sample is the functions that were under way, the innermost first, each with
the file that it is in; perf script writes them. The first rule that fits
decides; what none fits is counted as unknown.
"""
import collections
import functools
import re

COLUMNS = ('out', 'in', 'acks', 'wake', 'other', 'nginx', 'ours', 'libraries',
           'unknown')

# The kernel's samples, as the system call's name and the functions from the
# outermost to the innermost, with > behind each: "sendto>do_syscall_64>tcp_>".
KERNEL = (
    ('other', 'An interrupt that came in between: a timer, or a device.',
     r'>(asm_)?(sysvec_\w+|common_interrupt)>|>el\d\w*_(irq\w*|interrupt)>'),
    ('other', 'A page that is touched for the first time.',
     r'>(asm_)?exc_page_fault>|>do_page_fault>|>el\d_(da|ia|abort)>'),
    ('wake', 'Who waits for a socket is told, and woken; mostly the client.',
     r'>(sock_def_readable|ep_poll_callback|try_to_wake_up|__wake_up\w*)>'),
    ('acks', 'The receiving half of TCP, on loopback on this processor too, '
     'sends an acknowledgement, or the sending half takes it.',
     r'>tcp_v[46]_(do_)?rcv>(.*>)?(tcp_ack|\w*tcp_send_ack[\w.]*'
     r'|__tcp_transmit_skb)>'),
    ('acks', 'The same, put off because the socket was in use.',
     r'>__release_sock>'),
    ('acks', 'A reader tells that it has room again.', r'>tcp_cleanup_rbuf>'),
    ('in', 'What the receiving machine would do: its IP, its TCP, and to free '
     'what was sent.',
     r'>\w*do_softirq[\w.]*>|>handle_softirqs>|>net_rx_action>'),
    ('out', 'A call that sends: the call itself, TCP, IP, the copy.',
     r'^(sendto|sendmsg|sendmmsg|sendfile64|write|writev)>'),
    ('out', 'Another call that lets go what was held: a socket is uncorked, or '
     'closed.', r'>(__tcp_transmit_skb|tcp_write_xmit)>'),
    ('other', 'All other calls.', r'^\w+>'),
    ('other', 'The way into the kernel and back.',
     r'^>(entry_SYS\w*|do_syscall_64|x64_sys_call|syscall_\w+|srso_\w+'
     r'|__x86_\w*thunk\w*|el0t_64_sync\w*|el0_svc\w*)>'),
)

# The name of a call, in a function's name.
CALLS = (
    (r'__(?:x64|arm64|se|do)_sys_(\w+)', None),
    (r'(?:do|vfs)_writev', 'writev'),
    (r'(?:ksys|vfs)_(read|write)', None),
)

# Samples in user space, by the innermost file that is somebody's.
USER = (
    ('ours', 'The module; of another server, its own part.',
     r'ngx_http_paperboy_module\.so|load_server|ngx_nchan_module\.so|server'),
    ('nginx', 'nginx itself.', r'nginx'),
    ('libraries', "OpenSSL, jansson, and the like.",
     r'lib(crypto|ssl|jansson|hiredis|z|pcre2?-8|pcre2?|jwt)\.so[.\d]*'),
)

# Files that work for whoever called: the file behind them decides.
CALLED = r'(libc|libm|libstdc\+\+|libgcc_s|ld-linux[\w-]*)\.so[.\d]*|\[vdso\]'


def read(lines):
    """The samples in what `perf script -F time,ip,sym,dso` writes, each a tuple
    of (function, file), the innermost first."""
    chain = []
    for line in lines:
        frame = re.match(r'\s*[0-9a-f]+ (.*) \((.*)\)$', line.rstrip('\n'))
        if frame:
            chain.append((short(frame[1]), frame[2].rsplit('/', 1)[-1]))
        elif chain:
            yield tuple(chain)
            chain = []
    if chain:
        yield tuple(chain)


@functools.lru_cache(maxsize=None)
def short(function):
    """Without namespaces that say nothing, without parameters."""
    function = function.replace('(anonymous namespace)::', '') \
        .replace('paperboy::', '')
    while True:
        less = re.sub(r'<[^<>]*>', '', function)
        if less == function:
            break
        function = less
    return re.sub(r'\(.*', '', function) or '[unknown]'


def is_kernel(file):
    return file.startswith('[') and file not in ('[vdso]', '[unknown]')


def call(names):
    """The system call that these functions, the outermost first, serve."""
    for name in names:
        for pattern, called in CALLS:
            found = re.fullmatch(pattern, name)
            if found:
                return called or found[1]
    return ''


@functools.lru_cache(maxsize=None)
def place(chain):
    """The column of a sample, and the system call that it is in, or ''."""
    if not is_kernel(chain[0][1]):
        return place_of_user(chain), ''
    names = [name for name, file in reversed(chain) if is_kernel(file)]
    name = call(names)
    text = name + '>' + ''.join(function + '>' for function in names)
    for column, _, pattern in KERNEL:
        if re.search(pattern, text):
            return column, name
    return 'unknown', name


def place_of_user(chain):
    for _, file in chain:
        column = owner(file)
        if column or not re.fullmatch(CALLED, file):
            return column or 'unknown'
    return 'unknown'


@functools.lru_cache(maxsize=None)
def owner(file):
    """Whose column a file is in, or None."""
    for column, _, pattern in USER:
        if re.fullmatch(pattern, file):
            return column
    return None


class Profile:
    """Samples, counted: by column, by call, by function."""

    def __init__(self, chains):
        self.samples = 0
        self.columns = collections.Counter()
        self.calls = collections.Counter()
        self.functions = collections.Counter()  # they themselves
        self.callers = collections.Counter()  # ours, with all that they call
        for chain in chains:
            self.add(chain)

    def add(self, chain):
        column, name = place(chain)
        self.samples += 1
        self.columns[column] += 1
        if name:
            self.calls[name] += 1
        self.functions[f'{column}: {chain[0][0]}'] += 1
        self.callers.update({
            function for function, file in chain
            if function != '[unknown]' and owner(file) == 'ours'})

    def shares(self):
        """All of them, in per cent."""
        return {name: self.percent(getattr(self, name))
                for name in ('columns', 'calls', 'functions', 'callers')}

    def percent(self, counter):
        return {key: round(100 * number / self.samples, 2)
                for key, number in counter.most_common()}
