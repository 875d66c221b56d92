#include "engine.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <numeric>
#include <sstream>

#include "classic.hpp"
#include "native.hpp"
#include "notiflux.hpp"
#include "raw.hpp"
#include "sse.hpp"

namespace paperboy::fault {

namespace {

constexpr double kStorm = 0.1;     // s, between two connections
constexpr double kRecovering = 2;  // s, at most
constexpr double kMostDue = 200;   // publications that may be caught up with
constexpr std::size_t kBig = 1'000'000;
constexpr int kTurn = 2;  // ms
/// Until it is seen that all listen, each channel gets a message so often, s.
constexpr double kProbe = 0.5;

void append(std::string& out, const char* name, std::uint64_t number) {
  out += '"' + std::string(name) + "\":" + std::to_string(number) + ',';
}

std::string object(const std::map<std::string, std::uint64_t>& counts) {
  std::string out = "{";
  for (const auto& [name, number] : counts) {
    std::string safe = name;
    std::erase_if(safe, [](char c) { return c == '"' || c == '\\'; });
    out +=
        (out.size() > 1 ? ",\"" : "\"") + safe + "\":" + std::to_string(number);
  }
  return out + "}";
}

}  // namespace

Engine::Engine(const Options& options)
    : options_(options),
      signer_(options.secret, options.key),
      log_(std::fopen(options.log.c_str(), "w")),
      tally_(log_),
      ledger_(options.publishers + 1 + options.topics, options.channels, tally_,
              options.doors.users),
      random_(options.seed),
      stage_{loop_,         ledger_,        tally_,
             random_,       options.ports,  options.garble,
             options.doubt, options.answer, options.doors} {
  stage_.doors.signer = &signer_;
  if (options.forks) ledger_.allow_forks();
  if (log_ != nullptr) std::setvbuf(log_, nullptr, _IOLBF, BUFSIZ);
  add_sources();
  add_subscribers();
  give_roles();
  fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
  loop_.add(STDIN_FILENO, *this, false);
}

Engine::~Engine() {
  if (log_ != nullptr) std::fclose(log_);
}

void Engine::add_sources() {
  const auto number = static_cast<std::uint32_t>(options_.publishers);
  const std::size_t share = options_.doors.broadcasters;
  std::vector<std::uint32_t> all(options_.channels);
  std::iota(all.begin(), all.end(), 0);
  for (std::uint32_t i = 0; i < number; ++i) {
    const bool broadcasts = share != 0 && i % share == 0;
    sources_.push_back(std::make_unique<Publisher>(
        stage_, i, options_.keys,
        broadcasts ? notiflux_token(signer_, "broadcast", all) : ""));
  }
  ender_ = std::make_unique<Publisher>(stage_, number, options_.keys);
  if (options_.doors.redis == 0) return;
  const auto topics = static_cast<std::uint32_t>(options_.topics);
  for (std::uint32_t i = 0; i < topics; ++i) {
    auto topic =
        std::make_unique<TopicPublisher>(stage_, number + 1 + i, i, topics);
    topics_.push_back(topic.get());
    sources_.push_back(std::move(topic));
  }
}

void Engine::add_subscribers() {
  populate<NativeSubscriber>("native", options_.native, true);
  populate<EventSubscriber>("sse", options_.sse, false);
  populate<RawSubscriber>("raw", options_.raw, false);
  populate<NotifluxSubscriber>("notiflux", options_.notiflux, false);
  const std::uint32_t users = std::max(1U, options_.doors.users);
  populate("classic", options_.classic, false,
           [&](const std::string& name, const auto& own, std::uint32_t i) {
             const double share = (i * 61 % 100) / 100.0;
             return std::make_unique<ClassicSubscriber>(
                 stage_, name, own, i % users, share < options_.doors.edge);
           });
}

template <typename Kind>
void Engine::populate(const std::string& kind, std::size_t number, bool two) {
  populate(kind, number, two,
           [this](const std::string& name, const auto& own, std::uint32_t) {
             return std::make_unique<Kind>(stage_, name, own);
           });
}

/// `two`: each listens to two channels; else by turns to one and to two, and
/// those of raw to one.
template <typename Make>
void Engine::populate(const std::string& kind, std::size_t number, bool two,
                      const Make& make) {
  const auto channels = static_cast<std::uint32_t>(options_.channels);
  for (std::uint32_t i = 0; i < number; ++i) {
    std::vector<std::uint32_t> own{i % channels};
    const bool more = two || (kind != "raw" && i % 2 == 1);
    if (channels > 1 && more) {
      own.push_back((i + 1 + i / channels % (channels - 1)) % channels);
    }
    subscribers_.push_back(make(kind + std::to_string(i), own, i));
  }
}

/// Of all kinds: the slow ones come first, then those that come and go.
void Engine::give_roles() {
  std::shuffle(subscribers_.begin(), subscribers_.end(), random_);
  for (std::size_t i = 0; i < subscribers_.size(); ++i) {
    if (i < options_.slow) {
      subscribers_[i]->read_little();
    } else if (i < options_.slow + options_.recovering) {
      subscribers_[i]->cut_every(kStorm, kRecovering);
    }
  }
}

// ---- what it is told -------------------------------------------------------

void Engine::on_ready() {
  char buffer[4096];
  const ssize_t n = read(STDIN_FILENO, buffer, sizeof buffer);
  if (n == 0) orphaned_ = true;
  if (n <= 0) return;
  input_.append(buffer, static_cast<std::size_t>(n));
}

void Engine::obey(const std::string& line) {
  std::istringstream words(line);
  std::string command;
  std::string value;
  words >> command >> value;
  tally_.note("told: " + line);
  const double number = std::strtod(value.c_str(), nullptr);
  if (command == "rate") {
    rate_ = value == "full" ? -1 : number;
    due_ = 0;
  } else if (command == "publish") {
    publish_at_once(static_cast<std::size_t>(number));
  } else if (command == "stream") {
    stream_ += static_cast<std::size_t>(number);
  } else if (command == "excuse") {
    ledger_.excuse(now_s() - number);
  } else if (command == "leave") {
    leave_classic(static_cast<std::size_t>(number));
  } else if (command == "doubt") {
    ledger_.doubt(value == "all"      ? Doubt::all
                  : value == "topics" ? Doubt::topics
                  : value == "notes"  ? Doubt::notes
                                      : Doubt::none,
                  now_s());
  } else if (command == "stall") {
    for (std::size_t i = 0; i < options_.slow; ++i) {
      subscribers_[i]->stall(number);
    }
  } else if (command == "storm") {
    for (std::size_t i = options_.slow + options_.recovering;
         i < subscribers_.size(); ++i) {
      const bool storms =
          static_cast<double>(subscribers_.size() - i) <= number;
      subscribers_[i]->cut_every(kStorm, storms ? kStorm : 0);
    }
  } else if (command == "away") {
    leave();
  } else if (command == "return") {
    come_back();
  } else if (command == "back") {
    tally_.repair = {.since = now_s()};
  } else if (command == "repaired") {
    report_repair();
  } else if (command == "places") {
    report_places();
  } else if (command == "counts") {
    report();
  } else if (command == "finish") {
    finishing_ = true;
  } else {
    std::cerr << "fault_engine: " << line << ": no such command\n";
  }
}

void Engine::publish_at_once(std::size_t number) {
  std::size_t left = number;
  until(
      [&] {
        while (left > 0 && publish_one()) --left;
        return left == 0 && all_free();
      },
      options_.patience);
  std::cout << R"({"published":)" << number - left << "}" << std::endl;
}

void Engine::leave() {
  for (auto& one : subscribers_) one->cut(1e9);
  std::cout << R"({"away":true})" << std::endl;
}

void Engine::leave_classic(std::size_t number) {
  for (auto& one : subscribers_) {
    const auto* const classic = dynamic_cast<ClassicSubscriber*>(one.get());
    if (classic == nullptr || classic->is_let_in_by_edge()) continue;
    if (number-- == 0) return;
    one->cut(0);
  }
}

void Engine::come_back() {
  const double begin = now_s();
  for (auto& one : subscribers_) one->cut(0);
  const bool back = until([this] { return all_live(); }, options_.patience);
  std::cout << R"({"returned":)" << (back ? "true" : "false")
            << R"(,"seconds":)" << now_s() - begin << "}" << std::endl;
}

// ---- its turns -------------------------------------------------------------

int Engine::run() {
  turned_ = now_s();
  // Not all at a time: some leave again at once.
  const auto was_live = [](const auto& one) { return one->was_live(); };
  const bool ready =
      until([&] { return std::ranges::all_of(subscribers_, was_live); },
            options_.patience);
  std::cout << R"({"ready":)" << (ready ? "true" : "false") << "}" << std::endl;
  while (!finishing_ && !orphaned_) {
    turn();
    for (std::size_t end = 0; (end = input_.find('\n')) != Bytes::npos;) {
      const std::string line = input_.substr(0, end);
      input_.erase(0, end + 1);
      obey(line);
    }
  }
  return orphaned_ ? 2 : finish();
}

void Engine::turn() {
  loop_.run_once(kTurn);
  const double now = now_s();
  for (auto& one : sources_) one->tick(now);
  ender_->tick(now);
  for (auto& one : subscribers_) one->tick(now);
  publish_due(now - turned_);
  while (stream_ > 0 && publish_by_topic()) --stream_;
  turned_ = now;
}

void Engine::publish_due(double seconds) {
  if (rate_ < 0) {
    while (publish_one()) {
    }
    return;
  }
  due_ = std::min(due_ + rate_ * seconds, kMostDue);
  while (due_ >= 1 && publish_one()) due_ -= 1;
}

/// By the next publisher that is free; false: none is.
bool Engine::publish_one() {
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    Source& publisher = *sources_[next_source_++ % sources_.size()];
    if (!publisher.is_free()) continue;
    const bool big = options_.big != 0 && random_() % options_.big == 0;
    const std::size_t spread = options_.most - options_.least + 1;
    publisher.publish(static_cast<std::uint32_t>(random_() % options_.channels),
                      big ? kBig : options_.least + random_() % spread);
    return true;
  }
  return false;
}

