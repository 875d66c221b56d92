# Where the time goes, in little: each sample of perf's finds its column by the
# functions that were under way, and a server's columns add up to all of it.
# Nothing is asserted of the shares themselves.
use v5.36;
use lib 't/lib';
use File::Basename qw(dirname);
use File::Temp     ();
use JSON::PP       ();
use List::Util     qw(sum0);
use Paperboy::Repo qw(slurp);
use Paperboy::Test;

my $out      = File::Temp->newdir('paperboy-XXXXXX', TMPDIR => 1);
chomp(my $python = qx{python3 -c 'import sys; print(sys.executable)'});

sub profile (@words) {
    my $said = qx{$python bench/profile @words 2>&1};
    return ($said, $? >> 8);
}

# ---- where samples belong --------------------------------------------------

my $CALL    = 'do_syscall_64 entry_SYSCALL_64_after_hwframe';
my $SEND    = "tcp_sendmsg_locked tcp_sendmsg __sys_sendto __x64_sys_sendto $CALL";
my $LEAVE   = "ip_output __tcp_transmit_skb tcp_write_xmit $SEND";
my $SOFTIRQ = "net_rx_action handle_softirqs do_softirq.part.0 $LEAVE";
my $RECEIVE = "tcp_rcv_established tcp_v4_do_rcv tcp_v4_rcv process_backlog $SOFTIRQ";
my $OURS    = 'paperboy::nginx::Outbox::send(std::span<char>)@ngx_http_paperboy_module.so';

# What was under way, the innermost first, and the column: functions of the
# kernel, and with their files those of user space.
my @samples = (
    ["_copy_from_iter $SEND",                                     'out'],
    ["loopback_xmit $LEAVE",                                      'out'],
    ["sock_write_iter vfs_writev do_writev $CALL",                'out'],
    ["tcp_options_write $LEAVE" =~ s/sendto/setsockopt/gr,        'out'],
    ["tcp_data_queue $RECEIVE",                                   'in'],
    ["skb_defer_free_flush $SOFTIRQ",                             'in'],
    ["tcp_clean_rtx_queue tcp_ack $RECEIVE",                      'acks'],
    ["ip_local_out __tcp_transmit_skb __tcp_send_ack.part.0 $RECEIVE", 'acks'],
    ["tcp_event_data_recv tcp_rcv_established __release_sock $SEND",   'acks'],
    ["__tcp_select_window tcp_cleanup_rbuf __x64_sys_recvfrom $CALL",  'acks'],
    ["_raw_spin_unlock_irqrestore ep_poll_callback sock_def_readable $RECEIVE",
        'wake'],
    ["ktime_get asm_sysvec_apic_timer_interrupt $SEND",           'other'],
    ["clear_page_erms asm_exc_page_fault $OURS",                  'other'],
    ["alloc_file inet_accept __x64_sys_accept4 $CALL",            'other'],
    ["entry_SYSCALL_64 $OURS",                                    'other'],
    ['ngx_palloc@nginx main@nginx',                               'nginx'],
    ['__memmove_evex@libc.so.6 ngx_linux_sendfile_chain@nginx',   'nginx'],
    [$OURS,                                                       'ours'],
    ["SHA256_Update\@libcrypto.so.3 $OURS",                       'libraries'],
    ['somewhere@[unknown] main@nginx',                            'unknown'],
);

# As perf script writes one.
sub recorded ($chain) {
    my $text = "  1234.567890: \n";
    for my $frame (split / /, $chain) {
        my ($function, $file) = split /@/, $frame;
        $file = !defined $file ? '[kernel.kallsyms]'
            : $file =~ s{^(?=\w)}{/usr/lib/}r;
        $text .= sprintf "\t%16x %s (%s)\n", 0xffff_0000, $function, $file;
    }
    return "$text\n";
}

sub place (@chosen) {
    open my $file, '>', "$out/script" or die "script: $!";
    print {$file} map { recorded($_->[0]) } @chosen;
    close $file or die "script: $!";
    return profile('--read', "$out/script");
}

my ($said, $status) = place(@samples);
is($status, 0, 'samples are read');
my ($functions) = $said =~ /^Functions: (.*)/m;
for my $sample (@samples) {
    my ($leaf) = $sample->[0] =~ /^(?:paperboy::)?([\w:.]+)/;
    like($functions, qr/`$sample->[1]: $leaf` 5\.0\b/, "$leaf: $sample->[1]");
}
like($said, qr/^\| \Q| out | in | acks | wake | other | nginx | ours | libraries | unknown | samples |\E$/m,
    'a table');
like($said, qr/^\| \S+ \| 20 \| 10 \| 20 \| 5 \| 20 \| 10 \| 5 \| 5 \| 5 \| 20 \|$/m,
    'with the shares') or diag($said);
like($said, qr/^Calls: `sendto` 45\.0, `writev` 5\.0, /m, 'by call') or diag($said);
like($said, qr/^Ours, with all that they call: `nginx::Outbox::send` 20\.0$/m,
    'by who called') or diag($said);

($said, $status) = place();
is($status, 1, 'no samples');
like($said, qr{^\S+/script: no samples$}m, 'no shares of nothing');

# ---- what can't be -----------------------------------------------------------

