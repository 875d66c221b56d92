#include "session/link.hpp"

#include <algorithm>
#include <utility>

namespace paperboy::session {

namespace {

constexpr std::uint64_t kTick = Wheel::kTickMs;
constexpr std::uint64_t kLongest = 86'400'000;
constexpr Close kTooSlow{close::kSlow, "the client reads too slowly"};

}  // namespace

/// What that does may come back here.
Link::~Link() { leave_all(); }

Result<Done> Link::open(const Admission& admission) {
  set_who(admission.user, admission.expires, admission.mark);
  return Session::open(admission);
}

bool Link::admitted(Bytes user, std::int64_t expires) {
  Warden* const limits = warden();
  if (limits != nullptr && !user.empty() && !limits->is_user(user)) {
    return false;
  }
  set_who(user, expires, mark());
  if (!connected()) beat_ = now();
  arm();
  return true;
}

void Link::marked(const auth::TokenMark& mark) {
  set_who(user(), expires(), mark);
}

/// Most have no limits of their own, before and after.
bool Link::limited(const auth::Allowance& limits, Bytes user) {
  return (limits.empty() && warden() == nullptr) ||
         transport().limit(limits, name_space(), user);
}

void Link::rearm() {
  if (state_ == State::open) arm();
}

void Link::refused(const Error& why) {
  const bool token = why.code == ErrorCode::unauthorized ||
                     why.code == ErrorCode::token_expired;
  context().counters.add(token ? Counter::refused_token
                               : Counter::refused_channel);
  transport().note_refusal(why);
}

void Link::lost() {
  note_end({close::kAbnormal, {}}, Summary::Side::client);
  state_ = State::finished;
  transport().abort();
}

std::string Link::channels() const {
  return ending() ? ending()->channels : Session::channels();
}

// ---- limits ----------------------------------------------------------------

bool Link::passes(Bytes encoded, std::uint32_t count) {
  if (state_ != State::open) return false;
  if (over_limit(encoded.size())) {
    drop(kTooSlow);
    return false;
  }
  messages_sent_ += count;
  context().counters.add(Counter::messages_sent, count);
  return true;
}

void Link::note_message() {
  ++messages_sent_;
  context().counters.add(Counter::messages_sent);
}

void Link::send(Bytes bytes) {
  if (over_limit(bytes.size())) {
    drop(kTooSlow);
  } else {
    transport().write(bytes);
  }
}

/// What has not been tried yet doesn't count: `flushed` judges what is left.
bool Link::over_limit(std::size_t more) {
  const std::size_t backlog = transport().backlog();
  return backlog != 0 && backlog + more > settings().send_buffer;
}

void Link::leave_all() {
  leave();
  if (const Ending* const ended = ending()) {
    part({ended->code, ended->reason});
  } else {
    part({close::kAbnormal, {}});
  }
}

Link::Rare& Link::need_rare() {
  auto& link = need_papers().link;
  if (!link) link = std::make_unique<Rare>();
  return *rare();
}

/// Has no more than it needs.
void Link::tidy() {
  if (!rare() || rare()->ending || rare()->stall) return;
  papers()->link.reset();
  tidy_papers();
}

void Link::flushed(std::size_t sent) {
  bytes_sent_ += sent;
  context().counters.add(Counter::bytes_sent, sent);
  const std::size_t backlog = transport().backlog();
  // No fan-out is under way here.
  if (state_ != State::open) {
    leave_all();
    return;
  }
  settle();
  if (backlog == 0) {
    if (!stalling()) return;
    rare()->stall.reset();
    tidy();
    caught_up();
  } else if (!stalling() || bytes_sent_ >= rare()->stall->mark) {
    need_rare().stall = Stall{bytes_sent_ + backlog, now()};
    arm();
  }
}

// ---- the end ---------------------------------------------------------------

void Link::end(const Close& close) {
  if (state_ != State::open) return;
  begin_end(settings().dialect->closing(close), Summary::Side::server);
}

void Link::begin_end(const Close& close, Summary::Side side) {
  note_end(close, side);
  state_ = State::closing;
  beat_ = now();
  say_end(close);
  arm();
}

void Link::note_end(const Close& close, Summary::Side side) {
  if (ending()) return;
  // A client that closes means to leave.
  const bool leaves =
      side == Summary::Side::client && close.code != close::kAbnormal;
  need_rare().ending.emplace(Ending{close.code, side, std::string(close.reason),
                                    Session::channels(),
                                    leaves ? nullptr : departure()});
}

/// Behind them nothing was sent.
void Link::note_last_words(std::size_t bytes) {
  if (ending()) ending()->last_words = bytes;
}

bool Link::departs() const { return ending() && ending()->departure; }

bool Link::depart(std::size_t unreceived) {
  if (!departs()) return false;
  const auto departure = std::exchange(ending()->departure, nullptr);
  const std::size_t lacks =
      unreceived - std::min(unreceived, ending()->last_words);
  for (auto& place : departure->places) {
    place.unreceived = std::max<std::uint64_t>(place.unreceived, lacks);
    place.sent = std::max<std::uint64_t>(place.sent, messages_sent_);
  }
  Session::depart(*departure);
  return true;
}

/// The last words of both are out.
void Link::finish() {
  if (state_ == State::finished) return;
  state_ = State::finished;
  transport().finish();
}

/// For a client that doesn't take what it is sent, not even last words.
void Link::drop(const Close& close) {
  note_end(settings().dialect->closing(close), Summary::Side::server);
  state_ = State::finished;
  transport().abort();
}

Summary Link::summary() const {
  Summary summary;
  if (const Ending* const ended = ending()) {
    summary.code = ended->code;
    summary.closed_by = ended->side;
    summary.reason = ended->reason;
  }
  summary.messages_sent = messages_sent_;
  summary.bytes_sent = bytes_sent_;
  return summary;
}

// ---- time ------------------------------------------------------------------

std::uint32_t Link::now() const {
  return static_cast<std::uint32_t>(context().clock.monotonic_ms() / kTick);
}

std::uint32_t Link::ticks(std::uint64_t ms) {
  return static_cast<std::uint32_t>((ms + kTick - 1) / kTick);
}

std::uint64_t Link::left(std::uint32_t since, std::uint64_t ms) const {
  const std::uint32_t gone = now() - since;
  return gone >= ticks(ms) ? 0 : (ticks(ms) - gone) * kTick;
}

void Link::on_timer() {
  if (state_ != State::open) {
    if (left(beat_, settings().close_timeout_ms) == 0) {
      transport().abort();
    } else {
      arm();
    }
    return;
  }
  if (expires() != 0 && context().clock.unix_seconds() >= expires()) {
    end({close::kExpired, "the token has expired"});
    return;
  }
  if (stalling() &&
      left(rare()->stall->since, settings().send_timeout_ms) == 0) {
    drop(kTooSlow);
    return;
  }
  on_time();
  if (state_ == State::open) heartbeat();
  if (state_ == State::open) arm();
}

void Link::arm() {
  context().wheel.arm(*this, context().clock.monotonic_ms(), next_delay());
}

std::uint64_t Link::next_delay() const {
  if (state_ != State::open) return left(beat_, settings().close_timeout_ms);
  std::uint64_t delay = heartbeat_in().value_or(kLongest);
  if (stalling()) {
    delay =
        std::min(delay, left(rare()->stall->since, settings().send_timeout_ms));
  }
  if (const auto due = due_in()) delay = std::min(delay, *due);
  if (expires() != 0) {
    // As milliseconds an end that is far enough away would begin anew.
    constexpr auto kMost = static_cast<std::int64_t>(kLongest / 1000);
    const auto seconds = expires() - context().clock.unix_seconds();
    const auto left = std::clamp<std::int64_t>(seconds, 0, kMost);
    delay = std::min(delay, static_cast<std::uint64_t>(left) * 1000);
  }
  return delay;
}

}  // namespace paperboy::session
