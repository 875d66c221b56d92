#include "backend/redis_messaging.hpp"

#include <array>
#include <charconv>
#include <utility>

#include "broker/redis_connection.hpp"

namespace paperboy::backend {

namespace {

using broker::redis::LogLevel;
using broker::redis::Reply;

// All is on one server.
constexpr broker::redis::Bucket kBucket = 0;

constexpr std::size_t kMaxMarker = 64;  // bytes
// In front of a marker: whoever says so has done all that came before it.
constexpr Bytes kPassed = "=";
// In front of a mark.
constexpr Bytes kMark = "#";
constexpr int kMostUnheard = 5;  // marks; one is sent a second

// Of what is held, in all: beyond it order is given up before memory.
constexpr std::size_t kMostHeld = std::size_t{4} << 20;  // bytes

// While Redis is away: who has waited longer has been closed.
constexpr std::uint64_t kWaitMs = 5000;
constexpr std::size_t kMostWaiting = 1000;

// So long after it has refused a request Redis isn't trusted with others.
constexpr std::uint64_t kDoubtMs = 10'000;

constexpr Bytes kAway = "Redis can't be reached";

std::string hexadecimal(std::uint64_t number) {
  std::array<char, 16> text{};
  const auto end = std::to_chars(text.begin(), text.end(), number, 16);
  return {text.begin(), end.ptr};
}

}  // namespace

RedisMessaging::RedisMessaging(broker::redis::Network& network,
                               std::unique_ptr<broker::redis::Engine> engine,
                               Taker& taker, Counters& counters,
                               std::uint64_t most)
    : network_(network),
      taker_(taker),
      counters_(counters),
      most_(most),
      complaints_(
          network.clock(),
          [&network](Bytes line) { network.log(LogLevel::warning, line); }),
      holding_(network.alarm([this] { release(); })),
      engine_(std::move(engine)) {
  engine_->start(*this);
}

// ---- requests --------------------------------------------------------------

void RedisMessaging::ask(Bytes client, Bytes token) {
  std::string body = request_body(client, token);
  if (is_up()) return push(body);
  drop_old();
  if (waiting_.size() == kMostWaiting) return lose(kAway);
  waiting_.push_back({std::move(body), network_.clock().monotonic_ms()});
}

void RedisMessaging::drop_old() {
  const std::uint64_t now = network_.clock().monotonic_ms();
  while (!waiting_.empty() && now - waiting_.front().since >= kWaitMs) {
    waiting_.pop_front();
    lose(kAway);
  }
}

void RedisMessaging::push(const std::string& body) {
  engine_->command(kBucket, {"RPUSH", std::string(kRequests), body},
                   [this](const Result<Reply>& answer) { on_asked(answer); });
}

/// Where nobody takes them, the oldest go: whoever asked has gone too.
void RedisMessaging::on_asked(const Result<Reply>& answer) {
  if (!answer) return lose(answer.error().message);
  if (answer->is_error()) {
    refused_ms_ = network_.clock().monotonic_ms();
    return lose("Redis answers " + broker::redis::printable(answer->text));
  }
  refused_ms_.reset();
  counters_.add(Counter::classic_requests);
  const auto waiting = static_cast<std::uint64_t>(answer->integer);
  if (waiting <= most_) return;
  complaints_.tell("no back end takes requests from " + std::string(kRequests) +
                   ": the oldest of more than " + std::to_string(most_) +
                   " are thrown away");
  engine_->command(
      kBucket,
      {"LTRIM", std::string(kRequests), "-" + std::to_string(most_), "-1"},
      [](const auto&) {});
}

void RedisMessaging::lose(Bytes why) {
  counters_.add(Counter::classic_requests_lost);
  complaints_.tell("a request to be subscribed doesn't reach the back end: " +
                   std::string(why));
}

bool RedisMessaging::is_ready() const {
  if (!is_up() || (listens_ && marker_.empty())) return false;
  return !refused_ms_ ||
         network_.clock().monotonic_ms() - *refused_ms_ >= kDoubtMs;
}

// ---- what back ends say ----------------------------------------------------

void RedisMessaging::tick(bool listens, bool publishes) {
  drop_old();
  publishes_ = publishes;
  look_ahead();
  if (listens && !listens_) {
    listens_ = true;
    if (is_up()) listen();
  } else if (!listens && listens_) {
    listens_ = false;
    marker_.clear();
    release();
    for (const Bytes topic : kTopics) engine_->ignore(kBucket, topic);
    engine_->ignore(kBucket, kMarkers);
  } else if (listens && is_up() && marker_.empty()) {
    send_marker();  // the last one has got lost
  } else if (listens && is_up()) {
    send_mark();
  }
}

/// That of the markers last: when it is confirmed, all are.
void RedisMessaging::listen() {
  for (const Bytes topic : kTopics) engine_->listen(kBucket, topic);
  engine_->listen(kBucket, kMarkers);
}

void RedisMessaging::on_up(broker::redis::Shard) {
  marker_.clear();
  if (listens_) listen();
  drop_old();
  for (const Waiting& one : std::exchange(waiting_, {})) push(one.body);
}

void RedisMessaging::on_down(broker::redis::Shard) {
  marker_.clear();
  own_.clear();
  passes_.clear();
  unheard_ = 0;
}

void RedisMessaging::on_listening(Bytes topic) {
  if (topic == kMarkers && listens_) send_marker();
}

void RedisMessaging::send_marker() {
  own_ = hexadecimal(network_.random());
  own_heard_ = false;
  listeners_ = passed_ = 0;
  engine_->command(
      kBucket, {"PUBLISH", std::string(kMarkers), own_},
      [this](const Result<Reply>& answer) { on_marker_sent(answer); });
}

void RedisMessaging::send_mark() {
  if (++unheard_ > kMostUnheard) {
    unheard_ = 0;
    return engine_->reconnect(0, "what is published doesn't come back");
  }
  mark_ = std::string(kMark) + hexadecimal(network_.random());
  engine_->command(kBucket, {"PUBLISH", std::string(kMarkers), mark_},
                   [](const auto&) {});
}

/// Who has heard no marker yet doesn't number.
void RedisMessaging::on_mark(Bytes mark) {
  if (mark == mark_) unheard_ = 0;
  if (marker_.empty()) return;
  marker_ = mark;
  since_ = 0;
}

/// The answer is how many listen.
void RedisMessaging::on_marker_sent(const Result<Reply>& answer) {
  if (!answer) return;
  if (answer->is_error()) {
    return complaints_.tell("Redis answers " +
                            broker::redis::printable(answer->text) +
                            " to PUBLISH " + std::string(kMarkers) +
                            ": without it nothing of back ends is taken");
  }
  listeners_ = answer->integer;
  look_ahead();
}

void RedisMessaging::on_message(Bytes topic, Bytes message) {
  if (!listens_) return;
  if (topic == kMarkers) {
    if (message.empty() || message.size() > kMaxMarker) return;
    if (message.starts_with(kPassed)) {
      return on_passed(message.substr(kPassed.size()));
    }
    if (message.starts_with(kMark)) return on_mark(message);
    return on_marker(message);
  }
  const auto known = topic_of(topic);
  if (!known || marker_.empty()) return;
  ++since_;
  std::string key = marker_ + ":" + std::to_string(since_);
  open_.insert(++heard_);
  if (holding_->is_set()) return hold(*known, message, std::move(key));
  take(*known, message, key, heard_);
}

void RedisMessaging::take(Topic topic, Bytes text, Bytes key,
                          std::uint64_t number) {
  taker_.take(topic, text, key, [self = self_, number](const auto&) {
    if (*self == nullptr) return;
    (*self)->open_.erase(number);
    (*self)->pass_markers();
  });
}

// ---- who is how far --------------------------------------------------------

void RedisMessaging::on_marker(Bytes marker) {
  if (marker_.empty()) {
    // What it held when it lost Redis: others may hold for the same reason, and
    // each would wait for the other.
    if (publishes_) release();
    holding_->set(kHoldMs);
  }
  marker_ = marker;
  since_ = 0;
  if (marker == own_) {
    own_heard_ = true;
    return look_ahead();
  }
  passes_.push_back({marker_, heard_});
  pass_markers();
}

void RedisMessaging::pass_markers() {
  while (!passes_.empty() &&
         (open_.empty() || *open_.begin() > passes_.front().behind)) {
    engine_->command(kBucket,
                     {"PUBLISH", std::string(kMarkers),
                      std::string(kPassed) + passes_.front().marker},
                     [](const auto&) {});
    passes_.pop_front();
  }
}

void RedisMessaging::on_passed(Bytes marker) {
  if (marker != own_) return;
  ++passed_;
  look_ahead();
}

/// Its own marker may come before or after the answer that says who has it.
void RedisMessaging::look_ahead() {
  const bool is_last = listeners_ > 0 && passed_ + 1 >= listeners_;
  if (own_heard_ && is_last && publishes_ && holding_->is_set()) release();
}

void RedisMessaging::hold(Topic topic, Bytes text, std::string key) {
  held_bytes_ += sizeof(Held) + text.size() + key.size();
  held_.push_back({topic, std::string(text), std::move(key), heard_});
  if (held_bytes_ > kMostHeld) release();
}

void RedisMessaging::release() {
  holding_->cancel();
  held_bytes_ = 0;
  for (const Held& one : std::exchange(held_, {})) {
    take(one.topic, one.text, one.key, one.number);
  }
}

}  // namespace paperboy::backend
