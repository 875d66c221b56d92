#include "session/session.hpp"

#include <memory>
#include <string>

#include "session/fakes.hpp"

namespace paperboy::session {
namespace {

/// Several commands in a message, separated by "|": "send X", "publish X",
/// "close"; answers each outcome. The commands are numbered.
class Commands final : public dialect::Dialect {
 public:
  [[nodiscard]] dialect::Decoded decode(
      std::optional<dialect::Message>& rest) const override {
    if (!rest) return dialect::NeedMore{};
    const Bytes all = rest->data;
    const auto end = all.find('|');
    const Bytes word = all.substr(0, end);
    rest->data = end == Bytes::npos ? Bytes() : all.substr(end + 1);
    if (end == Bytes::npos) rest.reset();
    if (word == "close") return Close{4001, "asked for"};
    if (word.starts_with("send ")) {
      return dialect::Send{{Kind::text, word.substr(5)}};
    }
    return dialect::Publish{next_++, {}, {Kind::text, word.substr(8)}};
  }

  [[nodiscard]] dialect::Answer published(const dialect::Publish& command,
                                          const Result<Position>& outcome,
                                          std::string& scratch) const override {
    scratch = std::to_string(command.id) + ":" +
              (outcome ? std::to_string(outcome.value().offset)
                       : std::string(error_name(outcome.error().code)));
    return dialect::Message{Kind::text, scratch};
  }

  [[nodiscard]] dialect::Message publication(const Publication& publication,
                                             std::string&) const override {
    return {publication.kind, publication.data};
  }

 private:
  mutable std::uint64_t next_ = 1;
};

/// A framing of one line for each thing.
class FramedSession final : public Session, private Encoder {
 public:
  using Session::Session;

  Encoder& encoder(bool) override { return *this; }
  void message(const dialect::Message& message) override {
    out.append("message ").append(message.data).append("\n");
  }
  void run(const hub::Subscription&, Bytes encoded,
           std::uint32_t count) override {
    out.append(std::to_string(count)).append(" ").append(encoded).append("\n");
  }
  void copied(const hub::Subscription& from, Bytes encoded,
              std::uint32_t count) override {
    run(from, encoded, count);
  }
  void tell_gap(const hub::Subscription&) override { out.append("gap\n"); }
  void end(const Close& close) override {
    out.append("end ").append(std::to_string(close.code)).append("\n");
  }

  bool admitted(Bytes, std::int64_t) override { return true; }
  [[nodiscard]] Bytes user() const override { return {}; }
  void rearm() override {}
  void refused(const Error&) override {}
  void note(Bytes) override {}

  std::string taken() { return std::exchange(out, {}); }

  std::string out;

 private:
  void encode(const Publication& publication, std::string& to) override {
    to.append("<").append(publication.data).append(">");
  }
};

struct Fixture : World {
  Fixture() {
    settings.dialect = &commands;
    settings.client_publish = true;
  }

  Admission in(std::vector<std::string> channels) const {
    Admission admission;
    admission.channels = std::move(channels);
    admission.may_publish = true;
    return admission;
  }

  void drain() {
    hub.drain();
    hub.release();
  }

