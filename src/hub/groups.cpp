#include "hub/groups.hpp"

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/few.hpp"
#include "base/slab.hpp"
#include "hub/subscription.hpp"

namespace paperboy::hub {

namespace {

std::uint32_t number(std::size_t n) { return static_cast<std::uint32_t>(n); }

}  // namespace

struct Groups::Entry {
  [[nodiscard]] Position after() const { return ahead ? *ahead : Position{}; }

  Encoder* encoder = nullptr;
  std::unique_ptr<const Position> ahead;  // null: as most are, they aren't
  Few<Subscription*> members;
};

struct Groups::Many : Slabbed<Groups::Many> {
  Few<Entry> all;
};

Groups::~Groups() {
  if (!is_one()) delete many_;
}

std::size_t Groups::size() const {
  if (is_one()) return 1;
  return is_none() ? 0 : many_->all.size();
}

Group Groups::operator[](std::size_t i) const {
  if (is_one()) return {encoder_, {}, {&one_, 1}};
  const Entry& entry = many_->all[i];
  return {entry.encoder,
          entry.after(),
          {entry.members.data(), entry.members.size()}};
}

bool Groups::empty() const {
  if (is_one()) return false;
  return is_none() || std::ranges::all_of(many_->all, [](const Entry& entry) {
           return entry.members.empty();
         });
}

bool Groups::has_ahead() const {
  if (is_one() || is_none()) return false;
  return std::ranges::any_of(
      many_->all, [](const Entry& entry) { return entry.ahead != nullptr; });
}

void Groups::make_room(Encoder& encoder, const Position& after) {
  const bool becomes_one = is_none() && after.epoch == 0;
  if (!becomes_one) room_for(encoder, after);
}

void Groups::put(Subscription& subscription, Encoder& encoder,
                 const Position& after) {
  if (is_none() && after.epoch == 0) {
    encoder_ = &encoder;
    one_ = &subscription;
    subscription.group_ = 0;
    subscription.index_ = 0;
    return;
  }
  const std::size_t group = room_for(encoder, after);
  auto& members = many_->all[group].members;
  subscription.group_ = number(group);
  subscription.index_ = number(members.size());
  members.push_back(&subscription);
}

Encoder& Groups::take(Subscription& subscription) {
  if (is_one()) {
    assert(one_ == &subscription);
    many_ = nullptr;
    return *std::exchange(encoder_, nullptr);
  }
  Entry& group = many_->all[subscription.group_];
  Encoder& encoder = *group.encoder;
  Subscription* const last = group.members.back();
  group.members[subscription.index_] = last;
  last->index_ = subscription.index_;
  group.members.pop_back();
  shrink();
  return encoder;
}

bool Groups::join_others(std::size_t index) noexcept {
  auto& all = many_->all;
  std::size_t to = 0;
  try {
    to = place_for(*all[index].encoder, {});
    all[to].members.reserve(all[to].members.size() + all[index].members.size());
  } catch (...) {
    return false;
  }
  auto& members = all[to].members;
  for (Subscription* const member : all[index].members) {
    member->group_ = number(to);
    member->index_ = number(members.size());
    members.push_back(member);
  }
  std::swap(all[index], all.back());
  all.pop_back();
  if (index < all.size()) {
    for (Subscription* const member : all[index].members) {
      member->group_ = number(index);
    }
  }
  shrink();
  return true;
}

/// Who was alone is one of many.
Groups::Many& Groups::spread() {
  if (!is_one() && many_ != nullptr) return *many_;
  auto many = std::make_unique<Many>();
  if (is_one()) {
    Entry entry{.encoder = encoder_, .ahead = nullptr, .members = {}};
    entry.members.push_back(one_);
    many->all.push_back(std::move(entry));
  }
  encoder_ = nullptr;
  many_ = many.release();
  return *many_;
}

/// The index of the group, which may be of nobody yet.
std::size_t Groups::place_for(Encoder& encoder, const Position& after) {
  auto& all = spread().all;
  const auto* const found = std::ranges::find_if(all, [&](const Entry& entry) {
    return entry.encoder == &encoder && entry.after() == after;
  });
  const auto index = static_cast<std::size_t>(found - all.begin());
  if (index == all.size()) {
    all.push_back({.encoder = &encoder,
                   .ahead = after.epoch != 0
                                ? std::make_unique<const Position>(after)
                                : nullptr,
                   .members = {}});
  }
  return index;
}

std::size_t Groups::room_for(Encoder& encoder, const Position& after) {
  const std::size_t index = place_for(encoder, after);
  many_->all[index].members.make_room();
  return index;
}

/// Who is left alone, where the channel is, is first of the first.
void Groups::shrink() noexcept {
  auto& all = many_->all;
  if (empty()) {
    delete std::exchange(many_, nullptr);
  } else if (all.size() == 1 && all[0].members.size() == 1 && !all[0].ahead) {
    Encoder* const encoder = all[0].encoder;
    Subscription* const one = all[0].members[0];
    delete many_;
    encoder_ = encoder;
    one_ = one;
  }
}

}  // namespace paperboy::hub
