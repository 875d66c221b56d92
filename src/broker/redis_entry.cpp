#include "broker/redis_entry.hpp"

#include <algorithm>
#include <charconv>

#include "base/utf8.hpp"
#include "broker/redis_identity.hpp"

namespace paperboy::broker::redis {

namespace {

/// A header's words, one after the other.
class Words {
 public:
  explicit Words(Bytes text) : rest_(text) {}

  Bytes next() {
    const std::size_t end = rest_.find(' ');
    const Bytes word = rest_.substr(0, end);
    more_ = end != Bytes::npos;
    rest_.remove_prefix(more_ ? end + 1 : rest_.size());
    return word;
  }

  bool number(std::uint64_t& value) {
    const Bytes word = next();
    const auto [end, error] =
        std::from_chars(word.data(), word.data() + word.size(), value);
    return !word.empty() && error == std::errc() &&
           end == word.data() + word.size();
  }

  [[nodiscard]] bool at_end() const { return !more_; }

 private:
  Bytes rest_;
  bool more_ = true;
};

bool read_id(Bytes word, Entry& entry) {
  entry.replication_id = word;
  return word.size() == kReplicationIdDigits &&
         word.find_first_not_of("0123456789abcdef") == Bytes::npos;
}

bool read_kind(Bytes word, Entry& entry) {
  entry.kind = word == "b" ? Kind::binary : Kind::text;
  return word == "t" || word == "b";
}

bool read_event(Bytes word, Entry& entry) {
  if (word.size() != 1) return false;
  switch (word.front()) {
    case 'm':
      entry.event = Event::message;
      return true;
    case 'p':
      entry.event = Event::passing;
      return true;
    case 'j':
      entry.event = Event::join;
      return true;
    case 'l':
      entry.event = Event::leave;
      return true;
    case 'x':
      entry.removal = true;
      return true;
    default:
      return false;
  }
}

}  // namespace

std::optional<Entry> parse_entry(Bytes text) {
  const std::size_t end = text.find('\n');
  if (end == Bytes::npos) return {};
  Entry entry;
  Words words(text.substr(0, end));
  if (words.next() != "1") return {};
  const auto epoch = parse_epoch(words.next());
  std::uint64_t extra = 0;
  if (!epoch || *epoch == 0 || !words.number(entry.position.offset) ||
      !words.number(entry.sequence) || !read_id(words.next(), entry) ||
      !words.number(entry.ms) || !read_kind(words.next(), entry) ||
      !read_event(words.next(), entry) || !words.number(extra) ||
      !words.at_end()) {
    return {};
  }
  entry.position.epoch = *epoch;
  const Bytes rest = text.substr(end + 1);
  if (extra > rest.size() || extra > Draft::kMaxExtra) return {};
  entry.extra = rest.substr(0, extra);
  entry.data = rest.substr(extra);
  if (!is_utf8(entry.extra)) return {};
  if (entry.kind == Kind::text && !is_utf8(entry.data)) return {};
  return entry;
}

}  // namespace paperboy::broker::redis
