#include "backend/embedded_messaging.hpp"

#include <algorithm>
#include <utility>

#include "backend/topic.hpp"

namespace paperboy::backend {

namespace {

using broker::redis::LogLevel;

Complaints::Log log_to(broker::redis::Network& network) {
  return [&network](Bytes line) { network.log(LogLevel::warning, line); };
}

}  // namespace

EmbeddedMessaging::EmbeddedMessaging(broker::redis::Network& network,
                                     Callbacks& callbacks, Counters& counters,
                                     Poster::Options options,
                                     std::string name_space)
    : network_(network),
      callbacks_(callbacks),
      counters_(counters),
      options_(std::move(options)),
      name_space_(std::move(name_space)),
      losses_(network.clock(), log_to(network)) {
  refresh();
}

void EmbeddedMessaging::ask(Bytes client, Bytes token) {
  if (post(kRequestsTopic, request_body(client, token)) > 0) return;
  counters_.add(Counter::classic_requests_lost);
  losses_.tell(
      "a request to be subscribed reaches nobody: no back end has registered a "
      "callback");
}

std::size_t EmbeddedMessaging::post(std::uint8_t topic, std::string body) {
  refresh();
  const auto shared = std::make_shared<const std::string>(std::move(body));
  std::size_t count = 0;
  for (const auto& poster : posters_) {
    if (poster->callback().topic != topic) continue;
    poster->post(shared);
    ++count;
  }
  return count;
}

/// Those that are there stay, with what they have to do.
void EmbeddedMessaging::refresh() {
  const std::uint64_t version = callbacks_.version();
  if (version == version_) return;
  version_ = version;
  const auto all = callbacks_.all();
  std::erase_if(posters_, [&](const auto& poster) {
    if (std::ranges::find(all, poster->callback(), &Registered::callback) !=
        all.end()) {
      return false;
    }
    for (std::size_t i = poster->open(); i > 0; --i) {
      note_lost(poster->callback(), "the callback was dropped");
    }
    return true;
  });
  for (const Registered& one : all) {
    if (Poster* const poster = find(one.callback)) {
      poster->go_over_to(one.serial);
    } else {
      add(one);
    }
  }
}

Poster* EmbeddedMessaging::find(const Callback& callback) const {
  const auto found = std::ranges::find_if(
      posters_, [&](const auto& one) { return one->callback() == callback; });
  return found == posters_.end() ? nullptr : found->get();
}

void EmbeddedMessaging::add(const Registered& registered) {
  auto ended = [this, callback = registered.callback](
                   std::uint64_t serial, Poster::Outcome outcome, Bytes why) {
    note_ended(callback, serial, outcome, why);
  };
  posters_.push_back(std::make_unique<Poster>(network_, options_, registered,
                                              std::move(ended)));
}

void EmbeddedMessaging::note_ended(const Callback& callback,
                                   std::uint64_t serial,
                                   Poster::Outcome outcome, Bytes why) {
  if (outcome == Poster::Outcome::accepted) {
    if (callback.topic == kRequestsTopic) {
      counters_.add(Counter::classic_requests);
    }
    return;
  }
  if (outcome == Poster::Outcome::refused) {
    // The poster goes when others are looked at: it is in here now.
    callbacks_.remove(serial);
    network_.log(LogLevel::warning, "the callback " + url_of(callback) +
                                        " is dropped: " + std::string(why));
  }
  note_lost(callback, why);
}

void EmbeddedMessaging::note_lost(const Callback& callback, Bytes why) {
  if (callback.topic == kRequestsTopic) {
    counters_.add(Counter::classic_requests_lost);
  }
  std::string line = "a post to " + url_of(callback);
  line.append(" is lost: ").append(why);
  losses_.tell(std::move(line));
}

}  // namespace paperboy::backend
