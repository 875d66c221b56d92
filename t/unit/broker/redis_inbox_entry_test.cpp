#include "broker/redis_inbox_entry.hpp"

#include <cstring>
#include <string>
#include <vector>

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::broker::redis {
namespace {

Result<InboxEntry> parse(const std::vector<std::string>& words) {
  Reply fields{Reply::Kind::array, 0, {}, {}};
  for (const std::string& word : words) {
    fields.items.push_back({Reply::Kind::string, 0, word, {}});
  }
  return parse_inbox_entry(fields);
}

void assert_refused(const std::vector<std::string>& words, const char* why) {
  const auto entry = parse(words);
  assert_false(entry.ok());
  assert_non_null(std::strstr(std::string(entry.error().message).c_str(), why));
}

void a_channel_and_data_are_enough(void**) {
  const auto entry = parse({"channel", "news", "data", ""});
  assert_true(entry.ok());
  assert_true(entry->channel == "news");
  assert_true(entry->data.empty());
  assert_true(entry->idempotency_key.empty());
  assert_true(entry->kind == Kind::text);
}

void all_fields_are_taken_in_any_order(void**) {
  const auto entry = parse({"key", "k", "data", std::string("\xff\0", 2),
                            "binary", "1", "namespace", "ns", "channel", "c"});
  assert_true(entry.ok());
  assert_true(entry->channel == std::string("ns\0c", 4));
  assert_true(entry->data == std::string("\xff\0", 2));
  assert_true(entry->idempotency_key == "k");
  assert_true(entry->kind == Kind::binary);
}

void what_can_not_be_published_is_refused(void**) {
  assert_refused({}, "no channel is named");
  assert_refused({"data", "x"}, "no channel is named");
  assert_refused({"channel", "", "data", "x"}, "no channel is named");
  assert_refused({"channel", "c"}, "it has no data");
  assert_refused({"channel", std::string(256, 'c'), "data", "x"}, "longer");
  assert_refused({"channel", "\xff", "data", "x"}, "not UTF-8 without NUL");
  assert_refused({"channel", std::string("a\0b", 3), "data", "x"}, "NUL");
  assert_refused(
      {"channel", "c", "data", "x", "namespace", std::string(257, 'n')},
      "longer than 256");
  assert_refused({"channel", "c", "data", "\xff"}, "say binary 1");
  assert_refused({"channel", "c", "data", "x", "binary", "yes"}, "0 or 1");
  assert_refused({"channel", "c", "data", "x", "key", std::string(257, 'k')},
                 "its key is over 256 bytes");
  assert_refused({"channel", "c", "data", std::string(kMaxInboxData + 1, 'x')},
                 "its data is over 1 MB");
  assert_refused({"channel", "c", "data", "x", "idempotency", "k"},
                 "its fields are");
  assert_refused({"channel", "c", "data", "x", "data", "y"}, "a field twice");
}

void what_is_as_large_as_may_be_is_taken(void**) {
  assert_true(
      parse({"channel", std::string(255, 'c'), "data",
             std::string(kMaxInboxData, 'x'), "key", std::string(256, 'k'),
             "namespace", std::string(256, 'n'), "binary", "0"})
          .ok());
}

}  // namespace
}  // namespace paperboy::broker::redis

int main() {
  using namespace paperboy::broker::redis;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_channel_and_data_are_enough),
      cmocka_unit_test(all_fields_are_taken_in_any_order),
      cmocka_unit_test(what_can_not_be_published_is_refused),
      cmocka_unit_test(what_is_as_large_as_may_be_is_taken),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
