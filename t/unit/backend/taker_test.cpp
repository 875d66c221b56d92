#include "backend/taker.hpp"

#include <array>
#include <atomic>
#include <string>
#include <vector>

#include "base/envelope.hpp"
#include "hub/ear.hpp"
#include "hub/fakes.hpp"

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::backend {
namespace {

using namespace std::string_literals;

struct TestClock final : Clock {
  [[nodiscard]] std::uint64_t monotonic_ms() const override { return ms; }
  [[nodiscard]] std::int64_t unix_seconds() const override { return 0; }
  std::uint64_t ms = 1'000'000;
};

/// Hears what is published in a channel, with what goes along.
class Listener final : hub::Subscriber, Encoder {
 public:
  Listener(hub::Hub& hub, Bytes channel) : hub_(hub), subscription_(*this) {
    assert_true(hub.subscribe(subscription_, channel, *this).ok());
  }
  std::string heard;

 private:
  void encode(const Publication& publication, std::string& out) override {
    if (is_envelope(publication.extra)) {
      append_message(out, publication.extra, publication.data);
      out += " of ";
    }
    out.append(publication.data).append("\n");
  }
  void deliver(const hub::Subscription&, Bytes run, std::uint32_t) override {
    heard += run;
  }
  void gap(const hub::Subscription&) override { heard += "gap\n"; }
  [[nodiscard]] hub::Hub& hub() const override { return hub_; }

  hub::Hub& hub_;
  hub::Subscription subscription_;
};

struct World {
  World() { assert_true(ear.listen().ok()); }

  [[nodiscard]] std::uint64_t count(Counter counter) const {
    return cells[static_cast<std::size_t>(counter)].load();
  }
  void turn() {
    hub.drain();
    hub.release();
  }
  std::vector<hub::Notice> notices() {
    turn();
    std::vector<hub::Notice> all;
    for (const auto& text : ear.take())
      all.push_back(*hub::decode_notice(text));
    return all;
  }
  void authorize(Bytes channel = "news") {
    taker.take(Topic::authorized,
               R"({"wsId":"w","userId":"ann","channel":")" +
                   std::string(channel) + "\"}",
               "k");
  }

  TestClock clock;
  hub::FakeBroker broker;
  hub::FakePresence presence{broker};
  hub::RuleSet rules;
  hub::Hub hub{broker, presence, rules};
  hub::Ear ear{hub, std::string(hub::kNotices)};
  std::array<std::atomic<std::uint64_t>, kCounters> cells{};
  Counters counters{Counters::Row(cells)};
  std::vector<std::string> log;
  Taker taker{hub, clock, counters, "shop",
              [this](Bytes line) { log.emplace_back(line); }};
};

void a_message_of_a_channel_is_published_there(void**) {
  World world;
  Listener news(world.hub, "shop\0news"s);
  const Bytes text = R"({"userId":null,"channel":"news","payload":{"a":1.0}})";
  world.taker.take(Topic::message, text, "key");
  assert_string_equal(world.broker.key.c_str(), "key");
  world.turn();
  assert_string_equal(news.heard.c_str(),
                      (std::string(text) + " of {\"a\":1.0}\n").c_str());
  assert_int_equal(world.count(Counter::classic_messages), 1);
  assert_int_equal(world.notices().size(), 0);
}

void a_message_of_a_user_goes_to_the_user(void**) {
  World world;
  Listener ann(world.hub, hub::user_channel("shop", "ann"));
  Listener news(world.hub, "shop\0news"s);
  world.taker.take(Topic::message,
                   R"({"userId":"ann","channel":"news","payload":1})", "key");
  world.turn();
  assert_string_equal(
      ann.heard.c_str(),
      "{\"userId\":\"ann\",\"channel\":\"news\",\"payload\":1} of 1\n");
  assert_string_equal(news.heard.c_str(), "");
}

void one_without_a_payload_has_null(void**) {
  World world;
  Listener news(world.hub, "shop\0news"s);
  world.taker.take(Topic::message, R"({"channel":"news"})", "");
  world.turn();
  assert_string_equal(news.heard.c_str(), "{\"channel\":\"news\"} of null\n");
}

void who_is_let_in_and_who_leaves_is_told(void**) {
  World world;
  world.authorize();
  assert_string_equal(world.broker.key.c_str(), "k");
  world.taker.take(Topic::authorized, R"({"wsId":"w","userId":"ann"})", "l");
  world.taker.take(Topic::close, R"({"userId":"ann","channel":"news"})", "m");
  const auto notices = world.notices();
  assert_int_equal(notices.size(), 3);
  assert_true(notices[0].kind == hub::Notice::Kind::authorized);
  assert_true(notices[0].client == "w" && notices[0].user == "ann");
  assert_true(notices[0].channel == "news" && notices[0].name_space == "shop");
  assert_true(notices[1].channel.empty());
  assert_true(notices[2].kind == hub::Notice::Kind::closed);
  assert_true(notices[2].user == "ann" && notices[2].channel == "news");
  assert_int_equal(world.count(Counter::classic_messages), 3);
}

/// An application's first snapshot follows at once.
void what_follows_is_copied_for_a_while(void**) {
  World world;
  const std::string to_channel = R"({"channel":"news","payload":1})";
  const std::string to_user = R"({"userId":"ann","payload":2})";
  world.taker.take(Topic::message, to_channel, "a");
  assert_int_equal(world.notices().size(), 0);
  world.authorize();
  world.taker.take(Topic::message, to_channel, "b");
  world.taker.take(Topic::message, to_user, "c");
  world.taker.take(Topic::message, R"({"channel":"other","payload":3})", "d");
  auto notices = world.notices();
  assert_int_equal(notices.size(), 3);
  assert_true(notices[1].kind == hub::Notice::Kind::copy);
  assert_true(notices[1].channel == "news" && notices[1].user.empty());
  assert_true(notices[1].position == (Position{7, 2}));
  assert_true(notices[1].data == "1" && is_envelope(notices[1].extra));
  assert_true(notices[2].user == "ann" && notices[2].data == "2");
  assert_int_equal(world.count(Counter::classic_messages), 5);
  world.clock.ms += 10'000;
  world.taker.take(Topic::message, to_channel, "e");
  world.taker.take(Topic::message, to_user, "f");
  assert_int_equal(world.notices().size(), 0);
}

void what_is_malformed_is_counted_and_told_seldom(void**) {
  World world;
  for (int i = 0; i < 3; ++i) world.taker.take(Topic::message, "secret", "");
  world.taker.take(Topic::message,
                   R"({"channel":")" + std::string(600, 'n') + "\"}", "");
  world.taker.take(Topic::message,
                   R"({"channel":"n","x":")" + std::string(70'000, 'x') + "\"}",
                   "");
  world.taker.take(Topic::authorized,
                   R"({"wsId":"w","userId":"u","channel":"\u00ff)" +
                       std::string(600, 'n') + "\"}",
                   "");
  assert_int_equal(world.count(Counter::classic_malformed), 6);
  assert_int_equal(world.log.size(), 1);
  assert_string_equal(
      world.log[0].c_str(),
      "a message of paperboy-message is thrown away: it is no JSON");
  world.clock.ms += 1000;
  world.taker.take(Topic::close, "{}", "");
  assert_string_equal(
      world.log[1].c_str(),
      "a message of paperboy-subscription-close is thrown away: it has no "
      "userId; and 5 others");
}