bool Engine::publish_by_topic() {
  for (std::size_t i = 0; i < topics_.size(); ++i) {
    TopicPublisher& topic = *topics_[next_topic_++ % topics_.size()];
    if (!topic.is_free()) continue;
    topic.publish(static_cast<std::uint32_t>(random_() % options_.channels),
                  options_.least);
    return true;
  }
  return topics_.empty();
}

bool Engine::until(const std::function<bool()>& done, double seconds) {
  const double deadline = now_s() + seconds;
  while (!done()) {
    if (now_s() > deadline || orphaned_) return false;
    turn();
  }
  return true;
}

bool Engine::all_live() const {
  return std::ranges::all_of(subscribers_,
                             [](const auto& one) { return one->is_live(); });
}

bool Engine::all_free() const {
  return ender_->is_free() &&
         std::ranges::all_of(sources_,
                             [](const auto& one) { return one->is_free(); });
}

// ---- its end ---------------------------------------------------------------

int Engine::finish() {
  rate_ = 0;
  stage_.garble = {};
  for (auto& one : subscribers_) {
    one->cut_every(0, 0);
    one->stall(0);
  }
  if (!until([this] { return all_free(); }, options_.patience)) {
    tally_.contradiction("publishes are not answered");
  }
  await_all();
  auto ends = publish_ends();
  publish_user_ends(ends);
  const auto there = [&ends](const auto& one) { return one->is_at(ends); };
  until([&] { return std::ranges::all_of(subscribers_, there); },
        options_.patience);
  for (auto& one : subscribers_) {
    if (!one->is_live()) tally_.contradiction("a subscriber can't come back");
    one->ends(ends);
  }
  ledger_.settle(ends);
  report();
  return tally_.is_clean() ? 0 : 1;
}

