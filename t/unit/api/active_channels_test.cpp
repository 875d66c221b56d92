#include "api/active_channels.hpp"

#include <string>

#include "test.hpp"

namespace paperboy::api {
namespace {

std::string text_of(const ActiveChannels& channels) {
  std::string text;
  for (const auto& [name, subscribers] : channels.all()) {
    text += name + "=" + std::to_string(subscribers) + " ";
  }
  return text;
}

void names_are_those_of_the_namespace(void**) {
  const ChannelsQuery none{};
  assert_true(none.prefix().empty());
  assert_true(none.name("a") == "a");
  assert_true(none.name(Bytes("shop\0a", 6)).empty());
  assert_true(none.name(Bytes("\0orders", 7)).empty());
  const ChannelsQuery shop{.name_space = "shop", .pattern = "room:*"};
  assert_true(shop.prefix() == std::string("shop\0room:", 10));
  assert_true(shop.name(Bytes("shop\0room:1", 11)) == "room:1");
  assert_true(shop.name(Bytes("shop\0hall:1", 11)).empty());
  assert_true(shop.name(Bytes("shop\0room:\0", 11)).empty());
  assert_true(shop.name("room:1").empty());
}

void a_query_is_read_as_it_was_written(void**) {
  const ChannelsQuery query{
      .name_space = "shop", .pattern = "a*", .room = 1ULL << 40};
  const std::string text = encode(query);
  const auto read = decode_query(text);
  assert_true(read.has_value());
  assert_true(read->name_space == "shop" && read->pattern == "a*");
  assert_true(read->room == query.room);
  for (std::size_t size = 0; size < text.size(); ++size) {
    assert_false(decode_query(Bytes(text).substr(0, size)).has_value());
  }
  assert_false(decode_query(text + "x").has_value());
}

void counts_of_nodes_are_summed(void**) {
  ActiveChannels one(1000);
  assert_true(one.add("b", 2).ok() && one.add("a", 1).ok());
  ActiveChannels two(1000);
  assert_true(two.add("c", 1).ok() && two.add("b", 40).ok());
  assert_true(one.add_encoded(two.encode()).ok());
  assert_string_equal(text_of(one).c_str(), "a=1 b=42 c=1 ");
  assert_true(one.add_encoded(ActiveChannels(0).encode()).ok());
}

void there_is_room_for_so_much(void**) {
  ActiveChannels few(60);
  assert_true(few.add("name", 1).ok() && few.add("next", 1).ok());
  assert_true(few.add("name", 1).ok());  // it stands there already
  const auto refused = few.add("more", 1);
  assert_true(!refused && refused.error().code == ErrorCode::too_large);
  ActiveChannels other(1000);
  assert_true(other.add("other", 1).ok());
  const auto merged = few.add_encoded(other.encode());
  assert_true(!merged && merged.error().code == ErrorCode::too_large);
}

void what_another_wrote_is_refused(void**) {
  ActiveChannels one(1000);
  assert_true(one.add("name", 1).ok());
  const std::string text = one.encode();
  for (std::size_t size = 0; size < text.size(); ++size) {
    if (size == 8) continue;  // of nobody
    ActiveChannels read(1000);
    const auto added = read.add_encoded(Bytes(text).substr(0, size));
    assert_true(!added && added.error().code == ErrorCode::internal);
  }
}

}  // namespace
}  // namespace paperboy::api

int main() {
  using namespace paperboy::api;
  const CMUnitTest tests[] = {
      cmocka_unit_test(names_are_those_of_the_namespace),
      cmocka_unit_test(a_query_is_read_as_it_was_written),
      cmocka_unit_test(counts_of_nodes_are_summed),
      cmocka_unit_test(there_is_room_for_so_much),
      cmocka_unit_test(what_another_wrote_is_refused),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
