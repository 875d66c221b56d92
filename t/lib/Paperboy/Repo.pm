# The repository's own files, for the tests that hold them to the house's
# rules. Paths are relative to its root, where `prove` runs.
package Paperboy::Repo;
use v5.36;

use Exporter 'import';
use File::Find ();

our @EXPORT_OK = qw(files sources slurp);

my $NOT_OURS = qr{^(?:\.git|build.*|node_modules|\.cache|target|__pycache__)$};

# All files below @folders (else the whole repository).
sub files (@folders) {
    my @found;
    File::Find::find({
        no_chdir   => 1,
        preprocess => sub {
            return grep { $_ !~ $NOT_OURS } @_;
        },
        wanted => sub { push @found, s{^\./}{}r if -f && !-l },
    }, @folders ? grep { -e } @folders : '.');
    return sort @found;
}

# Those of them in C++ and C.
sub sources (@folders) { return grep {/\.(?:[ch]pp|c)$/} files(@folders) }

sub slurp ($path) {
    open my $file, '<:raw', $path or die "$path: $!";
    local $/ = undef;
    return <$file>;
}

1;
