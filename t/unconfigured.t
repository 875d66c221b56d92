# Loaded and not configured, the module does nothing at all.
use v5.36;
use Paperboy::Test;

my $nginx = nginx(http => <<'END');
server {
    listen 127.0.0.1:%%PORT%%;
    location / { return 200 plain; }
}
END

is($nginx->http(GET => '/')->{body}, 'plain', 'nginx serves as ever');
is($nginx->ws('/')->status, 200, 'and upgrades nothing');
$nginx->reload;
is($nginx->http(GET => '/')->{body}, 'plain', 'after a reload too');
is(scalar(grep { /paperboy/i } split /\n/, $nginx->output), 0,
    'the log has no word of it');

my $bare = nginx(http => undef);
is(scalar $bare->workers, 2, 'a configuration without http {}');
$bare->reload;
ok($bare->is_alive, 'is reloaded');

my @symbols = sort map { (split)[-1] }
    split /\n/, `nm -D --defined-only $Paperboy::Nginx::MODULE`;
is_deeply(\@symbols, [qw(ngx_module_names ngx_module_order ngx_modules)],
    'it exports its tables and nothing else');

finish;
