#include "dialect/echo.hpp"

#include <string>

#include "test.hpp"

namespace paperboy::dialect {
namespace {

using namespace std::string_literals;

void every_message_comes_back_as_it_is(void**) {
  const Echo echo;
  for (const Kind kind : {Kind::text, Kind::binary}) {
    for (const std::string& data : {""s, "a"s, "\0\xff"s}) {
      std::optional<Message> rest = Message{kind, data};
      const auto decoded = echo.decode(rest);
      const auto& send = std::get<Send>(decoded);
      assert_true(send.message.kind == kind);
      assert_true(send.message.data == data);
      assert_false(rest.has_value());
      assert_true(std::holds_alternative<NeedMore>(echo.decode(rest)));
    }
  }
}

void it_has_no_channels_and_nothing_to_say_of_them(void**) {
  const Echo echo;
  std::string scratch;
  const auto answer =
      echo.published({}, Error{ErrorCode::internal, "x"}, scratch);
  assert_true(std::holds_alternative<std::monostate>(answer));
}

void a_publication_is_its_bytes(void**) {
  const Echo echo;
  std::string scratch;
  const auto message =
      echo.publication({"news", {1, 1}, Kind::binary, "\xff"}, scratch);
  assert_true(message.kind == Kind::binary);
  assert_true(message.data == "\xff");
}

}  // namespace
}  // namespace paperboy::dialect

int main() {
  using namespace paperboy::dialect;
  const CMUnitTest tests[] = {
      cmocka_unit_test(every_message_comes_back_as_it_is),
      cmocka_unit_test(it_has_no_channels_and_nothing_to_say_of_them),
      cmocka_unit_test(a_publication_is_its_bytes),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
