# docs/openapi.json describes the HTTP API: real requests and answers, of every
# method and kind, are valid. Without a validator (npm ci in t/api) there is
# nothing to test.
use v5.36;
use Paperboy::Test;
use File::Temp ();
use IPC::Open2 qw(open2);
use JSON::PP ();

my $api = "$Paperboy::Nginx::ROOT/t/api";
plan skip_all => 'no validator: npm ci in t/api brings it'
    unless -d "$api/node_modules/ajv";

my $dir = File::Temp->newdir;
file_with("$dir/key", 'a-key-of-the-tests');
file_with("$dir/secret", my $secret = 'secret ' x 10);

my $nginx = nginx(dir => $dir, http => <<'END');
paperboy_zone main 8m;
paperboy_origin https://www.example.com;
paperboy_channel_rule kept:* history=10;
paperboy_channel_rule room:* presence;
server {
    listen 127.0.0.1:%%PORT%%;
    location /api {
        paperboy_api;
        paperboy_api_key file=%%DIR%%/key;
        paperboy_max_api_size 1k;
    }
    location /native {
        paperboy native;
        paperboy_client_publish on;
        paperboy_jwt_key HS256 file=%%DIR%%/secret;
        paperboy_opaque_tokens on;
    }
}
END

my $json = JSON::PP->new->canonical;
my $pid  = open2(my $out, my $in, 'node', "$api/openapi.mjs");

# Sends it, and both to the validator. `bad`: the request needn't be valid.
sub try_out ($name, $method, $request, %option) {
    my @headers = (@{ $option{headers} // ['X-API-Key' => 'a-key-of-the-tests'] });
    my $body    = ref $request ? $json->encode($request) : $request;
    my $answer  = $nginx->http(POST => "/api/$method", body => $body,
        headers => \@headers);
    is($answer->{status}, $option{status} // 200, "$name: the status");
    print {$in} $json->encode({ name => $name, method => $method,
        status => $answer->{status}, answer => $answer->json,
        $option{bad} ? () : (request => $request) }), "\n";
    return $answer->json;
}

my $ws = $nginx->ws('/native', token => jwt({ sub => 'ann', info => { a => 1 },
    channels => ['room:a', 'kept:a', 'plain'],
    caps => [{ channels => ['*'], match => 'wildcard', allow => ['pub'] }],
}, key => $secret));
$ws->text('{"id":1,"connect":{}}');
my ($client) = $ws->recv =~ /"client":"(\w+)"/;
$ws->text('{"id":2,"publish":{"channel":"kept:a","data":"natively"}}');
$ws->recv for 1 .. 2;

my @message = (data => { text => 'hello' }, tags => { a => 'b' },
    idempotency_key => 'once');
my $position = try_out('publish', publish => { channel => 'kept:a', @message })
    ->{result};
try_out('again', publish => { channel => 'kept:a', @message });
try_out('bytes', publish => { channel => 'kept:a', b64data => 'AP8=' });
try_out('passing', publish => { channel => 'kept:a', data => 1,
    skip_history => \1, delta => \1 });
try_out('no data', publish => { channel => 'a' }, bad => 1);
try_out('broadcast', broadcast => { channels => ['a', '', 'b'], data => [] });
try_out('to none', broadcast => { channels => [], data => [] }, bad => 1);
try_out('history', history => { channel => 'kept:a', limit => -1 });
try_out('reversed', history => { channel => 'kept:a', limit => 2,
    reverse => \1, since => $position });
try_out('none yet', history => { channel => 'kept:none', limit => 5 });
try_out('another epoch', history => { channel => 'kept:a',
    since => { epoch => 'abc', offset => 1 } });
try_out('none kept', history => { channel => 'a' });
try_out('forgotten', history_remove => { channel => 'kept:a' });
try_out('who', presence => { channel => 'room:a' });
try_out('how many', presence_stats => { channel => 'room:a' });
try_out('nobody known', presence => { channel => 'a' });
try_out('channels', channels => { pattern => 'room:*' });
try_out('all channels', channels => {});
try_out('no such pattern', channels => { pattern => '[a]' });
try_out('info', info => {});
try_out('in', subscribe => { user => 'ann', channel => 'x',
    info => 'i', data => { d => 1 }, expire_at => time + 60,
    recover_since => { epoch => '', offset => 0 } });
try_out('out', unsubscribe => { client => $client, channel => 'x' });
try_out('stay', refresh => { user => 'ann', expire_at => time + 60,
    info => { b => 2 } });
try_out('go', disconnect => { user => 'ann', client => $client,
    whitelist => ['x'], disconnect => { code => 4000, reason => 'go' } });
my $made = try_out('a token', token_create => { ttl => 60, sliding => \1,
    user => 'ann', channels => ['a', 'b*'], scope => 'subscribe', info => 1,
    caps => [{ channels => ['c'], allow => ['pub'] }],
    limits => { connections => 2, subscriptions => 9, messages => 10,
        bytes => '64k/s burst=128k' } })->{result};
try_out('of limits that are none', token_create => { ttl => 60,
    limits => { message => 1 } }, bad => 1);
try_out('another', token_create => { ttl => 60, channel => 'a', scope => ['publish'] });
try_out('one without a time', token_create => { channel => 'a' }, bad => 1);
try_out('its end', token_end => { token => $made->{token} });
try_out('again', token_end => { id => $made->{id} });
try_out('of none', token_end => {}, bad => 1);
try_out('of nobody', disconnect => {}, bad => 1);
try_out('too large', publish => { channel => 'a', data => 'x' x 1024 },
    status => 413);
my @commands = ({ publish => { channel => 'a', data => 1 } },
    { presence_stats => { channel => 'a' } }, { info => {} },
    { broadcast => { channels => ['a'], data => 1 } },
    { disconnect => { user => 'nobody' } },
    { token_create => { ttl => 9 } }, { token_end => { id => $made->{id} } });
try_out('batch', batch => { commands => \@commands, parallel => \1 });
try_out('unknown in a batch', batch => { commands => [{ rpc => {} }] },
    bad => 1);
$nginx->expect_log(qr/paperboy refused/);
try_out('malformed', publish => '{', bad => 1, status => 400);
try_out('wrong type', publish => { channel => 1, data => 1 }, bad => 1,
    status => 400);
try_out('no key', info => {}, headers => [], status => 401);
try_out('a foreign page', info => {}, status => 403,
    headers => [Origin => 'https://evil.test']);

close $in;
my $planned;
while (my $line = <$out>) {
    if ($line =~ /^(not )?ok \d+ - (.*)/) { ok(!$1, $2) }
    elsif ($line =~ /^1\.\.\d+/)          { $planned = 1 }
    else                                  { diag($line) }
}
waitpid $pid, 0;
ok($planned && $? == 0, 'the validator came to its end');
my $told = JSON::PP->new->decode(do {
    local (@ARGV, $/) = "$Paperboy::Nginx::ROOT/docs/openapi.json"; <> });
my ($source) = map { local (@ARGV, $/) = $_; scalar <> }
    "$Paperboy::Nginx::ROOT/src/api/read.cpp";
my @methods = $source =~ /Row\{"(\w+)"/g;
is_deeply([sort map {"/$_"} @methods, 'batch'], [sort keys %{ $told->{paths} }],
    'every method is described');
finish;
