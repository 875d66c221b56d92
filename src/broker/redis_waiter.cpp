#include "broker/redis_waiter.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace paperboy::broker::redis {

namespace {

constexpr Error kNotSent{ErrorCode::unavailable,
                         "Redis can't be reached now; try again"};
constexpr Error kLost{ErrorCode::unavailable,
                      "done, but the connection to Redis was lost before its "
                      "replicas had it: it may be lost"};
constexpr Error kTooFew{
    ErrorCode::not_replicated,
    "done, but too few replicas have it in time: it may be lost with Redis"};

std::size_t bytes_of(const Waiter::Call& call) {
  std::size_t bytes = 0;
  for (const std::string& word : call.keys) bytes += word.size();
  for (const std::string& word : call.arguments) bytes += word.size();
  return bytes;
}

}  // namespace

Waiter::Waiter(const Context& context)
    : context_(context),
      backoff_(context.network, context.options),
      hold_(context.network),
      open_(context.network.alarm([this] { open(); })),
      flush_(context.network.alarm([this] { send_scripts(); })) {}

void Waiter::move_to(const Server& server) {
  if (caller_ != nullptr) caller_->lose("it is opened anew");
  caller_.reset();
  server_ = server;
  retry_ms_ = 0;
}

void Waiter::call(Call call) {
  const std::size_t bytes = bytes_of(call);
  if (bytes_ + bytes > context_.options.max_queue) {
    return context_.refusals.refuse_full(std::move(call.handler));
  }
  bytes_ += bytes;
  hold_.take();
  waiting_.push_back(std::move(call));
  if (is_closed() && !open_->is_set()) {
    const std::uint64_t now = context_.network.clock().monotonic_ms();
    open_->set(retry_ms_ - std::min(retry_ms_, now));
  }
  next();
}

bool Waiter::is_closed() const {
  return caller_ == nullptr || caller_->is_lost();
}

void Waiter::open() {
  CallerEvents& events = *this;
  caller_ = std::make_unique<Caller>(context_, server_, events);
}

void Waiter::close(Bytes why) {
  open_->cancel();
  if (!is_closed()) return caller_->close(why);
  bytes_ = 0;
  for (Call& call : std::exchange(waiting_, {})) {
    hold_.give();
    context_.refusals.refuse_down(std::move(call.handler));
  }
}

void Waiter::on_caller_up() {
  backoff_.reset();
  next();
}

/// Those that were sent have been told by their connection.
void Waiter::on_caller_lost(Bytes /*why*/) {
  bytes_ = 0;
  retry_ms_ = context_.network.clock().monotonic_ms() + backoff_.next_ms();
  for (const Call& call : std::exchange(waiting_, {})) {
    hold_.give();
    call.handler(kNotSent);
  }
}

// --- scripts, then WAIT ------------------------------------------------------

void Waiter::next() {
  const bool busy = scripts_ > 0 || waits_ > 0 || waiting_.empty();
  if (!busy && !is_closed() && caller_->is_up()) flush_->set(0);
}

void Waiter::send_scripts() {
  if (is_closed() || !caller_->is_up()) return;
  bytes_ = 0;
  sent_.clear();
  for (Call& call : std::exchange(waiting_, {})) {
    sent_.push_back({std::move(call), std::nullopt});
  }
  scripts_ = sent_.size();
  for (Sent& sent : sent_) {
    if (sent.call.asking) {
      caller_->command(std::array<std::string, 1>{"ASKING"},
                       [](const auto&) {});
    }
    caller_->call(sent.call.script, sent.call.keys, sent.call.arguments,
                  [this, &sent](const Result<Reply>& answer) {
                    on_script(sent, answer);
                  });
  }
}

/// What wasn't done needn't be waited for.
void Waiter::on_script(Sent& sent, const Result<Reply>& answer) {
  if (answer && !answer->is_error()) {
    sent.answer = *answer;
  } else {
    this->answer(sent, answer);
  }
  if (--scripts_ == 0) send_waits();
}

void Waiter::answer(Sent& sent, const Result<Reply>& answer) {
  sent.done = true;
  hold_.give();
  sent.call.handler(answer);
}

/// One for each number of replicas, the smallest first. WAIT counts those that
/// have all that was done before it.
void Waiter::send_waits() {
  std::set<std::uint32_t> numbers;
  for (const Sent& sent : sent_) {
    if (!sent.done) numbers.insert(sent.call.replicas);
  }
  waits_ = numbers.size();
  for (const std::uint32_t number : numbers) {
    std::uint64_t wait_ms = 1;  // 0 would be for ever
    for (const Sent& sent : sent_) {
      if (sent.call.replicas == number) {
        wait_ms = std::max(wait_ms, sent.call.wait_ms);
      }
    }
    send_wait(number, wait_ms);
  }
  next();
}

void Waiter::send_wait(std::uint32_t replicas, std::uint64_t wait_ms) {
  if (!caller_->is_up()) return on_replicas(replicas, kLost);
  const std::vector<std::string> words{"WAIT", std::to_string(replicas),
                                       std::to_string(wait_ms)};
  caller_->command(
      words,
      [this, replicas](const Result<Reply>& answer) {
        on_replicas(replicas, answer);
      },
      wait_ms);
}

void Waiter::on_replicas(std::uint32_t wanted, const Result<Reply>& answer) {
  --waits_;
  for (Sent& sent : sent_) {
    if (sent.done || sent.call.replicas != wanted) continue;
    if (!answer) {
      this->answer(sent, kLost);
    } else if (answer->integer < static_cast<std::int64_t>(wanted)) {
      this->answer(sent, kTooFew);
    } else {
      this->answer(sent, *sent.answer);
    }
  }
  next();
}

}  // namespace paperboy::broker::redis
