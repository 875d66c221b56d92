// Clients of a node whose broker is on a network: where channels stand is known
// later, or can't be.
#include <string>

#include "dialect/event_reader.hpp"
#include "session/event_stream.hpp"
#include "session/talk.hpp"

#include "test.hpp"

namespace paperboy::session {
namespace {

constexpr Error kDown{ErrorCode::unavailable, "try again"};

/// A world whose channels are at 7:5, and aren't known to be.
template <typename Base>
struct Late : Base {
  Late() {
    for (const char* channel : {"news", "sport"}) {
      this->broker.entry(channel).top = {7, 5};
    }
    this->broker.late = this->broker.hold_replies = true;
  }

  void publish(Bytes channel, Bytes data) {
    this->broker.bring(
        {.channel = channel, .data = data, .keep = {.count = 100}});
  }
  void anchor(Bytes channel) {
    this->broker.anchor(channel);
    this->turn();
  }
  /// What was asked is answered, in a turn of its own.
  void answer() {
    this->broker.answer_held();
    for (Client* const client : this->clients) client->flush();
    this->hub.release();
  }
  void refuse() {
    this->broker.refusal = kDown;
    answer();
    this->broker.refusal.reset();
  }
};

// ---- raw -------------------------------------------------------------------

void a_raw_client_needs_no_position(void**) {
  Late<World> world;
  Client client(world);
  client.open_in({"news"});
  assert_int_equal(world.broker.histories, 0);
  world.anchor("news");
  world.publish("news", "f");
  world.turn();
  assert_text(client.heard(), "text f\n");
}

struct Positioned : Late<World> {
  Positioned() { settings.dialect = dialect::find("raw")->agreed(); }
};

void one_that_wants_positions_is_told_when_they_are_known(void**) {
  Positioned world;
  Client client(world);
  client.open_in({"news"});
  assert_text(client.heard(), "");
  world.anchor("news");
  world.publish("news", "f");
  world.turn();
  assert_text(client.heard(), "");
  world.answer();
  assert_text(client.heard(), "text 7:5 news\ntext 7:6 news\nf\n");
}

void one_that_cant_be_told_is_to_try_again(void**) {
  Positioned world;
  Client client(world);
  client.open_in({"news"});
  world.refuse();
  assert_text(client.heard(), "close 1013 try again\n");
  assert_int_equal(world.broker.subscribers(), 0);
}

void an_anchor_beyond_ends_a_raw_client(void**) {
  World world;
  Client client(world);
  client.open_in({"news"});
  world.broker.begin_anew("news", 8);
  world.broker.anchor("news");
  world.turn();
  assert_text(client.heard(),
              "close 3010 messages were lost: subscribe again\n");
}

void a_late_answer_to_a_publish_ends_a_raw_client(void**) {
  World world;
  world.settings.client_publish = true;
  Client client(world);
  client.open_in({"news"});
  world.broker.hold_replies = true;
  world.broker.refusal = kDown;
  client.text("a");
  assert_text(client.heard(), "");
  world.broker.answer_held();
  client.flush();
  assert_text(client.heard(), "close 1013 try again\n");
  assert_int_equal(world.count(Counter::publish_errors), 1);
}

// ---- sse -------------------------------------------------------------------

struct Reader {
  explicit Reader(Late<World>& world)
      : world(world), stream(world.site, transport) {}

  void open(std::vector<std::string> channels,
            std::vector<Position> since = {}) {
    Admission admission;
    admission.channels = std::move(channels);
    admission.since = std::move(since);
    assert_true(stream.open(admission).ok());
    stream.start();
    transport.flush(stream);
  }
  void answer() {
    world.answer();
    transport.flush(stream);
  }
  void refuse() {
    world.refuse();
    transport.flush(stream);
  }
  void turn() {
    world.hub.drain();
    transport.flush(stream);
    world.hub.release();
  }
  std::string seen() {
    events.feed(transport.sent.substr(read));
    read = transport.sent.size();
    return events.take();
  }

