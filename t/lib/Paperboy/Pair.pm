# Two nodes with one Redis (or Sentinels, or a cluster), a client at each that
# listens to a few channels, and a publisher that comes again until it is told
# where its message is.
package Paperboy::Pair;
use v5.36;

use Paperboy::Test;
use Time::HiRes qw(sleep);

# redis => TEXT: parameters of paperboy_redis; http => TEXT: directives beside
# it; channels => [NAME, ...].
sub new ($class, %option) {
    my $self = bless {
        channels => $option{channels} // ['news'],
        sent     => {},
        number   => 0,
        refused  => 0,
    }, $class;
    $self->{nodes} = [map { _node(%option) } 1, 2];
    $self->await_ready;
    for my $channel (@{ $self->{channels} }) {
        push @{ $self->{clients} }, map {
            { channel => $channel, stream => $_->events("/sse?c=$channel") }
        } @{ $self->{nodes} };
    }
    # Redis has been asked for its topics then.
    $_->{stream}->wait_for_id for @{ $self->{clients} };
    return $self;
}

sub _node (%option) {
    my ($redis, $http) = ($option{redis}, $option{http} // '');
    my $nginx = nginx(workers => 2, http => <<"END");
paperboy_zone main 8m;
paperboy_redis $redis timeout=1s;
$http
paperboy_channel_rule * history=1000;
paperboy_origin any;
server {
    listen 127.0.0.1:%%PORT%%;
    location /sse { paperboy sse; paperboy_channel \$arg_c; }
    location /publish { paperboy_publish any; }
    location /status { paperboy_status; }
    location /ready { paperboy_ready; }
}
END
    # What is told while Redis isn't there, or another Redis.
    $nginx->expect_log(qr/redis: |Redis refuses: /);
    return $nginx;
}

sub nodes ($self)   { return @{ $self->{nodes} } }
sub refused ($self) { return $self->{refused} }

sub await_ready ($self) {
    for my $node ($self->nodes) {
        wait_for('a node that is ready',
            sub { $node->http(GET => '/ready')->{status} == 200 });
    }
    return;
}

# One message to each channel, now to this node, now to that. Gives how often
# it was refused.
sub publish ($self) {
    my $number = ++$self->{number};
    for my $channel (@{ $self->{channels} }) {
        my $node = $self->{nodes}[$number % 2];
        my $tries = 0;
        until (_is_published($node, $channel, $number)) {
            ++$self->{refused};
            return fail("message $number was refused again and again")
                if ++$tries > 200;
            sleep 0.05;
        }
        push @{ $self->{sent}{$channel} }, $number;
    }
    return;
}

sub _is_published ($node, $channel, $number) {
    my $answer = $node->http(
        POST    => "/publish?channel=$channel",
        body    => $number,
        headers => ['Idempotency-Key' => "$channel $number"],
    );
    die "published: $answer->{status} $answer->{body}\n"
        if $answer->{status} !~ /^(?:200|503)$/;
    return $answer->{status} == 200;
}

# Publishes until it is so, and a little more when the nodes are well.
sub publish_until ($self, $what, $is_so) {
    wait_for($what, sub { $self->publish; $is_so->() });
    $self->await_ready;
    $self->publish for 1 .. 10;
    return;
}

# Whether all workers of both nodes have told that they are at this server.
sub is_at ($self, $server) {
    my $line = 'paperboy_redis: 127.0.0.1:' . $server->port . ' is there';
    return !grep {
        my %pids = map { $_ => 1 } $_->log =~ /(\d+)#\d+: \Q$line\E/g;
        keys %pids < 2
    } $self->nodes;
}

# Each client has heard all that was acknowledged, in order and once; or, where
# `may_lose` says that Redis may have lost some, was told a gap, after which all
# begins anew. The last message was published when all was well again.
sub check ($self, $what, %option) {
    my @wrong;
    for my $client (@{ $self->{clients} }) {
        my $sent  = $self->{sent}{ $client->{channel} };
        my $heard = _hear($client->{stream}, $sent->[-1]);
        push @wrong, "$client->{channel}: $heard (of @$sent)"
            if $heard !~ /\b$sent->[-1]$/
            || ($heard ne "@$sent" && !($option{may_lose} && $heard =~ /gap/))
            || grep { !_rises(split " ") } split /gap/, $heard;
    }
    $self->{sent} = {};
    return is(join("\n", @wrong), '', $what);
}

sub _rises (@numbers) {
    return !grep { $numbers[$_] <= $numbers[$_ - 1] } 1 .. $#numbers;
}

# What it hears up to this message, a word each.
sub _hear ($stream, $last) {
    my @heard;
    while (1) {
        my $event = eval { $stream->recv } // last;
        push @heard, $event =~ s/^message:|:.*//rsg;
        last if $event eq "message:$last";
    }
    return "@heard";
}

1;
