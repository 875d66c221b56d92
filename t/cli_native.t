# paperboy-cli sub at native locations.
use v5.36;
use Paperboy::Test;
use Paperboy::Cli;
use File::Temp ();
use JSON::PP ();

my $dir    = File::Temp->newdir;
my $secret = 'secret ' x 10;
file_with("$dir/secret", $secret);

my $nginx = nginx(dir => $dir, http => <<'END');
paperboy_zone main 4m;
server {
    listen 127.0.0.1:%%PORT%%;
    location /open { paperboy native; paperboy_origin any; }
    location /given {
        paperboy native;
        paperboy_channel news;
        paperboy_origin any;
    }
    location /pinged {
        paperboy native;
        paperboy_origin any;
        paperboy_ping_interval 1s;
        paperboy_ping_timeout 1s;
    }
    location /small {
        paperboy native;
        paperboy_origin any;
        paperboy_max_subscriptions 2;
    }
    location /keyed {
        paperboy native;
        paperboy_jwt_key HS256 file=%%DIR%%/secret;
    }
    # Looks for tokens in `connect` alone.
    location /inside {
        paperboy native;
        paperboy_token $arg_token;
        paperboy_jwt_key HS256 file=%%DIR%%/secret;
    }
    location /limited {
        paperboy native;
        paperboy_channel news;
        paperboy_token $arg_token;
        paperboy_jwt_key HS256 file=%%DIR%%/secret;
    }
    location /raw { paperboy raw; paperboy_channel a; paperboy_origin any; }
    location /publish { paperboy_publish any; paperboy_channel $arg_channel; }
}
END
my $url = 'ws://127.0.0.1:' . $nginx->port;

sub publish ($channel, $body, @headers) {
    return $nginx->http(POST => "/publish?channel=$channel", body => $body,
        headers => \@headers)->json;
}

# `sub`, once it is subscribed to these channels.
sub listening ($channels, @words) {
    my $run = start(undef, 'sub', @words);
    for my $channel (@$channels) {
        wait_for("a subscriber of $channel",
            sub { publish($channel, '"probe"')->{subscribers} == 1 });
    }
    return $run;
}

sub lines ($run) { return grep { !/probe/ } split /\n/, out($run) }

sub has_line ($run, $line) {
    return wait_for($line, sub { grep { $_ eq $line } lines($run) });
}

sub token (%claims) { return jwt({ exp => time + 600, %claims }, key => $secret) }

# A file with a token, and the option for it.
sub token_file ($token, $option = '--token-file') {
    state $files = 0;
    return ($option, file_with("$dir/token" . ++$files, "$token\n"));
}

subtest 'several channels on one connection' => sub {
    my $run = listening(['a', 'b'], '--channel', 'a', '--channel', 'b',
        "$url/open");
    publish('a', '{ "n": 123456789012345678901234567890 }');
    publish('b', 'plain');
    publish('a', "\0\xff", 'Content-Type' => 'application/octet-stream');
    publish('b', "[1,\n2]");
    publish('a', 'x' x 60_000);
    publish('b', '"last"');
    # A channel's are in order; those of two channels may come in any.
    my %of = (
        a => ['{ "n": 123456789012345678901234567890 }', '{"b64data":"AP8="}',
            '"' . 'x' x 60_000 . '"'],
        b => ['"plain"', '[1, 2]', '"last"'],
    );
    has_line($run, $of{$_}[-1]) for qw(a b);
    my @lines = lines($run);
    is(@lines, 6, 'a line each');
    for my $channel (qw(a b)) {
        my %is = map { $_ => 1 } @{ $of{$channel} };
        is_deeply([grep { $is{$_} } @lines], $of{$channel},
            "data of $channel as it stands");
    }
    kill INT => $run->{pid};
    is(ended($run), 0, 'Ctrl-C ends it well');
    is(err($run), '', 'without a word');
    ok(wait_for('it has gone', sub { publish('a', '')->{subscribers} == 0 }),
        'the server knows');
};

subtest 'channel and offset' => sub {
    my $run = listening(['j'], qw(--json --channel j), "$url/open");
    my $at  = publish('j', '{"x":1.0}');
    my $line = qq({"channel":"j","epoch":"$at->{epoch}",)
        . qq("offset":$at->{offset},"data":{"x":1.0}});
    ok(has_line($run, $line), 'where it came, and what');
    kill TERM => $run->{pid};
    is(ended($run), 0, 'SIGTERM is a Ctrl-C');
};

subtest 'a count' => sub {
    my $run = listening(['n'], qw(--count 1 --channel n), "$url/open");
    is(ended($run), 0, 'ends it');
    like(out($run), qr/^"probe"\n\z/, 'after so many');
};

