# What a token opened ends with it (paperboy_token_expiry), in each dialect: it
# is there until then, may be renewed where the dialect can, and ends by the
# dialect's own way; whatever an `exp` looks like.
use v5.36;
use Paperboy::Test;
use JSON::PP ();
use Time::HiRes qw(time sleep);

my $secret = 'secret ' x 10;
local $ENV{PAPERBOY_JWT_SECRET} = $secret;

my @dialects = qw(raw sse native classic notiflux);
my %channel  = map { $_ => $_ =~ /raw|sse/ ? 'paperboy_channel $arg_c;' : '' }
    @dialects;
my $locations = join '', map { <<"END" } @dialects;
    location /$_/end {
        paperboy $_;
        $channel{$_}
        paperboy_token_expiry end;
        paperboy_token_leeway 0;
    }
    location /$_/admit {
        paperboy $_;
        $channel{$_}
        paperboy_token_expiry admit;
        paperboy_token_leeway 0;
    }
    location /$_/leeway {
        paperboy $_;
        $channel{$_}
        paperboy_token_expiry end;
        paperboy_token_leeway 4s;
    }
END
my $nginx = nginx(workers => 1, http => <<"END");
paperboy_zone main 4m;
paperboy_origin any;
paperboy_jwt_key HS256 env=PAPERBOY_JWT_SECRET;
server {
    listen 127.0.0.1:%%PORT%%;
    location /publish { paperboy_publish any; }
$locations}
END

my $json = JSON::PP->new->canonical;
my $hour = int(time) + 3600;

# Good for each dialect, unless the claims say otherwise.
sub claims ($channel, %more) {
    return (sub => 'ann', userId => 'ann', iss => 'paperboy',
        channel => $channel, topic => $channel, scope => 'subscribe', %more);
}

sub token ($channel, %more) {
    return jwt({ claims($channel, %more) }, key => $secret);
}

# Whose `exp` is this text.
sub token_with ($exp) {
    my $text = $json->encode({ claims('news') });
    return jwt_of_text('{"alg":"HS256","typ":"JWT"}',
        $text =~ s/\}$/,"exp":$exp}/r, alg => 'HS256', key => $secret);
}

sub publish ($channel, $text) {
    my $answer =
        $nginx->http(POST => "/publish?channel=$channel", body => qq("$text"));
    is($answer->{status}, 200, 'published') if $answer->{status} != 200;
    return;
}

sub command ($ws, $method, %parameters) {
    $ws->text($json->encode({ id => 1, $method => \%parameters }));
    my $event = told($ws);
    my ($text) = $event =~ /^text:(.*)$/s or return $event;
    my $reply = $json->decode($text);
    return $reply->{error} ? $reply->{error}{code} : 'done';
}

# A client that has shown a token of 'news': it, or how it was refused.
my %show = (
    raw => sub ($path, $token) {
        my $ws = $nginx->ws("$path?c=news", token => $token);
        return $ws->status == 101 ? $ws : $ws->status;
    },
    sse => sub ($path, $token) {
        my $events = $nginx->events("$path?c=news",
            headers => [Authorization => "Bearer $token"]);
        return $events->status unless $events->status == 200;
        return $events;
    },
    native => sub ($path, $token) {
        my $ws   = $nginx->ws($path);
        my $code = command($ws, connect => token => $token);
        return $code if $code ne 'done';
        $code = command($ws, subscribe => channel => 'news');
        return $code eq 'done' ? $ws : $code;
    },
    classic => sub ($path, $token) {
        my $ws = $nginx->ws($path);
        $ws->text($token);
        $ws->text(token('mark', exp => $hour));
        my $first = $ws->recv;
        return 'silence' if $first eq 'text:subscribed:mark';
        is($ws->recv, 'text:subscribed:mark', 'and another')
            if $first eq 'text:subscribed:news';
        return $first eq 'text:subscribed:news' ? $ws : $first;
    },
    notiflux => sub ($path, $token) {
        my $ws = $nginx->ws($path);
        $ws->text("/subscribe news $token");
        $ws->text('/subscribe mark ' . token('mark', exp => $hour));
        $ws->text('/what?');
        my $event = $ws->recv;
        return $event if $event ne 'text:Unknown command';
        return hears('notiflux', $ws) ? $ws : 'silence';
    },
);

my $count = 0;

# Reads until an event that is like this, or the end; those before it.
sub read_until ($client, $pattern) {
    my @before;
    while ((my $event = $client->recv) !~ $pattern) {
        push @before, $event;
        last if $event =~ /^(?:eof|close)/;
    }
    return @before;
}

