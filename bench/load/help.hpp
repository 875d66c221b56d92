// What `load --help` says.
#pragma once

namespace paperboy::load {

inline constexpr char kHelp[] =
    R"(usage: load MODE --target HOST:PORT[,HOST:PORT...] [options]

MODE
  hold      open -c connections, keep them for --duration, report their memory
  fanout    open -c subscribers, publish -m messages, report rate, completeness
            and latency
  churn     -c slots connect, shake hands (and say hello), close, for --duration

Subscribers
  --target H:P[,H:P]     where to connect; several are used in turn
  --path T               request target
  --subprotocol S        value of Sec-WebSocket-Protocol
  --header 'K: T'        one more field of the request (repeatable)
  --tls                  wss, with whatever certificate
  --deflate              offer permessage-deflate without context takeover
  -c N                   connections (1000)
  --channels K           connection i belongs to channel i mod K (1)
  --threads N            more are started where one can't hold its connections
  --concurrency N        handshakes under way, a thread (256)
  --connect-rate R       connections a second (0: as it goes)
  --connect-timeout S    for all of them to be open (60)
  --sources N            source addresses (0: one per 12,000 connections)
  --source-base A        the first of them (127.0.1.1)
  --rcvbuf N             SO_RCVBUF
  --hello T              text after the upgrade, with \n \r \t \0 \xNN;
                         repeatable: the next one waits for an answer to the one
                         before
  --hello-bin T, --hello-hex HEX, --hello-file F    in binary, from a file
  --mqtt-connect T, --mqtt-subscribe T              packets of MQTT 3.1.1
  --wait-first           the server speaks first
  --last-nowait          the last hello has no answer: --settle has to be long
                         enough for the server to have read it
  --reply P=A            a frame that begins with P is answered by the text A
                         (repeatable); what follows in it may be messages, where
                         frames aren't checked as a whole
  --close rst|clean      how connections end (rst: nothing is left in TIME_WAIT)

Publisher (fanout)
  --publish-url U        http://H:P/path (one POST a message), ws://H:P/path
                         (one frame) or tcp://H:P (bytes); the path is a
                         template
  --publish-body T, --publish-body-file F           the message (%P); where it
                         has no %P, with "#seq:%s#" as the first of its marks
  --publish-method M, --publish-header 'K: T', --publish-subprotocol S,
  --publish-hello T, --publish-hello-bin T, --publish-mqtt-connect T,
  --publish-wait-first   its own dialogue
  --publish-mqtt T       each message is a PUBLISH of MQTT to topic T
  --publish-binary       frames are binary
  --publish-ack          each frame is answered by one
  --publish-conns N      connections; a channel keeps to one (1)
  --publish-depth N      unanswered messages, a connection (1)
  --publish-unordered    a channel goes by all connections
  -m N                   messages (100)
  --warmup N             messages before measuring (0)
  --rate R               messages a second (0: as fast as the window lets it)
  --window W             publish while fewer than W messages' deliveries are
                         outstanding; 0: always (64)
  --size N               bytes of %P (128)

Common
  --duration S           of hold and churn; of publishing, at most (5)
  --settle S             pause after connecting (1)
  --drain S              end when nothing has come for so long (5)
  --linger S             and, when all has come, for so long (0.05): who sends
                         twice may still be at it
  --check whole|marked   what is compared with what was published: frames as a
                         whole, or from a message's first mark to its last
                         (whole, where the body is %P and subscribers say no
                         hello)
  --lines F              a file whose lines are %l
  --server-pids P,P      whose CPU time and memory is read from /proc
  --server-tree P        with all its descendants
  --label S              stands in the output

Templates: %i connection, %c channel, %r name of the run, %n message, %s
sequence in the channel, %t nanoseconds, %l line of --lines, %k check of %s, %c
and %t (8 digits), %P payload "#seq:%s##ch:%c##ts:%t##sum:%k#xxx." of --size
bytes, %% per cent; %05c pads with zeros.

Each "#seq:N#" that comes is a message. Those of a channel are numbered from 1
on, the warm-up's included, and are checked for holes, duplicates and order on
each connection: "missing" are those before the first that came ("late_first":
so many connections), in holes and after the last one. A number that comes after
a higher one counts as missing first, and as reordered when it comes. By
"#ch:N#" a message of another channel than the connection's is "misdelivered".
"#ts:N#" gives the latency, which includes the wait for this program's own core.
With these numbers the body is filled in again: what came, but not as that, is
"damaged". Only what is neither is "delivered". "answered" are the frames of
--reply, "idle_answered" those of --settle's time.

One object of JSON on standard output, one line on standard error. Status 0:
every connection opened and stayed, and every message arrived as it was
published, once, in order, and where it belongs. 1: not so. 2: it can't run so.
)";

}  // namespace paperboy::load
