# A client of the classic protocol that is cut again and again while somebody
# publishes all the time.
package Paperboy::Cuts;
use v5.36;

use Exporter 'import';
use JSON::PP ();
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

our @EXPORT_OK = qw(payload publisher through_cuts);

my $json = JSON::PP->new->allow_nonref;

# Of a message in the classic form; of other events, themselves.
sub payload ($event) {
    my ($text) = $event =~ /^text:(.*)$/s or return $event;
    return $text if $text =~ /^subscribed:/;
    return $json->decode($text)->{payload};
}

# Publishes 1, 2, 3, ... with 5 ms between them. Gives what ends it: that gives
# the last.
sub publisher ($nginx, $channel) {
    pipe my $read, my $write or die "pipe: $!";
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        my $ended = 0;
        local $SIG{TERM} = sub { $ended = 1 };
        my ($number, $next) = (0, time);
        while (!$ended && _publish($nginx, $channel, ++$number)) {
            $next += 0.005;
            my $wait = $next - time;
            sleep $wait if $wait > 0;
        }
        print {$write} $number;
        close $write;
        POSIX::_exit(0);
    }
    close $write;
    return sub {
        kill TERM => $pid;
        my $last = <$read>;
        waitpid $pid, 0;
        return $last;
    };
}

# Once, however often it takes: workers go.
sub _publish ($nginx, $channel, $number) {
    for (1 .. 50) {
        my $answer = eval {
            $nginx->http(POST => "/publish?channel=$channel",
                headers => ['Idempotency-Key' => $number],
                body    => $number);
        };
        return 1 if $answer && $answer->{status} == 200;
        sleep 0.02;
    }
    return 0;
}

# What comes when the client has ended its side, up to the end.
sub _cut ($ws) {
    $ws->shut_down;
    my @more;
    while ((my $event = eval { $ws->recv } // 'eof') ne 'eof') {
        push @more, payload($event);
    }
    $ws->drop;
    return @more;
}

# rounds => N; publish => the Paperboy::Nginx to publish at; channel => NAME;
# enter => sub ($round): a connection that is subscribed; gone => sub: waits
# until nginx has seen the last one go; amid => {ROUND => sub ($ws)}: instead of
# a cut, something that ends the connection by a close, of which nothing may
# come twice.
sub through_cuts (%option) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my ($ws, @all) = ($option{enter}->(0));
    my $stop = publisher($option{publish}, $option{channel});
    my $read = sub ($count) { push @all, payload($ws->recv) for 1 .. $count };
    $read->(3);
    my @wrong;
    for my $round (1 .. $option{rounds}) {
        my $surely = $all[-1];
        if (my $amid = $option{amid}{$round}) {
            push @all, $amid->($ws);
            $surely = $all[-1];
        } else {
            push @all, _cut($ws);
        }
        $option{gone}->();
        sleep 0.04 * ($round % 3);
        $ws = $option{enter}->($round);
        my $first = payload($ws->recv);
        # What came after the cut may come again, since it may not have come.
        my $again = $all[-1] - $first + 1;
        push @wrong, "$round: $first after $surely, $all[-1]"
            if $first <= $surely || $again < 0;
        splice @all, @all - $again if $again > 0;
        push @all, $first;
        $read->(10);
    }
    my $end = $stop->();
    $read->(1) while $all[-1] < $end;
    is("@wrong", '', 'none is missing, and none that was read comes again');
    is_deeply(\@all, [$all[0] .. $end], 'all come in order');
    note scalar(@all), ' messages';
    return;
}

1;
