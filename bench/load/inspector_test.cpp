// That a faulty server is caught exactly, and a good one isn't.
#include "inspector.hpp"

#include <memory>

#include "test.hpp"

namespace {

using namespace paperboy::load;

constexpr std::uint64_t kChannels = 5;
constexpr std::uint64_t kChannel = 3;
constexpr std::uint64_t kTime = 1000;
constexpr std::uint64_t kNow = 1900;

/// What came to a subscriber of channel 3.
class Stream {
 public:
  explicit Stream(const std::string& body = "%P",
                  Check check = Check::as_it_seems, std::size_t size = 90) {
    options_.publishing.body = body;
    options_.check = check;
    options_.run = {"run", size, {}};
    options_.subscribers.channels = kChannels;
    inspector_ = std::make_unique<Inspector>(options_, tally);
  }

  /// What a publisher sends.
  [[nodiscard]] std::string message(std::uint64_t sequence,
                                    std::uint64_t channel = kChannel) const {
    Values values;
    values.sequence = sequence;
    values.channel = channel;
    values.time = kTime;
    values.number = values.connection = (sequence - 1) * kChannels + channel;
    return Template(options_.publishing.body).fill(values, options_.run);
  }
  bool reads(Bytes bytes) {
    return inspector_->inspect({0, kChannel, last}, bytes, kNow);
  }
  void gets(std::initializer_list<std::uint64_t> numbers) {
    for (const auto number : numbers) assert_true(reads(message(number)));
  }
  void expect(std::uint64_t messages, std::uint64_t missing,
              std::uint64_t duplicates, std::uint64_t reorders) const {
    assert_int_equal(tally.messages, messages);
    assert_int_equal(tally.missing, missing);
    assert_int_equal(tally.duplicates, duplicates);
    assert_int_equal(tally.reorders, reorders);
  }
  /// Nothing but these.
  void expect_clean(std::uint64_t messages) const {
    assert_int_equal(tally.messages, messages);
    assert_int_equal(tally.latency.count(), messages);
    assert_true(tally.is_clean());
  }
  void expect_spoilt(std::uint64_t messages, std::uint64_t misdelivered,
                     std::uint64_t damaged) const {
    expect(messages, 0, 0, 0);
    assert_int_equal(tally.misdelivered, misdelivered);
    assert_int_equal(tally.damaged, damaged);
    assert_false(tally.is_clean());
  }

  Tally tally;
  std::uint64_t last = 0;

