#include "nginx/embedded_desk.hpp"

#include "nginx/worker.hpp"

namespace paperboy::nginx {

namespace {

// A worker that can't keep up takes what is pushed all the same.
constexpr int kMostTurns = 64;

}  // namespace

EmbeddedDesk::EmbeddedDesk(Worker& worker, const EmbeddedConf& conf)
    : worker_(worker),
      callbacks_(conf),
      network_(worker, conf.wires, "paperboy_embedded"),
      taker_(worker.context().hub, worker_clock(), worker.context().counters,
             conf.name_space,
             [this](Bytes line) {
               network_.log(broker::redis::LogLevel::warning, line);
             }),
      messaging_(network_, callbacks_, worker.context().counters,
                 {.token = std::string(conf.token.view()),
                  .timeout_ms = conf.wires.options.timeout_ms,
                  .queue = conf.queue},
                 conf.name_space) {
  worker.context().liaisons.set_listener(
      [this](const hub::Notice& notice) { taker_.hear(notice); });
}

void EmbeddedDesk::push(std::uint8_t topic, std::string text, std::string key,
                        backend::Taker::Reply reply) {
  pushed_.push_back({topic, std::move(text), std::move(key), std::move(reply)});
  worker_.wake();
}

void EmbeddedDesk::look(bool all) {
  if (pushed_.empty() || (!all && ++turns_ < kMostTurns)) return;
  turns_ = 0;
  for (const Pushed& one : std::exchange(pushed_, {})) take(one);
}

/// Who has registered for its topic gets it, too, once it was taken.
void EmbeddedDesk::take(const Pushed& pushed) {
  const auto done = [this, topic = pushed.topic, text = pushed.text,
                     reply = pushed.reply](const Result<Done>& outcome) {
    if (outcome) messaging_.post(topic, text);
    reply(outcome);
  };
  if (pushed.topic == backend::kRequestsTopic) {
    done(Done{});
  } else {
    taker_.take(static_cast<backend::Topic>(pushed.topic), pushed.text,
                pushed.key, done);
  }
}

}  // namespace paperboy::nginx
