#include "auth/token_source.hpp"

#include <string>

#include "test.hpp"

namespace {

using paperboy::Bytes;
using paperboy::auth::subprotocol_token;
using paperboy::auth::token_from_header;

struct Row {
  Bytes in, token;
};

void assert_rows(Bytes (*read)(Bytes), const Row* rows, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    assert_string_equal(std::string(read(rows[i].in)).c_str(),
                        std::string(rows[i].token).c_str());
  }
}

void a_scheme_word_is_stripped(void**) {
  const Row rows[] = {
      {"", ""},
      {"  \t ", ""},
      {"a.b.c", "a.b.c"},
      {"  a.b.c ", "a.b.c"},
      {"Bearer a.b.c", "a.b.c"},
      {"bearer a.b.c", "a.b.c"},
      {"BEARER   a.b.c  ", "a.b.c"},
      {"Bearer\ta.b.c", "a.b.c"},
      {"JWT a.b.c", "a.b.c"},
      {"Bearer", ""},
      {"bearer  ", ""},
      {"Bearera.b.c", "Bearera.b.c"},
      {"Bearer Bearer a.b.c", "Bearer a.b.c"},
      {"Bearer a.b.c d", "a.b.c d"},
  };
  assert_rows(token_from_header, rows, std::size(rows));
  assert_true(token_from_header({}).empty());
}

void the_token_of_an_offered_subprotocol_is_found(void**) {
  const Row rows[] = {
      {"", ""},
      {"bearer.a.b.c", "a.b.c"},
      {"chat, bearer.a.b.c", "a.b.c"},
      {"bearer.a.b.c,chat", "a.b.c"},
      {" \tbearer.a.b.c\t ", "a.b.c"},
      {"bearer., bearer.x", "x"},
      {"bearer.x, bearer.y", "x"},
      {",,bearer.x,,", "x"},
      {"bearer.", ""},
      {"bearer", ""},
      {"Bearer.x", ""},
      {"xbearer.a", ""},
      {"chat", ""},
  };
  assert_rows(subprotocol_token, rows, std::size(rows));
  assert_true(subprotocol_token({}).empty());
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_scheme_word_is_stripped),
      cmocka_unit_test(the_token_of_an_offered_subprotocol_is_found),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
