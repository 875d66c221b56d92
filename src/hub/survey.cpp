//   question := version worker number text
//   answer   := version number node worker page pages text
//
// Numbers and strings are those of base/packing.hpp.
#include "hub/survey.hpp"

#include <algorithm>

#include "base/packing.hpp"

namespace paperboy::hub {

namespace {

constexpr std::uint64_t kVersion = 1;

constexpr std::size_t kPage = 16UL * 1024;    // bytes
constexpr std::uint64_t kMostPages = 64'000;  // of an answer

constexpr Error kNoAnswer{ErrorCode::unavailable,
                          "a node that shares the channels didn't answer"};

std::string answers_of(Bytes worker) {
  return std::string(Bytes("\0answers/", 9)).append(worker);
}

}  // namespace

Survey::Survey(Hub& hub, const Clock& clock, std::string node,
               std::string worker, Answerer answerer)
    : hub_(hub),
      clock_(clock),
      node_(std::move(node)),
      worker_(std::move(worker)),
      answerer_(std::move(answerer)),
      questions_(hub, std::string(kSurvey)),
      answers_(hub, answers_of(worker_)) {}

Result<Done> Survey::listen() {
  const auto hears = questions_.listen();
  if (!hears) return hears;
  return answers_.listen();
}

// ---- asking ----------------------------------------------------------------

void Survey::ask(Bytes question, const std::vector<std::string>& nodes,
                 std::uint64_t within_ms, Reply reply) {
  const std::uint64_t number = ++last_;
  Asked& asked = asked_[number];
  asked.missing.insert(nodes.begin(), nodes.end());
  asked.ends_at = clock_.monotonic_ms() + within_ms;
  asked.reply = std::move(reply);
  std::string message;
  put(message, kVersion);
  put(message, worker_);
  put(message, number);
  put(message, question);
  // What fails is not answered in time.
  hub_.publish({.channel = kSurvey, .kind = Kind::binary, .data = message},
               [](const auto&) {});
}

void Survey::look() {
  for (const std::string& question : questions_.take()) answer(question);
  for (const std::string& message : answers_.take()) note(message);
}

/// Pages that aren't the next are of one that was heard in part: nothing of it
/// counts.
void Survey::note(Bytes message) {
  Unpacker in(message);
  if (in.number() != kVersion) return;
  const std::uint64_t number = in.number();
  std::string node(in.text());
  std::string worker(in.text());
  const std::uint64_t page = in.number();
  const std::uint64_t count = in.number();
  const Bytes text = in.text();
  const auto found = asked_.find(number);
  if (!in.done() || found == asked_.end()) return;
  Asked& asked = found->second;
  if (!asked.missing.contains(node) || count > kMostPages) return;
  Parts& parts = asked.parts[{node, std::move(worker)}];
  if (page != parts.pages.size()) return;
  parts.pages.emplace_back(text);
  if (parts.pages.size() < count) return;
  std::string whole;
  for (const std::string& one : parts.pages) whole += one;
  asked.answers.push_back(std::move(whole));
  asked.missing.erase(node);
  if (asked.missing.empty()) end(number, {});
}

void Survey::end(std::uint64_t number, const std::optional<Error>& error) {
  const auto asked = asked_.extract(number);
  if (error) return asked.mapped().reply(*error);
  asked.mapped().reply(asked.mapped().answers);
}

void Survey::tick() {
  const std::uint64_t now = clock_.monotonic_ms();
  std::vector<std::uint64_t> late;
  for (const auto& [number, asked] : asked_) {
    if (asked.ends_at <= now) late.push_back(number);
  }
  for (const std::uint64_t number : late) end(number, kNoAnswer);
}

// ---- answering -------------------------------------------------------------

void Survey::answer(Bytes question) {
  Unpacker in(question);
  if (in.number() != kVersion) return;
  const std::string channel = answers_of(in.text());
  const std::uint64_t number = in.number();
  const Bytes text = in.text();
  if (!in.done()) return;
  const auto answer = answerer_(text);
  if (!answer) return;
  const std::uint64_t pages =
      std::max<std::uint64_t>((answer->size() + kPage - 1) / kPage, 1);
  for (std::uint64_t page = 0; page < pages; ++page) {
    std::string message;
    put(message, kVersion);
    put(message, number);
    put(message, node_);
    put(message, worker_);
    put(message, page);
    put(message, pages);
    put(message, Bytes(*answer).substr(page * kPage, kPage));
    hub_.publish({.channel = channel, .kind = Kind::binary, .data = message},
                 [](const auto&) {});
  }
}

}  // namespace paperboy::hub
