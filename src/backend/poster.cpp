#include "backend/poster.hpp"

#include <algorithm>
#include <utility>

#include "backend/http_answer.hpp"

namespace paperboy::backend {

/// One post, from its connection to its answer.
class Poster::Exchange final : broker::redis::WireEvents {
 public:
  Exchange(Poster& poster, Bytes body)
      : poster_(poster),
        serial_(poster.serial_),
        late_(poster.network_.alarm([this] { give_up(); }, false)),
        wire_(poster.network_.connect(
            {.host = poster.callback_.host, .port = poster.callback_.port},
            *this)) {
    wire_->send(post_request(poster.callback_, poster.options_.token, body));
    late_->set(poster.options_.timeout_ms);
  }

  [[nodiscard]] bool ended() const { return ended_; }

 private:
  void on_open() override {}

  void on_bytes(Bytes bytes) override { look(answer_.feed(bytes), {}); }

  void on_lost(Bytes why) override {
    if (answer_.status() >= 200) return look(answer_.end(), why);
    end(Outcome::lost, why);
  }

  /// One whose status is known has answered.
  void give_up() {
    if (answer_.status() >= 200) return look(answer_.end(), {});
    end(Outcome::lost, "no answer in time");
  }

  void look(HttpAnswer::State state, Bytes why) {
    if (state == HttpAnswer::State::more) return;
    if (state == HttpAnswer::State::bad) {
      end(Outcome::lost, answer_.why().empty() ? why : answer_.why());
    } else if (answer_.status() == 200) {
      end(Outcome::accepted, {});
    } else {
      end(Outcome::refused, "it answers " + std::to_string(answer_.status()));
    }
  }

  void end(Outcome outcome, Bytes why) {
    if (std::exchange(ended_, true)) return;
    late_->cancel();
    poster_.note_ended(serial_, outcome, why);
  }

  Poster& poster_;
  const std::uint64_t serial_;
  HttpAnswer answer_;
  bool ended_ = false;
  std::unique_ptr<broker::redis::Alarm> late_;
  std::unique_ptr<broker::redis::Wire> wire_;
};

Poster::Poster(broker::redis::Network& network, const Options& options,
               Registered registered, Ended ended)
    : network_(network),
      options_(options),
      callback_(std::move(registered.callback)),
      serial_(registered.serial),
      ended_(std::move(ended)),
      next_(network.alarm([this] { go_on(); }, false)) {}

Poster::~Poster() = default;

void Poster::post(std::shared_ptr<const std::string> body) {
  if (waiting_.size() >= options_.queue) {
    ended_(serial_, Outcome::lost, "too many wait for it");
    return;
  }
  waiting_.push_back(
      {std::move(body), network_.clock().monotonic_ms() + options_.timeout_ms});
  if (!next_->is_set()) next_->set(0);
}

void Poster::go_on() {
  std::erase_if(running_, [](const auto& one) { return one->ended(); });
  const std::uint64_t now = network_.clock().monotonic_ms();
  while (!waiting_.empty() &&
         (running_.size() < kAtOnce || waiting_.front().until <= now)) {
    const Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    if (next.until <= now) {
      ended_(serial_, Outcome::lost, "it waited for too long");
    } else {
      running_.push_back(std::make_unique<Exchange>(*this, *next.body));
    }
  }
}

void Poster::note_ended(std::uint64_t serial, Outcome outcome, Bytes why) {
  next_->set(0);
  ended_(serial, outcome, why);
}

std::size_t Poster::open() const {
  const auto running = std::ranges::count_if(
      running_, [](const auto& one) { return !one->ended(); });
  return waiting_.size() + static_cast<std::size_t>(running);
}

}  // namespace paperboy::backend
