#include "auth/opaque_token.hpp"

#include <string>

#include "test.hpp"

namespace paperboy::auth {
namespace {

const std::string kToken = "pbo_" + std::string(32, 'A');

void each_is_another(void**) {
  const std::string one = *make_opaque_token();
  const std::string two = *make_opaque_token();
  assert_int_equal(one.size(), 36);
  assert_true(one.starts_with("pbo_") && is_opaque(one));
  assert_true(one != two);
  assert_true(hash_of("", one).has_value());
  assert_false(hash_of("", one) == hash_of("", two));
}

void what_begins_otherwise_is_none(void**) {
  for (const Bytes text : {"", "pbo", "PBO_", "eyJhbGciOiJIUzI1NiJ9.e30.x",
                           "pbi_AAAA", " pbo_AAAA"}) {
    assert_false(is_opaque(text));
    assert_false(id_of(text).has_value());
    assert_false(hash_of("", text).has_value());
  }
}

void what_has_another_form_is_none(void**) {
  for (const std::string& text :
       {std::string("pbo_"), kToken + "A", kToken.substr(0, 35),
        kToken.substr(0, 35) + "=", kToken.substr(0, 35) + "+",
        kToken.substr(0, 35) + " ", kToken + ".e30.x"}) {
    assert_true(is_opaque(text));
    assert_false(id_of(text).has_value());
    assert_false(hash_of("", text).has_value());
  }
}

// Both were computed by another library.
void hashes_are_sha256(void**) {
  const std::string id = "pbi_VXif59LKPeGg8LeQ-tfFlLLi8V7mSDO9XMqUp72T0h4";
  assert_string_equal(id_of(kToken)->c_str(), id.c_str());
  const std::string hash(hash_of("shop", kToken)->view());
  constexpr Bytes kHex = "0123456789abcdef";
  std::string hex;
  for (const char c : hash) {
    const auto byte = static_cast<unsigned char>(c);
    hex += kHex[byte >> 4U];
    hex += kHex[byte & 15U];
  }
  assert_string_equal(
      hex.c_str(),
      "cfb88dd34f6381db5ec272d00af8bd8136b9d66da8bcad30a3f7bf9872619f68");
}

void an_id_stands_for_its_token(void**) {
  const std::string id = *id_of(kToken);
  assert_true(hash_of("shop", id) == hash_of("shop", kToken));
  assert_false(is_opaque(id));
  assert_false(hash_of("shop", id + "A").has_value());
  assert_false(hash_of("shop", id.substr(0, id.size() - 1)).has_value());
}

void in_each_namespace_it_is_another(void**) {
  assert_false(hash_of("", kToken) == hash_of("shop", kToken));
  assert_false(hash_of("a", kToken) == hash_of("b", kToken));
}

void a_number_is_never_0(void**) {
  TokenHash hash;
  assert_int_equal(hash.number(), 1);
  hash.bytes[7] = 9;
  assert_int_equal(hash.number(), 9);
  hash.bytes[0] = 1;
  assert_true(hash.number() == (1ULL << 56U) + 9);
  assert_true(hash_from(hash.view()) == hash);
  assert_false(hash_from("x").has_value());
}

}  // namespace
}  // namespace paperboy::auth

int main() {
  using namespace paperboy::auth;
  const CMUnitTest tests[] = {
      cmocka_unit_test(each_is_another),
      cmocka_unit_test(what_begins_otherwise_is_none),
      cmocka_unit_test(what_has_another_form_is_none),
      cmocka_unit_test(hashes_are_sha256),
      cmocka_unit_test(an_id_stands_for_its_token),
      cmocka_unit_test(in_each_namespace_it_is_another),
      cmocka_unit_test(a_number_is_never_0),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