# Whether it hears what is published to 'news': where its end is told by
# nothing, before what is published elsewhere when the first is out.
sub hears ($dialect, $client) {
    my $text = 'news ' . ++$count . '.';
    publish(news => $text);
    if ($dialect !~ /classic|notiflux/) {
        return !grep { /^(?:eof|close)/ } read_until($client, qr/\Q$text/);
    }
    my @before;
    for my $mark (map { "mark $count$_." } 'a', 'b') {
        publish(mark => $mark);
        push @before, read_until($client, qr/\Q$mark/);
    }
    return scalar grep { /\Q$text/ } @before;
}

# The next event that is no publication.
sub told ($client) {
    my $event = $client->recv;
    $event = $client->recv while $event =~ /(?:news|mark) \d+[ab]?\./;
    return $event;
}

sub sleep_until ($moment) {
    sleep $moment - time if $moment > time;
    return;
}

my %refused = (raw => 401, sse => 401, native => 109, classic => 'silence',
    notiflux => 'silence');

# How it ends with its token.
sub ends ($dialect, $client, $name) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return ok(wait_for($name, sub { !hears($dialect, $client) }), $name)
        if $dialect =~ /classic|notiflux/;
    return like(told($client), qr/^close:(?:3005$|\{"code":3005,)/, $name);
}

for my $dialect (@dialects) {
    my $show = $show{$dialect};
    subtest "$dialect: until the token ends" => sub {
        my $now    = int time;
        my $exp    = $now + 3;
        my $token  = token('news', exp => $exp);
        my $client = $show->("/$dialect/end",    $token);
        my $admit  = $show->("/$dialect/admit",  $token);
        my $leeway = $show->("/$dialect/leeway", token('news', exp => $now - 1));
        my $never  = $show->("/$dialect/end",
            token('news', exp => $hour, expire_at => 0));
        my @all = ($client, $admit, $leeway, $never);
        is(scalar(grep { ref } @all), 4, 'all are let in') or return;
        is(scalar(grep { hears($dialect, $_) } @all), 4, 'and there');
        ends($dialect, $client, 'the end');
        cmp_ok(time, '>=', $exp, 'no earlier');
        ends($dialect, $leeway, 'with a leeway');
        cmp_ok(time, '>=', $now + 3, 'no earlier either');
        ok(hears($dialect, $admit), 'who is only admitted by it stays');
        ok(hears($dialect, $never), 'who has another end, too');
        is($show->("/$dialect/$_", $token), $refused{$dialect},
            "it opens nothing any more: $_") for qw(end admit);
        my $over = time - 2;
        is($show->("/$dialect/end", token('news', exp => $hour,
                    expire_at => $over)), $refused{$dialect},
            'nor does one with another end that is over');
    };

    subtest "$dialect: what an end may look like" => sub {
        my $now = int time;
        my %good = (
            'a fraction'           => "$hour.25",
            'an exponent'          => '9.9e9',
            'the largest integer'  => '9223372036854775807',
            'a huge one'           => '1e300',
            'no milliseconds more' => $now + 18_446_744_073_709_552,
        );
        for my $name (sort keys %good) {
            my $client = $show->("/$dialect/end", token_with($good{$name}));
            ok(ref $client && hears($dialect, $client), $name);
        }
        my %over = (
            'now'                  => $now,
            'a fraction before'    => $now - 1 . '.999',
            '0'                    => '0',
            'below'                => '-1',
            'far below'            => '-9223372036854775808',
            'a huge one below'     => '-1e300',
            'a very small one'     => '1e-300',
        );
        is($show->("/$dialect/end", token_with($over{$_})), $refused{$dialect},
            "over: $_") for sort keys %over;
        my %none = (
            'a string'         => qq("$hour"),
            'null'             => 'null',
            'true'             => 'true',
            'an array'         => "[$hour]",
            'beyond 64 bits'   => '99999999999999999999',
            'beyond a double'  => '1e999',
            'no number'        => 'NaN',
            'two'              => qq($hour,"exp":$hour),
        );
        for my $name (sort keys %none) {
            is($show->("/$dialect/end", token_with($none{$name})),
                $dialect eq 'native' ? 'close:3500' : $refused{$dialect},
                "none: $name");
        }
        my $early = token('news', exp => $hour, nbf => $now + 600);
        ok(!ref $show->("/$dialect/end", $early), 'not yet');
        my $skewed = token('news', exp => $hour, nbf => time + 3,
            iat => time + 3);
        ok(ref $show->("/$dialect/leeway", $skewed),
            'a clock that is wrong by less than the leeway');
    };
}

# A client of that token, and what renews it in band.
my %renew = (
    native => sub ($ws, $token) { return command($ws, refresh => token => $token) },
    classic => sub ($ws, $token) {
        $ws->text($token);
        $ws->text(token('mark', exp => $hour));
        my $event = told($ws);
        return 'silence' if $event eq 'text:subscribed:mark';
        is(told($ws), 'text:subscribed:mark', 'and another');
        return $event eq 'text:subscribed:news' ? 'done' : $event;
    },
    notiflux => sub ($ws, $token) {
        $ws->text("/subscribe news $token");
        $ws->text('/what?');
        return told($ws) eq 'text:Unknown command' ? 'done' : 'close';
    },
);

