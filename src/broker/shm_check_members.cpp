#include "broker/shm_check_members.hpp"

namespace paperboy::broker::shm {

namespace {

class MembersChecker {
 public:
  MembersChecker(View view, const Arena& arena, const Members& members,
                 std::unordered_set<Ref>& reached)
      : view_(view),
        all_(view.header().members),
        arena_(arena),
        members_(members),
        reached_(reached) {}

  const char* run() {
    for (std::uint64_t b = 0; b < view_.geometry().buckets; b++) {
      for (Ref ref = view_.buckets()[b]; ref != 0;
           ref = view_.block<Channel>(ref)->next) {
        if (view_.block<Channel>(ref)->annex() == 0) continue;
        const char* wrong = channel(ref);
        if (wrong != nullptr) return wrong;
      }
    }
    if (found_.size() != all_.members || found_.size() != blocks()) {
      return "members: bad count";
    }
    return owners();
  }

 private:
  const char* channel(ChannelRef ref) {
    const Annex& annex =
        *view_.block<Annex>(view_.block<Channel>(ref)->annex());
    std::uint64_t serial = all_.serial + 1;
    std::uint32_t number = 0;
    Ref newer = 0;
    for (Ref at = annex.newest_member; at != 0; at = members_.entry(at).older) {
      if (!arena_.is_taken(at, Use::member) || !reached_.insert(at).second) {
        return "members: bad link";
      }
      const MemberEntry& it = members_.entry(at);
      if (it.channel != ref || it.newer != newer || it.serial >= serial ||
          it.seat >= view_.geometry().seats || bytes(it) > room(at)) {
        return "members: one that doesn't belong";
      }
      found_.insert(at);
      serial = it.serial;
      newer = at;
      number++;
    }
    return annex.members == number ? nullptr : "members: a channel's count";
  }

  static std::size_t bytes(const MemberEntry& it) {
    return std::size_t{it.client_length} + it.user_length +
           it.conn_info_length + it.chan_info_length;
  }

  std::size_t room(Ref ref) const {
    return arena_.block_size(ref) - sizeof(MemberEntry);
  }

  /// That are taken in pages for members.
  std::uint64_t blocks() const {
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i < view_.geometry().pages; i++) {
      const Page& page = view_.pages()[i];
      if (page.size_class != 0 && page.use == Use::member) sum += page.used;
    }
    return sum;
  }

  /// Each is in one list, of its seat or of the orphans.
  const char* owners() {
    for (std::uint64_t i = 0; i < view_.geometry().seats; i++) {
      const auto index = static_cast<SeatIndex>(i);
      const Seat& seat = view_.seat(index);
      Ref last = 0;
      for (Ref at = seat.first_member; at != 0; at = members_.entry(at).next) {
        if (!owned(at, last) || members_.entry(at).seat != index ||
            !members_.live(members_.entry(at))) {
          return "seat: bad list of members";
        }
        last = at;
      }
      if (seat.last_member != last) return "seat: bad end of members";
    }
    Ref last = 0;
    for (Ref at = all_.orphans; at != 0; at = members_.entry(at).next) {
      if (!owned(at, last) || members_.live(members_.entry(at))) {
        return "orphans: bad list";
      }
      last = at;
    }
    return found_.empty() ? nullptr : "members: one is nobody's";
  }

  bool owned(Ref at, Ref previous) {
    return found_.erase(at) == 1 && members_.entry(at).previous == previous;
  }

  View view_;
  const MembersHeader& all_;
  const Arena& arena_;
  const Members& members_;
  std::unordered_set<Ref>& reached_;
  std::unordered_set<Ref> found_;
};

}  // namespace

const char* check_members(View view, const Arena& arena, const Members& members,
                          std::unordered_set<Ref>& reached) {
  return MembersChecker(view, arena, members, reached).run();
}

}  // namespace paperboy::broker::shm
