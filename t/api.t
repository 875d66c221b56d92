# paperboy_api: who may, and what it answers; orders to clients are in
# api_clients.t, the answers' forms in api_openapi.t.
use v5.36;
use Paperboy::Test;
use File::Temp ();
use JSON::PP ();
use MIME::Base64 qw(encode_base64);

my $dir = File::Temp->newdir;
my ($old, $new) = ('an old key of ours', 'the-new-key-of-ours');
file_with("$dir/old", $old =~ tr/ /-/r . "\n");
file_with("$dir/new", $new);
file_with("$dir/secret", 'secret ' x 10);
$old =~ tr/ /-/;

my $nginx = nginx(dir => $dir, workers => 2, http => <<'END');
paperboy_zone main 8m;
paperboy_origin any;
paperboy_channel_rule kept:* history=10;
paperboy_channel_rule room:* presence;
paperboy_max_channel_length 40;
server {
    listen 127.0.0.1:%%PORT%% reuseport;
    client_max_body_size 1m;
    location /api { paperboy_api any; }
    location /keyed/ {
        paperboy_api;
        paperboy_api_key file=%%DIR%%/old;
        paperboy_api_key file=%%DIR%%/new;
    }
    location /guarded { paperboy_api; }
    location /inner { internal; paperboy_api; }
    location /outer {
        proxy_pass http://127.0.0.1:%%PORT%%/none;
        error_page 502 404 = /inner;
    }
    location /same { paperboy_api any; paperboy_origin same; }
    location /small { paperboy_api any; paperboy_max_api_size 20; }
    location /few { paperboy_api any; paperboy_max_api_commands 3; }
    location /shop { paperboy_api any; paperboy_namespace shop; }
    location /brief {
        paperboy_api any;
        paperboy_max_history 3;
        paperboy_send_buffer 100;
    }
    location /ws { paperboy raw; paperboy_channel $arg_c; }
    location /shop/ws {
        paperboy raw;
        paperboy_channel $arg_c;
        paperboy_namespace shop;
    }
    location /native { paperboy native; }
    location /status { paperboy_status; }
}
END

my $json = JSON::PP->new->canonical->allow_nonref;

sub post ($path, $body, @headers) {
    return $nginx->http(POST => $path, body => ref $body
            ? $json->encode($body) : $body, headers => [@headers]);
}

# What a method answers: its result, or its error.
sub ask ($path, $parameters) {
    my $answer = post($path, $parameters);
    return "$answer->{status} $answer->{body}" if $answer->{status} != 200;
    my $reply = $answer->json;
    return $reply->{result} // $reply->{error};
}

sub refused ($answer, $status, $pattern, $name) {
    $nginx->expect_log(qr/paperboy refused/);
    is($answer->{status}, $status, "$name: $status");
    return like($answer->{body}, $pattern, "$name: why");
}

subtest 'publish' => sub {
    my $ws = $nginx->ws('/ws?c=a');
    my $answer = post('/api/publish', '{"channel":"a","data":{"n":1.10}}');
    is($answer->{status}, 200, 'is good');
    is($answer->{header}{'content-type'}, 'application/json', 'JSON');
    my $result = $answer->json->{result};
    is_deeply([sort keys %$result], ['epoch', 'offset'], 'a position');
    is($ws->recv, 'text:{"n":1.10}', 'byte for byte');
    is(ask('/api/publish', '{"channel":"a","data":null}')->{offset}, 2,
        'any JSON');
    is($ws->recv, 'text:null', 'null too');
    ask('/api/publish', { channel => 'a', b64data => encode_base64("\0\xff", '') });
    is($ws->recv, "binary:\0\xff", 'and bytes');
    is_deeply([sort keys %{ ask('/api/publish', { channel => 'a', data => 4,
        skip_history => JSON::PP::true }) }], ['epoch'],
        'what is not kept has no offset');
    is($ws->recv, 'text:4', 'but comes');
    is(ask('/api/publish', { channel => 'a', data => 5 })->{offset}, 4,
        'nor does it take one');
};

