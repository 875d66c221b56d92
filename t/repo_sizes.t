# A file fits a reader's head, a function a screen: 600 and 60 lines at most.
use v5.36;
use lib 't/lib';
use Paperboy::Repo qw(sources slurp);
use Test::More;

my ($FILE, $FUNCTION) = (600, 60);

my (@long_files, @long_blocks);
for my $path (sources(qw(src t/unit t/fuzz t/fault bench))) {
    my @lines = split /\n/, slurp($path);
    push @long_files, "$path: " . @lines if @lines > $FILE;

    # clang-format closes a block at the column where it began.
    my %begin;
    for my $at (0 .. $#lines) {
        if ($lines[$at] =~ /^(\s*)\}/ && exists $begin{ length $1 }) {
            my $from   = delete $begin{ length $1 };
            my $length = $at - $from + 1;
            push @long_blocks, "$path:" . ($from + 1) . ": $length"
                if $length > $FUNCTION;
        }
        my ($indent) = $lines[$at] =~ /^(\s*)(?!\/\/).*\{$/ or next;
        next if $lines[$at] =~ /\b(?:namespace|class|struct|enum|union)\b
            |extern\s"C"|=\s*\{$/x;
        $begin{ length $indent } = $at;
    }
}
is(join("\n", @long_files), '', "no file has more than $FILE lines");
is(join("\n", @long_blocks), '', "no function has more than $FUNCTION lines");
done_testing;
