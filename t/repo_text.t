# What a repository owes its readers, and what it must not tell them.
use v5.36;
use lib 't/lib';
use Paperboy::Repo qw(files slurp);
use Test::More;

like(slurp('LICENSE'), qr/Apache License\s+Version 2\.0/, 'a licence');
like(slurp('CHANGELOG.md'),
    qr/Keep a Changelog.*^## \[Unreleased\]/ms, 'a list of changes');
like(slurp('README.md'), qr{scripts/demo.*load_module}s,
    'README: how to try it, how to load it');

my (@paths, @links, @unfinished);
for my $path (files()) {
    my $text = slurp($path);
    next if $text =~ /\0/;
    push @paths, $path if $text =~ m{(?:/wo[r]k|/ro[o]t|/ho[m]e)/\w};
    push @unfinished, $path if $text =~ /\b(?:TO[D]O|FIX[M]E|XX[X])\b/;
    next if $path !~ /\.md$/;
    my ($folder) = $path =~ m{^(.*/)?};
    while ($text =~ /\]\((?!\w+:|#)([^)#\s]+)/g) {
        push @links, "$path: $1" unless -e ($folder // '') . $1;
    }
}
is("@paths",      '', 'no path of one machine');
is("@unfinished", '', 'nothing is left to be done in comments');
is("@links",      '', 'links between documents lead somewhere');

unlike(slurp($_), qr/"resolved"/,
    "$_ names packages, not where one machine got them")
    for grep {m{/package-lock\.json$}} files();
done_testing;
