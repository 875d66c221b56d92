#include "dialect/raw.hpp"

#include <string>

#include "test.hpp"

namespace paperboy::dialect {
namespace {

using namespace std::string_literals;

void a_message_is_a_publication_to_the_locations_channels(void**) {
  const Raw raw;
  for (const Kind kind : {Kind::text, Kind::binary}) {
    for (const std::string& data : {""s, "a"s, "\0\xff"s}) {
      std::optional<Message> rest = Message{kind, data};
      const auto decoded = raw.decode(rest);
      const auto& publish = std::get<Publish>(decoded);
      assert_true(publish.channel.empty());
      assert_true(publish.message.kind == kind);
      assert_true(publish.message.data == data);
      assert_false(rest.has_value());
      assert_true(std::holds_alternative<NeedMore>(raw.decode(rest)));
    }
  }
}

void a_publication_is_a_message(void**) {
  const Raw raw;
  std::string scratch;
  for (const Kind kind : {Kind::text, Kind::binary}) {
    const std::string data = "\0 \xff"s;
    const auto message = raw.publication({"news", {1, 1}, kind, data}, scratch);
    assert_true(message.kind == kind);
    assert_true(message.data == data);
  }
}

void success_has_no_answer(void**) {
  const Raw raw;
  std::string scratch;
  const auto answer = raw.published({}, Position{1, 1}, scratch);
  assert_true(std::holds_alternative<std::monostate>(answer));
}

std::uint16_t code_for(ErrorCode code) {
  const Raw raw;
  std::string scratch;
  const auto answer = raw.published({}, Error{code, "because"}, scratch);
  const auto& close = std::get<Close>(answer);
  assert_true(close.reason == "because");
  return close.code;
}

void errors_end_the_connection_with_their_reason(void**) {
  assert_int_equal(code_for(ErrorCode::log_full), close::kTryAgainLater);
  assert_int_equal(code_for(ErrorCode::unavailable), close::kTryAgainLater);
  assert_int_equal(code_for(ErrorCode::too_many_channels),
                   close::kTryAgainLater);
  assert_int_equal(code_for(ErrorCode::too_large), close::kTooBig);
  assert_int_equal(code_for(ErrorCode::forbidden), close::kPolicy);
  assert_int_equal(code_for(ErrorCode::channel_name), close::kPolicy);
  assert_int_equal(code_for(ErrorCode::internal), close::kInternal);
}

void where_it_was_agreed_on_positions_come_along(void**) {
  const Raw plain;
  assert_true(plain.subprotocol() == "paperboy.position");
  const Dialect* const raw = plain.agreed();
  assert_non_null(raw);
  assert_null(raw->agreed());
  std::string scratch;
  auto message =
      raw->publication({"a\nb", {255, 7}, Kind::binary, "x\ny"}, scratch);
  assert_true(message.kind == Kind::binary);
  assert_true(message.data == "ff:7 a b\nx\ny");
  scratch.clear();
  message = *raw->beginning("news", {255, 0}, scratch);
  assert_true(message.kind == Kind::text);
  assert_true(message.data == "ff:0 news");
  assert_false(plain.beginning("news", {255, 0}, scratch).has_value());
}

}  // namespace
}  // namespace paperboy::dialect

int main() {
  using namespace paperboy::dialect;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_message_is_a_publication_to_the_locations_channels),
      cmocka_unit_test(a_publication_is_a_message),
      cmocka_unit_test(success_has_no_answer),
      cmocka_unit_test(errors_end_the_connection_with_their_reason),
      cmocka_unit_test(where_it_was_agreed_on_positions_come_along),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