void what_cannot_be_published_is_told(void**) {
  World world;
  world.broker.refusal = Error{ErrorCode::log_full, "the log is full"};
  world.taker.take(Topic::message, R"({"channel":"news","payload":1})", "a");
  assert_string_equal(world.log.at(0).c_str(),
                      "what a back end says is lost: the log is full");
  assert_int_equal(world.count(Counter::publish_errors), 1);
  assert_int_equal(world.count(Counter::classic_messages), 0);
}

void an_answer_may_come_when_it_is_gone(void**) {
  World world;
  world.broker.hold_replies = true;
  {
    Taker taker(world.hub, world.clock, world.counters, "", [](Bytes) {});
    taker.take(Topic::message, R"({"channel":"news","payload":1})", "a");
  }
  world.broker.answer_held();
  assert_int_equal(world.count(Counter::classic_messages), 0);
}

void who_pushes_is_answered(void**) {
  World world;
  std::string said;
  const auto reply = [&said](const Result<Done>& outcome) {
    said += outcome ? "done;" : std::string(outcome.error().message) + ";";
  };
  const Bytes message = R"({"channel":"news","payload":1})";
  world.taker.take(Topic::message, message, "", reply);
  world.taker.take(Topic::close, R"({"userId":"a","channel":"b"})", "", reply);
  world.taker.take(Topic::authorized, R"({"wsId":"w","userId":"a"})", "",
                   reply);
  world.taker.take(Topic::message, "x", "", reply);
  world.broker.refusal = Error{ErrorCode::log_full, "the log is full"};
  world.taker.take(Topic::message, message, "", reply);
  world.taker.take(Topic::close, R"({"userId":"a","channel":"b"})", "", reply);
  assert_string_equal(said.c_str(),
                      "done;done;done;it is no JSON;the log is full;"
                      "the log is full;");
}

/// One that another worker has taken.
void who_was_let_in_elsewhere_is_copied_for(void**) {
  World world;
  hub::Notice notice{.kind = hub::Notice::Kind::authorized,
                     .name_space = "other",
                     .client = "w",
                     .user = "ann",
                     .channel = "news"};
  const Bytes message = R"({"channel":"news","payload":1})";
  world.taker.hear(notice);
  world.taker.take(Topic::message, message, "");
  assert_true(world.notices().empty());
  notice.name_space = "shop";
  world.taker.hear(notice);
  world.taker.take(Topic::message, message, "");
  const auto notices = world.notices();
  assert_int_equal(notices.size(), 1);
  assert_true(notices[0].kind == hub::Notice::Kind::copy);
}

}  // namespace
}  // namespace paperboy::backend

int main() {
  using namespace paperboy::backend;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_message_of_a_channel_is_published_there),
      cmocka_unit_test(a_message_of_a_user_goes_to_the_user),
      cmocka_unit_test(one_without_a_payload_has_null),
      cmocka_unit_test(who_is_let_in_and_who_leaves_is_told),
      cmocka_unit_test(what_follows_is_copied_for_a_while),
      cmocka_unit_test(what_is_malformed_is_counted_and_told_seldom),
      cmocka_unit_test(what_cannot_be_published_is_told),
      cmocka_unit_test(an_answer_may_come_when_it_is_gone),
      cmocka_unit_test(who_pushes_is_answered),
      cmocka_unit_test(who_was_let_in_elsewhere_is_copied_for),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
