// A worker without nginx: the clock is set by hand, sockets take as much as a
// test lets them.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "hub/fakes.hpp"
#include "session/context.hpp"
#include "session/websocket.hpp"
#include "ws/client.hpp"

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::session {

class FakeClock final : public Clock {
 public:
  [[nodiscard]] std::uint64_t monotonic_ms() const override { return ms; }
  [[nodiscard]] std::int64_t unix_seconds() const override {
    return static_cast<std::int64_t>(ms / 1000) + stepped;
  }

  std::uint64_t ms = 5'000'000;
  std::int64_t stepped = 1'700'000'000;
};

class Client;

/// A worker, whose loop the test turns.
struct World {
  World() { settings.dialect = dialect::find("raw"); }

  [[nodiscard]] std::uint64_t count(Counter counter) const {
    return cells[static_cast<std::size_t>(counter)].load();
  }

  /// Brings what waits at the broker to the clients.
  void turn();

  /// Lets time pass.
  void pass(std::uint64_t for_ms);

  FakeClock clock;
  hub::FakeBroker broker;
  hub::FakePresence presence{broker};
  hub::RuleSet rules;
  hub::Hub hub{broker, presence, rules};
  Wheel wheel{clock.ms, Link::on_due};
  std::array<std::atomic<std::uint64_t>, kCounters> cells{};
  Counters counters{Counters::Row(cells)};
  Codecs codecs;
  Liaisons liaisons{hub, clock};
  Context context{hub, wheel, clock, counters, codecs, liaisons};
  Settings settings;
  Site site{context, settings};
  std::vector<Client*> clients;
};

/// A socket of which the client reads only what `room` allows.
class FakeTransport final : public Transport {
 public:
  void write(Bytes bytes) override {
    assert_false(aborted);
    queued += bytes;
  }
  void write_shared(Bytes run) override {
    assert_false(aborted);
    queued += run;
    ++shared;
  }
  [[nodiscard]] std::size_t backlog() const override { return backlog_; }
  [[nodiscard]] bool unread() const override { return has_unread; }
  void finish() override { finishing = true; }
  void abort() override { aborted = true; }
  void note_refusal(const Error& why) override {
    refusals.append(error_name(why.code)).append(": ");
    refusals.append(why.message).append("\n");
  }
  void note(Bytes what) override { notes.append(what).append("\n"); }
  [[nodiscard]] Warden* warden() override { return limits; }
  [[nodiscard]] bool limit(const auth::Allowance& allowance, Bytes name_space,
                           Bytes user) override {
    allowed = allowance;
    allowed_to.append(name_space).append("/").append(user).append("\n");
    return allows;
  }

  /// What the end of a turn does.
  void flush(Link& link) {
    if (aborted) return;
    const std::size_t n = std::min(room, queued.size());
    sent += queued.substr(0, n);
    queued.erase(0, n);
    room -= n;
    backlog_ = queued.size();
    link.flushed(n);
  }

  std::string queued;
  std::string sent;
  std::string refusals;
  std::string notes;
  Warden* limits = nullptr;
  auth::Allowance allowed;  // that was told last
  std::string allowed_to;
  bool allows = true;
  std::size_t room = std::numeric_limits<std::size_t>::max();
  int shared = 0;
  bool has_unread = false;
  bool finishing = false;
  bool aborted = false;

 private:
  std::size_t backlog_ = 0;
};

/// A framing whose bytes a transport of a test's carries.
template <typename Framing>
class Over final : public Framing {
 public:
  template <typename... More>
  Over(const Site& site, Transport& transport, const More&... more)
      : Framing(site, more...), transport_(transport) {}

 private:
  [[nodiscard]] Transport& transport() override { return transport_; }

  Transport& transport_;
};

/// A frame of the server's.
struct Frame {
  unsigned opcode = 0;
  bool compressed = false;
  Bytes payload;

  /// Takes the first frame off `in`.
  explicit Frame(Bytes& in) {
    assert_true(in.size() >= 2);
    opcode = byte(in, 0) & 0x0F;
    compressed = (byte(in, 0) & 0x40) != 0;
    std::size_t size = byte(in, 1);
    std::size_t header = 2;
    if (size >= 126) {
      const std::size_t end = size == 126 ? 4 : 10;
      for (size = 0; header < end; ++header)
        size = size << 8 | byte(in, header);
    }
    assert_true(in.size() >= header + size);
    payload = in.substr(header, size);
    in.remove_prefix(header + size);
  }

  static unsigned byte(Bytes in, std::size_t i) {
    return static_cast<unsigned char>(in.at(i));
  }

  /// "text a\n", "close 1000 reason\n" ...
  [[nodiscard]] std::string line() const {
    std::string line = opcode == 1   ? "text"
                       : opcode == 2 ? "binary"
                       : opcode == 8 ? "close"
                       : opcode == 9 ? "ping"
                                     : "pong";
    Bytes rest = payload;
    if (opcode == 8 && payload.size() >= 2) {
      line += " " + std::to_string(byte(payload, 0) << 8 | byte(payload, 1));
      rest.remove_prefix(2);
    }
    if (!rest.empty()) line.append(" ").append(rest);
    return line + "\n";
  }
};

/// A connection and the client at its other end.
class Client {
 public:
  explicit Client(World& world,
                  const std::optional<ws::DeflateParams>& deflate = {})
      : socket(world.site, transport, deflate),
        world_(world),
        deflate_(deflate),
        inflater_(deflate ? deflate->server_max_window_bits
                          : ws::kMaxWindowBits) {
    world_.clients.push_back(this);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() { std::erase(world_.clients, this); }

  Result<Done> open(const Admission& admission) {
    auto done = socket.open(admission);
    if (done) socket.start();
    return done;
  }
  void open_in(std::vector<std::string> channels) {
    Admission admission;
    admission.channels = std::move(channels);
    admission.may_publish = true;
    assert_true(open(admission).ok());
  }

  /// A turn of the loop in which the client's bytes come.
  void say(std::string bytes) {
    socket.receive(bytes);
    flush();
  }
  void text(Bytes data) { say(ws::client_frame(ws::Opcode::text, data)); }
  void ping(Bytes data) { say(ws::client_frame(ws::Opcode::ping, data)); }
  void pong() { say(ws::client_frame(ws::Opcode::pong, {})); }
  void close(unsigned code, Bytes reason = {}) {
    std::string payload{static_cast<char>(code >> 8),
                        static_cast<char>(code & 0xFF)};
    say(ws::client_frame(ws::Opcode::close, payload.append(reason)));
  }
  void flush() { transport.flush(socket); }

  /// What it read since it was last asked, a frame a line; "z" stands before
  /// what came compressed.
  std::string heard() {
    Bytes rest = Bytes(transport.sent).substr(read_);
    read_ = transport.sent.size();
    std::string lines;
    while (!rest.empty()) {
      Frame frame(rest);
      std::string plain;
      if (frame.compressed) inflate(frame, plain);
      lines += (frame.compressed ? "z" : "") + frame.line();
    }
    return lines;
  }

  FakeTransport transport;
  Over<WebSocket> socket;

 private:
  void inflate(Frame& frame, std::string& plain) {
    assert_true(deflate_.has_value());
    if (deflate_->server_no_context_takeover) inflater_.reset();
    assert_true(inflater_.inflate(frame.payload, 1 << 24, plain) ==
                ws::InflateResult::ok);
    frame.payload = plain;
  }

  World& world_;
  std::optional<ws::DeflateParams> deflate_;
  ws::Inflater inflater_;
  std::size_t read_ = 0;
};

inline void World::turn() {
  hub.drain();
  liaisons.look();
  for (Client* client : clients) client->flush();
  hub.release();
}

inline void World::pass(std::uint64_t for_ms) {
  for (const std::uint64_t end = clock.ms + for_ms; clock.ms < end;) {
    clock.ms += std::min<std::uint64_t>(end - clock.ms, 50);
    wheel.advance(clock.ms);
    for (Client* client : clients) client->flush();
  }
}

inline void assert_text(const std::string& actual, const char* expected) {
  assert_string_equal(actual.c_str(), expected);
}

/// How the log line tells of the end.
inline void assert_ended(const Client& client, std::uint16_t code,
                         Summary::Side side, const char* reason) {
  const Summary summary = client.socket.summary();
  assert_int_equal(summary.code, code);
  assert_true(summary.closed_by == side);
  assert_string_equal(summary.reason.c_str(), reason);
}

}  // namespace paperboy::session
