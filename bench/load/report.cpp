#include "report.hpp"

#include <array>
#include <cstdio>
#include <iostream>

namespace paperboy::load {

namespace {

constexpr double kMillion = 1e6;

double share(double whole, std::uint64_t parts) {
  return parts == 0 ? 0 : whole / static_cast<double>(parts);
}

// Bytes a connection, of two readings in kB.
double growth(std::uint64_t before, std::uint64_t after, std::uint64_t open) {
  return share(
      (static_cast<double>(after) - static_cast<double>(before)) * 1024, open);
}

double milliseconds(std::uint64_t ns) { return static_cast<double>(ns) / 1e6; }

}  // namespace

Period::Period(const Servers& servers)
    : servers_(servers),
      begin_(servers.cpu()),
      client_s_(own_cpu()),
      began_ns_(now_ns()) {}

void Period::end(std::uint64_t last_ns) {
  servers_end_ = servers_.cpu();
  client_s_ = own_cpu() - client_s_;
  const std::uint64_t end_ns = last_ns > began_ns_ ? last_ns : now_ns();
  seconds_ = static_cast<double>(end_ns - began_ns_) / 1e9;
}

double Period::seconds() const {
  return seconds_ > 0 ? seconds_ : seconds_since(began_ns_);
}

std::string Period::server_json() const {
  Json json;
  json.add("run_s", server_s(), 4);
  json.add("user_s", servers_end_.user - begin_.user, 2);
  json.add("system_s", servers_end_.system - begin_.system, 2);
  return json.text();
}

Report::Report(const Options& options, Bytes mode)
    : options_(options), line_(options.label + " " + std::string(mode) + ":") {
  json_.add_text("mode", mode);
  json_.add_text("label", options.label);
  json_.add("connections", options.subscribers.connections);
  json_.add("channels", options.subscribers.channels);
  json_.add("payload", std::uint64_t{options.run.payload});
}

void Report::say(Bytes what, double number, int digits) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), " %.*f ", digits, number);
  line_.append(text.data()).append(what).append(",");
}

void Report::say_fault(Bytes what, std::uint64_t number) {
  if (number != 0) say(what, static_cast<double>(number), 0);
}

void Report::add_connecting(std::uint64_t open, const Period& period) {
  json_.add("open", open);
  json_.add("server_threads", options_.servers.threads());
  json_.add("connect_s", period.seconds(), 3);
  json_.add("connects_per_s", static_cast<double>(open) / period.seconds(), 0);
  json_.add("connect_server_cpu_us", share(period.server_s() * kMillion, open),
            2);
  say("open", static_cast<double>(open), 0);
}

void Report::add_idle(const Period& period, std::uint64_t answered) {
  json_.add("idle_s", period.seconds(), 2);
  json_.add("idle_server_cores", period.server_s() / period.seconds(), 4);
  json_.add("idle_answered", answered);
}

void Report::add_connections(const Tally& tally) {
  json_.add_json("connect", tally.connect.json());
  json_.add("failed", tally.failed);
  json_.add("closed_by_server", tally.closed_by_server);
  json_.add("pings", tally.pings);
  json_.add("answered", tally.answered);
}

void Report::add_room(const Room& before, const Room& after,
                      std::uint64_t open) {
  Json json;
  json.add("server_pss_kb_before", before.server.pss);
  json.add("server_pss_kb_after", after.server.pss);
  const double own = growth(before.server.own, after.server.own, open);
  json.add("server_own_bytes_per_conn", own, 0);
  json.add("server_pss_bytes_per_conn",
           growth(before.server.pss, after.server.pss, open), 0);
  json.add("server_rss_bytes_per_conn",
           growth(before.server.rss, after.server.rss, open), 0);
  json.add("system_bytes_per_conn",
           growth(after.all.available, before.all.available, open), 0);
  json.add("slab_bytes_per_conn", growth(before.all.slab, after.all.slab, open),
           0);
  json.add("client_bytes_per_conn",
           growth(before.all.client_pss, after.all.client_pss, open), 0);
  json.add("sockets", after.all.sockets);
  json_.add_json("memory", json.text());
  say("bytes of the server's a connection", own, 0);
}

