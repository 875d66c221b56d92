#include "broker/shm_check_history.hpp"

#include <unordered_map>

namespace paperboy::broker::shm {

namespace {

class HistoryChecker {
 public:
  HistoryChecker(View view, const Arena& arena,
                 std::unordered_set<Ref>& reached)
      : view_(view),
        all_(view.header().history),
        arena_(arena),
        reached_(reached) {}

  const char* run() {
    // Empty, but where nobody has come since one was killed.
    for (const Ref list : {all_.building, all_.doomed}) {
      for (Ref at = list; at != 0; at = view_.block<Chunk>(at)->next) {
        if (!reach(at)) return "history: bad chunk left over";
        used_ += arena_.block_size(at);
      }
    }
    for (std::uint64_t b = 0; b < view_.geometry().buckets; b++) {
      for (Ref ref = view_.buckets()[b]; ref != 0;
           ref = view_.block<Channel>(ref)->next) {
        if (view_.block<Channel>(ref)->annex() == 0) continue;
        const char* wrong = channel(ref);
        if (wrong != nullptr) return wrong;
      }
    }
    return order();
  }

 private:
  const KeptMessage& kept(Ref ref) const {
    return *view_.block<KeptMessage>(ref);
  }

  bool is_pinned(Ref ref) const {
    return (kept(ref).evict & KeptMessage::kPinned) != 0;
  }

  bool reach(Ref ref) {
    return arena_.is_taken(ref) && reached_.insert(ref).second;
  }

  /// The list of a channel, whose first is then expected in the order of all.
  const char* channel(ChannelRef ref) {
    const Channel& it = *view_.block<Channel>(ref);
    if (!reach(it.annex())) return "annex: bad link";
    const Annex& annex = *view_.block<Annex>(it.annex());
    if (annex.empty()) return "annex: empty";
    std::uint64_t number = 0;
    std::uint64_t bytes = 0;
    std::uint64_t offset = 0;
    Ref previous = 0;
    for (Ref at = annex.first; at != 0; at = kept(at).next) {
      const std::uint64_t before = used_;
      const char* wrong = message(at);
      if (wrong != nullptr) return wrong;
      pinned_bytes_ += is_pinned(at) ? used_ - before : 0;
      if (kept(at).channel != ref || kept(at).previous != previous ||
          kept(at).offset <= offset ||
          is_pinned(at) != is_pinned(annex.first) ||
          // Without a position: of a window that isn't whole.
          (it.epoch != 0 && kept(at).offset > it.offset)) {
        return "history: a message that doesn't belong";
      }
      offset = kept(at).offset;
      bytes += kept(at).data_length + std::uint64_t{kept(at).extra_length};
      number++;
      pinned_ += is_pinned(at) ? 1 : 0;
      previous = at;
    }
    if (annex.first != 0 && !is_pinned(annex.first)) next_[ref] = annex.first;
    return annex.last == previous && annex.kept == number &&
                   annex.kept_bytes == bytes
               ? nullptr
               : "history: a channel's sums are wrong";
  }

  /// Its blocks hold all of it, and no more.
  const char* message(Ref ref) {
    if (!reach(ref)) return "history: bad link";
    std::size_t left =
        kept(ref).data_length + std::size_t{kept(ref).extra_length};
    std::size_t room = arena_.block_size(ref) - sizeof(KeptMessage);
    used_ += arena_.block_size(ref);
    Ref more = kept(ref).more;
    for (; left > room; more = view_.block<Chunk>(more)->next) {
      left -= room;
      if (!reach(more)) return "history: bad chunk";
      room = arena_.block_size(more) - sizeof(Chunk);
      used_ += arena_.block_size(more);
    }
    return more == 0 ? nullptr : "history: a chunk too many";
  }

  const char* order() {
    std::uint64_t number = 0;
    Ref older = 0;
    for (Ref at = all_.oldest; at != 0; at = kept(at).newer) {
      if (!reached_.contains(at) || is_pinned(at) || kept(at).older != older ||
          next_[kept(at).channel] != at) {
        return "order of history: bad link";
      }
      next_[kept(at).channel] = kept(at).next;
      older = at;
      number++;
    }
    if (older != all_.newest || number + pinned_ != all_.kept) {
      return "order of history: incomplete";
    }
    for (const auto& [channel, next] : next_) {
      if (next != 0) return "order of history: one is missing";
    }
    return used_ == all_.used && pinned_bytes_ == all_.pinned
               ? nullptr
               : "history: bad sum of blocks";
  }

  View view_;
  const HistoryHeader& all_;
  const Arena& arena_;
  std::unordered_set<Ref>& reached_;
  std::unordered_map<ChannelRef, Ref> next_;
  std::uint64_t pinned_ = 0;
  std::uint64_t pinned_bytes_ = 0;
  std::uint64_t used_ = 0;
};

}  // namespace

const char* check_history(View view, const Arena& arena,
                          std::unordered_set<Ref>& reached) {
  return HistoryChecker(view, arena, reached).run();
}

}  // namespace paperboy::broker::shm
