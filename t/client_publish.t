# paperboy_client_publish: a raw client's message is a publication.
use v5.36;
use Paperboy::Test;
use File::Temp ();

my $dir    = File::Temp->newdir;
my $secret = 'secret ' x 10;
file_with("$dir/secret", $secret);

my $nginx = nginx(dir => $dir, http => <<'END');
paperboy_zone main 4m;
server {
    listen 127.0.0.1:%%PORT%%;
    location /open {
        paperboy raw;
        paperboy_channel $arg_c;
        paperboy_origin any;
        paperboy_client_publish on;
    }
    location /two {
        paperboy raw;
        paperboy_channel a b;
        paperboy_origin any;
        paperboy_client_publish on;
    }
    location /off {
        paperboy raw;
        paperboy_channel a;
        paperboy_origin any;
        paperboy_client_publish off;
    }
    location /key {
        paperboy raw;
        paperboy_channel a;
        paperboy_jwt_key HS256 file=%%DIR%%/secret;
        paperboy_token $arg_token;
        paperboy_client_publish on;
    }
}
END

sub frame (@frame) { return Paperboy::WebSocket::frame(@frame) }

subtest 'without a key' => sub {
    my @all = map { $nginx->ws('/open?c=a') } 1 .. 4;
    my $other = $nginx->ws('/open?c=b');
    $all[0]->text('hello');
    is($_->recv, 'text:hello', 'everybody hears it, the sender too') for @all;
    $all[1]->binary("\0\xff");
    is($_->recv, "binary:\0\xff", 'binary') for @all;
    $all[2]->write(join '', map { frame(1, "$_") } 1 .. 100);
    is_deeply([map { $all[3]->recv } 1 .. 100], [map { "text:$_" } 1 .. 100],
        'many, in order');
    $other->text('only b');
    is($other->recv, 'text:only b', 'another channel is another');
};

subtest 'several channels' => sub {
    my $both = $nginx->ws('/two');
    my $b    = $nginx->ws('/open?c=b');
    $both->text('to both');
    is($b->recv, 'text:to both', 'each has it');
    is($both->recv, 'text:to both', 'the sender') for 1 .. 2;
};

subtest 'off' => sub {
    my $ws = $nginx->ws('/off');
    $ws->text('hello?');
    is($ws->recv, 'close:1008', 'is refused');
};

subtest 'a token must allow it' => sub {
    my $connect = sub (%claims) {
        my $token = jwt({ exp => time + 3600, %claims }, key => $secret);
        my $ws    = $nginx->ws("/key?token=$token");
        is($ws->status, 101, 'a token that may subscribe');
        $ws->text('hello');
        return $ws->recv;
    };
    is($connect->(scope => 'subscribe publish'), 'text:hello', 'publish');
    is($connect->(scope => 'subscribe publish', channel => 'a'), 'text:hello',
        'publish in this channel');
    is($connect->(), 'close:1008', 'no scopes');
    is($connect->(scope => 'subscribe'), 'close:1008', 'subscribe only');
};

finish;
