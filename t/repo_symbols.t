# nginx loads modules into one global name space: ours brings only the tables
# that nginx itself looks up.
use v5.36;
use lib 't/lib';
use Paperboy::Nginx;
use Test::More;

my @symbols = map { (split)[2] }
    split /\n/, `nm -D --defined-only $Paperboy::Nginx::MODULE`;
is_deeply([sort @symbols], [qw(ngx_module_names ngx_module_order ngx_modules)],
    'the module shows its tables and nothing else');
done_testing;
