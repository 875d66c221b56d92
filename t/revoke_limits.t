# Limits of revocations that a reload changes: none that was given is taken back
# by them, and none that has had its time keeps room.
use v5.36;
use Paperboy::Test;
use File::Temp ();
use JSON::PP ();
use Time::HiRes qw(sleep);

my $dir    = File::Temp->newdir;
my $secret = 'secret ' x 10;
my $json   = JSON::PP->new->canonical;
file_with("$dir/secret", $secret);

sub conf (%set) {
    my %limit = (ttl => 3600, most => 100, %set);
    return <<"END";
paperboy_zone main 4m;
paperboy_origin any;
paperboy_jwt_key HS256 file=%%DIR%%/secret;
paperboy_revocation_ttl $limit{ttl};
paperboy_max_revocations $limit{most};
server {
    listen 127.0.0.1:%%PORT%%;
    location /raw { paperboy raw; paperboy_channel x; }
    location /api { paperboy_api any; paperboy_jwt_key off; }
    location /ready { paperboy_ready; }
    location /status { paperboy_status; }
}
END
}
my $nginx = nginx(workers => 2, dir => $dir, http => conf());

sub revoke (%what) {
    my $reply = $nginx->http(POST => '/api/revoke', body => $json->encode(\%what))
        ->json;
    return $reply->{error} ? $reply->{error}{code} : 'done';
}

sub standing ($id) {
    my $token = jwt({ exp => time + 3600, iat => time - 60, sub => 'ann',
            channels => ['x'], jti => $id }, key => $secret);
    return $nginx->ws("/raw?token=$token")->status;
}

# By each worker, which may not know yet in its first moment.
sub stands ($id, $status, $what) {
    my $wait = 100;
    sleep 0.1 while $status != 503 && standing($id) == 503 && $wait-- > 0;
    my @other = grep { $_ != $status } map { standing($id) } 1 .. 6;
    return is("@other", '', "$what: $status");
}

subtest 'a shorter time is of those that come' => sub {
    is(revoke(jti => 'hour'), 'done', 'revoked for an hour');
    stands(hour => 401, 'at first');
    $nginx->reload(conf(ttl => 4));
    is(revoke(jti => 'hours', ttl => 3600), 107, 'no other for so long');
    is(revoke(jti => 'moment'), 'done', 'but for a moment');
    is(standing('moment'), 401, 'which counts');
    ok(wait_for('its end', sub { standing('moment') == 101 }), 'is over');
    stands(hour => 401, 'an hour');
    # A table of another size is begun anew, and reads what is kept.
    $nginx->reload(conf(ttl => 4, most => 200));
    stands(hour => 401, 'after another reload');
    is(revoke(jti => 'moment'), 'done', 'another moment');
    $nginx->reload(conf(ttl => 4, most => 400));
    stands(hour => 401, 'and another');
};

subtest 'a number below what is remembered' => sub {
    $nginx->reload(conf(most => 3000));
    stands(hour => 401, 'with room');
    for my $hundred (1 .. 25) {
        my @commands = map { { revoke => { jti => "r$_" } } }
            100 * $hundred - 99 .. 100 * $hundred;
        is($nginx->http(POST => '/api/batch',
                body => $json->encode({ commands => \@commands }))->{status},
            200, 'revoked');
    }
    stands($_ => 401, $_) for qw(r1 r2500);
    $nginx->expect_log(qr/paperboy_max_revocations: \d+ are remembered/);
    $nginx->reload(conf());
    stands($_ => 503, $_) for qw(hour r1 r2500 never);
    like($nginx->http(GET => '/ready')->{body}, qr/"revocations"/,
        'clients are to be sent elsewhere');
    is(revoke(jti => 'more'), 106, 'and no more are taken');
    ok(wait_for('an alert', sub {
        $nginx->log =~ /\[alert\].*no token lets in: give at least (\d+)/
    }), 'the log says');
    my ($least) = $nginx->log =~ /give at least (\d+)/;
    cmp_ok($least, '>=', 2501, 'how many it takes');
    $nginx->reload(conf(most => $least));
    stands($_ => 401, $_) for qw(hour r1 r2500);
    stands(never => 101, 'who never was');
};

subtest 'what is over leaves its room' => sub {
    $nginx = nginx(workers => 2, dir => File::Temp->newdir,
        http => conf() =~ s/^paperboy_jwt_key .*\n//mr =~ s/paperboy_jwt_key off;//r);
    my $kept = sub { $nginx->status->{zone}{history_messages} };
    is(revoke(jti => "over$_", ttl => 4), 'done', 'revoked') for 1 .. 20;
    cmp_ok($kept->(), '>=', 20, 'kept');
    ok(wait_for('their end', sub { $kept->() == 0 }), 'and gone');
};

finish;