  Late<World>& world;
  FakeTransport transport;
  Over<EventStream> stream;
  dialect::EventReader events;
  std::size_t read = 0;
};

struct Newsroom : Late<World> {
  Newsroom() { settings.dialect = dialect::find("sse"); }
};

void a_stream_begins_where_the_channel_stands(void**) {
  Newsroom world;
  Reader reader(world);
  reader.open({"news"});
  assert_text(reader.seen(), "");
  assert_text(reader.events.last_id(), "");
  reader.answer();
  assert_text(reader.seen(), "");
  assert_text(reader.events.last_id(), "7:5");
  world.broker.anchor("news");
  world.publish("news", "f");
  reader.turn();
  assert_text(reader.seen(), "message|7:6|f\n");
}

void a_stream_of_several_has_the_places_that_are_known(void**) {
  Newsroom world;
  Reader reader(world);
  reader.open({"news", "sport"});
  assert_true(reader.transport.sent.find("id:") == std::string::npos);
  reader.answer();
  reader.seen();
  std::string both;
  dialect::append_entry(both, dialect::channel_tag("news"), {7, 5});
  dialect::append_entry(both, dialect::channel_tag("sport"), {7, 5});
  assert_text(reader.events.last_id(), both.c_str());
}

void a_stream_that_cant_begin_ends_for_now(void**) {
  for (const bool back : {false, true}) {
    Newsroom world;
    Reader reader(world);
    reader.open({"news"}, {back ? Position{7, 4} : Position{}});
    reader.refuse();
    assert_text(reader.seen(),
                "close||{\"code\":1013,\"reason\":\"try again\"}\n");
    assert_true(reader.transport.finishing);
    assert_int_equal(world.broker.subscribers(), 0);
  }
}

void an_anchor_beyond_is_told_to_a_stream(void**) {
  Newsroom world;
  Reader reader(world);
  world.broker.late = false;
  reader.open({"news"});
  world.broker.begin_anew("news", 8);
  world.broker.anchor("news");
  world.publish("news", "x");
  reader.turn();
  assert_text(reader.seen(), "gap|7:5|{\"channel\":\"news\"}\nmessage|8:1|x\n");
}

// ---- native: subscribing ---------------------------------------------------

constexpr const char* kSubscribe = R"({"id":2,"subscribe":{"channel":"news"}})";
constexpr const char* kRecover = R"({"id":2,"subscribe":{"channel":"news",)"
                                 R"("recover":true,"epoch":"7","offset":4}})";
constexpr const char* kSubscribed =
    R"(text {"id":2,"subscribe":{"epoch":"7","offset":5,"recoverable":true,)"
    R"("positioned":true}})"
    "\n";
constexpr const char* kTemporary =
    R"(text {"id":2,"error":{"code":100,"message":"internal server error",)"
    R"("temporary":true}})"
    "\n";

void the_answer_to_subscribe_waits_for_the_position(void**) {
  Late<Talk> world;
  Talker client(world);
  client.text(kSubscribe);
  assert_text(client.heard(), "");
  world.anchor("news");
  world.publish("news", "1");
  world.turn();
  assert_text(client.heard(), "");
  world.answer();
  const std::string heard = client.heard();
  assert_true(Bytes(heard).starts_with(kSubscribed));
  assert_true(heard.find(R"("data":1,"offset":6)") != std::string::npos);
}

void a_subscription_that_cant_begin_is_refused_for_now(void**) {
  for (const char* const command : {kSubscribe, kRecover}) {
    Late<Talk> world;
    Talker client(world);
    client.text(command);
    world.refuse();
    assert_text(client.heard(), kTemporary);
    assert_int_equal(world.broker.subscribers(), 0);
    world.broker.hold_replies = world.broker.late = false;
    client.text(kSubscribe);
    assert_text(client.heard(), kSubscribed);
  }
}

void who_unsubscribes_while_it_waits_is_answered_twice(void**) {
  Late<Talk> world;
  Talker client(world);
  client.text(kSubscribe);
  client.text(R"({"id":3,"unsubscribe":{"channel":"news"}})");
  assert_text(
      client.heard(),
      (std::string(kTemporary).erase(std::string(kTemporary).size() - 1) +
       "\n{\"id\":3,\"unsubscribe\":{}}\n")
          .c_str());
  world.answer();
  assert_text(client.heard(), "");
  client.text(kSubscribe);
  world.answer();
  assert_text(client.heard(), kSubscribed);
}

void who_goes_while_it_waits_leaves_nothing(void**) {
  Late<Talk> world;
  {
    Talker client(world);
    client.text(kSubscribe);
  }
  world.answer();
  assert_int_equal(world.broker.subscribers(), 0);
}

void an_anchor_beyond_ends_a_subscription(void**) {
  Talk world;
  Talker client(world);
  client.text(R"({"id":2,"subscribe":{"channel":"news"}})");
  client.heard();
  world.broker.begin_anew("news", 8);
  world.broker.anchor("news");
  world.turn();
  assert_text(client.heard(),
              R"(text {"push":{"channel":"news","unsubscribe":{"code":2500,)"
              R"("reason":"insufficient state"}}})"
              "\n");
  assert_int_equal(world.broker.subscribers(), 0);
}

// ---- native: connecting ----------------------------------------------------

Admission in_both() {
  Admission admission;
  admission.channels = {"news", "sport"};
  return admission;
}

struct Connecting : Client {
  explicit Connecting(World& world) : Client(world) {
    assert_true(open(in_both()).ok());
    text(R"({"id":1,"connect":{}})");
    assert_text(heard(), "");
  }
};

void the_answer_to_connect_waits_for_all_positions(void**) {
  Late<Talk> world;
  Connecting client(world);
  world.anchor("sport");
  world.answer();
  const std::string heard = client.heard();
  for (const char* channel : {"news", "sport"}) {
    assert_true(heard.find(std::string("\"") + channel +
                           R"(":{"epoch":"7","offset":5,)") !=
                std::string::npos);
  }
}

void a_connect_that_cant_be_answered_is_to_be_tried_again(void**) {
  Late<Talk> world;
  Connecting client(world);
  world.refuse();
  assert_text(client.heard(), (R"(text {"id":1,"error":{"code":100,"message":)"
                               R"("internal server error","temporary":true}})"
                               "\nclose 3004 internal server error\n"));
  assert_int_equal(world.broker.subscribers(), 0);
}

void one_that_is_refused_at_once_too(void**) {
  Late<Talk> world;
  world.broker.hold_replies = false;
  world.broker.out_of_memory = true;  // which is an error at once
  Client client(world);
  assert_true(client.open(in_both()).ok());
  client.text(R"({"id":1,"connect":{}})");
  assert_text(client.heard(), (R"(text {"id":1,"error":{"code":100,"message":)"
                               R"("internal server error","temporary":true}})"
                               "\nclose 3004 internal server error\n"));
}

hub::Order order(hub::Order::Kind kind, Bytes channel) {
  hub::Order order;
  order.kind = kind;
  order.channel = channel;
  return order;
}

void a_subscription_that_ends_meanwhile_isnt_waited_for(void**) {
  Late<Talk> world;
  Connecting client(world);
  client.socket.obey(order(hub::Order::Kind::unsubscribe, "news"));
  client.flush();
  assert_text(client.heard(), "");
  world.anchor("sport");
  world.answer();
  const std::string heard = client.heard();
  assert_true(heard.find("news") == std::string::npos);
  assert_true(heard.find(R"("sport":{"epoch":"7","offset":5,)") !=
              std::string::npos);
}

void if_none_is_left_connect_is_answered(void**) {
  Late<Talk> world;
  Connecting client(world);
  client.socket.obey(order(hub::Order::Kind::unsubscribe, {}));
  client.flush();
  const std::string heard = client.heard();
  assert_true(Bytes(heard).starts_with(R"(text {"id":1,"connect":{)"));
  assert_true(heard.find("subs") == std::string::npos);
  world.answer();
  assert_text(client.heard(), "");
}

void one_that_the_back_end_adds_meanwhile_is_told_with_the_others(void**) {
  Late<Talk> world;
  Connecting client(world);
  client.socket.obey(order(hub::Order::Kind::subscribe, "chat"));
  client.flush();
  assert_text(client.heard(), "");
  world.answer();
  const std::string heard = client.heard();
  assert_true(Bytes(heard).starts_with(R"(text {"id":1,"connect":{)"));
  assert_true(heard.find(R"("chat":{"epoch":"7")") != std::string::npos);
}

// ---- native: orders --------------------------------------------------------

void an_order_to_subscribe_is_told_when_it_is_known(void**) {
  Late<Talk> world;
  Talker client(world);
  client.socket.obey(order(hub::Order::Kind::subscribe, "news"));
  client.flush();
  assert_text(client.heard(), "");
  world.answer();
  assert_text(client.heard(),
              R"(text {"push":{"channel":"news","subscribe":{"epoch":"7",)"
              R"("offset":5,"recoverable":true,"positioned":true}}})"
              "\n");
}

void an_order_that_cant_be_obeyed_leaves_it_as_it_was(void**) {
  Late<Talk> world;
  Talker client(world);
  client.socket.obey(order(hub::Order::Kind::subscribe, "news"));
  world.refuse();
  assert_text(client.heard(), "");
  assert_int_equal(world.broker.subscribers(), 0);
}

// ---- native: other answers -------------------------------------------------

void other_answers_may_come_later(void**) {
  Talk world;
  hub::Rule rule;
  rule.keep.count = 10;
  world.rule("news", rule);
  world.publish("news", "1");
  Talker client(world);
  client.text(R"({"id":2,"subscribe":{"channel":"news"}})");
  client.heard();
  world.broker.hold_replies = true;
  client.text(R"({"id":3,"publish":{"channel":"news","data":2}})");
  client.text(R"({"id":4,"history":{"channel":"news","limit":1}})");
  assert_text(client.heard(), "");
  world.broker.answer_held();
  client.flush();
  const std::string heard = client.heard();
  assert_true(Bytes(heard).starts_with("text {\"id\":3,\"publish\":{}}\n"));
  assert_true(heard.find(R"({"id":4,"history":{"publications":[{"data":1,)") !=
              std::string::npos);
}

}  // namespace
}  // namespace paperboy::session

int main() {
  using namespace paperboy::session;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_raw_client_needs_no_position),
      cmocka_unit_test(one_that_wants_positions_is_told_when_they_are_known),
      cmocka_unit_test(one_that_cant_be_told_is_to_try_again),
      cmocka_unit_test(an_anchor_beyond_ends_a_raw_client),
      cmocka_unit_test(a_late_answer_to_a_publish_ends_a_raw_client),
      cmocka_unit_test(a_stream_begins_where_the_channel_stands),
      cmocka_unit_test(a_stream_of_several_has_the_places_that_are_known),
      cmocka_unit_test(a_stream_that_cant_begin_ends_for_now),
      cmocka_unit_test(an_anchor_beyond_is_told_to_a_stream),
      cmocka_unit_test(the_answer_to_subscribe_waits_for_the_position),
      cmocka_unit_test(a_subscription_that_cant_begin_is_refused_for_now),
      cmocka_unit_test(who_unsubscribes_while_it_waits_is_answered_twice),
      cmocka_unit_test(who_goes_while_it_waits_leaves_nothing),
      cmocka_unit_test(an_anchor_beyond_ends_a_subscription),
      cmocka_unit_test(the_answer_to_connect_waits_for_all_positions),
      cmocka_unit_test(a_connect_that_cant_be_answered_is_to_be_tried_again),
      cmocka_unit_test(one_that_is_refused_at_once_too),
      cmocka_unit_test(a_subscription_that_ends_meanwhile_isnt_waited_for),
      cmocka_unit_test(if_none_is_left_connect_is_answered),
      cmocka_unit_test(
          one_that_the_back_end_adds_meanwhile_is_told_with_the_others),
      cmocka_unit_test(an_order_to_subscribe_is_told_when_it_is_known),
      cmocka_unit_test(an_order_that_cant_be_obeyed_leaves_it_as_it_was),
      cmocka_unit_test(other_answers_may_come_later),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
