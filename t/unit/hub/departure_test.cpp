#include "hub/departure.hpp"

#include "hub/key.hpp"
#include "test.hpp"

namespace paperboy::hub {
namespace {

using namespace std::string_literals;

Departure two_places() {
  return {.at = 1'700'000'000,
          .fingerprint = 0xABCDEF,
          .places = {{"news", {7, 9}, 100, 3}, {"sport", {8, 1}}}};
}

HistoryPage page_of(const std::vector<Departure>& departures) {
  HistoryPage page{{5, departures.size()}, {}};
  std::uint64_t offset = 0;
  for (const Departure& one : departures) {
    page.publications.push_back({{5, ++offset}, Kind::binary, encode(one), {}});
  }
  return page;
}

void a_departure_comes_back_as_it_was(void**) {
  const auto back = decode_departure(encode(two_places()));
  assert_true(back.has_value());
  assert_int_equal(back->at, 1'700'000'000);
  assert_int_equal(back->fingerprint, 0xABCDEF);
  assert_int_equal(back->places.size(), 2);
  assert_true(back->places[0].channel == "news");
  assert_true(back->places[0].position == (Position{7, 9}));
  assert_int_equal(back->places[0].unreceived, 100);
  assert_int_equal(back->places[0].sent, 3);
  assert_true(back->places[1].channel == "sport");
  assert_int_equal(back->places[1].unreceived, 0);
}

void what_is_no_departure_is_none(void**) {
  const std::string text = encode(two_places());
  for (std::size_t n = 0; n < text.size(); ++n) {
    assert_false(decode_departure(Bytes(text).substr(0, n)).has_value());
  }
  assert_false(decode_departure(text + "x").has_value());
  std::string other = text;
  other[0] = 2;  // a version to come
  assert_false(decode_departure(other).has_value());
  other = text;
  other[24] = '\xFF';  // more places than there are
  assert_false(decode_departure(other).has_value());
}

void places_are_found_by_fingerprint_channel_and_time(void**) {
  Departure other = two_places();
  other.fingerprint = 1;
  Departure old = two_places();
  old.at -= 61;
  const auto page = page_of({other, old, two_places()});
  const auto found = places_left(page, 0xABCDEF, "sport", 1'699'999'940);
  assert_int_equal(found.size(), 1);
  assert_true(found[0].place.position == (Position{8, 1}));
  assert_true(found[0].key == "5:3:1");
  assert_true(places_left(page, 0xABCDEF, "none", 0).empty());
  assert_int_equal(places_left(page, 0xABCDEF, "news", 0).size(), 2);
}

void of_several_the_one_comes_first_that_misses_most(void**) {
  Departure one = two_places();
  Departure two = two_places();
  one.places[0].position.offset = 12;
  two.places[0].position.offset = 10;
  const auto found = places_left(page_of({one, two}), 0xABCDEF, "news", 0);
  assert_int_equal(found.size(), 2);
  assert_int_equal(found[0].place.position.offset, 10);
  assert_true(found[0].key == "5:2:0");
  assert_int_equal(found[1].place.position.offset, 12);
}

void a_place_of_an_epoch_that_is_over_is_not_taken(void**) {
  Departure before = two_places();
  Departure now = two_places();
  before.places[0].position = {3, 400};
  now.places[0].position = {7, 21};
  auto found = places_left(page_of({before, now}), 0xABCDEF, "news", 0);
  assert_int_equal(found.size(), 1);
  assert_true(found[0].place.position == (Position{7, 21}));
  // Epochs have no order.
  before.places[0].position.epoch = 9;
  found = places_left(page_of({before, now}), 0xABCDEF, "news", 0);
  assert_int_equal(found.size(), 1);
  assert_true(found[0].place.position == (Position{7, 21}));
}

void each_user_has_channels_of_its_own(void**) {
  const std::string ann = left_channel("shop", "ann");
  assert_true(ann == "\0left\0shop\0ann"s);
  assert_true(ann != left_channel("", "ann"));
  assert_true(ann != taken_channel("shop", "ann"));
  // Other nodes find it, too.
  assert_false(stays_on_node(ann));
}

void little_is_kept(void**) {
  const Retention kept = kept_departures(60);
  assert_int_equal(kept.count, 64);
  assert_int_equal(kept.age_ms, 60'000);
  assert_int_equal(kept.bytes, 65'536);
}

}  // namespace
}  // namespace paperboy::hub

int main() {
  using namespace paperboy::hub;
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_departure_comes_back_as_it_was),
      cmocka_unit_test(what_is_no_departure_is_none),
      cmocka_unit_test(places_are_found_by_fingerprint_channel_and_time),
      cmocka_unit_test(of_several_the_one_comes_first_that_misses_most),
      cmocka_unit_test(a_place_of_an_epoch_that_is_over_is_not_taken),
      cmocka_unit_test(each_user_has_channels_of_its_own),
      cmocka_unit_test(little_is_kept),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
