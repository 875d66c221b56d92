# The connectors for applications, each in its language, against a real nginx
# and a real Redis: connectors/*/test/app* is a small application that takes
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
    open my $file, '<', "$folder/target/classpath" or return;
    my $path = join ':', <$file>, map {"$folder/target/$_"}
        qw(classes test-classes);
    return ['java', '-cp', $path, 'paperboy.connector.ConnectorApp'];
}

my $redis = Paperboy::Redis->new->start;
my $url   = 'redis://127.0.0.1:' . $redis->port;
my $nginx = nginx(workers => 2, http => <<"END");
paperboy_zone main 8m;
paperboy_classic_redis $url;
paperboy_origin any;
server {
    listen 127.0.0.1:%%PORT%%;
    location /ws { paperboy classic; }
}
END

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

my $log = File::Temp->new;
for my $language (@languages) {
    subtest $language => sub {
        my $pid = open2($from, $to, 'sh', '-c', "exec \"\$@\" 2>>$log", 'sh',
            @{ $programs{$language} }, redis => $url);
        $to->autoflush;
        is(readline($from), "ready\n", 'the application is ready');

        my $ann    = join_as('ann', 'news');
        my $joined = message(
            channel => 'news',
            payload =>
                { source => 'system', message => "User 'ann' joined." }
        );
        is_deeply(said($ann->recv), $joined, 'the channel hears who has come');

        cmp_ok(order('channel news {"a":[1,null]}'),
            '>', 0, 'a server took it');
        is_deeply(
            said($ann->recv),
            message(channel => 'news', payload => { a => [1, undef] }),
            'a message to the channel'
        );
        cmp_ok(order('user ann "for you"'), '>', 0, 'a server took it');
        is_deeply(
            said($ann->recv),
            message(userId => 'ann', payload => 'for you'),
            'a message to the user'
        );

        my $refused = $nginx->ws('/ws');
        $refused->text(order('token ann secret'));
        my $forged = $nginx->ws('/ws');
        $forged->text(order('token eve news') . 'x');

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

        close $to;
        is(readline($from), undef, 'the application ends');
        waitpid $pid, 0;
        is($?, 0, 'well');
    };
}
my $said = do { local (@ARGV, $/) = ("$log"); <> };
like($said, qr/no access/, 'the log tells who may not come in');
like($said, qr/bad token/, 'and of a bad token');
finish;
