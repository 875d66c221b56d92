#include "base/token_record.hpp"

#include <string>

#include "test.hpp"

namespace paperboy {
namespace {

TokenRecord some() {
  return {.hash = std::string(32, 'h'),
          .expires = 4'000'000'000,
          .node = UINT64_MAX,
          .issued = 17,
          .sliding = 60,
          .claims = R"({"sub":"ann"})"};
}

void is_what_it_was(void**) {
  for (const auto kind : {TokenRecord::Kind::put, TokenRecord::Kind::prolong,
                          TokenRecord::Kind::end}) {
    TokenRecord one = some();
    one.kind = kind;
    const auto read = decode_token_record(encode(one));
    assert_true(read.has_value());
    assert_true(read->kind == kind && read->hash == one.hash);
    assert_true(read->expires == one.expires && read->issued == 17);
    assert_true(read->node == one.node && read->sliding == 60);
    assert_true(read->claims == one.claims);
  }
}

void what_another_build_wrote_is_none(void**) {
  std::string text = encode(some());
  for (std::size_t size = 0; size < text.size(); ++size) {
    assert_false(decode_token_record(Bytes(text).substr(0, size)).has_value());
  }
  assert_false(decode_token_record(text + "x").has_value());
  for (const char kind : {'\0', '\4'}) {
    std::string other = text;
    other[8] = kind;
    assert_false(decode_token_record(other).has_value());
  }
  text[0] = 2;
  assert_false(decode_token_record(text).has_value());
}

void what_cant_be_is_none(void**) {
  TokenRecord one = some();
  one.hash.pop_back();
  assert_false(decode_token_record(encode(one)).has_value());
  one = some();
  one.expires = -1;
  assert_false(decode_token_record(encode(one)).has_value());
  one = some();
  one.sliding = UINT32_MAX;
  assert_false(decode_token_record(encode(one)).has_value());
}

}  // namespace
}  // namespace paperboy

int main() {
  using namespace paperboy;
  const CMUnitTest tests[] = {
      cmocka_unit_test(is_what_it_was),
      cmocka_unit_test(what_another_build_wrote_is_none),
      cmocka_unit_test(what_cant_be_is_none),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
