// The port to a back end that decides what clients may, one question after the
// other, and takes its time. Owned by the configuration, which outlives the
// sessions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "base/bytes.hpp"
#include "base/publication.hpp"

namespace paperboy::session {

class Judge {
 public:
  enum class Matter : std::uint8_t { subscribe, publish };

  enum class Verdict : std::uint8_t {
    allowed,
    refused,
    unknown,    // there is nobody to say so now
    undecided,  // it can't be asked, or its answer is neither: it is no yes
  };

  struct Question {
    Matter matter;
    Bytes user;    // empty: nobody in particular
    Bytes client;  // its id
    Bytes name_space;
    Bytes channel;

    // Of a publish.
    Kind kind = Kind::text;
    Bytes data{};
  };

  using Reply = std::function<void(Verdict)>;

  Judge() = default;
  Judge(const Judge&) = delete;
  Judge& operator=(const Judge&) = delete;
  virtual ~Judge() = default;

  [[nodiscard]] virtual bool decides(Matter matter) const = 0;

  /// So many questions of one client may wait.
  [[nodiscard]] virtual std::size_t most_waiting() const = 0;

  /// Calls `reply` once, in a later turn of the loop, unless the worker ends.
  /// The question is good for this call.
  virtual void ask(const Question& question, Reply reply) const = 0;
};

}  // namespace paperboy::session