subtest 'deep data' => sub {
    my $run  = listening(['deep'], qw(--channel deep), "$url/open");
    my $deep = '[' x 512 . ']' x 512;
    publish('deep', $deep);
    ok(has_line($run, $deep), 'as deep as data may be');
    kill INT => $run->{pid};
    is(ended($run), 0, 'breaks nothing');
};

subtest 'channels that the server gives' => sub {
    my $run = listening(['news'], '--native', "$url/given");
    publish('news', '"yes"');
    ok(has_line($run, '"yes"'), 'are heard');
    kill INT => $run->{pid};
    ended($run);
    refused(run(undef, 'sub', '--native', "$url/open"), 1,
        qr/gives no channel; --channel/, 'none at all');
};

subtest 'pings' => sub {
    my $run = listening(['p'], qw(--channel p), "$url/pinged");
    sleep 4;
    publish('p', '"alive"');
    ok(has_line($run, '"alive"'), 'are answered');
    kill INT => $run->{pid};
    is(ended($run), 0, 'and it ends well');
};

subtest 'a server that says nothing any more' => sub {
    my $run = listening(['q'], qw(--timeout 1s --channel q), "$url/pinged");
    my @workers = $nginx->workers;
    kill STOP => @workers;
    my $code = ended($run);
    kill CONT => @workers;
    is($code, 4, 'is noticed by its pings');
    like(err($run), qr/connection is lost: .*silent.*coming back makes sense/,
        'and told');
};

subtest 'tokens' => sub {
    my $run = listening(['t'], token_file(token(channel => 't')), '--channel',
        't', "$url/keyed");
    kill INT => $run->{pid};
    is(ended($run), 0, 'one for the channel');
    $run = listening(['u'], token_file(token(channels => ['u'])), '--native',
        "$url/inside");
    kill INT => $run->{pid};
    is(ended($run), 0, 'one that is looked for in connect only');
    $run = listening(['w'], token_file(token(sub => 'me')),
        token_file(token(sub => 'me', channel => 'w'), '--channel-token-file'),
        '--channel', 'w', "$url/keyed");
    kill INT => $run->{pid};
    is(ended($run), 0, 'one of the channel');
};

subtest 'refused' => sub {
    refused(run(undef, qw(sub --channel a), "$url/keyed"), 1,
        qr/refused: 101 unauthorized; --token-file/, 'no token');
    refused(run(undef, qw(sub --channel a), "$url/keyed",
            token_file('a.s3cret.c')), 1, qr/401.*malformed/, 'a bad token');
    refused(run(undef, qw(sub --channel a), "$url/inside",
            token_file('a.s3cret.c')), 5,
        qr/closed by the server: 3500 invalid token: .*no sense/,
        'one that only connect carries');
    refused(run(undef, qw(sub --channel a), "$url/open",
            token_file(token(channel => 'a'))), 5, qr/no key for it/,
        'a token where there is no key');
    refused(run(undef, qw(sub --channel a), "$url/inside",
            token_file(token(exp => time - 9))), 1,
        qr/refused: 109 token expired; make a new one/, 'an expired one');
    refused(run(undef, qw(sub --channel a), "$url/keyed",
            token_file(token(channel => 'b'))), 1,
        qr/a: refused: 103 permission denied; the token does not permit/,
        'a channel that it does not permit');
    refused(run(undef, qw(sub --channel a), "$url/limited",
            token_file(token(channel => 'b'))), 5,
        qr/3507 permission denied: .*channels of the location/,
        'a token that is not for the channels of the location');
    refused(run(undef, 'sub', (map { ('--channel', $_) } 1 .. 3),
            "$url/small"), 1, qr/3: refused: 106 limit exceeded; more channels/,
        'more channels than may be');
    refused(run(undef, 'sub', '--channel', 'x' x 300, "$url/open"), 1,
        qr/refused: 107 bad request; .*too long/, 'a name that is too long');
    refused(run(undef, qw(sub --channel a), "$url/raw"), 1,
        qr/not native: leave --channel/, 'a raw location');
    refused(run(undef, qw(sub --channel a), "$url/publish?channel=a"), 1,
        qr/405/, 'a location for publishing');
};

subtest 'ends' => sub {
    my $run = run(undef, qw(sub --channel a), "$url/keyed",
        token_file(token(channel => 'a', exp => time + 2)));
    refused($run, 4, qr/3005 connection expired.*with a new token/,
        'with its token');
    $run = run(undef, qw(sub --channel a), "$url/keyed",
        token_file(token(sub => 'me')),
        token_file(token(sub => 'me', channel => 'a', exp => time + 2),
            '--channel-token-file'));
    refused($run, 4, qr/a: unsubscribed.*2501.*with a new token/,
        'with the token of the channel');
    $run = listening(['end'], qw(--channel end), "$url/open");
    $nginx->stop;
    is(ended($run), 4, 'with the server');
    like(err($run), qr/3001 shutdown; coming back makes sense/,
        'which says so');
};

finish;