subtest 'tags, and keys against doubles' => sub {
    my $ws = $nginx->ws('/native');
    $ws->text('{"id":1,"connect":{}}' . "\n"
            . '{"id":2,"subscribe":{"channel":"t"}}');
    $ws->recv;
    my %message = (channel => 't', data => 1, idempotency_key => 'k');
    my $first = ask('/api/publish', { %message, tags => { a => 'b' } });
    is($ws->recv, 'text:{"push":{"channel":"t","pub":{"data":1,"offset":1,'
            . '"tags":{"a":"b"}}}}', 'tags come along');
    is_deeply(ask('/api/publish', \%message), $first,
        'a key publishes once a channel');
    is(ask('/api/publish', { %message, channel => 'u' })->{offset}, 1,
        'and another channel is another');
    is(ask('/api/publish', { %message, idempotency_key => 'l' })->{offset}, 2,
        'another key too');
    is(ask('/api/publish', { %message, idempotency_key => 'x' x 257 })->{code},
        107, 'one that is too long is none');
};

subtest 'broadcast' => sub {
    my @ws = map { $nginx->ws("/ws?c=b$_") } 1, 2;
    my $result = ask('/api/broadcast',
        { channels => ['b1', '', 'b2'], data => { x => 1 } });
    my @responses = @{ $result->{responses} };
    is(@responses, 3, 'an answer each');
    is($responses[0]{result}{offset}, 1, 'a position');
    is($responses[1]{error}{code}, 107, 'an error beside it');
    is($_->recv, 'text:{"x":1}', 'all get it') for @ws;
    is(ask('/api/broadcast', { channels => [], data => 1 })->{code}, 107,
        'to nobody');
};

subtest 'history' => sub {
    my @all = map { ask('/api/publish', { channel => 'kept:a', data => $_ }) }
        1 .. 4;
    my $epoch = $all[0]{epoch};
    my $history = sub (%more) {
        my $result = ask('/api/history', { channel => 'kept:a', %more });
        return $result if $result->{code};
        return join ' ', map {"$_->{offset}=$_->{data}"}
            @{ $result->{publications} };
    };
    is_deeply(ask('/api/history', { channel => 'kept:a' }),
        { publications => [], epoch => $epoch, offset => 4 },
        'without a limit only the position');
    is($history->(limit => 2), '1=1 2=2', 'the first');
    is($history->(limit => -1), '1=1 2=2 3=3 4=4', 'all');
    is($history->(limit => 2, reverse => \1), '4=4 3=3', 'the last');
    is($history->(limit => 9, since => { epoch => $epoch, offset => 2 }),
        '3=3 4=4', 'since a position');
    is($history->(limit => 9, since => { epoch => 'abc', offset => 2 })->{code},
        112, 'of another epoch');
    is(ask('/api/history', { channel => 'plain', limit => 1 })->{code}, 108,
        'where nothing is kept');
    is_deeply(ask('/api/history', { channel => 'kept:none', limit => 1 }),
        { publications => [], epoch => '', offset => 0 },
        'where nothing was published');
    is_deeply(ask('/api/history_remove', { channel => 'kept:a' }), {},
        'is removed');
    is($history->(limit => -1), '', 'and gone');
    is(ask('/api/publish', { channel => 'kept:a', data => 5 })->{offset}, 5,
        'offsets go on');
    is(ask('/api/history_remove', { channel => 'plain' })->{code}, 108,
        'nothing to remove');
};

subtest 'presence' => sub {
    my ($ws) = map { $nginx->ws('/native') } 1;
    $ws->text('{"id":1,"connect":{}}' . "\n"
            . '{"id":2,"subscribe":{"channel":"room:a"}}');
    my ($client) = $ws->recv =~ /"client":"(\w+)"/;
    is_deeply(ask('/api/presence', { channel => 'room:a' }),
        { presence => { $client => { user => '', client => $client } } },
        'who');
    is_deeply(ask('/api/presence_stats', { channel => 'room:a' }),
        { num_clients => 1, num_users => 1 }, 'how many');
    is_deeply(ask('/api/presence', { channel => 'room:none' }),
        { presence => {} }, 'nobody');
    is(ask("/api/$_", { channel => 'plain' })->{code}, 108, "$_: not known")
        for qw(presence presence_stats);
};

