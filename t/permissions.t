# Who may do what in which channel: random rules, tokens, users and requests, and
# a model of a few lines that has to give the same verdict. The seed is told:
# PAPERBOY_SEED=N does the same again.
use v5.36;
use Paperboy::Test;
use JSON::PP ();
use List::Util qw(any);

my $seed = $ENV{PAPERBOY_SEED} // time % 1_000_000;
srand $seed;
my $json = JSON::PP->new->canonical->allow_nonref;
local $ENV{PAPERBOY_JWT_SECRET} = my $secret = 'secret ' x 10;

my @who   = qw(location any token user own nobody);
my @asked = qw(subscribe publish read_history read_presence);
my %ask   = (subscribe => 'sub', publish => 'pub', read_history => 'hst',
    read_presence => 'prs');

# Names of users and what comes behind a prefix: whose, nearly whose, tricks.
my @users = ('', 'ann', 'ann2', 'an', 'a:b', 'a', '*', '0', "\x{e4}nne");
my @rests = ('ann', 'ann2', 'an', 'ann:x', 'ann/x', 'ann.x', 'annx', 'a:b', 'a',
    'a:b:c', ':ann', '', '*', 'ANN', '0', "\x{e4}nne", "\x{e4}nne:1", 'x');
utf8::encode($_) for @users, @rests;

my @rules = map {
    my $name = "r$_:";
    { prefix => $name, map { $_ => $who[rand @who] } @asked };
} 1 .. 24;
my $rules = join '', map {
    my $rule = $_;
    "paperboy_channel_rule $rule->{prefix}* history=10 presence "
        . join(' ', map {"$_=$rule->{$_}"} @asked) . ";\n";
} @rules;

my $nginx = nginx(workers => 1, http => <<"END");
paperboy_zone main 16m;
paperboy_origin any;
paperboy_user \$http_x_user;
$rules
server {
    listen 127.0.0.1:%%PORT%%;
    location /open { paperboy native; }
    location /open-publish { paperboy native; paperboy_client_publish on; }
    location /keyed {
        paperboy native;
        paperboy_jwt_key HS256 env=PAPERBOY_JWT_SECRET;
    }
    location /keyed-publish {
        paperboy native;
        paperboy_client_publish on;
        paperboy_jwt_key HS256 env=PAPERBOY_JWT_SECRET;
    }
    location /raw-open { paperboy raw; paperboy_channel \$arg_c; }
    location /raw-keyed {
        paperboy raw;
        paperboy_channel \$arg_c;
        paperboy_jwt_key HS256 env=PAPERBOY_JWT_SECRET;
    }
    location /publish { paperboy_publish any; }
}
END

# ---- the model ---------------------------------------------------------------

sub owns ($user, $rest) {
    return 0 if $user eq '' || $user =~ m{[:/]};
    return $rest =~ m{\A\Q$user\E(?:[:/].*)?\z}s ? 1 : 0;
}

sub names ($pattern, $exact, $channel) {
    return $channel eq $pattern if $exact || $pattern !~ s/\*\z//;
    return index($channel, $pattern) == 0;
}

sub granted ($case, $asked) {
    return 0 if !$case->{keyed};
    return any {
        my $cap = $_;
        (any { $_ eq $ask{$asked} } @{ $cap->{allow} })
            && any { names($_, !$cap->{match}, $case->{channel}) }
        @{ $cap->{channels} };
    } @{ $case->{caps} };
}

sub verdict ($case, $asked) {
    my $who  = $case->{rule}{$asked};
    my $user = $case->{user};
    return 0 if $who eq 'nobody';
    return 1 if $who eq 'any';
    return 1 if $who eq 'user' && $user ne '';
    return 1 if $who eq 'own' && owns($user, $case->{rest});
    if ($who eq 'location') {
        return 0 if $asked eq 'publish' && !$case->{client_publish};
        if (!$case->{keyed}) {
            return 1 if $asked eq 'publish' || $asked eq 'subscribe';
            return $case->{subscribed};
        }
    }
    return granted($case, $asked) ? 1 : 0;
}

# ---- the same of nginx -------------------------------------------------------

sub pick (@of) { return $of[rand @of] }

sub random_caps ($channel) {
    my @near = ($channel, "$channel*", $channel =~ s/[ -~]\z//r . '*', '*', 'r*',
        $channel =~ s/:.*/:*/r, 'other', $channel =~ tr/a-z/A-Z/r, "$channel ");
    return [map {
        { channels => [map { pick(@near) } 1 .. 1 + rand 2],
            allow => [grep { rand() < 0.5 } values %ask],
            rand() < 0.6 ? (match => 'wildcard') : () }
    } 1 .. rand 3];
}

