#include "inspector.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace paperboy::load {

namespace {

constexpr Bytes kSequence = "#seq:";
constexpr Bytes kChannel = "#ch:";
constexpr Bytes kTime = "#ts:";
constexpr Bytes kCheck = "#sum:";
constexpr Bytes kPayload = "%P";
constexpr std::size_t kLine = 1024;  // of %l, in a message

// A body's part from its first mark to its last.
Bytes marked(Bytes body) {
  const std::size_t begin = std::min(body.find(kSequence), body.find(kPayload));
  if (begin == Bytes::npos) {
    give_up("--publish-body: needs %P or #seq:%s#, else nothing is recognised");
  }
  std::size_t end = begin;
  for (const Bytes mark : {kSequence, kChannel, kTime, kCheck}) {
    if (body.find(mark) < begin) {
      give_up("--publish-body: #seq:%s# has to be the first of its marks");
    }
    const std::size_t at = body.rfind(mark);
    if (at == Bytes::npos) continue;
    end = std::max(end, body.find('#', at + mark.size()) + 1);
  }
  if (const std::size_t at = body.rfind(kPayload); at != Bytes::npos) {
    end = std::max(end, at + kPayload.size());
  }
  return body.substr(begin, end - begin);
}

bool has(Bytes body, Bytes mark) {
  return body.find(mark) != Bytes::npos || body.find(kPayload) != Bytes::npos;
}

// The mark, its number and the "#" behind it. False: they aren't there.
bool take_mark(Bytes& bytes, Bytes mark, std::uint64_t& number) {
  bytes.remove_prefix(mark.size());
  const char* const end = bytes.data() + bytes.size();
  const auto [at, error] = std::from_chars(bytes.data(), end, number);
  if (error != std::errc() || at == end || *at != '#') return false;
  bytes.remove_prefix(static_cast<std::size_t>(at - bytes.data()) + 1);
  return true;
}

// How much of the end may be the begin of a mark.
std::size_t cut_mark(Bytes bytes) {
  std::size_t size = std::min(bytes.size(), kSequence.size() - 1);
  while (!bytes.ends_with(kSequence.substr(0, size))) --size;
  return size;
}

}  // namespace

Inspector::Inspector(const Options& options, Tally& tally)
    : options_(options),
      tally_(tally),
      whole_(options.is_whole()),
      has_channel_(has(options.publishing.body, kChannel)),
      has_time_(has(options.publishing.body, kTime)) {
  const Bytes part = marked(options.publishing.body);
  message_ = Template(whole_ ? Bytes(options.publishing.body) : part);
  if (!has_time_ && (message_.has('t') || message_.has('k'))) {
    give_up("--publish-body: where %t or %k is checked, #ts:%t# is needed");
  }
  const auto most = std::numeric_limits<std::uint64_t>::max();
  longest_ = filled({most, most, most, most, most, 0}).size() + kLine;
}

bool Inspector::inspect(const Listener& listener, Bytes bytes,
                        std::uint64_t now_ns) {
  if (whole_) return inspect_whole(listener, bytes, now_ns);
  if (begun_.empty()) return inspect_marked(listener, bytes, now_ns);
  auto begun = begun_.extract(listener.id);
  if (!begun) return inspect_marked(listener, bytes, now_ns);
  begun.mapped().append(bytes);
  return inspect_marked(listener, begun.mapped(), now_ns);
}

bool Inspector::inspect_whole(const Listener& listener, Bytes bytes,
                              std::uint64_t now_ns) {
  if (take_known(listener, bytes, now_ns) != 0) return true;
  Values values;
  values.channel = listener.channel;
  const std::size_t at = bytes.find(kSequence);
  const bool sound = at != Bytes::npos &&
                     read_marks(bytes.substr(at), values) &&
                     filled(values) == bytes;
  judge(listener, sound, values, now_ns);
  return at != Bytes::npos;
}

bool Inspector::inspect_marked(const Listener& listener, Bytes bytes,
                               std::uint64_t now_ns) {
  bool any = false;
  std::size_t at = 0;
  while ((at = bytes.find(kSequence)) != Bytes::npos) {
    any = true;
    bytes.remove_prefix(at);
    const std::size_t taken = take_message(listener, bytes, now_ns);
    if (taken == 0) break;
    bytes.remove_prefix(taken);
  }
  const std::size_t cut = at == Bytes::npos ? cut_mark(bytes) : bytes.size();
  if (cut > 0) begun_[listener.id] = bytes.substr(bytes.size() - cut);
  return any || cut > 0;
}

