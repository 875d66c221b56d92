# The connectors for applications, each in its language, against a real nginx,
# with a real Redis and without: connectors/*/test/app* is a small application that takes
# orders. PAPERBOY_CONNECTORS names the languages; else it is those that can be
# run here.
use v5.36;
use File::Temp ();
use IPC::Open2 qw(open2);
use JSON::PP qw(decode_json);
use Paperboy::Redis;
use Paperboy::Test;

plan skip_all => "no $Paperboy::Redis::BINARY" if !Paperboy::Redis::is_there();
my %programs = (
    JavaScript => javascript("$Paperboy::Nginx::ROOT/connectors/javascript"),
    Python     => python("$Paperboy::Nginx::ROOT/connectors/python"),
    Java       => java("$Paperboy::Nginx::ROOT/connectors/java"),
);
# Those that are named, else those that can be run.
my @languages = split / /,
    $ENV{PAPERBOY_CONNECTORS}
    // join ' ', grep { $programs{$_} } sort keys %programs;
plan skip_all => 'no connector can be run: npm ci in connectors/javascript'
    if !@languages;

sub javascript ($folder) {
    return -d "$folder/node_modules/redis"
        ? ['node', "$folder/test/app.mjs"]
        : undef;
}

sub python ($folder) {
    my $python = '/usr/bin/python3';
    return system("$python -c 'import redis' 2>/dev/null") == 0
        ? [$python, '-B', "$folder/test/app.py"]
        : undef;
}

# What connectors/test has built.
sub java ($folder) {
    open my $file, '<', "$folder/target/classpath" or return undef;
    my $path = join ':', <$file>, map {"$folder/target/$_"}
        qw(classes test-classes);
    return ['java', '-cp', $path, 'paperboy.connector.ConnectorApp'];
}

my $redis = Paperboy::Redis->new->start;
my $url   = 'redis://127.0.0.1:' . $redis->port;
my $TOKEN = 'a-token-of-the-tests';

sub node ($back_ends) {
    return nginx(workers => 2, http => <<"END");
paperboy_zone main 8m;
$back_ends
paperboy_origin any;
server {
    listen 127.0.0.1:%%PORT%%;
    location /ws { paperboy classic; }
    location /status { paperboy_status; }
}
END
}

# Two that an application tells alike, and where back ends call them.
my $embedded = "paperboy_embedded_token $TOKEN; "
    . 'paperboy_embedded_callbacks 127.0.0.1; server { listen '
    . '127.0.0.1:%%PORT_backend%%; location /back/end { paperboy_embedded; } }';
my %nodes = (
    redis    => [node("paperboy_classic_redis $url;")],
    embedded => [map { node($embedded) } 1 .. 2],
);
my $nginx;

my ($from, $to);
local $ENV{PAPERBOY_JWT_SECRET} = 'a secret of the tests, not of yours';
local $SIG{PIPE} = 'IGNORE';

# Gives the application an order; its answer.
sub order ($line) {
    print {$to} "$line\n";
    return readline($from) =~ s/\n\z//r;
}

# A connection that is subscribed to the channel.
sub join_as ($user, $channel) {
    my $client = $nginx->ws('/ws');
    $client->text(order("token $user $channel"));
    is($client->recv, "text:subscribed:$channel", "$user is in $channel");
    return $client;
}

# A message without what differs each time.
sub said ($event) {
    my $message = decode_json($event =~ s/^text://r);
    ok(delete($message->{timestamp}) > 1e12, 'it says when, in ms');
    return $message;
}

sub message (%more) { return { userId => undef, channel => undef, %more } }

# What the application is told of its messaging.
sub messaging ($kind) {
    return (redis => $url) if $kind eq 'redis';
    return (embedded => $TOKEN,
        map { 'http://127.0.0.1:' . $_->port('backend') . '/back/end' }
            @{ $nodes{embedded} });
}

my $log = File::Temp->new;
for my $language (@languages) {
    try_it($language, $_) for qw(redis embedded);
}

sub try_it ($language, $kind) {
    subtest "$language, $kind" => sub {
        my @all = @{ $nodes{$kind} };
        $nginx = $all[0];
        my $pid = open2($from, $to, 'sh', '-c', "exec \"\$@\" 2>>$log", 'sh',
            @{ $programs{$language} }, messaging($kind));
        $to->autoflush;
        is(readline($from), "ready\n", 'the application is ready');
        my $servers = $kind eq 'redis' ? qr/^[1-9]/ : qr/^2$/;

        my $ann    = join_as('ann', 'news');
        my $joined = message(
            channel => 'news',
            payload =>
                { source => 'system', message => "User 'ann' joined." }
        );
        is_deeply(said($ann->recv), $joined, 'the channel hears who has come');

        like(order('channel news {"a":[1,null]}'),
            $servers, 'all servers took it');
        is_deeply(
            said($ann->recv),
            message(channel => 'news', payload => { a => [1, undef] }),
            'a message to the channel'
        );
        like(order('user ann "for you"'), $servers, 'all servers took it');
        is_deeply(
            said($ann->recv),
            message(userId => 'ann', payload => 'for you'),
            'a message to the user'
        );

        my $refused = $nginx->ws('/ws');
        $refused->text(order('token ann secret'));
        my $forged = $nginx->ws('/ws');
        $forged->text(order('token eve news') . 'x');

        $nginx = $all[-1];
        my $bob = join_as('bob', 'news');
        said($_->recv) for $ann, $bob;    # that bob has come
        order('close ann news');
        order('channel news "after"');
        is_deeply(said($bob->recv)->{payload}, 'after', 'bob hears it');
        order('user ann "still here"');
        is_deeply(said($ann->recv)->{payload},
            'still here', 'ann does not, whose subscription was ended');

        like($refused->recv(10), qr/^close:/, 'who may not come in is closed');
        like($forged->recv(10),  qr/^close:/, 'and who has no good token');

        if ($kind eq 'embedded') {
            ok($_->stop, 'a server stops') for $nginx;
            $nginx->start;
            my $eve = wait_for('it is found again, and the callback is there',
                sub {
                    my $client = $nginx->ws('/ws');
                    $client->text(order('token eve sport'));
                    my $event = eval { $client->recv(1) } // '';
                    return $event =~ /^text:subscribed/ && $client;
                });
            like($eve->recv, qr/User 'eve' joined/, 'as before');
        }

        close $to;
        is(readline($from), undef, 'the application ends');
        waitpid $pid, 0;
        is($?, 0, 'well');
    };
    return;
}
my $said = do { local (@ARGV, $/) = ("$log"); <> };
like($said, qr/no access/, 'the log tells who may not come in');
like($said, qr/bad token/, 'and of a bad token');
finish;