for my $dialect (sort keys %renew) {
    my $renew = $renew{$dialect};
    my $begin = sub ($path, $exp) {
        my $client = $show{$dialect}->("/$dialect/$path",
            token('news', exp => $exp));
        ok(ref $client, 'let in');
        return $client;
    };

    subtest "$dialect: renewed" => sub {
        my $exp   = int(time) + 2;
        my $kept  = $begin->(end => $exp);
        my $short = $begin->(end => $hour);
        is($renew->($kept, token('news', exp => $hour)), 'done', 'in time');
        is($renew->($short, token('news', exp => $exp)), 'done',
            'by one that ends earlier');
        ends($dialect, $short, 'which counts');
        sleep_until($exp + 1.2);
        ok(hears($dialect, $kept), 'the other is there when the first is over');
        my $leeway = $begin->(leeway => int(time));
        is($renew->($leeway, token('news', exp => int(time) - 1)), 'done',
            'by one that is over, but for the leeway');
        ends($dialect, $leeway, 'which ends it');
    };

    subtest "$dialect: renewed by what doesn't" => sub {
        my $exp   = int(time) + 2;
        my $over  = $begin->(end => $exp);
        my $other = $begin->(end => $exp);
        my $early = $begin->(end => $exp);
        isnt($renew->($over, token('news', exp => time - 9)), 'close',
            'a token that is over');
        my %user = (sub => 'bob', userId => 'bob');
        my $answer = $renew->($other, token('news', exp => $hour, %user));
        is($answer, $dialect eq 'native' ? 'close:3500' : 'silence',
            'a token of another user') if $dialect ne 'notiflux';
        $answer = $renew->($early, token('news', exp => $hour, nbf => $hour));
        is($answer, $dialect eq 'native' ? 'close:3500' : 'silence',
            'a token that isn\'t valid yet') if $dialect ne 'notiflux';
        ends($dialect, $over, 'changes nothing');
        ends($dialect, $_, 'nor does that')
            for $dialect eq 'classic' ? ($other, $early)
            : $dialect eq 'notiflux' ? ($early) : ();
    };
}

subtest 'native: the token of a channel' => sub {
    my $connected = sub ($exp) {
        my $ws = $nginx->ws('/native/end');
        is(command($ws, connect => token => token('none', exp => $exp)), 'done',
            'connected');
        return $ws;
    };
    my $enter = sub ($ws, $token, $method = 'subscribe') {
        return command($ws, $method => channel => 'room', token => $token);
    };
    my $exp = int(time) + 3;
    my $ws  = $connected->($hour);
    is($enter->($ws, token('room', exp => $exp)), 'done', 'subscribed');
    is($enter->($ws, token('room', exp => time - 1), 'sub_refresh'), 109,
        'renewed by one that is over');
    is($enter->($ws, token('room', exp => $hour, sub => 'bob'), 'sub_refresh'),
        103, 'of another user');
    is($enter->($ws, token('other', exp => $hour), 'sub_refresh'), 103,
        'of another channel');
    is($enter->($ws, token('room', exp => $hour, nbf => $hour), 'sub_refresh'),
        103, 'that isn\'t valid yet');
    my $short = $connected->(int(time) + 2);
    is($enter->($short, token('room', exp => $hour)), 'done',
        'one that outlives its connection');
    my $kept = $connected->($hour);
    is($enter->($kept, token('room', exp => $exp)), 'done', 'another');
    is($enter->($kept, token('room', exp => $hour), 'sub_refresh'), 'done',
        'renewed');
    like(told($ws), qr/"channel":"room".*"code":2501/, 'its end');
    cmp_ok(time, '>=', $exp, 'no earlier');
    is(command($ws, 'ping'), 'done', 'the connection goes on');
    is($enter->($ws, token('room', exp => $exp)), 109, 'shown again');
    is(told($short), 'close:3005', 'the connection\'s own end comes first');
    publish(room => 'news 0.');
    like($kept->recv, qr/"push":.*news 0\./, 'who has renewed is there');
};

subtest 'the connection\'s end comes through whatever else it does' => sub {
    my $ws = $show{native}->('/native/end', token('news', exp => time + 2));
    my $event = '';
    my $until = time + 20;
    while ($event !~ /^close/ && time < $until) {
        $ws->text('{"id":1,"ping":{}}');
        $event = $ws->recv;
        sleep 0.02;
    }
    is($event, 'close:3005', 'commands don\'t put it off');
};

finish;
