# What decides who may come in stays in a zone that others fill: revocations and
# opaque tokens are there after a reload and a restart that read them anew.
use v5.36;
use Paperboy::Test;
use File::Temp ();
use JSON::PP ();

my $dir    = File::Temp->newdir;
my $secret = 'secret ' x 10;
file_with("$dir/secret", $secret);

my $conf = <<'END';
paperboy_zone main 2m file=%%DIR%%/zone.paperboy seats=16;
paperboy_jwt_key HS256 file=%%DIR%%/secret;
paperboy_max_revocations 100;
paperboy_max_opaque_tokens 100;
paperboy_channel_rule kept* history=100000;
paperboy_origin any;
server {
    listen 127.0.0.1:%%PORT%%;
    keepalive_requests 1000000;
    location /ws {
        paperboy raw;
        paperboy_opaque_tokens on;
        paperboy_channel news;
    }
    location /publish {
        paperboy_publish any;
        paperboy_jwt_key off;
        paperboy_channel $arg_c;
    }
    location /api { paperboy_api any; paperboy_jwt_key off; }
    location /status { paperboy_status; }
}
END
my $nginx = nginx(dir => $dir, workers => 1, log_level => 'info', http => $conf);
my $json  = JSON::PP->new->canonical;

sub ask ($method, %parameters) {
    return $nginx->http(POST => "/api/$method", body => $json->encode(\%parameters))
        ->json;
}

# Until so many have had to go, of those that others keep.
sub fill ($evictions) {
    my $body   = 'x' x 8000;
    my $before = $nginx->status->{zone}{history_evictions};
    my $sent   = 0;
    while ($nginx->status->{zone}{history_evictions} < $before + $evictions) {
        for (1 .. 100) {
            my $answer = $nginx->http(POST => "/publish?c=kept$_", body => $body);
            return fail("published: $answer->{status}") if $answer->{status} != 200;
        }
        return fail('nothing had to go') if ($sent += 100) > 10_000;
    }
    return pass('the zone is full of what others keep');
}

my %revoked = (sub => 'ann', channels => ['news'], jti => 'one');
my $revoked = jwt({ exp => time + 3600, iat => time - 60, %revoked }, key => $secret);
my $opaque = ask(token_create => ttl => 3600, channels => ['news'])->{result}{token};
my $ended  = ask(token_create => ttl => 3600, channels => ['news'])->{result}{token};

sub standing ($token) { return $nginx->ws("/ws?token=$token")->status }

sub all_stand ($when) {
    my $wait = 50;
    sleep 0.1 while standing($opaque) == 503 && $wait-- > 0;
    is(standing($revoked), 401, "$when: what was revoked is refused");
    is(standing($opaque),  101, "$when: an opaque token is good");
    is(standing($ended),   401, "$when: one that was ended isn't");
    return;
}

is(standing($revoked), 101, 'a token lets in');
ok(ask(revoke      => jti   => 'one')->{result},          'until it is revoked');
ok(ask(token_end   => token => $ended)->{result}{ended}, 'one that ends');
all_stand('at first');

fill(200);
all_stand('full');

# Tables of another size are begun anew, and read what is kept.
$nginx->reload($conf =~ s/(max_\w+) 100;/$1 200;/gr);
all_stand('after a reload');
fill(200);
$nginx->stop;
$nginx->start;
all_stand('after a restart');

subtest 'tokens that come and go leave their room to others' => sub {
    my $used = sub { $nginx->status->{zone}{history_messages} };
    for (1 .. 2000) {
        my $token = ask(token_create => ttl => 60, channels => ['news'])
            ->{result}{token};
        ask(token_end => token => $token);
    }
    fill(10);
    all_stand('then');
    wait_for('their records go', sub { $used->() < 1500 });
    note 'messages kept: ', $used->();
};

done_testing;