sub random_case () {
    my $rule = pick(@rules);
    my $rest = pick(@rests);
    my %case = (rule => $rule, rest => $rest, channel => "$rule->{prefix}$rest",
        keyed => int rand 2, client_publish => int rand 2, user => pick(@users));
    $case{caps} = random_caps($case{channel});
    # Where it stands: in the token, or in what nginx knows of the request.
    $case{by} = $case{keyed} ? pick(qw(token request)) : 'request';
    return \%case;
}

sub token ($case) {
    my %claims = (exp => time + 600, caps => $case->{caps});
    $claims{sub} = $case->{user} if $case->{by} eq 'token';
    # To characters, of which the token's JSON makes bytes.
    my $text = JSON::PP->new->allow_nonref->encode(\%claims);
    utf8::decode($text);
    return jwt(JSON::PP->new->decode($text), key => $secret);
}

sub ask_for ($ws, $method, %parameters) {
    state $id = 1;
    $ws->text($json->encode({ id => ++$id, $method => \%parameters }));
    my $reply = $json->decode($ws->recv =~ s/^text://r);
    $reply = $json->decode($ws->recv =~ s/^text://r) while !$reply->{id};
    return 1 if exists $reply->{$method};
    # 102: it may, but nothing was ever published there.
    my $code = $reply->{error}{code};
    return $code == 102 ? 1 : $code == 103 ? 0 : "error $code";
}

sub connect_native ($case) {
    my $path = $case->{keyed} ? '/keyed' : '/open';
    $path .= '-publish' if $case->{client_publish};
    my @headers = $case->{by} eq 'request' && $case->{user} ne ''
        ? (headers => ['X-User' => $case->{user}]) : ();
    my $ws = $nginx->ws($path, @headers);
    my $connect = $case->{keyed} ? $json->encode({ token => token($case) }) : '{}';
    $ws->text(qq({"id":1,"connect":$connect}));
    like($ws->recv, qr/"connect"/, 'connected') or diag explain $case;
    return $ws;
}

sub told ($case) {
    my $ws      = connect_native($case);
    my $channel = $case->{channel};
    # JSON::PP makes bytes of what are characters.
    utf8::decode($channel);
    my %told;
    $told{subscribe}    = ask_for($ws, subscribe => channel => $channel);
    $case->{subscribed} = $told{subscribe};
    $told{publish}      = ask_for($ws, publish => channel => $channel, data => 1);
    $told{read_history} = ask_for($ws, history => channel => $channel, limit => 1);
    $told{read_presence} = ask_for($ws, presence => channel => $channel);
    $ws->close;
    return \%told;
}

$json = $json->utf8;
subtest "natively, seed $seed" => sub {
    my ($tried, %yes) = (0);
    for (1 .. 250) {
        my $case = random_case;
        my $told = told($case);
        my %should = map { $_ => verdict($case, $_) } @asked;
        $tried += @asked;
        $yes{$_} += $should{$_} for @asked;
        is_deeply($told, \%should, "$case->{channel} for '$case->{user}'")
            or return diag explain $case;
    }
    for my $asked (@asked) {
        cmp_ok($yes{$asked}, '>', 20, "$asked: many were let");
        cmp_ok($yes{$asked}, '<', 230, 'and many were not');
    }
};

# A token that names channels is of use where the location names them.
subtest "raw, seed $seed" => sub {
    for (1 .. 250) {
        my $case = random_case;
        next if $case->{rest} eq '' || $case->{channel} =~ /[^!-~]|\*/;
        my $path = $case->{keyed} ? '/raw-keyed' : '/raw-open';
        my $query = "?c=$case->{channel}";
        
        my $ws = $nginx->ws("$path$query", $case->{keyed} ? (token => token($case)) : (),
            $case->{by} eq 'request' && $case->{user} =~ /^[!-~]+$/
            ? (headers => ['X-User' => $case->{user}]) : ());
        $case->{user} = '' if $case->{by} eq 'request'
            && $case->{user} !~ /^[!-~]+$/;
        my $should = verdict($case, 'subscribe') ? 101 : 403;
        is($ws->status, $should, "$case->{channel} for '$case->{user}'")
            or return diag explain $case;
        $ws->drop;
    }
};

subtest 'what is wrong is told' => sub {
    my $rule = sub ($text) {
        return "paperboy_zone main 1m;\npaperboy_channel_rule $text;";
    };
    conf_refused($rule->('x:y subscribe=own'), 'own without a place for a name',
        qr/x:y: own needs a pattern that ends in \*/);
    conf_refused($rule->('x:* subscribe=mine'), 'an unknown word',
        qr/expected location, any, token, user, own or nobody/);
    my $long = $nginx->ws('/open', headers => ['X-User' => 'x' x 513]);
    is($long->status, 403, 'a name that is too long');
};

finish;
