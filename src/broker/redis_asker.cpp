#include "broker/redis_asker.hpp"

#include <cassert>
#include <utility>

#include "broker/redis_url.hpp"

namespace paperboy::broker::redis {

namespace {

// Reasons that the log may have while none is of use.
constexpr std::size_t kMaxTold = 32;

}  // namespace

Asker::Asker(Network& network, const Options& options, Bytes kind, Login login,
             std::vector<Question> questions, AskerEvents& events)
    : network_(network),
      options_(options),
      kind_(kind),
      login_(std::move(login)),
      questions_(std::move(questions)),
      events_(events),
      turn_(network.alarm([this] { turn(); })) {}

void Asker::ask(std::vector<Server> servers) {
  assert(!asking_ && !servers.empty());
  servers_ = std::move(servers);
  next_ = 0;
  asking_ = true;
  resting_ = false;
  turn_->set(0);
}

void Asker::rest() {
  resting_ = true;
  turn_->set(0);
}

/// Not within an event of the connection, so that this may destroy it.
void Asker::turn() {
  if (!asking_) {
    if (resting_) connection_.reset();
    return;
  }
  if (next_ == servers_.size()) {
    asking_ = false;
    return events_.on_nobody();
  }
  const bool there = connection_ != nullptr && connection_->is_ready() &&
                     server_ == servers_[next_];
  if (there) return send();
  server_ = servers_[next_];
  connection_.reset();
  ConnectionEvents& events = *this;
  connection_ =
      std::make_unique<Connection>(network_, options_, server_, login_, events);
}

void Asker::on_ready() {
  if (asking_) send();
}

void Asker::send() {
  answers_.clear();
  for (const Question& question : questions_) {
    std::string command;
    append_command(command,
                   std::vector<Bytes>(question.begin(), question.end()));
    connection_->send(
        command, [this](const Result<Reply>& answer) { on_answer(answer); });
  }
}

void Asker::on_answer(const Result<Reply>& answer) {
  if (!answer || !asking_) return;  // on_lost says it
  answers_.push_back(*answer);
  if (answers_.size() < questions_.size()) return;
  asking_ = false;
  const std::string wrong =
      events_.on_answers(server_, std::exchange(answers_, {}));
  if (!wrong.empty()) return fail(wrong);
  told_.clear();
}

/// The next one, where there is one.
void Asker::fail(Bytes why) {
  asking_ = true;
  ++next_;
  turn_->set(0);
  complain(why);
}

void Asker::complain(Bytes why) {
  std::string reason = name_of(server_) + ": ";
  reason.append(why);
  if (told_.size() >= kMaxTold || !told_.insert(reason).second) return;
  network_.log(LogLevel::error, "can't ask the " + kind_ + ' ' + reason);
}

void Asker::on_lost(Bytes why) {
  if (asking_) fail(why);
}

}  // namespace paperboy::broker::redis
