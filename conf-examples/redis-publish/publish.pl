#!/usr/bin/perl
# Publishes a message in a channel, with Debian's libredis-perl.
#
#   ./publish.pl redis://127.0.0.1:6379 CHANNEL TEXT
use strict;
use warnings;
use Redis;

my ($url, $channel, $text) = @ARGV;
my ($server) = $url =~ m{^redis://([^/]+)};

# Bytes go as they came: UTF-8. Nodes that are all away for long find the
# newest million.
my $redis = Redis->new(server => $server);
$redis->xadd('paperboy:{0}:inbox', 'MAXLEN', '~', 1_000_000, '*',
    channel => $channel, data => $text);
$redis->quit;