 private:
  Options options_;
  std::unique_ptr<Inspector> inspector_;
};

void whole_and_in_order_is_clean(void**) {
  Stream stream;
  stream.gets({1, 2, 3, 4});
  stream.expect_clean(4);
  assert_int_equal(stream.tally.latency.most(), kNow - kTime);
}

void what_came_to_others_before_is_clean(void**) {
  Stream stream;
  stream.gets({1, 2, 3});
  stream.last = 0;  // another subscriber
  stream.gets({1, 2, 3});
  stream.expect_clean(6);
}

void what_is_left_out_is_missing(void**) {
  Stream stream;
  stream.gets({1, 4, 5, 7});
  stream.expect(4, 3, 0, 0);
  assert_int_equal(stream.tally.gaps, 2);
}

void what_comes_twice_is_a_duplicate(void**) {
  Stream stream;
  stream.gets({1, 1, 2, 2, 2});
  stream.expect(5, 0, 3, 0);
}

void what_comes_late_is_missed_and_then_reordered(void**) {
  Stream stream;
  stream.gets({1, 3, 2, 4});
  stream.expect(4, 1, 0, 1);
}

void a_first_message_that_is_none_is_missed(void**) {
  Stream stream;
  stream.gets({3, 4});
  stream.expect(2, 2, 0, 0);
  assert_int_equal(stream.tally.late_first, 1);
}

void a_message_of_another_channel_is_misdelivered(void**) {
  Stream stream;
  stream.gets({1});
  stream.reads(stream.message(2, kChannel + 1));
  stream.reads(stream.message(1, kChannel - 1));
  stream.gets({2});
  stream.expect_spoilt(2, 2, 0);
}

// In %P as a frame, every bit of every byte.
void no_bit_may_be_another(void**) {
  const std::string sound = Stream().message(2);
  for (std::size_t i = 0; i < 8 * sound.size(); ++i) {
    Stream stream;
    stream.gets({1});
    std::string spoilt = sound;
    spoilt[i / 8] = static_cast<char>(spoilt[i / 8] ^ (1 << i % 8));
    stream.reads(spoilt);
    stream.gets({3});
    assert_int_equal(stream.tally.messages, 2);
    assert_int_equal(stream.tally.damaged, 1);
    assert_int_equal(stream.tally.misdelivered, 0);
  }
}

void no_byte_may_be_missing_or_too_many(void**) {
  for (const std::string body : {"%P", "{\"is\":\"%P\"}"}) {
    const std::string sound = Stream(body).message(2);
    for (std::size_t i = 0; i < sound.size(); ++i) {
      Stream stream(body, Check::whole);
      stream.gets({1});
      stream.reads(std::string(sound).erase(i, 1));
      stream.reads(std::string(sound).insert(i, 1, '!'));
      stream.reads(Bytes(sound).substr(0, i));
      stream.gets({3});
      assert_int_equal(stream.tally.messages, 2);
      assert_int_equal(stream.tally.damaged, 3);
    }
  }
}

void what_is_around_a_message_may_be_anything(void**) {
  for (const std::string body : {"%P", "PUB %r.%c 90\r\n%P\r\n",
                                 R"({"n":%n,"m":"#seq:%s#","t":"#ts:%t#"})"}) {
    Stream stream(body, Check::marked);
    const std::string text = stream.message(1);
    const std::size_t begin = text.find("#seq");
    const std::size_t end = text.find_last_of("#.") + 1;
    const std::string marked = text.substr(begin, end - begin);
    assert_true(stream.reads("42[\"m\",\"" + marked + "\"]"));
    assert_false(stream.reads("#3 + #4 # and #ts:5#."));
    stream.expect_clean(1);
    const std::size_t middle = marked.size() - marked.size() / 3;
    std::string spoilt = stream.message(2);
    spoilt[begin + middle] ^= 1;
    stream.reads("MSG x 1 90\r\n" + spoilt + "\r\n");
    stream.reads("[" + stream.message(3) + "]");
    stream.expect_spoilt(2, 0, 1);
  }
}

void a_frame_may_carry_several(void**) {
  Stream stream("%P", Check::marked);
  assert_true(stream.reads("a" + stream.message(1) + "b" + stream.message(2) +
                           stream.message(3)));
  stream.expect_clean(3);
}

void what_a_frame_cuts_comes_with_the_next(void**) {
  const Stream sample("%P", Check::marked);
  const std::string all = "MSG\r\n" + sample.message(1) + "\r\nMSG\r\n" +
                          sample.message(2) + "\r\n";
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    Stream stream("%P", Check::marked);
    stream.reads(Bytes(all).substr(0, cut));
    stream.reads(Bytes(all).substr(cut));
    stream.gets({3});
    stream.expect_clean(3);
  }
}

void what_is_cut_for_good_is_damaged(void**) {
  const std::string sound = Stream("%P", Check::marked).message(2);
  for (std::size_t size = 8; size < sound.size(); ++size) {
    Stream stream("%P", Check::marked);
    stream.gets({1});
    stream.reads(R"({"m":")" + sound.substr(0, size) + R"("}})");
    stream.gets({3});
    stream.expect_spoilt(2, 0, 1);
  }
}

void a_body_may_do_without_a_channel(void**) {
  Stream stream("#seq:%s# of %n", Check::whole);
  stream.reads("#seq:1# of 3");
  stream.reads("#seq:2# of 8");
  assert_int_equal(stream.tally.messages, 2);
  stream.reads("#seq:3# of 14");
  stream.expect_spoilt(2, 0, 1);
}

void marks_that_are_cut_are_none(void**) {
  Stream stream("%P", Check::marked);
  for (const char* bytes : {"", "# ", "#seq ", "seq:1# ", "##-", "nothing"}) {
    assert_false(stream.reads(bytes));
  }
  stream.expect(0, 0, 0, 0);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(whole_and_in_order_is_clean),
      cmocka_unit_test(what_came_to_others_before_is_clean),
      cmocka_unit_test(what_is_left_out_is_missing),
      cmocka_unit_test(what_comes_twice_is_a_duplicate),
      cmocka_unit_test(what_comes_late_is_missed_and_then_reordered),
      cmocka_unit_test(a_first_message_that_is_none_is_missed),
      cmocka_unit_test(a_message_of_another_channel_is_misdelivered),
      cmocka_unit_test(no_bit_may_be_another),
      cmocka_unit_test(no_byte_may_be_missing_or_too_many),
      cmocka_unit_test(what_is_around_a_message_may_be_anything),
      cmocka_unit_test(a_frame_may_carry_several),
      cmocka_unit_test(what_a_frame_cuts_comes_with_the_next),
      cmocka_unit_test(what_is_cut_for_good_is_damaged),
      cmocka_unit_test(a_body_may_do_without_a_channel),
      cmocka_unit_test(marks_that_are_cut_are_none),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
