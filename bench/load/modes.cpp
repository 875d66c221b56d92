#include "modes.hpp"

#include <iostream>

#include "crowd.hpp"
#include "publisher.hpp"
#include "report.hpp"

namespace paperboy::load {

namespace {

int churn(const Options& options) {
  Crowd crowd(options);
  sleep_s(options.settle);
  crowd.measure();
  Period period(options.servers);
  sleep_s(options.duration);
  period.end();
  crowd.stop();
  const Tally tally = crowd.tally();
  Report report(options, "churn");
  report.add_churn(tally, period);
  report.print();
  return tally.handshakes > 0 && tally.failed == 0 ? 0 : 1;
}

// The crowd is there; what that cost is in the report.
std::uint64_t connect(const Options& options, const Crowd& crowd,
                      Period& connecting, Report& report) {
  crowd.await_connections();
  connecting.end();
  const std::uint64_t open = crowd.open();
  report.add_connecting(open, connecting);
  Period idle(options.servers);
  const std::uint64_t answered = crowd.answered();
  sleep_s(options.settle);
  idle.end();
  report.add_idle(idle, crowd.answered() - answered);
  return open;
}

int hold(const Options& options) {
  const Room before(options.servers);
  Period connecting(options.servers);
  Crowd crowd(options);
  Report report(options, "hold");
  connect(options, crowd, connecting, report);
  sleep_s(options.duration);
  const Room after(options.servers);
  const std::uint64_t open = crowd.open();
  crowd.stop();
  const Tally tally = crowd.tally();
  report.add_connections(tally);
  report.add_room(before, after, open);
  report.add_end(open, tally);
  report.print();
  return open == options.subscribers.connections ? 0 : 1;
}

int fanout(const Options& options) {
  const Room before(options.servers);
  Period connecting(options.servers);
  Crowd crowd(options);
  Report report(options, "fanout");
  const std::uint64_t open = connect(options, crowd, connecting, report);
  report.add_room(before, Room(options.servers), open);
  Publisher publisher(options, crowd.audiences(),
                      [&crowd] { return crowd.received(); });
  if (options.publishing.warm_up > 0) {
    publisher.publish(options.publishing.warm_up);
    crowd.await_messages(publisher.expected());
  }
  crowd.measure();
  Period period(options.servers);
  publisher.publish(options.publishing.messages);
  const double publishing_s = period.seconds();
  crowd.await_messages(publisher.expected());
  period.end(crowd.last_received_ns());
  const std::uint64_t still_open = crowd.open();
  const std::uint64_t at_the_end =
      crowd.missing_at_the_end(publisher.sequences());
  crowd.stop();
  Tally tally = crowd.tally();
  tally.missing += at_the_end;
  report.add_connections(tally);
  report.add_publishing(publisher, publishing_s);
  report.add_deliveries(tally, publisher.expected(), period,
                        publisher.published());
  report.add_end(still_open, tally);
  report.print();
  const bool all_there = open == options.subscribers.connections &&
                         still_open == open && publisher.error_count() == 0;
  const bool arrived =
      tally.messages == publisher.expected() && tally.is_clean();
  return all_there && arrived ? 0 : 1;
}

}  // namespace

int run_mode(const Options& options) {
  switch (options.mode) {
    case Mode::churn:
      return churn(options);
    case Mode::hold:
      return hold(options);
    case Mode::fanout:
      return fanout(options);
  }
  return 2;
}

}  // namespace paperboy::load
