# docker/classic and the configuration that it fills in: the environment of the
# classic server, its defaults, and what is refused.
use v5.36;
use lib 't/lib';
use File::Basename qw(dirname);
use File::Temp ();
use Paperboy::Repo qw(slurp);
use Paperboy::Test;

my $ROOT  = $Paperboy::Nginx::ROOT;
my $ENTRY = "$ROOT/docker/classic";

my $dir = File::Temp->newdir;
chmod 0755, $dir;
mkdir "$dir/modules";
symlink $Paperboy::Nginx::MODULE, "$dir/modules/ngx_http_paperboy_module.so";

# The example, for one who may write in this folder alone.
my $temp_paths = join '', map {"    ${_}_temp_path $dir/$_;\n"}
    qw(client_body proxy fastcgi uwsgi scgi);
my $example = slurp("$ROOT/conf-examples/classic-embedded/nginx.conf")
    =~ s/^(http \{\n)/pid $dir\/nginx.pid;\n$1$temp_paths/mr;
file_with("$dir/template", $example);

my $token = 'a-token-of-the-tests';
my %env   = (
    PATH                            => dirname($Paperboy::Nginx::BINARY)
        . ":$ENV{PATH}",
    TMPDIR                          => "$dir",
    PAPERBOY_CLASSIC                => "$dir/template",
    PAPERBOY_EMBEDDED_BACKEND_TOKEN => $token,

    # Without them nginx's own leaks count.
    map { $_ => $ENV{$_} } grep {/SAN_OPTIONS$/} keys %ENV,
);

# Becomes nginx, or what it says instead; `more` is added to its environment,
# and `arguments` are nginx's.
sub entry ($more, @arguments) {
    my $pid = fork // die "fork: $!";
    return $pid if $pid;
    %ENV = (%env, %$more);
    delete @ENV{ grep { !defined $ENV{$_} || $ENV{$_} eq '' } keys %ENV };
    open STDOUT, '>', "$dir/said" or die $!;
    open STDERR, '>&', \*STDOUT or die $!;
    exec $ENTRY, '-p', "$dir/", @arguments or die "$ENTRY: $!";
}

# The configuration that nginx was content with.
sub filled (%more) {
    waitpid entry(\%more, '-t'), 0;
    is($?, 0, 'nginx takes it') or diag slurp("$dir/said");
    return slurp("$dir/paperboy-classic.conf");
}

sub refused ($name, $pattern, %more) {
    waitpid entry(\%more, '-t'), 0;
    is($? >> 8, 2, $name);
    return like(slurp("$dir/said"), $pattern, '- and says why');
}

my $conf = filled();
like($conf, qr/listen 3000;/,                             'the defaults');
like($conf, qr/listen 8060;/,                             'for back ends');
like($conf, qr/paperboy_origin http:\/\/localhost:8080;/, 'of origins');
like($conf, qr/paperboy_embedded_callbacks 127\.0\.0\.1;/, 'and callbacks');

$conf = filled(
    PAPERBOY_ALLOWED_ORIGINS    => '*',
    PAPERBOY_EMBEDDED_CALLBACKS => '10.0.0.0/8 [fd00::1]:8080',
);
like($conf, qr/paperboy_origin any;/, 'any origin');
like($conf, qr/paperboy_embedded_callbacks 10\.0\.0\.0\/8 \[fd00::1\]:8080;/,
    'callbacks');

$conf = filled(
    PAPERBOY_MESSAGING_BACKEND      => 'redis',
    PAPERBOY_EMBEDDED_BACKEND_TOKEN => undef,
    PAPERBOY_REDIS_SERVER_URL       => 'redis://127.0.0.1:6390/2',
    PAPERBOY_ALLOWED_ORIGINS => 'https://a.example,https://b.example',
);
like($conf, qr/paperboy_classic_redis redis:\/\/127\.0\.0\.1:6390\/2;/,
    'by Redis');
unlike($conf, qr/paperboy_embedded|listen 8060/, 'nothing listens for back ends');
like($conf, qr/paperboy_origin https:\/\/a\.example https:\/\/b\.example;/,
    'two origins, as a text had them in which one had to occur');
is((stat "$dir/paperboy-classic.conf")[2] & oct 77, 0,
    'nobody else reads the password of Redis');

like(filled(PAPERBOY_MESSAGING_BACKEND => 'redis'),
    qr/paperboy_classic_redis redis:\/\/localhost:6379;/, 'the default Redis');

like(filled(PAPERBOY_ALLOWED_ORIGINS => 'https://a.example https://b.example'),
    qr/paperboy_origin https:\/\/a\.example https:\/\/b\.example;/,
    'origins with a space between them');

refused('no token', qr/PAPERBOY_EMBEDDED_BACKEND_TOKEN is missing/,
    PAPERBOY_EMBEDDED_BACKEND_TOKEN => undef);
refused($_, qr/rabbit is neither embedded nor redis/,
    PAPERBOY_MESSAGING_BACKEND => $_) for 'rabbit';
for my $name (qw(PAPERBOY_WEB_SOCKET_PORT PAPERBOY_EMBEDDED_BACKEND_PORT)) {
    refused("$name=$_", qr/$name: \Q$_\E is no port/, $name => $_)
        for qw(0 65536 08 http 1e3);
}
refused($_, qr/$_: .* can't be/, $_ => 'a; b')
    for qw(PAPERBOY_ALLOWED_ORIGINS PAPERBOY_REDIS_SERVER_URL
    PAPERBOY_EMBEDDED_CALLBACKS);

my %port  = map { $_ => Paperboy::Nginx::free_port() } qw(clients back_ends);
my $nginx = entry({
    PAPERBOY_WEB_SOCKET_PORT       => $port{clients},
    PAPERBOY_EMBEDDED_BACKEND_PORT => $port{back_ends},
});
END { local $?; kill QUIT => $nginx if $nginx }
my $id = wait_for('it serves', sub {
    eval { Paperboy::HTTP::request(port => $port{back_ends},
            path => '/instance')->{body} };
}) or diag slurp("$dir/said");
like($id, qr/^[0-9a-f]+$/, 'back ends');
my %to = (port => $port{clients}, path => '/');
is(Paperboy::WebSocket->new(%to, origin => 'http://localhost:8080')->status,
    101, 'and pages');
is(Paperboy::WebSocket->new(%to, origin => 'http://localhost:8080.evil')
        ->status, 403, 'of that origin alone');
is(Paperboy::HTTP::request(
        port    => $port{back_ends},
        method  => 'POST',
        path    => '/pushMessage/paperboy-message',
        headers => [PaperboyEmbeddedBackendToken => $token],
        body    => '{"channel":"news","payload":1}'
    )->{body}, 'done', 'the token is the environment\'s');

kill QUIT => $nginx;
waitpid $nginx, 0;
is($?, 0, 'nginx ends in order');
undef $nginx;
done_testing;
