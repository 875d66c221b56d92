// Publications as events, and what an EventSource makes of them.
#include "dialect/sse.hpp"

#include <string>

#include "dialect/event_reader.hpp"
#include "test.hpp"

namespace paperboy::dialect {
namespace {

using namespace std::string_literals;

constexpr Position kHere{0xab, 7};

std::string encoded(const Sse& sse, const Publication& publication) {
  std::string scratch;
  return std::string(sse.publication(publication, scratch).data);
}

std::string read(Bytes text) {
  EventReader reader;
  reader.feed(text);
  return reader.take();
}

void a_text_is_an_event_with_its_position_as_id(void**) {
  const Sse sse(EventNames::off);
  assert_string_equal(
      encoded(sse, {"news", kHere, Kind::text, "hello"}).c_str(),
      "id: ab:7\ndata: hello\n\n");
}

void each_line_of_a_text_is_a_line_of_data(void**) {
  const Sse sse(EventNames::off);
  const std::pair<std::string, std::string> kTexts[] = {
      {"a\nb", "a\nb"},
      {"a\rb", "a\nb"},
      {"a\r\nb", "a\nb"},
      {"a\n\nb", "a\n\nb"},
      {"a\n\rb", "a\n\nb"},
      {"\n", "\n"},
      {"a\n", "a\n"},
      {"\r\n\r\n", "\n\n"},
      {" a", " a"},
      {"data: x", "data: x"},
      {"id: 9\n\nid: 8", "id: 9\n\nid: 8"},
      {"", ""},
      {"caf\xc3\xa9", "caf\xc3\xa9"},
  };
  for (const auto& [text, seen] : kTexts) {
    assert_string_equal(
        read(encoded(sse, {"news", kHere, Kind::text, text})).c_str(),
        ("message|ab:7|" + seen + "\n").c_str());
  }
}

void no_line_of_an_event_is_empty_but_its_last(void**) {
  const Sse sse(EventNames::channel);
  for (const std::string& text : {""s, "\n\n\n"s, "a\r\r\nb\n"s}) {
    const auto event = encoded(sse, {"news", kHere, Kind::text, text});
    assert_true(event.find("\n\n") == event.size() - 2);
    assert_true(event.find('\r') == std::string::npos);
  }
}

void binary_is_base64_in_an_event_of_that_name(void**) {
  const Sse sse(EventNames::off);
  const auto text = [&](const std::string& data) {
    return encoded(sse, {"news", kHere, Kind::binary, data});
  };
  assert_string_equal(text("\0\xff\n"s).c_str(),
                      "id: ab:7\nevent: binary\ndata: AP8K\n\n");
  assert_string_equal(text("ab"s).c_str(),
                      "id: ab:7\nevent: binary\ndata: YWI=\n\n");
  assert_string_equal(read(text("")).c_str(), "binary|ab:7|\n");
}

void events_may_be_named_after_their_channel(void**) {
  const Sse sse(EventNames::channel);
  assert_string_equal(
      read(encoded(sse, {"news", kHere, Kind::text, "x"})).c_str(),
      "news|ab:7|x\n");
  assert_string_equal(
      read(encoded(sse, {"news", kHere, Kind::binary, "x"})).c_str(),
      "binary:news|ab:7|eA==\n");
}

void a_name_that_could_be_taken_for_another_names_no_events(void**) {
  for (const Bytes name : {"news", "rooms/1", "binary2", "Close", "a b"}) {
    assert_true(can_name_events(name));
  }
  for (const Bytes name : {"open", "message", "error", "close", "gap", "binary",
                           "binary:news", "a\nb", "a\rb"}) {
    assert_false(can_name_events(name));
  }
}

void what_has_no_place_in_the_channel_has_no_id(void**) {
  const Sse sse(EventNames::off);
  const auto event =
      encoded(sse, {"news", kHere, Kind::text, "x", {}, Event::passing});
  assert_string_equal(event.c_str(), "data: x\n\n");
}

void a_gap_names_its_channel(void**) {
  std::string out;
  append_gap(out, "a\"\nb");
  assert_string_equal(read(out).c_str(), "gap||{\"channel\":\"a\\\"\\nb\"}\n");
}

void the_end_says_why_and_when_to_come_again(void**) {
  std::string out;
  append_close(out, {3005, "the token has expired"}, 1234);
  EventReader reader;
  reader.feed(out);
  assert_string_equal(
      reader.take().c_str(),
      "close||{\"code\":3005,\"reason\":\"the token has expired\"}\n");
  assert_string_equal(reader.retry().c_str(), "1234");
}

void clients_say_nothing(void**) {
  const Sse sse(EventNames::off);
  std::optional<Message> rest = Message{Kind::text, "x"};
  assert_true(std::holds_alternative<NeedMore>(sse.decode(rest)));
  std::string scratch;
  const Publish command{.channel = {}, .message = {}};
  const auto answer = sse.published(command, Position{}, scratch);
  assert_true(std::holds_alternative<std::monostate>(answer));
}

void it_is_found_by_its_name(void**) {
  assert_ptr_equal(find("sse"), &sse(EventNames::off));
  assert_true(find("sse")->carrier() == Dialect::Carrier::event_stream);
  assert_true(find("raw")->carrier() == Dialect::Carrier::websocket);
  assert_true(find("sse")->location_channels() ==
              Dialect::LocationChannels::needed);
}

}  // namespace
}  // namespace paperboy::dialect

int main() {
  using namespace paperboy::dialect;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_text_is_an_event_with_its_position_as_id),
      cmocka_unit_test(each_line_of_a_text_is_a_line_of_data),
      cmocka_unit_test(no_line_of_an_event_is_empty_but_its_last),
      cmocka_unit_test(binary_is_base64_in_an_event_of_that_name),
      cmocka_unit_test(events_may_be_named_after_their_channel),
      cmocka_unit_test(a_name_that_could_be_taken_for_another_names_no_events),
      cmocka_unit_test(what_has_no_place_in_the_channel_has_no_id),
      cmocka_unit_test(a_gap_names_its_channel),
      cmocka_unit_test(the_end_says_why_and_when_to_come_again),
      cmocka_unit_test(clients_say_nothing),
      cmocka_unit_test(it_is_found_by_its_name),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
