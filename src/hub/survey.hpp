// Asks all nodes that share the broker, and answers for this one: a question
// goes through a channel of our own to all workers; of each node one answers,
// into a channel of the asker's. So questions and answers are delivered, and
// repaired, as every message is. Whoever doesn't answer in time fails it: there
// is no answer of some of the nodes.
//
// One a worker, on its event loop.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "hub/ear.hpp"
#include "hub/hub.hpp"

namespace paperboy::hub {

/// The key of the channel in which questions go; no name makes it.
inline constexpr Bytes kSurvey{"\0survey", 7};

class Survey {
 public:
  /// What this node answers; nothing: this worker doesn't speak for it.
  using Answerer = std::function<std::optional<std::string>(Bytes question)>;
  /// Each asked node's answer. Error: unavailable.
  using Reply = std::function<void(const Result<std::vector<std::string>>&)>;

  /// `hub` and `clock` must outlive this. `node`: this one, as others ask for
  /// it; `worker`: of all that ask, this one.
  Survey(Hub& hub, const Clock& clock, std::string node, std::string worker,
         Answerer answerer);

  /// Questions and answers come from now on. Does nothing where they do.
  Result<Done> listen();
  [[nodiscard]] bool listening() const {
    return questions_.listening() && answers_.listening();
  }

  /// Answers once, later. It looks at the time once a second.
  void ask(Bytes question, const std::vector<std::string>& nodes,
           std::uint64_t within_ms, Reply reply);

  /// After a drain: is there anything to answer, or answered?
  void look();

  /// Once a second: what is too late.
  void tick();

 private:
  struct Parts {
    std::vector<std::string> pages;
    std::uint64_t count = 0;  // of pages
  };

  struct Asked {
    std::set<std::string> missing;                               // nodes
    std::map<std::pair<std::string, std::string>, Parts> parts;  // by worker
    std::vector<std::string> answers;
    std::uint64_t ends_at = 0;  // monotonic ms
    Reply reply;
  };

  void answer(Bytes question);
  void note(Bytes message);
  void end(std::uint64_t number, const std::optional<Error>& error);

  Hub& hub_;
  const Clock& clock_;
  const std::string node_;
  const std::string worker_;
  Answerer answerer_;
  Ear questions_;
  Ear answers_;
  std::uint64_t last_ = 0;
  std::map<std::uint64_t, Asked> asked_;  // by number
};

}  // namespace paperboy::hub
