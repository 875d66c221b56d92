// What a publisher leaves in a message to be recognised by, read and judged by
// who gets it:
//
//   marks = "#seq:" number "#" { "#ch:" number "#" | "#ts:" number "#" }
//
// the number of the message in its channel, the channel's, and when it was
// published. The numbers of a channel begin with 1 and have no holes.
//
// With them the body is filled in once more, and what came has to be that, byte
// by byte: all of it where a frame is the message and nothing else, else from
// the first mark to the end of the last one, or of %P. A frame may carry
// several then, and the next one may bring the rest of what it cuts. One of a
// thread's.
#pragma once

#include <array>
#include <string>
#include <unordered_map>

#include "options.hpp"
#include "tally.hpp"

namespace paperboy::load {

/// A connection, for who judges what comes on it.
struct Listener {
  std::size_t id;
  std::uint64_t channel;
  std::uint64_t& last;  ///< the highest number that it has had; 0: none
};

class Inspector {
 public:
  /// Both must outlive it. Ends the process where the body can't be recognised.
  Inspector(const Options& options, Tally& tally);

  /// Counts what came. A number after a hole counts as missing what it leaves
  /// out; one after a higher one, as reordered; the last one again is a
  /// duplicate. One of another channel, and one that isn't what was published,
  /// are no deliveries. False: there was no message.
  bool inspect(const Listener& listener, Bytes bytes, std::uint64_t now_ns);
  /// What it waits for the rest of.
  void forget(std::size_t id) { begun_.erase(id); }

  /// Bytes of a message, about, at most.
  [[nodiscard]] std::size_t longest() const { return longest_; }

 private:
  /// A message that was what it had to be: most come to many.
  struct Known {
    std::uint64_t channel = 0;
    std::uint64_t sequence = 0;
    std::uint64_t time = 0;
    std::string text;
  };

  bool inspect_marked(const Listener& listener, Bytes bytes,
                      std::uint64_t now_ns);
  std::size_t take_message(const Listener& listener, Bytes bytes,
                           std::uint64_t now_ns);
  bool inspect_whole(const Listener& listener, Bytes bytes,
                     std::uint64_t now_ns);
  bool read_marks(Bytes bytes, Values& values) const;
  const std::string& filled(const Values& values);
  Known& place_of(const Listener& listener);
  std::size_t take_known(const Listener& listener, Bytes bytes,
                         std::uint64_t now_ns);
  void judge(const Listener& listener, bool sound, const Values& values,
             std::uint64_t now_ns);
  void note_sequence(std::uint64_t number, std::uint64_t& last);
  void note_time(std::uint64_t then, std::uint64_t now_ns);

  const Options& options_;
  Tally& tally_;
  const bool whole_;
  Template message_;
  bool has_channel_;
  bool has_time_;
  std::size_t longest_;
  std::string filled_;
  std::array<Known, 256> known_;
  std::unordered_map<std::size_t, std::string> begun_;
};

}  // namespace paperboy::load
