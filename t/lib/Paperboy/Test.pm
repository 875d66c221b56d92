# What a behaviour test begins with:
#
#   use Paperboy::Test;
#   my $nginx = nginx(http => <<'END');
#   server {
#       listen 127.0.0.1:%%PORT%%;
#       location /echo { paperboy echo; paperboy_origin any; }
#   }
#   END
#   is($nginx->ws('/echo')->status, 101, 'an upgrade is accepted');
#   finish;
#
# One nginx serves a group of tests. `finish` ends the file: it stops every
# nginx, tells of log lines that nobody expected and calls done_testing. See
# Nginx.pm, HTTP.pm, WebSocket.pm and JWT.pm for what there is.
package Paperboy::Test;
use v5.36;

use Exporter 'import';
use Paperboy::JWT qw(jwt jwt_of_text rsa_key ec_key ed_key jwk jwks base64url);
use Paperboy::Nginx;
use Test::More;
use Time::HiRes qw(time sleep);

our @EXPORT = (
    qw(nginx conf_error conf_refused finish),
    qw(wait_for self_signed have_module file_with),
    qw(jwt jwt_of_text rsa_key ec_key ed_key jwk jwks base64url),
    @Test::More::EXPORT,
);

my @running;

# An nginx that runs; the options of Paperboy::Nginx->new.
sub nginx (%option) {
    my $nginx = Paperboy::Nginx->new(%option)->start;
    push @running, $nginx;
    return $nginx;
}

# What `nginx -t` says of this text in http {}; '' where it is content.
sub conf_error ($http, %option) {
    return Paperboy::Nginx->new(%option, http => $http)->check;
}

# A test that this text is refused with file and line, in words like these.
sub conf_refused ($http, $name, $pattern = qr/./) {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my ($line) = grep { /\[emerg\]/ } split /\n/, conf_error($http);
    return like($line, qr/$pattern.* in \S+nginx\.conf:\d+$/, $name);
}

# Polls until `$condition` gives something true, and gives it back. What
# doesn't come in time is a failed test, named `$what`.
sub wait_for ($what, $condition) {
    my $deadline = time + $Paperboy::Socket::TIMEOUT;
    while (1) {
        my $value = $condition->();
        return $value if $value;
        last if time > $deadline;
        sleep 0.02;
    }
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    fail("in vain waited for: $what");
    return;
}

# A certificate for localhost, in DIR: the paths of it and its key.
sub self_signed ($dir) {
    my ($certificate, $key) = ("$dir/tls.crt", "$dir/tls.key");
    system(
        qw(openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256
            -nodes -days 30 -subj /CN=localhost -batch),
        '-keyout', $key, '-out', $certificate,
        '-addext', 'subjectAltName=DNS:localhost',
        '-sha256', '-utf8', '-set_serial', 1,
        ) == 0 or die "openssl req failed\n";
    return ($certificate, $key);
}

# Whether this nginx can load one of Debian's modules.
sub have_module ($name) {
    return -e "$Paperboy::Nginx::DEBIAN_MODULES/$name.so"
        && conf_error('', modules => [$name], paperboy => 0) eq '';
}

sub file_with ($path, $content) {
    open my $file, '>', $path or die "$path: $!";
    binmode $file;
    print {$file} $content;
    close $file;
    return $path;
}

sub finish () {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    for my $nginx (@running) {
        my $pid = $nginx->{pid};
        ok($nginx->stop, 'nginx stops when it is told');
        my @lines = $nginx->unexpected;
        is("@lines[0 .. ($#lines < 9 ? $#lines : 9)]", '',
            'the error log has nothing unexpected');
    }
    @running = ();
    done_testing;
    return;
}

# On the way out of a test that failed in its midst the log is worth seeing.
END {
    my $status = $?;
    for my $nginx (@running) {
        $nginx->stop;
        diag($_) for $nginx->unexpected;
    }
    @running = ();
    $? = $status;
}

1;