/// Until all are live, and have heard something where only that tells so.
void Engine::await_all() {
  double probed = 0;
  std::uint32_t next = 0;
  const auto ready = [](const auto& one) {
    return one->is_live() && one->has_heard();
  };
  until(
      [&] {
        if (std::ranges::all_of(subscribers_, ready)) return true;
        if (next == options_.channels && now_s() > probed + kProbe) next = 0;
        if (next < options_.channels && ender_->is_free()) {
          ender_->publish(next++, options_.least);
          probed = now_s();
        }
        return false;
      },
      options_.patience);
  until([this] { return ender_->is_free(); }, options_.patience);
}

/// One more for each user, which is acknowledged: where it is.
void Engine::publish_user_ends(std::vector<Place>& ends) {
  for (std::uint32_t user = 0; user < options_.doors.users; ++user) {
    const std::uint32_t channel = ledger_.user_channel(user);
    Place end{Ledger::kUserEpoch, 0};
    for (std::uint32_t i = 0; i < topics_.size(); ++i) {
      if (!topics_[i]->has(user)) continue;
      const auto publisher =
          static_cast<std::uint32_t>(options_.publishers + 1 + i);
      until(
          [&] {
            if (!topics_[i]->is_free()) return false;
            if (ledger_.is_due(publisher, channel,
                               static_cast<std::uint32_t>(end.offset),
                               Ledger::kUserEpoch)) {
              return true;
            }
            end.offset = ledger_.next(publisher, channel);
            topics_[i]->publish_to_user(user, options_.least);
            return false;
          },
          options_.patience);
    }
    ends.push_back(end);
  }
}

