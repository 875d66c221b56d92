#include "broker/redis_caller.hpp"

#include <algorithm>
#include <utility>

#include "broker/redis_url.hpp"

namespace paperboy::broker::redis {

namespace {

constexpr Error kLost{ErrorCode::unavailable,
                      "the connection to Redis was lost before it was sent; "
                      "try again"};

/// What a server answers to all that is asked of it: nothing can be done here
/// for now.
bool is_of_no_use(const Reply& reply) {
  static constexpr std::array<Bytes, 4> kWords{"LOADING ", "READONLY ",
                                               "MASTERDOWN ", "NOAUTH "};
  return reply.is_error() && std::ranges::any_of(kWords, [&](Bytes word) {
           return reply.text.starts_with(word);
         });
}

bool is_unknown_script(const Reply& reply) {
  return reply.is_error() && reply.text.starts_with("NOSCRIPT");
}

}  // namespace

Caller::Caller(const Context& context, const Server& server,
               CallerEvents& events)
    : context_(context),
      name_(name_of(server)),
      events_(events),
      hold_(context.network),
      connection_(context.network, context.options, server,
                  {context.options.user, context.options.password,
                   context.options.database},
                  *this) {}

// --- coming up ---------------------------------------------------------------

void Caller::on_ready() { ask_identity(); }

void Caller::ask_identity() {
  std::string command;
  append_command(command, std::array<Bytes, 2>{"INFO", "replication"});
  connection_.send(
      command, [this](const Result<Reply>& answer) { on_identity(answer); });
}

void Caller::on_identity(const Result<Reply>& answer) {
  if (!answer) return;
  if (answer->is_error()) {
    return connection_.lose("it answers " + printable(answer->text) +
                            " to INFO replication");
  }
  auto identity = parse_identity(answer->text);
  if (!identity) {
    return connection_.lose("its INFO replication doesn't say who it is");
  }
  if (!identity->master) {
    const bool alone = context_.options.kind == Options::Kind::single;
    return connection_.lose(
        alone ? "it is a replica: name its primary, or let Sentinels name it"
              : "it is a replica");
  }
  const bool changed = state_ == State::up && *identity != identity_;
  if (changed) log_change(*identity);
  identity_ = std::move(*identity);
  if (state_ != State::opening) return;
  if (context_.options.scripts) return load_scripts();
  state_ = State::up;
  events_.on_caller_up();
}

void Caller::log_change(const Identity& identity) {
  context_.network.log(LogLevel::warning,
                       name_ + " has another history: it was " +
                           identity_.replication_id + " and is " +
                           identity.replication_id);
}

void Caller::refresh_identity() {
  if (is_up()) ask_identity();
}

void Caller::load_scripts() {
  loading_ = kScripts;
  for (std::size_t script = 0; script < kScripts; ++script) {
    std::string command;
    append_command(command,
                   std::array<Bytes, 3>{"SCRIPT", "LOAD",
                                        source(static_cast<Script>(script))});
    connection_.send(command, [this, script](const Result<Reply>& answer) {
      on_loaded(script, answer);
    });
  }
}

void Caller::on_loaded(std::size_t script, const Result<Reply>& answer) {
  if (!answer) return;
  if (answer->kind != Reply::Kind::string) {
    return connection_.lose("it answers " + printable(answer->text) +
                            " to SCRIPT LOAD");
  }
  hashes_[script] = answer->text;
  if (--loading_ > 0) return;
  if (std::exchange(state_, State::up) == State::opening) {
    events_.on_caller_up();
  } else {
    go_on();
  }
}

// --- calls -------------------------------------------------------------------

void Caller::call(Script script, std::span<const std::string> keys,
                  std::span<const std::string> arguments,
                  ReplyHandler handler) {
  const std::string count = std::to_string(keys.size());
  std::vector<Bytes> words{"EVALSHA", hashes_[static_cast<std::size_t>(script)],
                           count};
  words.insert(words.end(), keys.begin(), keys.end());
  words.insert(words.end(), arguments.begin(), arguments.end());
  Call call{{}, std::move(handler), 0, false};
  append_command(call.command, words);
  take(std::move(call));
}

void Caller::command(std::span<const std::string> words, ReplyHandler handler,
                     std::uint64_t more_ms) {
  Call call{{}, std::move(handler), more_ms, false};
  append_command(call.command, std::vector<Bytes>(words.begin(), words.end()));
  take(std::move(call));
}

void Caller::take(Call call) {
  if (!is_up()) return context_.refusals.refuse_down(std::move(call.handler));
  if (bytes_ + call.command.size() > context_.options.max_queue) {
    return context_.refusals.refuse_full(std::move(call.handler));
  }
  bytes_ += call.command.size();
  hold_.take();
  if (holding_) {
    held_.push_back(std::move(call));
  } else {
    send(std::move(call));
  }
}

void Caller::send(Call call) {
  sent_.push_back(std::move(call));
  connection_.send(
      sent_.back().command,
      [this](const Result<Reply>& answer) { on_answer(answer); }, 1,
      sent_.back().more_ms);
}

/// Of the oldest call that was sent.
void Caller::on_answer(const Result<Reply>& answer) {
  if (answer && is_of_no_use(*answer)) {
    return connection_.lose("it answers " + printable(answer->text));
  }
  Call call = std::move(sent_.front());
  sent_.pop_front();
  if (answer && is_unknown_script(*answer) && !call.again) {
    send_again(std::move(call));
  } else {
    finish(call, answer);
  }
  if (holding_ && sent_.empty() && loading_ == 0 && is_up()) load_scripts();
}

/// Nothing was done. So that all keep their order, nothing else is sent until
/// what was sent already is answered.
void Caller::send_again(Call call) {
  if (!std::exchange(holding_, true)) {
    context_.network.log(LogLevel::info, name_ + " has forgotten the scripts");
  }
  call.again = true;
  again_.push_back(std::move(call));
}

/// The scripts are there again.
void Caller::go_on() {
  holding_ = false;
  for (auto* calls : {&again_, &held_}) {
    for (Call& call : std::exchange(*calls, {})) send(std::move(call));
  }
}

void Caller::finish(const Call& call, const Result<Reply>& answer) {
  bytes_ -= call.command.size();
  hold_.give();
  call.handler(answer);
}

void Caller::on_lost(Bytes why) {
  state_ = State::lost;
  for (auto* calls : {&sent_, &again_, &held_}) {
    for (const Call& call : std::exchange(*calls, {})) finish(call, kLost);
  }
  events_.on_caller_lost(why);
}

}  // namespace paperboy::broker::redis
