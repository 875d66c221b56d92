#include "broker/shm_members.hpp"

#include <cstring>

namespace paperboy::broker::shm {

namespace {

constexpr std::size_t kSlice = 256;  // members, in one hold of the lock

std::size_t length(const Member& member) {
  return member.client.size() + member.user.size() + member.conn_info.size() +
         member.chan_info.size();
}

}  // namespace

void Members::format() { header() = MembersHeader{}; }

bool Members::fits(const Member& member) {
  return length(member) <= kMaxLength;
}

Ref Members::enter(ChannelRef channel, SeatIndex seat, const Member& member,
                   bool announced) {
  Transaction tx(view_);
  Annex* const annex = order_.need_annex(tx, channel);
  if (annex == nullptr) return 0;
  const auto block =
      arena_.allocate(tx, sizeof(MemberEntry) + length(member), Use::member);
  if (!block) return 0;
  MemberEntry& it = entry(*block);
  it = {.serial = header().serial + 1,
        .channel = channel,
        .newer = 0,
        .older = annex->newest_member,
        .next = view_.seat(seat).first_member,
        .previous = 0,
        .generation = view_.seat(seat).generation,
        .seat = seat,
        .client_length = static_cast<std::uint16_t>(member.client.size()),
        .user_length = static_cast<std::uint16_t>(member.user.size()),
        .conn_info_length = static_cast<std::uint16_t>(member.conn_info.size()),
        .chan_info_length = static_cast<std::uint16_t>(member.chan_info.size()),
        .announced = static_cast<std::uint8_t>(announced ? 1 : 0),
        .unused = 0};
  auto* to = reinterpret_cast<std::byte*>(&it + 1);
  for (const Bytes part :
       {member.client, member.user, member.conn_info, member.chan_info}) {
    if (!part.empty()) std::memcpy(to, part.data(), part.size());
    to += part.size();
  }
  step();
  link(tx, *annex, *block);
  tx.commit();
  return *block;
}

bool Members::is_of(Ref ref, SeatIndex seat) const {
  return arena_.is_taken(ref, Use::member) && entry(ref).seat == seat &&
         live(entry(ref));
}

void Members::remove(Transaction& tx, Ref ref) {
  const MemberEntry& it = entry(ref);
  const ChannelRef channel = it.channel;
  Annex& annex = *order_.annex(channel);
  tx.set(it.newer != 0 ? entry(it.newer).older : annex.newest_member, it.older);
  if (it.older != 0) tx.set(entry(it.older).newer, it.newer);
  unlink_from_seat(tx, it);
  tx.set(annex.members, annex.members - 1);
  tx.set(header().members, header().members - 1);
  arena_.release(tx, ref);
  order_.drop_empty_annex(tx, channel);
}

Member Members::member(const MemberEntry& entry) const {
  const auto* text = reinterpret_cast<const char*>(&entry + 1);
  const char* const user = text + entry.client_length;
  const char* const conn_info = user + entry.user_length;
  const char* const chan_info = conn_info + entry.conn_info_length;
  return {{text, entry.client_length},
          {user, entry.user_length},
          {conn_info, entry.conn_info_length},
          {chan_info, entry.chan_info_length}};
}

bool Members::is_still(Ref ref, std::uint64_t serial) const {
  return arena_.is_taken(ref, Use::member) && entry(ref).serial == serial;
}

void Members::link(Transaction& tx, Annex& annex, Ref ref) {
  const MemberEntry& it = entry(ref);
  Seat& seat = view_.seat(it.seat);
  if (it.older != 0) tx.set(entry(it.older).newer, ref);
  tx.set(annex.newest_member, ref);
  tx.set(annex.members, annex.members + 1);
  tx.set(it.next != 0 ? entry(it.next).previous : seat.last_member, ref);
  tx.set(seat.first_member, ref);
  tx.set(header().serial, it.serial);
  tx.set(header().members, header().members + 1);
}

void Members::unlink_from_seat(Transaction& tx, const MemberEntry& it) {
  Seat& seat = view_.seat(it.seat);
  const bool orphan = !live(it);
  Ref& first = orphan ? header().orphans : seat.first_member;
  tx.set(it.previous != 0 ? entry(it.previous).next : first, it.next);
  if (it.next != 0) {
    tx.set(entry(it.next).previous, it.previous);
  } else if (!orphan) {
    tx.set(seat.last_member, it.previous);
  }
}

bool MemberReader::read_on(const Members& members, const Annex* annex) {
  if (annex == nullptr) return true;
  Ref at = seen_ == 0 ? annex->newest_member : resume(members, *annex);
  for (std::size_t n = 0; n < kSlice && at != 0; n++) {
    const MemberEntry& it = members.entry(at);
    if (members.live(it)) sink_(members.member(it));
    last_[seen_++ % last_.size()] = {at, it.serial};
    at = it.older;
  }
  return at == 0;
}

/// Serials fall along the list. From the last seen that is still there, or, if
/// of the last sixteen none is, from the newest: to the next one.
Ref MemberReader::resume(const Members& members, const Annex& annex) const {
  Ref at = annex.newest_member;
  const std::uint64_t last = last_[(seen_ - 1) % last_.size()].serial;
  for (std::uint64_t i = 1; i <= last_.size() && i <= seen_; i++) {
    const Seen& seen = last_[(seen_ - i) % last_.size()];
    if (members.is_still(seen.ref, seen.serial)) {
      at = seen.ref;
      break;
    }
  }
  while (at != 0 && members.entry(at).serial >= last) {
    at = members.entry(at).older;
  }
  return at;
}

}  // namespace paperboy::broker::shm