/// One more publication in each channel, which is its last: where it is.
std::vector<Place> Engine::publish_ends() {
  std::vector<Place> ends;
  Publisher& publisher = *ender_;
  const auto acknowledged = [this] { return tally_.counts.published; };
  for (std::uint32_t channel = 0; channel < options_.channels; ++channel) {
    const std::uint64_t before = acknowledged();
    const bool done = until(
        [&] {
          if (!publisher.is_free()) return false;
          if (acknowledged() > before) return true;
          publisher.publish(channel, options_.least);
          return false;
        },
        options_.patience);
    if (!done) tally_.contradiction("the end of a channel can't be published");
    ends.push_back(publisher.last());
  }
  return ends;
}

void Engine::report_repair() const {
  const Repair& repair = tally_.repair;
  const double seconds = repair.number > 0 ? repair.last - repair.since : 0;
  std::cout << R"({"repairs":)" << repair.number << R"(,"seconds":)" << seconds
            << R"(,"most_late":)" << repair.most_late << R"(,"last":")"
            << repair.what << R"("})" << std::endl;
}

void Engine::report_places() const {
  std::string out;
  for (std::uint32_t channel = 0; channel < options_.channels; ++channel) {
    out += (out.empty() ? "\"" : ",\"") + place_text(ledger_.newest(channel)) +
           '"';
  }
  std::cout << R"({"places":[)" << out << "]}" << std::endl;
}

void Engine::report() const {
  const Counts& c = tally_.counts;
  std::string out = "{";
  append(out, "deliveries", c.deliveries);
  append(out, "live",
         static_cast<std::uint64_t>(std::ranges::count_if(
             subscribers_, [](const auto& one) { return one->is_live(); })));
  append(out, "published", c.published);
  append(out, "refused", c.refused);
  append(out, "unknown", c.unknown);
  append(out, "repeated", c.repeated);
  append(out, "reconnects", c.reconnects);
  append(out, "recovered", c.recovered);
  append(out, "unrecovered", c.unrecovered);
  append(out, "told", c.told);
  append(out, "forks", c.forks);
  append(out, "between", c.between);
  append(out, "again", c.again);
  append(out, "untold", c.untold);
  append(out, "duplicates", c.duplicates);
  append(out, "reorders", c.reorders);
  append(out, "contradictions", c.contradictions);
  append(out, "lost", c.lost);
  out += R"("refusals":)" + object(tally_.refusals) + R"(,"ends":)" +
         object(tally_.ends) + R"(,"kinds":)" + object(tally_.kinds) + "}";
  std::cout << out << std::endl;
}

}  // namespace paperboy::fault