($said, $status) = profile('--only', 'nothing');
is($status, 1, 'a row that there is not');
like($said, qr/^nothing: no such row; see --list$/m, 'is named');
like((profile('--list'))[0], qr/^fanout-1k .*^idle-1m /ms, 'those that there are');
{
    local $ENV{PATH} = "$out";
    ($said, $status) = profile('--only', 'fanout-1k', '--out', $out);
    is($status, 1, 'no perf');
    like($said, qr/^perf: there is none; Debian has it in linux-perf$/m,
        'and where to get it');
}

# ---- what is left behind -----------------------------------------------------

# A perf that sees the kernel, and records until it is told to end.
my $perf = <<'END';
use v5.36;
my ($what, %option) = (shift);
for (my $i = 0; $i < @ARGV; ++$i) { $option{$ARGV[$i]} = $ARGV[$i + 1] }
print STDERR "1,,cycles\n" if $what eq 'stat';
print "  1.0: \n\tffff0000 do_syscall_64 ([kernel.kallsyms])\n\n"
    if $what eq 'script';
if ($what eq 'record') {
    open my $data, '>', $option{'-o'} or die;
    my ($answer) = ($option{'--control'} // exit) =~ /,(\d+)$/;
    open my $to, '>&=', $answer or die;
    syswrite $to, "ack\n";
    $SIG{INT} = sub { exit };
    sleep;
}
END
mkdir "$out/bin";
file_with("$out/bin/perf", "#!$^X\n$perf");
chmod 0755, "$out/bin/perf";

sub children ($pid) {
    open my $file, '<', "/proc/$pid/task/$pid/children" or return;
    return split / /, <$file> // '';
}

SKIP: {
    my $build = dirname($Paperboy::Nginx::MODULE);
    skip 'the load client is not built (PAPERBOY_TESTS)', 1 if !-x "$build/load";
    local $ENV{PATH} = "$out/bin:$ENV{PATH}";
    for (['kernel', 'fanout-1k'], ['floor', 'zone-1k']) {
        my ($peer, $row) = @$_;
        ($said, $status) = profile('--smoke --only', "=$row", '--peers', $peer,
            '--build', $build, '--out', $out);
        is($status, 1, "$row, $peer: can't be");
        like($said, qr/^none of these peers is a server that can do one of/m,
            'and why');
    }

    # What others have left there is gone, too.
    mkdir "$out/files";
    file_with("$out/files/$_", 'old') for qw(perf.data perf.data.old);
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDOUT, '>', '/dev/null';
        exec $python, qw(bench/profile --smoke --no-pin --only =fanout-1k
            --peers floor --seconds 60 --build), $build, '--out', $out;
    }
    my @under_way = @{ wait_for('server, perf and client', sub {
        my @pids = children($pid);
        return @pids == 3 && \@pids;
    }) // [] };
    ok(-e "$out/files/perf.data", 'it records');
    ok(!-e "$out/files/perf.data.old", 'anew');
    kill TERM => $pid;
    waitpid $pid, 0;
    is($? >> 8, 143, 'it is ended');
    is_deeply([grep { kill 0 => $_ } @under_way], [], 'and so is all of it');
    ok(!-e "$out/files/perf.data", 'what was recorded is gone');

    # A client that fails.
    my $fake = File::Temp->newdir('paperboy-XXXXXX', TMPDIR => 1);
    symlink "$build/load_server", "$fake/load_server";
    file_with("$fake/load", "#!/bin/sh\necho no room >&2\nexit 3\n");
    chmod 0755, "$fake/load";
    ($said, $status) = profile(qw(--smoke --no-pin --only =fanout-1k --peers
        floor --build), $fake, '--out', $out);
    is($status, 1, 'a client that fails');
    like($said, qr/^fanout-1k, floor: load ended with 3: no room$/m,
        'is told of');
    ok(!-e "$out/files/perf.data", 'and nothing is left');
}

# ---- a server ----------------------------------------------------------------

SKIP: {
    my $build = dirname($Paperboy::Nginx::MODULE);
    skip 'the load client is not built (PAPERBOY_TESTS)', 1 if !-x "$build/load";
    ($said, $status) = profile(qw(--smoke --only fanout-1k --peers),
        'paperboy,floor', '--build', $build, '--out', $out);
    skip $said, 1 if $said =~ /^perf: /;
    is($status, 0, 'a row is sampled') or diag($said);
    for my $peer (qw(paperboy floor)) {
        my $profile = JSON::PP::decode_json(slurp("$out/fanout-1k-$peer.json"));
        cmp_ok($profile->{samples}, '>', 0, "$peer: there are samples");
        my $columns = $profile->{shares}{columns};
        my $all     = sum0(values %$columns);
        ok($all > 99.9 && $all < 100.1, "$peer: they add up") or diag($all);
        cmp_ok($columns->{out}, '>', 0, "$peer: it sends");
    }
    like(slurp("$out/profiles.md"),
        qr/^\| fan-out to 1,000, saturated \|.*\n\| the bare server \|.*\n\n/m,
        'the table');
    ok(!-e "$out/files/perf.data", 'what perf wrote is gone');

    local $ENV{PAPERBOY_NGINX} = '/bin/false';
    ($said, $status) = profile(qw(--smoke --only fanout-1k --peers paperboy),
        '--build', $build, '--out', $out);
    is($status, 1, 'a server that does not start');
    like($said, qr/^fanout-1k, paperboy: .*^\Q$out\E\/profiles\.md$/ms,
        'is named, and the table is made');
}
done_testing;
