#include "broker/redis_blocker.hpp"

#include <algorithm>
#include <utility>

namespace paperboy::broker::redis {

namespace {

constexpr Error kNotSent{ErrorCode::unavailable,
                         "Redis can't be reached now; try again"};

constexpr std::size_t kMost = 100;  // calls without an answer

}  // namespace

Blocker::Blocker(const Context& context)
    : context_(context),
      backoff_(context.network, context.options),
      open_(context.network.alarm([this] { open(); })) {}

void Blocker::move_to(const Server& server) {
  if (connection_ != nullptr) connection_->lose("it is opened anew");
  connection_.reset();
  server_ = server;
  retry_ms_ = 0;
}

void Blocker::command(const std::vector<std::string>& words,
                      std::uint64_t block_ms, ReplyHandler handler) {
  if (owed_ + waiting_.size() >= kMost) {
    return context_.refusals.refuse_full(std::move(handler));
  }
  Call call{{}, block_ms, std::move(handler)};
  append_command(call.command, std::vector<Bytes>(words.begin(), words.end()));
  if (connection_ != nullptr && connection_->is_ready()) {
    return send(std::move(call));
  }
  waiting_.push_back(std::move(call));
  if (is_closed() && !open_->is_set()) {
    const std::uint64_t now = context_.network.clock().monotonic_ms();
    open_->set(retry_ms_ - std::min(retry_ms_, now));
  }
}

bool Blocker::is_closed() const {
  return connection_ == nullptr || connection_->is_lost();
}

void Blocker::open() {
  ConnectionEvents& events = *this;
  const Options& options = context_.options;
  connection_ = std::make_unique<Connection>(
      context_.network, options, server_,
      Login{options.user, options.password, options.database}, events);
}

void Blocker::on_ready() {
  backoff_.reset();
  for (Call& call : std::exchange(waiting_, {})) send(std::move(call));
}

void Blocker::send(Call call) {
  ++owed_;
  connection_->send(
      call.command,
      [this, handler = std::move(call.handler)](const Result<Reply>& answer) {
        --owed_;
        handler(answer);
      },
      1, call.block_ms);
}

void Blocker::close(Bytes why) {
  open_->cancel();
  if (!is_closed()) return connection_->close(why);
  for (Call& call : std::exchange(waiting_, {})) {
    context_.refusals.refuse_down(std::move(call.handler));
  }
}

/// Those that were sent have been told by their connection.
void Blocker::on_lost(Bytes /*why*/) {
  retry_ms_ = context_.network.clock().monotonic_ms() + backoff_.next_ms();
  for (const Call& call : std::exchange(waiting_, {})) call.handler(kNotSent);
}

}  // namespace paperboy::broker::redis
