#include "broker/shm_order.hpp"

namespace paperboy::broker::shm {

void Order::enlist(Transaction& tx, ChannelRef ref) {
  DirectoryHeader& list = view_.header().directory;
  tx.set(channel(ref).newer, 0);
  tx.set(channel(ref).older, list.newest);
  tx.set(list.newest != 0 ? channel(list.newest).newer : list.oldest, ref);
  tx.set(list.newest, ref);
}

void Order::delist(Transaction& tx, ChannelRef ref) {
  DirectoryHeader& list = view_.header().directory;
  const Channel& it = channel(ref);
  tx.set(it.newer != 0 ? channel(it.newer).older : list.newest, it.older);
  tx.set(it.older != 0 ? channel(it.older).newer : list.oldest, it.newer);
}

Annex* Order::annex(ChannelRef ref) const {
  const Ref annex = channel(ref).annex();
  return annex != 0 ? view_.block<Annex>(annex) : nullptr;
}

Annex* Order::need_annex(Transaction& tx, ChannelRef ref, Use use) {
  Channel& it = channel(ref);
  if (it.annex() == 0) {
    const auto made = arena_.allocate(tx, sizeof(Annex), use);
    if (!made) return nullptr;
    Annex& fresh = *view_.block<Annex>(*made);
    fresh = Annex{};
    fresh.mark = next_mark(tx);
    step();
    delist(tx, ref);
    tx.set(it.older, *made);
    tx.set(it.form, static_cast<std::uint16_t>(it.form | Channel::kAnnex));
  }
  return annex(ref);
}

std::uint64_t Order::next_mark(Transaction& tx) {
  DirectoryHeader& all = view_.header().directory;
  tx.set(all.marks, all.marks + 1);
  return all.marks;
}

void Order::renew(Transaction& tx, ChannelRef ref) {
  Annex* const it = annex(ref);
  if (it != nullptr) tx.set(it->mark, next_mark(tx));
}

void Order::drop_empty_annex(Transaction& tx, ChannelRef ref) {
  const Annex* const it = annex(ref);
  if (it == nullptr || !it->empty()) return;
  Channel& channel = this->channel(ref);
  arena_.release(tx, channel.annex());
  tx.set(channel.form,
         static_cast<std::uint16_t>(channel.form & ~Channel::kAnnex));
  enlist(tx, ref);
}

}  // namespace paperboy::broker::shm
