# The configurations that newcomers copy are ones that nginx takes.
use v5.36;
use lib 't/lib';
use File::Temp ();
use MIME::Base64 qw(encode_base64);
use Paperboy::JWT qw(ec_key);
use Paperboy::Nginx;
use Paperboy::Repo qw(files slurp);
use Test::More;

# What they want of their environment.
my $keys = File::Temp->newdir;
my (undef, $public) = ec_key($keys, 'key');
$ENV{JWT_PUBLIC_KEY_B64} = encode_base64(slurp($public));
$ENV{PAPERBOY_EMBEDDED_BACKEND_TOKEN} = 'a token of the tests' =~ tr/ /-/r;
$ENV{PAPERBOY_CSRF_SECRET} = 'a secret of thirty-two bytes, ok';

my @examples = grep {/nginx\.conf$/} files('conf-examples', 'docker');
ok(scalar @examples, 'there are examples');

for my $example (@examples) {
    my $dir = File::Temp->newdir('paperboy-XXXXXX', TMPDIR => 1);
    mkdir "$dir/$_" for qw(logs modules html);
    symlink $Paperboy::Nginx::MODULE,
        "$dir/modules/ngx_http_paperboy_module.so";
    # Paths outside the prefix are for one who may write there.
    my $conf = slurp($example) =~ s{(pid|error_log)\s+/[^;\s]*/}{$1 }gr;
    $conf =~ s{^(http \{)}{$1\n@{[ temp_paths() ]}}m;
    open my $file, '>', "$dir/nginx.conf" or die "nginx.conf: $!";
    print {$file} $conf;
    close $file;
    my $said = `$Paperboy::Nginx::BINARY -t -q -p $dir/ -c nginx.conf \\
        -e logs/error.log 2>&1`;
    is($said . ($? ? "exit status $?" : ''), '', $example);
}
done_testing;

sub temp_paths () {
    return join '', map {"${_}_temp_path $_;\n"}
        qw(client_body proxy fastcgi uwsgi scgi);
}