subtest 'channels and the node' => sub {
    my @ws = map { $nginx->ws("/ws?c=list:$_") } 'a', 'b', 'b', 'c:d';
    my $shop = $nginx->ws('/shop/ws?c=list:a');
    is_deeply(ask('/api/channels', { pattern => 'list:*' })->{channels},
        { 'list:a' => { num_clients => 1 }, 'list:b' => { num_clients => 2 },
            'list:c:d' => { num_clients => 1 } }, 'with subscribers');
    is_deeply([sort keys %{ ask('/api/channels', { pattern => $_->[0] })
                    ->{channels} }], $_->[1], "pattern $_->[0]")
        for ['list:?', ['list:a', 'list:b']], ['*:d', ['list:c:d']],
            ['list:a', ['list:a']], ['none', []];
    my %all = %{ ask('/api/channels', {})->{channels} };
    ok($all{'list:a'} && !grep({/\0/} keys %all), 'all, and no more');
    is_deeply(ask('/shop/channels', {})->{channels},
        { 'list:a' => { num_clients => 1 } }, 'those of the namespace');
    is(ask('/api/channels', { pattern => '{a,b}' })->{code}, 108,
        'no alternatives');
    my ($node) = @{ ask('/api/info', '')->{nodes} };
    my $status = $nginx->status;
    is($node->{num_clients}, $status->{connections}, 'clients');
    is($node->{num_subs}, $status->{subscriptions}, 'subscriptions');
    is($node->{num_channels}, $status->{channels}, 'channels');
    like($node->{uid}, qr/^[0-9a-f]{32}$/, 'an id');
    $nginx->reload;
    is(ask('/api/info', {})->{nodes}[0]{uid}, $node->{uid},
        'that outlives a reload');
};

