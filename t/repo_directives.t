# Each directive has its row in the reference and a behaviour test that uses
# it; the reference tells of none that isn't there.
use v5.36;
use lib 't/lib';
use Paperboy::Repo qw(files sources slurp);
use Test::More;

my %directive;
for my $path (sources('src/nginx')) {
    my $text = slurp($path);
    $directive{$1} = 1 while $text =~ /ngx_string\("(paperboy_?\w*)"\)/g;
}
plan skip_all => 'no directives yet' unless %directive;

my $reference = slurp('docs/directives.md');
my $tests     = join '', map { slurp($_) } grep {/\.t$/ && !/repo_/} files('t');
my %told      = map { $_ => 1 } $reference =~ /^#+ `?(paperboy\w*)/mg;

is_deeply([grep { !$told{$_} } sort keys %directive],
    [], 'each directive has its heading in docs/directives.md');
is_deeply([grep { !$directive{$_} } sort keys %told],
    [], 'and no other has one');
is_deeply([grep { $tests !~ /\b\Q$_\E[\s;]/ } sort keys %directive],
    [], 'each directive is used in a behaviour test');
done_testing;
