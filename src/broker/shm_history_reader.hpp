// One reading of a channel's history, in as many holds of the lock as it
// takes: between them others publish, and the oldest may go.
//
// Where it stands is noted as a block and its offset. What is kept goes from
// the front only, so as long as the channel's oldest is no newer than that
// offset, the block is what it was. Where all was forgotten and other was kept
// in its place, the annex has another mark, and the reader looks for its place
// again.
#pragma once

#include <cstdint>

#include "base/history.hpp"
#include "broker/shm_history.hpp"

namespace paperboy::broker::shm {

class HistoryReader {
 public:
  /// `query` must outlive this.
  explicit HistoryReader(const HistoryQuery& query) : query_(query) {}

  /// Reads on, under the lock, for at most kSlice publications or bytes. True:
  /// that was all. `position`, `annex`: of the channel, now; no annex: nothing
  /// is kept.
  bool read_on(const History& history, const Position& position,
               const Annex* annex);

  /// The channel is gone: true if there was one before.
  [[nodiscard]] bool has_begun() const { return begun_; }

  [[nodiscard]] HistoryPage take() { return std::move(page_); }

 private:
  bool begin(const Position& position);
  bool seek(const History& history, const Annex& annex);
  bool copy(const History& history);

  const HistoryQuery& query_;
  HistoryPage page_;
  bool begun_ = false;
  std::uint64_t bytes_ = 0;   // of data and extra, so far
  std::uint64_t wanted_ = 0;  // the next offset, or one beyond it
  Ref at_ = 0;                // 0: at neither end yet
  std::uint64_t at_offset_ = 0;
  std::uint64_t mark_ = 0;  // of the annex, when that was noted
};

}  // namespace paperboy::broker::shm
