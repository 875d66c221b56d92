# Many clients that come at once don't keep those waiting who are here already.
use v5.36;
use Paperboy::Test;

my $nginx = nginx(workers => 1, http => <<'END');
paperboy_origin any;
paperboy_log_format place '$uri';
paperboy_log %%DIR%%/ended.log place;
server {
    listen 127.0.0.1:%%PORT%%;
    location /old { paperboy native; }
    location /new { paperboy native; }
}
END
my $CROWD = 200;
my ($worker) = $nginx->workers;

# One that has said what it wants.
my $old = $nginx->ws('/old');
for my $command ('{"id":1,"connect":{}}', '{"id":2,"subscribe":{"channel":"a"}}') {
    $old->text($command);
    like($old->recv, qr/^text:/, 'is answered');
}
my @crowd = map { $nginx->ws('/new') } 1 .. $CROWD;

# All say something while the worker can't look, the old one last, and go: the
# log has them in the order in which the worker looked at them.
kill STOP => $worker;
for my $new (@crowd) {
    $new->text('{"id":1,"connect":{}}');
    $new->drop;
}
$old->text('{"id":3,"ping":{}}');
$old->drop;
kill CONT => $worker;

my @ended;
wait_for('all to have ended', sub {
    @ended = split /\n/, $nginx->log('ended.log');
    return @ended == $CROWD + 1;
});
my ($place) = grep { $ended[$_] eq '/old' } 0 .. $#ended;
cmp_ok($place, '<', $CROWD / 4, 'the old one had not to wait for all');
is(scalar(grep { $_ eq '/new' } @ended), $CROWD, 'and they had their turns');
finish;
