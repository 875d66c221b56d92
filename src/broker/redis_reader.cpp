#include "broker/redis_reader.hpp"

#include <algorithm>

#include "hub/key.hpp"
#include "hub/order.hpp"

namespace paperboy::broker::redis {

namespace {

constexpr std::uint64_t kLookMs = 500;  // at those that wait

constexpr Error kNotAnchored{
    ErrorCode::unavailable,
    "Redis can't be asked where the channel stands: try again"};

/// What of a window answers the query.
HistoryPage page_of(const Window& window, const HistoryQuery& query) {
  HistoryPage page{window.top, {}};
  const bool foreign = query.since && query.since->epoch != 0 &&
                       query.since->epoch != window.top.epoch;
  if (foreign) return page;
  std::uint64_t room = query.bytes;
  for (const auto& [kept, age] : window.entries) {
    const std::uint64_t offset = kept.position.offset;
    if (query.since && (query.reverse ? offset >= query.since->offset
                                      : offset <= query.since->offset)) {
      continue;
    }
    const std::uint64_t size = kept.data.size() + kept.extra.size();
    if (page.publications.size() == query.limit || size > room) break;
    room -= size;
    page.publications.push_back(kept);
  }
  return page;
}

template <typename Requests>
WindowQuery enough_for(const Requests& requests) {
  WindowQuery window{.limit = 0, .bytes = 0};
  for (const auto& request : requests) {
    const HistoryQuery& query = request.query;
    if (query.limit == 0 || !query.since) continue;
    window.limit = std::max(window.limit, query.limit);
    window.bytes = std::max(window.bytes, query.bytes);
  }
  return window;
}

/// Whether it begins amid a window that ends before the channel does.
bool is_crowded_out(const Window& window, const HistoryQuery& query) {
  if (window.entries.empty() || query.limit == 0 || !query.since) return false;
  const std::uint64_t since = query.since->offset;
  return window.entries.back().kept.position.offset < window.top.offset &&
         window.entries.front().kept.position.offset <= since &&
         since < window.top.offset;
}

}  // namespace

Reader::Reader(shm::Zone& zone, const hub::RuleSet& rules,
               const Options& options, Network& network, Store& store)
    : zone_(zone),
      rules_(rules),
      options_(options),
      network_(network),
      store_(store),
      alarm_(network.alarm([this] { look_at_waiting(); })) {}

Reader::~Reader() { *self_ = nullptr; }

std::uint64_t Reader::now() const { return network_.clock().monotonic_ms(); }

void Reader::history(Bytes channel, const HistoryQuery& query,
                     const hub::HistoryReply& reply) {
  resume(channel, {query, reply, now() + options_.timeout_ms});
}

void Reader::resume(Bytes channel, Request request) {
  const auto at = zone_.position(channel);
  if (at && at->epoch == 0) {
    waiting_[std::string(channel)].push_back(std::move(request));
    if (!alarm_->is_set()) alarm_->set(kLookMs);
  } else if (!request.query.until) {
    read_alone(channel, request);
  } else if (!at || !from_zone(channel, request)) {
    join(channel, std::move(request));
  }
}

/// Where the zone has all from there on.
bool Reader::from_zone(Bytes channel, const Request& request) {
  const HistoryQuery& query = request.query;
  if (query.limit > 0 && !query.since) return false;
  const auto page = zone_.history(channel, query);
  if (!page) return false;
  const bool answers = query.limit == 0 || is_complete(*page, *query.since);
  if (answers) request.reply(*page);
  return answers;
}

// ---- waiting for the anchor ------------------------------------------------

void Reader::on_anchor(Bytes channel) {
  if (!waiting_.contains(std::string(channel))) return;
  anchored_.emplace_back(channel);
  alarm_->set(0);
}

void Reader::look_at_waiting() {
  for (const std::string& channel : std::exchange(anchored_, {})) {
    auto waiting = waiting_.extract(channel);
    if (waiting.empty()) continue;
    const auto at = zone_.position(channel);
    for (Request& request : waiting.mapped()) {
      if (at && !request.query.until) request.query.until = *at;
      resume(channel, std::move(request));
    }
  }
  Requests late;
  for (auto item = waiting_.begin(); item != waiting_.end();) {
    Requests& requests = item->second;
    const auto rest = std::stable_partition(
        requests.begin(), requests.end(),
        [this](const Request& one) { return one.until_ms > now(); });
    std::move(rest, requests.end(), std::back_inserter(late));
    requests.erase(rest, requests.end());
    item = requests.empty() ? waiting_.erase(item) : std::next(item);
  }
  if (!waiting_.empty() && !alarm_->is_set()) alarm_->set(kLookMs);
  for (const Request& request : late) request.reply(kNotAnchored);
}

// ---- reading ---------------------------------------------------------------

/// Whoever asks as of now gets what is there now: nothing is shared with reads
/// that were sent before.
void Reader::read_alone(Bytes channel, const Request& request) {
  const HistoryQuery& query = request.query;
  WindowQuery window{.limit = query.limit,
                     .bytes = query.bytes,
                     .reverse = query.reverse,
                     .kept = {}};
  // No rule is about channels of our own.
  if (!channel.starts_with('\0')) {
    window.kept = rules_.find(hub::channel_name(channel)).keep;
  }
  if (query.since) {
    window.epoch = query.since->epoch;
    window.offset = query.since->offset;
  }
  store_.window(channel, window, [request](const Result<Window>& answer) {
    if (!answer) return request.reply(answer.error());
    request.reply(page_of(*answer, request.query));
  });
}

void Reader::join(Bytes channel, Request request) {
  const auto [found, made] = flights_.try_emplace(std::string(channel));
  auto& [name, flight] = *found;
  flight.next.push_back(std::move(request));
  if (made) take_off(name, flight);
}

/// One read for all: from the earliest place that one of them needs.
void Reader::take_off(const std::string& channel, Flight& flight) {
  flight.aboard = std::exchange(flight.next, {});
  WindowQuery window = enough_for(flight.aboard);
  for (const Request& request : flight.aboard) {
    const HistoryQuery& query = request.query;
    if (query.limit == 0 || !query.since) continue;
    const std::uint64_t from = query.since->offset;
    window.offset = std::min(window.offset.value_or(from), from);
  }
  store_.window(channel, window,
                [self = self_, channel](const Result<Window>& answer) {
                  if (*self != nullptr) (*self)->landed(channel, answer);
                });
}

void Reader::landed(const std::string& channel, const Result<Window>& window) {
  const auto found = flights_.find(channel);
  Requests aboard = std::exchange(found->second.aboard, {});
  if (found->second.next.empty()) {
    flights_.erase(found);
  } else {
    take_off(channel, found->second);
  }
  if (window) {
    const auto crowded = std::stable_partition(
        aboard.begin(), aboard.end(), [&](const Request& request) {
          return !is_crowded_out(*window, request.query);
        });
    Requests others(std::make_move_iterator(crowded),
                    std::make_move_iterator(aboard.end()));
    aboard.erase(crowded, aboard.end());
    if (!others.empty()) read_newest(channel, std::move(others));
  }
  answer(aboard, window);
}

/// For those who lack little, and had no room behind one who lacks much: from
/// the end, as far back as any of them may get.
void Reader::read_newest(const std::string& channel, Requests requests) {
  WindowQuery window = enough_for(requests);
  window.reverse = true;
  store_.window(channel, window,
                [requests = std::move(requests)](const Result<Window>& read) {
                  if (!read) return answer(requests, read);
                  Window window = *read;
                  std::ranges::reverse(window.entries);
                  answer(requests, window);
                });
}

void Reader::answer(const Requests& requests, const Result<Window>& window) {
  for (const Request& request : requests) {
    if (window) {
      request.reply(page_of(*window, request.query));
    } else {
      request.reply(window.error());
    }
  }
}

}  // namespace paperboy::broker::redis
