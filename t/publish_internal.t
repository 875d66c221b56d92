# Publishing from inside nginx: mirror, auth_request, SSI, X-Accel-Redirect and
# error_page. nginx makes a GET of most of these.
use v5.36;
use Paperboy::Test;

my $nginx = nginx(http => <<'END');
paperboy_origin any;
paperboy_zone main 4m;
server {
    listen 127.0.0.1:%%PORT_app%%;
    client_max_body_size 1m;
    location /accel {
        add_header X-Accel-Redirect /internal/upstream?channel=a;
        add_header X-Message "from the application";
        return 200 'not seen';
    }
    location /accel-body {
        add_header X-Accel-Redirect /internal/body?channel=a;
        return 200 'not seen';
    }
    location /mirror { return 200 application; }
}
server {
    listen 127.0.0.1:%%PORT%%;
    client_body_buffer_size 1k;
    client_max_body_size 1m;
    location /ws { paperboy raw; paperboy_channel $arg_c; }

    location /internal/body { internal; paperboy_publish; }
    location /internal/message {
        internal;
        paperboy_publish;
        paperboy_channel a;
        paperboy_message "message $arg_text";
    }
    location /internal/upstream {
        internal;
        paperboy_publish;
        paperboy_message $upstream_http_x_message;
    }
    location /internal/page {
        internal;
        paperboy_publish;
        paperboy_channel a;
        paperboy_message "page for $request_uri";
    }
    location /plain {
        paperboy_publish;
        paperboy_channel a;
        paperboy_message plain;
    }

    location /internal/silent {
        internal;
        paperboy_publish;
        paperboy_publish_answer 204;
        paperboy_channel a;
    }
    location /internal/thanks {
        internal;
        paperboy_publish;
        paperboy_publish_answer 202 "thanks for $request_uri";
        paperboy_channel a;
    }
    location /silent { error_page 418 = /internal/silent; return 418; }
    location /thanks { error_page 418 = /internal/thanks; return 418; }

    location /mirror {
        mirror /internal/body;
        proxy_pass http://127.0.0.1:%%PORT_app%%;
    }
    location /internal/auth {
        internal;
        paperboy_publish;
        paperboy_channel a;
        paperboy_message "asked for $request_uri";
    }
    location /auth {
        auth_request /internal/auth;
        try_files nothing @in;
    }
    location @in { return 200 in; }
    location /ssi {
        ssi on;
        ssi_types *;
        return 200 '[<!--#include virtual="/internal/message?text=ssi" -->]';
    }
    location /ssi-silent {
        ssi on;
        ssi_types *;
        return 200 '[<!--#include virtual="/internal/silent" -->]';
    }
    location /ssi-plain {
        ssi on;
        ssi_types *;
        return 200 '[<!--#include virtual="/plain" -->]';
    }
    location /accel { proxy_pass http://127.0.0.1:%%PORT_app%%; }
    location /error { error_page 404 = /internal/page; return 404; }
}
END

my $ws = $nginx->ws('/ws?c=a');

sub post ($path, $body) { return $nginx->http(POST => $path, body => $body) }

subtest 'internal means internal' => sub {
    is(post('/internal/body?channel=a', 'x')->{status}, 404, 'from outside');
};

subtest 'mirror' => sub {
    for my $body ('small', 'x' x 50_000) {
        is(post('/mirror?channel=a', $body)->{body}, 'application',
            'the application answers');
        ok($ws->recv eq "text:$body",
            length($body) . ' bytes are published beside it');
    }
};

subtest 'auth_request' => sub {
    is($nginx->http(GET => '/auth')->{body}, 'in', 'lets in');
    is($ws->recv, 'text:asked for /auth', 'and has published');
};

subtest 'SSI' => sub {
    my $body = $nginx->http(GET => '/ssi')->{body};
    like($body, qr/^\[\{.*"channel":\s*"a".*\}\]$/s, 'includes the answer');
    is($ws->recv, 'text:message ssi', 'and has published');
    is($nginx->http(GET => '/ssi-silent')->{body}, '[]',
        'an answer without a body');
    is($ws->recv, 'text:', 'and has published');
    like($nginx->http(GET => '/ssi-plain')->{body}, qr/^\[.*\]$/s,
        'a location that is not internal');
    $nginx->http(GET => '/auth');
    is($ws->recv, 'text:asked for /auth',
        'checks a token itself, as subrequests pass by the access phase');
};

subtest 'X-Accel-Redirect' => sub {
    my $answer = post('/accel', 'the client says');
    is($answer->{status}, 200, 'is answered');
    is($answer->json->{channel}, 'a', 'by the publish');
    is($ws->recv, 'text:from the application',
        'a header of the application is the message');
    is($nginx->http(GET => '/accel')->{status}, 200, 'of a GET as well');
    is($ws->recv, 'text:from the application', 'the same');
    for my $body ('small', 'y' x 50_000) {
        is(post('/accel-body', $body)->{status}, 200, 'without one');
        ok($ws->recv eq "text:$body",
            'the body of the client is: ' . length($body) . ' bytes');
    }
};

subtest 'error_page' => sub {
    is(post('/error', 'x')->{status}, 200, 'is answered');
    is($ws->recv, 'text:page for /error', 'and has published');
};

subtest 'paperboy_publish_answer' => sub {
    my $answer = post('/silent', 'quietly');
    is($answer->{status}, 204, 'no content');
    is($answer->{body}, '', 'at all');
    is($ws->recv, 'text:quietly', 'but a message');
    $answer = post('/thanks', 'aloud');
    is($answer->{status}, 202, 'another status');
    is($answer->{body}, 'thanks for /thanks', 'a text with variables');
    is($ws->recv, 'text:aloud', 'and a message');
};

conf_refused('server { location / { paperboy_publish_answer 500; } }',
    'an answer that would be a lie', qr/500/);

finish;
