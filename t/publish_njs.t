# An application inside nginx: Debian's libnginx-mod-http-js publishes.
use v5.36;
use Paperboy::Test;
use File::Temp ();

plan skip_all => 'this nginx cannot load libnginx-mod-http-js'
    unless have_module('ngx_http_js_module');

my $dir = File::Temp->newdir;
file_with("$dir/app.js", <<'END');
async function order(r) {
    const reply = await r.subrequest('/internal/publish', {
        args: 'channel=orders',
        method: 'POST',
        body: JSON.stringify({ by: r.variables.arg_by, text: r.requestText }),
    });
    r.return(reply.status, reply.responseText);
}

async function message(r) {
    const reply = await r.subrequest('/internal/message', {
        args: 'channel=orders&text=' + r.variables.arg_text,
    });
    r.return(reply.status, reply.responseText);
}

function redirect(r) {
    r.headersOut['X-Message'] = 'by header';
    r.internalRedirect('/internal/message?channel=orders&text=redirected');
}

export default { order, message, redirect };
END

my $nginx = nginx(
    dir     => $dir,
    modules => ['ngx_http_js_module'],
    http    => <<'END');
js_import app from %%DIR%%/app.js;
paperboy_origin any;
paperboy_zone main 4m;
server {
    listen 127.0.0.1:%%PORT%%;
    client_max_body_size 1m;
    client_body_buffer_size 1m;
    subrequest_output_buffer_size 16k;
    location /ws { paperboy raw; paperboy_channel orders; }
    location /order { js_content app.order; }
    location /message { js_content app.message; }
    location /redirect { js_content app.redirect; }
    location /internal/publish { internal; paperboy_publish; }
    location /internal/message {
        internal;
        paperboy_publish;
        paperboy_message $arg_text;
    }
}
END

my $ws = $nginx->ws('/ws');

my $answer = $nginx->http(POST => '/order?by=joe', body => 'two beers');
is($answer->{status}, 200, 'a subrequest with a body');
is($answer->json->{subscribers}, 1, 'gets the answer');
is($ws->recv, 'text:{"by":"joe","text":"two beers"}', 'and publishes');

$answer = $nginx->http(POST => '/order?by=joe', body => 'x' x 20_000);
is($answer->{status}, 200, 'a large one');
is(length $ws->recv, 20_000 + length('text:{"by":"joe","text":""}'),
    'is published');

$answer = $nginx->http(GET => '/message?text=hello');
is($answer->json->{channel}, 'orders', 'a subrequest by GET');
is($ws->recv, 'text:hello', 'publishes paperboy_message');

$answer = $nginx->http(GET => '/redirect');
is($answer->{status}, 200, 'internalRedirect');
is($ws->recv, 'text:redirected', 'publishes');

finish;
