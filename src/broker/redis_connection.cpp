#include "broker/redis_connection.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace paperboy::broker::redis {

namespace {

constexpr Error kLost{ErrorCode::unavailable,
                      "the connection to Redis was lost before it answered; "
                      "it may have been done"};

// An alarm is late by more than nginx's timers are: in ms.
constexpr std::uint64_t kHeldUp = 200;

/// A server that doesn't know the command repeats what followed it: the
/// password.
std::string refused_login(Bytes error) {
  const bool known =
      error.starts_with("WRONGPASS ") || error.starts_with("ERR AUTH ");
  const Bytes shown = known ? error : error.substr(0, error.find(' '));
  return "it refuses the user or password (" + printable(shown) +
         "): compare them with its users (ACL LIST)";
}

}  // namespace

/// Of a command that Redis doesn't know it shows what is in it.
std::string printable(Bytes text, std::size_t most) {
  const Bytes shown = text.substr(0, text.find(", with args beginning"));
  std::string out(shown.substr(0, most));
  std::ranges::replace_if(
      out, [](char c) { return c < 0x20 || c == 0x7f; }, '?');
  return out;
}

Connection::Connection(Network& network, const Options& options,
                       const Server& server, const Login& login,
                       ConnectionEvents& events)
    : network_(network),
      options_(options),
      events_(events),
      login_(login),
      reader_(options.max_reply),
      heard_ms_(network.clock().monotonic_ms()),
      deadline_(network.alarm([this] { on_deadline(); })),
      idle_(network.alarm([this] { on_idle(); })),
      resume_(network.alarm([this] { take_replies(); })),
      close_(network.alarm([this] { lose(why_); })),
      wire_(network.connect(server, *this)) {}

// --- logging in --------------------------------------------------------------

void Connection::on_open() {
  state_ = State::logging_in;
  heard_ms_ = now();
  idle_->set(idle_ms());
  log_in();
}

/// All at once; the last answer says that it is done. A name is a courtesy to
/// who looks at CLIENT LIST.
void Connection::log_in() {
  const auto authenticated = [this](const Result<Reply>& answer) {
    on_authenticated(answer);
  };
  if (!login_.user.empty()) {
    step(std::array<Bytes, 3>{"AUTH", login_.user, login_.password},
         authenticated);
  } else if (!login_.password.empty()) {
    step(std::array<Bytes, 2>{"AUTH", login_.password}, authenticated);
  }
  login_.password.clear();
  step(std::array<Bytes, 3>{"CLIENT", "SETNAME", "paperboy"},
       [](const Result<Reply>&) {});
  const std::string database = std::to_string(login_.database);
  const auto selected = [this](const Result<Reply>& answer) {
    on_selected(answer);
  };
  if (login_.database != 0) {
    step(std::array<Bytes, 2>{"SELECT", database}, selected);
  } else {
    step(std::array<Bytes, 1>{"PING"}, selected);
  }
}

void Connection::step(std::span<const Bytes> words, ReplyHandler handler) {
  std::string command;
  append_command(command, words);
  post(command, std::move(handler), 1, 0);
}

void Connection::on_authenticated(const Result<Reply>& answer) {
  if (answer && answer->is_error()) lose(refused_login(answer->text));
}

void Connection::on_selected(const Result<Reply>& answer) {
  if (!answer) return;
  if (answer->is_error()) {
    const Bytes hint =
        answer->text.starts_with("NOAUTH") ? ": it wants a password" : "";
    return lose("it answers " + printable(answer->text).append(hint));
  }
  state_ = State::ready;
  events_.on_ready();
}

// --- commands and answers ----------------------------------------------------

void Connection::send(Bytes command, ReplyHandler handler, std::size_t answers,
                      std::uint64_t more_ms) {
  post(command, std::move(handler), answers, more_ms);
}

