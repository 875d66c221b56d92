# conf-examples/notiflux and docker/notiflux: what they say, with the
# environment that the original server understands.
use v5.36;
use lib 't/lib';
use File::Basename qw(dirname);
use File::Temp ();
use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use Paperboy::Repo qw(slurp);
use Paperboy::Test;

my $ROOT  = $Paperboy::Nginx::ROOT;
my $SIGN  = "$ROOT/conf-examples/notiflux/sign";
my $ENTRY = "$ROOT/docker/notiflux";

my $dir = File::Temp->newdir;
chmod 0755, $dir;
# As the original's users make them.
my ($key, $public) = ("$dir/key.pem", "$dir/key.pub");
system(qw(openssl ecparam -genkey -name prime256v1 -out), $key) == 0
    and system("openssl ec -in $key -pubout -out $public 2>$dir/openssl") == 0
    or die 'openssl made no keys';
mkdir "$dir/modules";
symlink $Paperboy::Nginx::MODULE, "$dir/modules/ngx_http_paperboy_module.so";

# The example, for one who may write in this folder alone.
my $temp_paths = join '', map {"    ${_}_temp_path $dir/$_;\n"}
    qw(client_body proxy fastcgi uwsgi scgi);
my $example = slurp("$ROOT/conf-examples/notiflux/nginx.conf")
    =~ s/^(http \{\n)/pid $dir\/nginx.pid;\n$1$temp_paths/mr;
file_with("$dir/template", $example);

my %env = (
    PATH               => dirname($Paperboy::Nginx::BINARY) . ":$ENV{PATH}",
    TMPDIR             => "$dir",
    PAPERBOY_NOTIFLUX  => "$dir/template",
    JWT_PUBLIC_KEY_B64 => encode_base64(slurp($public)),
);

# Becomes nginx, or what it says instead; `more` is added to its environment.
sub entry ($output, %more) {
    my $pid = fork // die "fork: $!";
    return $pid if $pid;
    %ENV = map { defined $more{$_} || !exists $more{$_}
        ? ($_ => $more{$_} // $env{$_}) : () } keys %env, keys %more;
    open STDOUT, '>', $output or die $!;
    open STDERR, '>&', \*STDOUT or die $!;
    exec $ENTRY, '-p', "$dir/" or die "$ENTRY: $!";
}

sub refused ($name, $pattern, %more) {
    waitpid entry("$dir/said", %more), 0;
    is($? >> 8, 2, $name);
    return like(slurp("$dir/said"), $pattern, '- and says why');
}

refused('no key', qr/JWT_PUBLIC_KEY_B64 is missing/,
    JWT_PUBLIC_KEY_B64 => undef);
refused("PORT=$_", qr/PORT: \Q$_\E is not a number from 1 to 65535/,
    PORT => $_) for qw(0 65536 08 http 1e3);
refused("WORKER_COUNT=$_", qr/WORKER_COUNT: \Q$_\E is not a number/,
    WORKER_COUNT => $_) for qw(0 -1 two);
refused('HOST', qr/HOST: a; b is no address/, HOST => 'a; b');
waitpid entry("$dir/said", JWT_PUBLIC_KEY_B64 => 'bm9uZQ=='), 0;
isnt($?, 0, 'a key that is none');
like(slurp("$dir/said"), qr/no PEM public key/, '- nginx says why');
like(slurp("$dir/paperboy-notiflux.conf"),
    qr/^worker_processes 4;.*listen 127\.0\.0\.1:8080;/ms, 'the defaults');
waitpid entry("$dir/said", JWT_PUBLIC_KEY_B64 => 'x', HOST => '::1'), 0;
like(slurp("$dir/paperboy-notiflux.conf"), qr/listen \[::1\]:8080;/, 'IPv6');

my $port  = Paperboy::Nginx::free_port();
my $nginx = entry("$dir/nginx.log", PORT => $port, HOST => 'localhost',
    WORKER_COUNT => 3);
END { local $?; kill QUIT => $nginx if $nginx }
wait_for('it serves', sub {
    eval { Paperboy::HTTP::request(port => $port, path => '/health')
            ->{status} == 200 };
}) or diag slurp("$dir/nginx.log");
wait_for('WORKER_COUNT',
    sub { 3 == (my @workers = Paperboy::Nginx::workers_of($nginx)) });

sub sign (@words) {
    chomp(my $token = `$SIGN @words`);
    return $token;
}

my $ws = Paperboy::WebSocket->new(port => $port, path => '/ws',
    origin => 'https://www.example.com');
is($ws->status, 101, 'a page of any site');
$ws->text('/subscribe campaign:1 '
        . sign("subscribe $dir/key.pem news campaign:1"));
$ws->text('/what?');
is($ws->recv, 'text:Unknown command', 'a token of the script subscribes');

sub broadcast ($topic, $message, $token) {
    return Paperboy::HTTP::request(
        port    => $port,
        method  => 'POST',
        path    => '/broadcast',
        headers => ['Content-Type' => 'application/json'],
        body    => JSON::PP->new->encode(
            { topic => $topic, message => $message, token => $token }),
    )->{status};
}

is(broadcast('campaign:1', 'hello', sign("broadcast $dir/key.pem campaign:1")),
    200, 'and broadcasts');
is($ws->recv, 'text:hello', 'to who has subscribed');
is(broadcast('campaign:1', 'x', sign("broadcast $dir/key.pem news")), 403,
    'for its topics alone');
is(broadcast('campaign:1', 'x', sign("subscribe $dir/key.pem campaign:1")),
    403, 'and what it is for');
{
    local $ENV{SECONDS} = -61;
    is(broadcast('news', 'x', sign("broadcast $dir/key.pem news")), 401,
        'as long as it says');
}
{
    # DER's numbers are as short as they can be, and have a sign.
    my $der = "\x30\x44\x02\x1f" . "\x11" x 31 . "\x02\x21\0" . "\x99" x 32;
    file_with("$dir/der", $der);
    mkdir "$dir/bin";
    file_with("$dir/bin/openssl", "#!/bin/sh\ncat $dir/der\n");
    chmod 0755, "$dir/bin/openssl";
    local $ENV{PATH} = "$dir/bin:$ENV{PATH}";
    my (undef, undef, $signature) = split /\./,
        sign("broadcast $dir/key.pem news");
    is($signature, base64url("\0" . "\x11" x 31 . "\x99" x 32),
        'a signature is two numbers of 32 bytes');
}
like(`$SIGN publish $dir/key.pem news 2>&1`, qr{\./sign subscribe},
    'the script says what it wants');
isnt($?, 0, '- as an error');

kill QUIT => $nginx;
waitpid $nginx, 0;
is($?, 0, 'nginx ends in order');
undef $nginx;
done_testing;
