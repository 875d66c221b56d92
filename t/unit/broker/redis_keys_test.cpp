#include "broker/redis_keys.hpp"

#include <string>

#include "test.hpp"  // last: a macro of its own is called fail

namespace paperboy::broker::redis {
namespace {

const Keys keys("pb:");

// FNV-1a's published test vectors: "" cbf29ce484222325, "foobar"
// 85944171f73967e8.
void buckets_are_a_constant_of_the_format(void**) {
  assert_int_equal(bucket_of(""), 0x25);
  assert_int_equal(bucket_of("foobar"), 0xe8);
}

void all_keys_of_a_channel_share_its_hash_tag(void**) {
  const std::string tag = "pb:{232}";
  assert_true(keys.bucket(232) == tag);
  assert_true(keys.changed(232) == tag + ":c");
  assert_true(keys.meta("foobar") == tag + ":m:foobar");
  assert_true(keys.stream("foobar") == tag + ":s:foobar");
  assert_true(keys.topic("foobar") == tag + ":t:foobar");
  assert_true(keys.members("foobar") == tag + ":p:foobar");
  assert_true(keys.idempotency("foobar", "k").starts_with(tag + ":i:"));
}

void who_lives_is_in_one_slot(void**) {
  for (const std::string& key :
       {keys.leases(), keys.dead(), keys.buried(), keys.nodes()}) {
    assert_true(key.starts_with("pb:{0}:"));
  }
  assert_true(keys.held(7, "holder") == "pb:{7}:h:holder");
}

void a_key_of_one_channel_is_not_another_s(void**) {
  assert_true(keys.idempotency("a", "bc") != keys.idempotency("ab", "c"));
  assert_int_equal(keys.idempotency("a", "bc").size(),
                   keys.idempotency("a", "x").size());
}

void a_topic_tells_its_channel(void**) {
  for (const std::string& name :
       {std::string("foobar"), std::string("a}:t:b"), std::string("\0x", 2)}) {
    assert_true(keys.channel_of(keys.topic(name)) == name);
  }
}

void databases_do_not_hear_each_other(void**) {
  const Keys other("pb:", 12);
  const std::string topic = other.topic("foobar");
  assert_true(topic == "pb:{232}:t12:foobar");
  assert_true(other.channel_of(topic) == "foobar");
  assert_true(keys.channel_of(topic).empty());
  assert_true(other.channel_of(keys.topic("foobar")).empty());
  assert_true(Keys("pb:", 1).channel_of(topic).empty());
  assert_true(other.meta("foobar") == keys.meta("foobar"));
}

void the_inbox_is_in_the_first_bucket(void**) {
  assert_true(keys.inbox() == "pb:{0}:inbox");
}

void other_topics_tell_none(void**) {
  for (const Bytes topic :
       {"", "foobar", "pb:", "pb:{232}:m:foobar", "pb:{1}:t:foobar",
        "xx:{232}:t:foobar", "pb:{232}:t:foobaz", "pb:{}:t:foobar"}) {
    assert_true(keys.channel_of(topic).empty());
  }
}

}  // namespace
}  // namespace paperboy::broker::redis

int main() {
  using namespace paperboy::broker::redis;
  const CMUnitTest tests[] = {
      cmocka_unit_test(buckets_are_a_constant_of_the_format),
      cmocka_unit_test(all_keys_of_a_channel_share_its_hash_tag),
      cmocka_unit_test(who_lives_is_in_one_slot),
      cmocka_unit_test(a_key_of_one_channel_is_not_another_s),
      cmocka_unit_test(a_topic_tells_its_channel),
      cmocka_unit_test(databases_do_not_hear_each_other),
      cmocka_unit_test(the_inbox_is_in_the_first_bucket),
      cmocka_unit_test(other_topics_tell_none),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
