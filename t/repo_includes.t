# Who may include whom, as src/README.md draws it: nothing includes upward,
# and each foreign library is known to one file.
use v5.36;
use lib 't/lib';
use Paperboy::Repo qw(sources slurp);
use Test::More;

my %MAY = (
    base    => [],
    ws      => [qw(base)],
    dialect => [qw(base)],
    auth    => [qw(base)],
    hub     => [qw(base)],
    broker  => [qw(hub base)],
    api     => [qw(hub base)],
    backend => [qw(broker hub base)],
    session => [qw(ws dialect auth hub base)],
    cli     => [qw(ws auth base)],
    nginx   => [qw(session backend api broker auth dialect ws hub base)],
);

# A header of a library, and the files of ours that may include it.
my %KNOWN_TO = (
    'jansson.h' => qr{^src/base/json\.cpp$},
    'jwt.h'     => qr{^src/auth/(?:jwt_sign|signature)\.cpp$},
    'openssl/ssl.h' => qr{^src/cli/tls\.cpp$},
    'hiredis'   => qr{^src/broker/redis_reply\.cpp$},
    'ngx_'      => qr{^src/nginx/(?:ngx\.hpp|modules\.c)$},
);

my (@upward, @strays, %known);
for my $path (sources('src')) {
    my ($room) = $path =~ m{^src/(\w+)/};
    my %may = map { $_ => 1 } $room, @{ $MAY{$room} // [] };
    my $text = slurp($path);
    while ($text =~ /^\s*#\s*include\s+(["<])([^">]+)/mg) {
        my ($quote, $header) = ($1, $2);
        my ($of) = $quote eq '"' && $header =~ m{^(\w+)/};
        push @upward, "$path: $header"
            if $of && exists $MAY{$of} && !$may{$of};
        for my $library (keys %KNOWN_TO) {
            next if $header !~ /^\Q$library\E/;
            $known{$library}{$path} = 1;
            push @strays, "$path: $header" if $path !~ $KNOWN_TO{$library};
        }
    }
}
is("@upward", '', 'no room includes one above or beside it');
is("@strays", '', 'a library stays behind its file');
for my $library (qw(jansson.h hiredis)) {
    cmp_ok(scalar keys %{ $known{$library} // {} },
        '<=', 1, "$library is included by one file");
}
is_deeply([grep { !$MAY{$_} } map { m{/(\w+)$} } grep { -d } glob 'src/*'],
    [], 'every room is on the map');
done_testing;