subtest 'several at once' => sub {
    my @commands = ({ publish => { channel => 'm', data => 1 } }, { none => {} },
        { publish => { channel => '', data => 1 } }, { rpc => {} },
        { broadcast => { channels => ['m'], data => 2 } }, { info => {} });
    for my $parallel (\0, \1) {
        my $replies = post('/api/batch', { commands => \@commands,
            parallel => $parallel })->json->{replies};
        is_deeply([map { join '', keys %$_ } @$replies],
            [qw(publish error error error broadcast info)], 'replies in order');
        is_deeply([map { $_->{error}{code} // () } @$replies], [104, 107, 104],
            'each with its own error');
    }
    is(ask('/api/publish', { channel => 'm', data => 3 })->{offset}, 5,
        'all were published');
    is_deeply(post('/api/batch', {})->json, { replies => [] }, 'none');
};

subtest 'the old form' => sub {
    my $line = '{"method":"publish","params":{"channel":"o","data":{}}}';
    my $answer = post('/api', $line);
    is($answer->{status}, 200, 'is good');
    is($answer->json->{result}{offset}, 1, 'a result');
    $answer = post('/api/', "$line\n{\"id\":7,\"method\":\"history\",\"params\":"
            . '{"channel":"o"}}{"method":"none"}' . "\n"
            . '{"method":"publish","params":{"channel":3}}');
    my @replies = map { $json->decode($_) } split /\n/, $answer->{body};
    is($replies[0]{result}{offset}, 2, 'several, one a line');
    is_deeply($replies[1], { id => 7, error => { code => 108,
        message => 'not available' } }, 'with their ids');
    is($replies[2]{error}{code}, 104, 'unknown methods');
    is($replies[3]{error}{code}, 107, 'wrong parameters');
    refused(post('/api', $_), 400, qr/bad_request/, "malformed: '$_'")
        for '', '[]', "$line,", '{"method":1}', '{"id":-1,"method":"info"}';
};

subtest 'namespaces' => sub {
    my $ws = $nginx->ws('/shop/ws?c=a');
    is(ask('/shop/publish', { channel => 'a', data => 1 })->{offset}, 1,
        'a namespace has channels of its own');
    is($ws->recv, 'text:1', 'and listeners');
};

subtest 'keys' => sub {
    my $body = '{"channel":"k","data":1}';
    for my $key ($old, $new) {
        is(post('/keyed/publish', $body, 'X-API-Key' => $key)->{status}, 200,
            'each opens');
        is(post('/keyed/', '{"method":"info"}',
            Authorization => "apikey $key")->{status}, 200, 'as a password');
    }
    my $answer = post('/keyed/publish', $body);
    refused($answer, 401, qr/unauthorized/, 'none');
    is($answer->{header}{'www-authenticate'}, 'apikey', 'says what is wanted');
    refused(post('/keyed/publish', $body, 'X-API-Key' => $_), 401,
        qr/unauthorized/, "'$_'") for '', "${old}x", substr($old, 1);
    refused(post("/keyed/publish?api_key=$old", $body), 401, qr/unauthorized/,
        'not in the URL');
    refused(post('/keyed/publish', $body, Authorization => "Bearer $old"), 401,
        qr/unauthorized/, 'nor as a token');
    refused(post('/guarded/publish', $body), 403, qr/paperboy_api_key/,
        'where none is configured');
    refused(post('/guarded/publish', $body, 'X-API-Key' => ''), 403,
        qr/paperboy_api_key/, 'nor an empty one');
    unlike($nginx->output, qr/\Q$old\E|\Q$new\E/, 'no key is in the log');
    is($nginx->http(POST => '/inner', body => $body)->{status}, 404,
        'an internal location is nobody\'s');
    refused(post('/same/publish', $body, Origin => 'https://evil.test'), 403,
        qr/origin/, 'pages of other origins');
};

subtest 'what is no request of its kind' => sub {
    my $get = $nginx->http(GET => '/api/publish');
    refused($get, 405, qr/method_not_allowed/, 'GET');
    is($get->{header}{allow}, 'POST', 'says what is');
    refused(post('/api/none', '{}'), 404, qr/not_found/, 'an unknown method');
    refused(post('/api/a/b', '{}'), 404, qr/not_found/, 'another path');
    refused(post('/small/publish', '{"channel":"a","data":1}'), 413,
        qr/paperboy_max_api_size/, 'a body too large');
    refused(post('/small/publish', "5\r\n{\"a\":\r\n13\r\n[1,2,3,4,5,6,7,8,9,\r\n"
            . "0\r\n\r\n", 'Transfer-Encoding' => 'chunked'), 413,
        qr/paperboy_max_api_size/, 'unannounced');
    refused(post('/api/publish', '{"a":"' . 'x' x (1 << 20) . '"}'), 413,
        qr/client_max_body_size/, 'for nginx');
    refused(post('/few/broadcast', { channels => ['a' .. 'd'], data => 1 }),
        413, qr/paperboy_max_api_commands/, 'too many channels');
    refused(post('/few/batch', { commands => [map { { info => {} } } 1 .. 4] }),
        413, qr/paperboy_max_api_commands/, 'too many commands');
    refused(post('/api/publish', $_), 400, qr/bad_request/, "malformed: '$_'")
        for '[]', '{', '{"channel":"a","data":1}x', '{"channel":1,"data":1}',
        "{\"channel\":\"\xff\",\"data\":1}", '{"channel":"a","channel":"b"}',
        '{"channel":"a","data":1,"tags":{"a":1}}',
        '{"channel":"a","data":1,"tags":{"a":"1","a":"2"}}',
        '{"a":' . '[' x 520 . ']' x 520 . '}';
    is(ask('/api/publish', $_)->{code}, 107, "bad: '$_'")
        for '{}', '{"data":1}', '{"channel":"a"}',
        '{"channel":"a","b64data":"?"}', '{"channel":"a\u0001","data":' .
        '[' x 515 . ']' x 515 . '}', '{"channel":"' . 'x' x 41 . '","data":1}';
    is(ask('/api/publish', '{"channel":"a","data":1,"version":3}')->{code}, 108,
        'what isn\'t had is told');
};

subtest 'an answer has its limit' => sub {
    ask('/api/publish', { channel => 'kept:l', data => 'x' x 30 }) for 1 .. 5;
    my $result = ask('/brief/history', { channel => 'kept:l', limit => -1 });
    is(@{ $result->{publications} }, 3, 'of publications and bytes');
    my @rooms = map { my $ws = $nginx->ws('/native');
        $ws->text('{"id":1,"connect":{}}' . "\n"
            . '{"id":2,"subscribe":{"channel":"room:l"}}'); $ws->recv; $ws } 1, 2;
    is(ask('/brief/presence', { channel => 'room:l' })->{code}, 106,
        'who is there');
    $nginx->ws("/ws?c=long$_") for 1 .. 5;
    my @open = map { $nginx->ws("/ws?c=limit:$_") } 1 .. 8;
    is(ask('/brief/channels', { pattern => 'limit:*' })->{code}, 106,
        'channels');
};

my $server = 'server { listen 127.0.0.1:%%PORT%%; location / { ';
conf_refused("$server paperboy_api some; } }", 'any or nothing', qr/some.*any/);
conf_refused("$server paperboy_api; paperboy_publish; } }", 'one handler',
    qr/handler/);
conf_refused("$server paperboy_api; paperboy_api_key plain; } }",
    'keys come from files', qr/no key there/);
conf_refused("$server paperboy_api; paperboy_api_key file=/dev/null; } }",
    'and are some', qr/visible ASCII/);
conf_refused("$server paperboy_api; paperboy_max_api_size 0; } }", 'a size',
    qr/at least 1/);
file_with("$dir/short", 'short');
like(conf_error("$server paperboy_api; paperboy_api_key file=$dir/short; } }"),
    qr/\[warn\].*guessed/, 'a short key');
finish;