// How much of the bytes, which begin with a mark, it was; 0: the rest is to
// come.
std::size_t Inspector::take_message(const Listener& listener, Bytes bytes,
                                    std::uint64_t now_ns) {
  if (const auto size = take_known(listener, bytes, now_ns)) return size;
  Values values;
  values.channel = listener.channel;
  const bool read = read_marks(bytes, values);
  const std::string& text = filled(values);
  const bool sound = read && bytes.starts_with(text);
  const bool may_go_on =
      read ? text.starts_with(bytes)
           : bytes.size() < longest_ && bytes.find(kSequence, 1) == Bytes::npos;
  if (!sound && may_go_on) return 0;
  judge(listener, sound, values, now_ns);
  return sound ? text.size() : kSequence.size();
}

// From the first mark, which the bytes begin with, to the last that the body
// has. False: they aren't all there before the next message begins.
bool Inspector::read_marks(Bytes bytes, Values& values) const {
  if (!take_mark(bytes, kSequence, values.sequence)) return false;
  bool channel = !has_channel_;
  bool time = !has_time_;
  while (!channel || !time) {
    bytes.remove_prefix(std::min(bytes.find('#'), bytes.size()));
    if (bytes.empty() || bytes.starts_with(kSequence)) return false;
    if (bytes.starts_with(kChannel)) {
      channel = take_mark(bytes, kChannel, values.channel);
      if (!channel) return false;
    } else if (bytes.starts_with(kTime)) {
      time = take_mark(bytes, kTime, values.time);
      if (!time) return false;
    } else {
      bytes.remove_prefix(1);
    }
  }
  // As Publisher::publish_one counts.
  values.number = values.connection = values.line =
      (values.sequence - 1) * options_.subscribers.channels + values.channel;
  return true;
}

const std::string& Inspector::filled(const Values& values) {
  filled_.clear();
  message_.append_to(filled_, values, options_.run);
  return filled_;
}

Inspector::Known& Inspector::place_of(const Listener& listener) {
  return known_[(listener.channel + listener.last) % known_.size()];
}

// The next message of the channel, where another subscriber has had it: how
// much of the bytes it is. 0: they are something else, or not known yet.
std::size_t Inspector::take_known(const Listener& listener, Bytes bytes,
                                  std::uint64_t now_ns) {
  const Known& place = place_of(listener);
  if (place.sequence != listener.last + 1 ||
      place.channel != listener.channel || !bytes.starts_with(place.text) ||
      (whole_ && bytes.size() != place.text.size())) {
    return 0;
  }
  ++tally_.messages;
  ++listener.last;
  note_time(place.time, now_ns);
  return place.text.size();
}

void Inspector::judge(const Listener& listener, bool sound,
                      const Values& values, std::uint64_t now_ns) {
  const bool next = values.sequence == listener.last + 1;
  if (!sound) {
    ++tally_.damaged;
    if (next) ++listener.last;
    return;
  }
  if (values.channel != listener.channel) {
    ++tally_.misdelivered;
    return;
  }
  if (next) {
    Known& place = place_of(listener);
    place.channel = values.channel;
    place.sequence = values.sequence;
    place.time = values.time;
    place.text = filled_;
  }
  note_sequence(values.sequence, listener.last);
  note_time(values.time, now_ns);
}

void Inspector::note_sequence(std::uint64_t number, std::uint64_t& last) {
  ++tally_.messages;
  if (last == 0 && number != 1) ++tally_.late_first;
  if (number > last) {
    if (number != last + 1) ++tally_.gaps;
    tally_.missing += number - last - 1;
    last = number;
  } else if (number == last) {
    ++tally_.duplicates;
  } else {
    ++tally_.reorders;
  }
}

void Inspector::note_time(std::uint64_t then, std::uint64_t now_ns) {
  if (then != 0 && now_ns > then) tally_.latency.add(now_ns - then);
}

}  // namespace paperboy::load
