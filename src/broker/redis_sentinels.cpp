#include "broker/redis_sentinels.hpp"

#include <charconv>
#include <optional>
#include <utility>

#include "broker/redis_url.hpp"

namespace paperboy::broker::redis {

namespace {

constexpr std::uint64_t kPollMs = 250;
constexpr std::uint64_t kPollWithoutMs = 200;  // while there is no master

/// [host, port].
std::optional<Server> read_master(const Reply& reply, bool tls) {
  if (reply.items.size() != 2) return std::nullopt;
  const Bytes host = reply.items[0].string();
  const Bytes digits = reply.items[1].string();
  std::uint16_t port = 0;
  const char* const end = digits.data() + digits.size();
  const auto [at, error] = std::from_chars(digits.data(), end, port);
  if (!is_host(host) || error != std::errc() || at != end || port == 0) {
    return std::nullopt;
  }
  return Server{.host = std::string(host), .port = port, .tls = tls};
}

}  // namespace

SentinelGuide::SentinelGuide(Network& network, const Options& options)
    : options_(options),
      poll_(network.alarm([this] { ask(); })),
      asker_(network, options, "Sentinel",
             {options.sentinel_user, options.sentinel_password, 0},
             {{"SENTINEL", "GET-MASTER-ADDR-BY-NAME", options.master}}, *this) {
}

// --- asking ------------------------------------------------------------------

void SentinelGuide::find() {
  finding_ = true;
  ask();
}

void SentinelGuide::ask() {
  if (asker_.is_asking()) return;
  std::vector<Server> servers;
  for (std::size_t i = 0; i < options_.servers.size(); ++i) {
    servers.push_back(options_.servers[(next_ + i) % options_.servers.size()]);
  }
  asker_.ask(std::move(servers));
}

std::string SentinelGuide::on_answers(const Server& server,
                                      const std::vector<Reply>& answers) {
  const Reply& answer = answers[0];
  if (answer.is_error()) return "it answers " + printable(answer.text);
  const auto master = read_master(answer, server.tls);
  if (!master) return "it knows no master \"" + options_.master + '"';
  while (options_.servers[next_] != server) {
    next_ = (next_ + 1) % options_.servers.size();
  }
  poll_->set(up_ ? kPollMs : kPollWithoutMs);
  const bool asked = std::exchange(finding_, false);
  const bool other = *master != named_;
  named_ = *master;
  if (asked || other) events_->on_named(named_);
  return {};
}

void SentinelGuide::on_nobody() {
  poll_->set(kPollMs);
  if (std::exchange(finding_, false)) events_->on_unknown();
}

// --- the master --------------------------------------------------------------

void SentinelGuide::note_up() { up_ = true; }

/// One that names what can't be used may be behind: the next one is asked, and
/// the next find will tell. While there is no master, they are asked often.
bool SentinelGuide::note_lost(bool was_up) {
  up_ = false;
  if (!was_up) next_ = (next_ + 1) % options_.servers.size();
  poll_->set(kPollWithoutMs);
  return true;
}

}  // namespace paperboy::broker::redis