void Connection::post(Bytes command, ReplyHandler handler, std::size_t answers,
                      std::uint64_t more_ms) {
  // Nothing is answered before what was sent before it.
  std::uint64_t deadline = now() + options_.timeout_ms + more_ms;
  if (!owed_.empty()) deadline = std::max(deadline, owed_.back().deadline);
  owed_.push_back({std::move(handler), answers, deadline});
  if (!deadline_->is_set() || owed_.front().deadline < due_ms_) {
    set_deadline();
  }
  wire_->send(command);
}

void Connection::on_bytes(Bytes bytes) {
  heard_ms_ = now();
  if (!reader_.feed(bytes)) return;  // take_replies has said why
  take_replies();
}

void Connection::take_replies() {
  while (reading_ && state_ != State::lost) {
    auto reply = reader_.next();
    if (!reply) return lose(reply.error().message);
    if (!*reply) return;
    on_reply(**reply);
  }
}

void Connection::on_reply(const Reply& reply) {
  if (events_.on_push(reply)) {
    pushed_ms_ = now();
    return;
  }
  if (owed_.empty()) {
    return lose("it sent what nobody asked for: " + printable(reply.text));
  }
  const ReplyHandler handler = owed_.front().handler;
  if (--owed_.front().answers == 0 || reply.is_error()) {
    owed_.pop_front();  // its alarm finds that out by itself
    excused_ = false;
  }
  handler(reply);
}

void Connection::read(bool on) {
  if (on == reading_ || state_ == State::lost) return;
  reading_ = on;
  wire_->read(on);
  if (!on) return resume_->cancel();
  grant(options_.timeout_ms);
  resume_->set(0);
}

// --- time --------------------------------------------------------------------

void Connection::set_deadline() {
  due_ms_ = owed_.front().deadline;
  deadline_->set(std::max(due_ms_, now() + 1) - now());
}

/// From now on all has at least so long.
void Connection::grant(std::uint64_t ms) {
  if (owed_.empty()) return;
  for (Owed& owed : owed_) owed.deadline = std::max(owed.deadline, now() + ms);
  set_deadline();
}

/// Where the alarm rings late, this worker was held up, and answers may lie in
/// the socket. While messages come, answers are behind them.
void Connection::on_deadline() {
  if (owed_.empty() || !reading_) return;
  const std::uint64_t deadline = owed_.front().deadline;
  if (now() < deadline) return set_deadline();
  if (now() - due_ms_ > kHeldUp && !std::exchange(excused_, true)) {
    return grant(options_.timeout_ms / 2);
  }
  if (now() - pushed_ms_ < options_.timeout_ms) {
    return grant(options_.timeout_ms);
  }
  lose("it didn't answer within " + std::to_string(options_.timeout_ms) +
       " ms");
}

std::uint64_t Connection::idle_ms() const { return 2 * options_.timeout_ms; }

/// Where nothing comes, it is asked whether it is there.
void Connection::on_idle() {
  const std::uint64_t quiet = now() - heard_ms_;
  if (quiet < idle_ms()) return idle_->set(idle_ms() - quiet);
  if (owed_.empty() && reading_) {
    step(std::array<Bytes, 1>{"PING"}, [](const Result<Reply>&) {});
  }
  idle_->set(idle_ms());
}

std::uint64_t Connection::now() const {
  return network_.clock().monotonic_ms();
}

// --- the end -----------------------------------------------------------------

void Connection::close(Bytes why) {
  if (state_ == State::lost || close_->is_set()) return;
  why_ = why;
  close_->set(0);
}

void Connection::lose(Bytes why) {
  if (state_ == State::lost) return;
  const std::string reason(why);  // may lie in what goes now
  state_ = State::lost;
  wire_.reset();
  for (Alarm* alarm :
       {deadline_.get(), idle_.get(), resume_.get(), close_.get()}) {
    alarm->cancel();
  }
  for (const Owed& owed : std::exchange(owed_, {})) owed.handler(kLost);
  events_.on_lost(reason);
}

}  // namespace paperboy::broker::redis
