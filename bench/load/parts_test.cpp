// What the load client is made of: histogram, templates, frames.
#include "histogram.hpp"
#include "inflater.hpp"
#include "json.hpp"
#include "template.hpp"
#include "test.hpp"
#include "wire.hpp"

namespace {

using namespace paperboy::load;

const Run kRun{"run", 41, {"first", "second"}};

std::string fill(Bytes text, const Values& values = {}) {
  return Template(text).fill(values, kRun);
}

void a_histogram_is_right_within_two_per_cent(void**) {
  Histogram histogram;
  for (std::uint64_t i = 1; i <= 1000; ++i) histogram.add(i * 1000);
  assert_int_equal(histogram.count(), 1000);
  assert_int_equal(histogram.most(), 1'000'000);
  for (const int per_cent : {1, 50, 90, 99}) {
    const double got = static_cast<double>(histogram.percentile(per_cent));
    const double right = (per_cent * 10 + 1) * 1000.0;
    assert_true(got > right * 0.98 && got < right * 1.02);
  }
  assert_true(histogram.percentile(100) <= histogram.most());
}

void histograms_add_up_and_are_cleared(void**) {
  Histogram one, other;
  one.add(5);
  other.add(~std::uint64_t{0});
  one.add(other);
  assert_int_equal(one.count(), 2);
  assert_true(one.most() == ~std::uint64_t{0});
  assert_int_equal(one.percentile(0), 5);
  one.clear();
  assert_int_equal(one.percentile(50), 0);
}

void templates_are_filled(void**) {
  const Values values{1, 2, 3, 4, 5, 7};
  assert_string_equal(fill("%r-%i-%c-%s-%t-%n-%l", values).c_str(),
                      "run-1-2-3-4-5-second");
  assert_string_equal(fill("%05c|%2i", values).c_str(), "00002|01");
  assert_string_equal(fill("100%% %x %").c_str(), "100% %x %");
  assert_string_equal(fill(literal("50% %i")).c_str(), "50% %i");
}

void a_payload_has_its_size_and_its_marks(void**) {
  Values values;
  values.sequence = 12;
  values.channel = 3;
  values.time = 345;
  const std::string payload = fill("%P", values);
  assert_int_equal(payload.size(), kRun.payload);
  const std::string check = fill("%k", values);
  assert_int_equal(check.size(), 8);
  assert_string_equal(
      payload.c_str(),
      ("#seq:12##ch:3##ts:345##sum:" + check + "#xxxx.").c_str());
  values.time = 346;
  assert_true(fill("%k", values) != check);
}

void escapes_are_read(void**) {
  assert_string_equal(unescape(R"(a\r\n\x41\\)").c_str(), "a\r\nA\\");
  assert_true(unescape("\\0") == std::string(1, '\0'));
  assert_string_equal(from_hex("41 42,4").c_str(), "AB");
}

void frames_of_every_size_come_back(void**) {
  for (const std::size_t size : {0, 125, 126, 65535, 65536}) {
    std::string frame;
    append_server_frame(frame, kBinary, std::string(size, 'x'));
    const auto head = frame_head(frame);
    assert_true(head.has_value());
    assert_int_equal(head->payload, size);
    assert_int_equal(head->size + size, frame.size());
    assert_int_equal(head->opcode, kBinary);
    assert_false(head->masked || head->compressed);
    for (std::size_t cut = 0; cut < head->size; ++cut) {
      assert_false(frame_head(frame.substr(0, cut)).has_value());
    }
  }
}

// RFC 6455 sections 5.1, 5.2 and 5.5; RFC 7692 section 6.
void what_a_server_must_not_send_is_found(void**) {
  const auto faulty = [](Bytes bytes, bool deflate) {
    const auto head = frame_head(bytes);
    assert_true(head.has_value());
    return !fault_of(*head, deflate).empty();
  };
  for (const Bytes fine : {"\x81\x01", "\x01\x01", "\x80\x01", "\x89\x7d"}) {
    assert_false(faulty(fine, false) || faulty(fine, true));
  }
  assert_false(faulty("\xC1\x01", true) || faulty("\x42\x01", true));
  assert_true(faulty("\xC1\x01", false));
  for (const Bytes wrong : {"\x81\x81", "\xA1\x01", "\x91\x01", "\xC0\x01",
                            "\xC9\x01", "\x09\x01", "\x89\x7e\x7e\x7e"}) {
    assert_true(faulty(wrong, false) && faulty(wrong, true));
  }
}

void a_clients_frame_is_masked(void**) {
  std::string frame;
  append_frame(frame, kText, "abcde", 0x04030201);
  assert_true(frame ==
              "\x81\x85\x01\x02\x03\x04"
              "\x60\x60\x60\x60\x64");
}

// RFC 6455 section 1.3.
void an_upgrade_is_checked(void**) {
  const std::string accept = accept_for("dGhlIHNhbXBsZSBub25jZQ==");
  assert_string_equal(accept.c_str(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  const std::string head =
      "HTTP/1.1 101 Switching Protocols\r\n"
      "sec-websocket-ACCEPT:  " +
      accept + "\r\n";
  assert_int_equal(status_of_upgrade(head, accept), 101);
  assert_int_equal(status_of_upgrade(head, "another"), 0);
  assert_int_equal(status_of_upgrade("HTTP/1.1 403 Forbidden\r\n", accept),
                   403);
}

void mqtt_packets_have_their_length(void**) {
  const std::string packet = mqtt_packet(0x30, std::string(321, 'x'));
  assert_true(packet.starts_with("\x30\xC1\x02x"));
  assert_int_equal(packet.size(), 324);
}

void json_is_written(void**) {
  Json json;
  json.add("a", std::uint64_t{1});
  json.add("b", 2.345, 2);
  json.add_text("c", "\"\n");
  json.add("d", {{"e", 1}});
  assert_string_equal(json.text().c_str(),
                      R"({"a":1,"b":2.35,"c":"\"\u000a","d":{"e":1}})");
}

// RFC 7692 section 7.2.3.1.
void compressed_messages_are_read(void**) {
  Inflater inflater(100);
  for (int i = 0; i < 2; ++i) {
    const auto text = inflater.inflate(from_hex("f2 48 cd c9 c9 07 00"));
    assert_true(text.has_value() && *text == "Hello");
  }
  assert_false(inflater.inflate(from_hex("ff ff ff")).has_value());
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(a_histogram_is_right_within_two_per_cent),
      cmocka_unit_test(histograms_add_up_and_are_cleared),
      cmocka_unit_test(templates_are_filled),
      cmocka_unit_test(a_payload_has_its_size_and_its_marks),
      cmocka_unit_test(escapes_are_read),
      cmocka_unit_test(frames_of_every_size_come_back),
      cmocka_unit_test(what_a_server_must_not_send_is_found),
      cmocka_unit_test(a_clients_frame_is_masked),
      cmocka_unit_test(an_upgrade_is_checked),
      cmocka_unit_test(mqtt_packets_have_their_length),
      cmocka_unit_test(json_is_written),
      cmocka_unit_test(compressed_messages_are_read),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
