# paperboy_ready without a broker between nodes: whether the worker that is
# asked can serve. With Redis: redis.t.
use v5.36;
use Paperboy::Test;

my $nginx = nginx(http => <<'END');
server {
    listen 127.0.0.1:%%PORT%%;
    location = /ready { paperboy_ready; }
}
END

my $answer = $nginx->http(GET => '/ready');
is($answer->{status}, 200, 'ready');
is($answer->{body}, '{"ready":true}', 'in JSON');
is($answer->{header}{'content-type'}, 'application/json', 'as its type says');
is($answer->{header}{'cache-control'}, 'no-store', 'not to be kept');
my $head = $nginx->http(HEAD => '/ready');
is($head->{status}, 200, 'HEAD');
is($head->{body}, '', 'has no body');
my $post = $nginx->http(POST => '/ready', body => '');
is($post->{status}, 405, 'POST');
is($post->{header}{allow}, 'GET, HEAD', 'is told what to do');

subtest 'a worker without a seat' => sub {
    my $crowded = nginx(workers => 2, http => <<'END');
paperboy_zone main 4m seats=1;
server {
    listen 127.0.0.1:%%PORT%% reuseport;
    location = /ready { paperboy_ready; }
}
END
    $crowded->expect_log(qr/no seat for this worker/);
    my %seen;
    wait_for('both workers', sub {
        my $answer = $crowded->http(GET => '/ready');
        $seen{ $answer->{status} } = $answer;
        return $seen{200} && $seen{503};
    });
    is($seen{503}{body}, '{"ready":false,"reasons":["no_seat"]}', 'says why');
    is($seen{503}{header}{'retry-after'}, 1, 'and when to come back');
    is($seen{503}{header}{'cache-control'}, 'no-store', 'not to be kept');
};

subtest 'what nginx -t refuses' => sub {
    conf_refused('server { location / { paperboy_ready yes; } }',
        'a parameter', qr/invalid number of arguments/);
    conf_refused('server { location / { paperboy_ready; paperboy_status; } }',
        'two handlers', qr/handler of its own/);
    conf_refused(
        'server { location / { paperboy_ready; proxy_pass http://127.0.0.1; } }',
        'another handler', qr/another directive of the location/);
};

finish;