void Report::add_publishing(const Publisher& publisher, double seconds) {
  json_.add("published", publisher.published());
  json_.add("publish_s", seconds, 3);
  json_.add("publish_errors", publisher.error_count());
  json_.add_json("publish_ack", publisher.answers().json());
  json_.add("publisher_errors", publisher.errors());
}

void Report::add_deliveries(const Tally& tally, std::uint64_t expected,
                            const Period& period, std::uint64_t published) {
  const double rate = static_cast<double>(tally.messages) / period.seconds();
  const double complete =
      share(static_cast<double>(tally.messages - tally.duplicates), expected);
  const double cpu = share(period.server_s() * kMillion, tally.messages);
  json_.add("expected", expected);
  json_.add("delivered", tally.messages);
  json_.add("completeness", complete, 6);
  json_.add("began_ns", period.began_ns());
  json_.add("seconds", period.seconds(), 3);
  json_.add("deliveries_per_s", rate, 0);
  json_.add("publishes_per_s",
            static_cast<double>(published) / period.seconds(), 1);
  json_.add_json("latency", tally.latency.json());
  json_.add("gaps", tally.gaps);
  json_.add("missing", tally.missing);
  json_.add("duplicates", tally.duplicates);
  json_.add("reorders", tally.reorders);
  json_.add("late_first", tally.late_first);
  json_.add("misdelivered", tally.misdelivered);
  json_.add("damaged", tally.damaged);
  json_.add("protocol_errors", tally.protocol_errors);
  json_.add("frames", tally.frames);
  json_.add("compressed", tally.compressed);
  json_.add("payload_bytes", tally.payload_bytes);
  json_.add("wire_bytes", tally.wire_bytes);
  json_.add_json("server_cpu", period.server_json());
  json_.add("server_cpu_s_per_million", cpu, 4);
  json_.add("server_cpu_us_per_publish",
            share(period.server_s() * kMillion, published), 2);
  json_.add("server_cores", period.server_s() / period.seconds(), 3);
  json_.add("client_cpu_s_per_million",
            share(period.client_s() * kMillion, tally.messages), 4);
  say("deliveries/s", rate, 0);
  say("publishes/s", static_cast<double>(published) / period.seconds(), 0);
  say("% complete", 100 * complete, 3);
  say("us of the server's each", cpu, 3);
  say("cores", period.server_s() / period.seconds(), 2);
  say("ms p50", milliseconds(tally.latency.percentile(50)), 2);
  say("ms p99", milliseconds(tally.latency.percentile(99)), 2);
  say_fault("MISSING", tally.missing);
  say_fault("DUPLICATES", tally.duplicates);
  say_fault("REORDERS", tally.reorders);
  say_fault("LATE FIRST", tally.late_first);
  say_fault("MISDELIVERED", tally.misdelivered);
  say_fault("DAMAGED", tally.damaged);
  say_fault("PROTOCOL ERRORS", tally.protocol_errors);
}

void Report::add_churn(const Tally& tally, const Period& period) {
  const double rate = static_cast<double>(tally.handshakes) / period.seconds();
  const double cpu = share(period.server_s() * kMillion, tally.handshakes);
  json_.add("began_ns", period.began_ns());
  json_.add("seconds", period.seconds(), 3);
  json_.add("handshakes", tally.handshakes);
  json_.add("handshakes_per_s", rate, 1);
  json_.add("failed", tally.failed);
  json_.add_json("connect", tally.connect.json());
  json_.add_json("server_cpu", period.server_json());
  json_.add("server_cpu_us_per_handshake", cpu, 2);
  json_.add("server_cores", period.server_s() / period.seconds(), 3);
  json_.add("errors", tally.errors);
  say("handshakes/s", rate, 0);
  say("us of the server's each", cpu, 1);
  say("ms p99", milliseconds(tally.connect.percentile(99)), 2);
  say("failed", static_cast<double>(tally.failed), 0);
}

void Report::add_end(std::uint64_t open, const Tally& tally) {
  json_.add("open_after", open);
  json_.add("errors", tally.errors);
}

void Report::print() const {
  std::cout << json_.text() << std::endl;
  std::cerr << Bytes(line_).substr(0, line_.size() - 1) << std::endl;
}

}  // namespace paperboy::load
