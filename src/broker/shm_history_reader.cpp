#include "broker/shm_history_reader.hpp"

#include <utility>

namespace paperboy::broker::shm {

namespace {

// For one hold of the lock.
constexpr std::size_t kSliceMessages = 512;
constexpr std::size_t kSliceBytes = 256UL * 1024;
constexpr std::size_t kSliceSteps = 2048;

}  // namespace

bool HistoryReader::read_on(const History& history, const Position& position,
                            const Annex* annex) {
  if (!begun_ && !begin(position)) return true;
  if (position.epoch != page_.top.epoch || annex == nullptr ||
      annex->first == 0) {
    return true;
  }
  if (!seek(history, *annex)) return false;
  return copy(history);
}

/// False: there is nothing to be read.
bool HistoryReader::begin(const Position& position) {
  begun_ = true;
  page_.top = position;
  if (query_.limit == 0 || (query_.since && query_.since->epoch != 0 &&
                            query_.since->epoch != position.epoch)) {
    return false;
  }
  if (query_.reverse) {
    wanted_ = position.offset;
    if (query_.since) wanted_ = std::min(wanted_, query_.since->offset - 1);
    return wanted_ != 0 && (!query_.since || query_.since->offset != 0);
  }
  wanted_ = 1;
  if (query_.since) {
    if (query_.since->offset >= position.offset) return false;
    wanted_ = query_.since->offset + 1;
  }
  return wanted_ <= position.offset;
}

/// Walks to the first that is wanted, or to the one beside where it would be.
/// False: not there yet.
bool HistoryReader::seek(const History& history, const Annex& annex) {
  const std::uint64_t first = history.kept(annex.first).offset;
  const std::uint64_t last = history.kept(annex.last).offset;
  if (at_ == 0 || mark_ != annex.mark || at_offset_ < first) {
    mark_ = annex.mark;
    const bool near_first =
        wanted_ <= first ||
        (wanted_ < last && wanted_ - first < last - wanted_);
    at_ = near_first ? annex.first : annex.last;
  }
  for (std::size_t steps = 0; steps < kSliceSteps; steps++) {
    const KeptMessage& it = history.kept(at_);
    at_offset_ = it.offset;
    Ref next = 0;
    if (it.offset < wanted_) {
      next = it.next;
      // Reading back, the one before a hole is it.
      if (next != 0 && query_.reverse && history.kept(next).offset > wanted_) {
        return true;
      }
    } else if (it.offset > wanted_) {
      next = it.previous;
      if (next != 0 && !query_.reverse && history.kept(next).offset < wanted_) {
        return true;
      }
    }
    if (next == 0) return true;
    at_ = next;
  }
  return false;
}

/// From where it stands. False: there is more.
bool HistoryReader::copy(const History& history) {
  std::size_t bytes = 0;
  for (std::size_t n = 0; n < kSliceMessages && bytes < kSliceBytes; n++) {
    const KeptMessage& it = history.kept(at_);
    at_offset_ = it.offset;
    const bool wrong_side =
        query_.reverse ? it.offset > wanted_ : it.offset < wanted_;
    if (wrong_side || it.offset > page_.top.offset) return true;
    const std::uint64_t size = it.data_length + std::uint64_t{it.extra_length};
    if (size > query_.bytes - bytes_) return true;
    bytes_ += size;
    Kept& made = page_.publications.emplace_back();
    made.position = {page_.top.epoch, it.offset};
    made.kind = static_cast<Kind>(it.kind);
    history.read(it, made.data, made.extra);
    bytes += sizeof(Kept) + made.data.size() + made.extra.size();
    wanted_ = query_.reverse ? it.offset - 1 : it.offset + 1;
    const Ref next = query_.reverse ? it.previous : it.next;
    if (next == 0 || page_.publications.size() >= query_.limit) return true;
    at_ = next;
  }
  at_offset_ = history.kept(at_).offset;
  return false;
}

}  // namespace paperboy::broker::shm