  Commands commands;
};

void every_command_of_a_message_is_obeyed_in_order(void**) {
  Fixture f;
  FramedSession session(f.site);
  assert_true(session.open(f.in({"news"})).ok());
  session.receive({Kind::text, "send a|publish b|send c|publish d"});
  assert_text(session.taken(),
              "message a\nmessage 1:1\nmessage c\nmessage 2:2\n");
  f.drain();
  assert_text(session.taken(), "2 <b><d>\n");
}

void a_close_ends_the_message(void**) {
  Fixture f;
  FramedSession session(f.site);
  assert_true(session.open(f.in({})).ok());
  session.receive({Kind::text, "send a|close|send b"});
  assert_text(session.taken(), "message a\nend 4001\n");
}

void a_publish_goes_to_all_channels_of_the_location(void**) {
  Fixture f;
  FramedSession session(f.site);
  assert_true(session.open(f.in({"news", "chat"})).ok());
  session.receive({Kind::text, "publish a"});
  assert_int_equal(f.broker.entry("news").top.offset, 1);
  assert_int_equal(f.broker.entry("chat").top.offset, 1);
  assert_int_equal(f.count(Counter::publications), 2);
}

void an_answer_that_comes_late_still_names_its_command(void**) {
  Fixture f;
  f.broker.hold_replies = true;
  FramedSession session(f.site);
  assert_true(session.open(f.in({"news"})).ok());
  session.receive({Kind::text, "publish a|publish b"});
  assert_text(session.taken(), "");
  f.broker.answer_held();
  assert_text(session.taken(), "message 1:1\nmessage 2:2\n");
}

void an_answer_to_nobody_is_counted_and_forgotten(void**) {
  Fixture f;
  f.broker.hold_replies = true;
  auto session = std::make_unique<FramedSession>(f.site);
  assert_true(session->open(f.in({"news"})).ok());
  session->receive({Kind::text, "publish a|publish b"});
  session.reset();
  f.broker.answer_held();
  assert_int_equal(f.count(Counter::publications), 2);
  assert_int_equal(f.count(Counter::subscriptions), 0);
}

void errors_are_answered_and_counted(void**) {
  Fixture f;
  FramedSession session(f.site);
  assert_true(session.open(f.in({"news"})).ok());
  f.broker.refusal = Error{ErrorCode::log_full, "full"};
  session.receive({Kind::text, "publish a"});
  assert_text(session.taken(), "message 1:log_full\n");
  assert_int_equal(f.count(Counter::publish_errors), 1);
  assert_int_equal(f.count(Counter::publications), 0);
}

void who_may_not_publish_is_told_so(void**) {
  Fixture f;
  FramedSession session(f.site);
  Admission admission = f.in({"news"});
  admission.may_publish = false;
  assert_true(session.open(admission).ok());
  session.receive({Kind::text, "publish a"});
  f.settings.client_publish = false;
  session.receive({Kind::text, "publish a"});
  assert_text(session.taken(), "message 1:forbidden\nmessage 2:forbidden\n");
  assert_int_equal(f.broker.entry("news").top.offset, 0);
}

void who_comes_back_gets_what_it_missed_before_what_follows(void**) {
  Fixture f;
  hub::Rule rule;
  rule.keep.count = 10;
  assert_true(f.rules.add("news", rule));
  for (const char* data : {"a", "b", "c"}) {
    f.hub.publish({.channel = "news", .data = data}, [](const auto&) {});
  }
  FramedSession session(f.site);
  Admission admission = f.in({"news", "sport"});
  admission.since = {{7, 1}};
  assert_true(session.open(admission).ok());
  f.hub.publish({.channel = "news", .data = "d"}, [](const auto&) {});
  f.drain();
  assert_text(session.taken(), "2 <b><c>\n1 <d>\n");
  assert_int_equal(f.count(Counter::recovered), 1);
}

void what_can_not_be_recovered_is_a_gap(void**) {
  Fixture f;
  f.hub.publish({.channel = "news", .data = "a"}, [](const auto&) {});
  FramedSession session(f.site);
  Admission admission = f.in({"news"});
  admission.since = {{7, 0}};
  assert_true(session.open(admission).ok());
  assert_text(session.taken(), "gap\n");
  assert_int_equal(f.count(Counter::not_recovered), 1);
}

void a_gap_is_told(void**) {
  Fixture f;
  FramedSession session(f.site);
  assert_true(session.open(f.in({"news"})).ok());
  f.broker.entry("news").top = {7, 4};
  f.broker.lose = true;
  f.drain();
  assert_text(session.taken(), "gap\n");
  assert_int_equal(f.count(Counter::gaps), 1);
}

void channels_are_listed_in_their_order_without_namespace(void**) {
  Fixture f;
  FramedSession session(f.site);
  assert_true(session
                  .open(f.in({std::string("shop\0news", 9),
                              std::string("shop\0chat", 9), "third"}))
                  .ok());
  assert_text(session.channels(), "news, chat, third");
}

void leaving_leaves_nothing_behind(void**) {
  Fixture f;
  FramedSession session(f.site);
  assert_true(session.open(f.in({"news", "chat"})).ok());
  assert_int_equal(f.count(Counter::subscriptions), 2);
  session.leave();
  session.leave();
  assert_text(session.channels(), "");
  assert_int_equal(f.count(Counter::subscriptions), 0);
  assert_int_equal(f.broker.subscribers(), 0);
  f.broker.bring("news", "a");
  f.drain();
  assert_text(session.taken(), "");
}

void all_channels_are_subscribed_to_or_none(void**) {
  Fixture f;
  f.settings.max_subscriptions = 2;
  FramedSession session(f.site);
  const auto refused = session.open(f.in({"a", "b", "c"}));
  assert_true(!refused &&
              refused.error().code == ErrorCode::subscription_limit);
  assert_int_equal(f.broker.subscribers(), 0);
  assert_int_equal(f.count(Counter::subscriptions), 0);
  assert_true(session.open(f.in({"a", "b"})).ok());
}

}  // namespace
}  // namespace paperboy::session

int main() {
  using namespace paperboy::session;
  const CMUnitTest tests[] = {
      cmocka_unit_test(every_command_of_a_message_is_obeyed_in_order),
      cmocka_unit_test(a_close_ends_the_message),
      cmocka_unit_test(a_publish_goes_to_all_channels_of_the_location),
      cmocka_unit_test(an_answer_that_comes_late_still_names_its_command),
      cmocka_unit_test(an_answer_to_nobody_is_counted_and_forgotten),
      cmocka_unit_test(errors_are_answered_and_counted),
      cmocka_unit_test(who_may_not_publish_is_told_so),
      cmocka_unit_test(who_comes_back_gets_what_it_missed_before_what_follows),
      cmocka_unit_test(what_can_not_be_recovered_is_a_gap),
      cmocka_unit_test(a_gap_is_told),
      cmocka_unit_test(channels_are_listed_in_their_order_without_namespace),
      cmocka_unit_test(leaving_leaves_nothing_behind),
      cmocka_unit_test(all_channels_are_subscribed_to_or_none),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
