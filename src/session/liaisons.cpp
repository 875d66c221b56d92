#include "session/liaisons.hpp"

#include "session/conversation.hpp"

namespace paperboy::session {

void Liaisons::look() {
  for (const std::string& text : ear_.take()) {
    const auto notice = hub::decode_notice(text);
    if (!notice) continue;
    if (hears_) hears_(*notice);
    obey(*notice);
  }
}

void Liaisons::tell(const hub::Notice& notice) {
  const std::string text = hub::encode(notice);
  hub_.publish({.channel = hub::kNotices, .kind = Kind::binary, .data = text},
               [](const auto&) {});
}

void Liaisons::obey(const hub::Notice& notice) {
  switch (notice.kind) {
    case hub::Notice::Kind::authorized: {
      const auto id = parse_uuid(notice.client);
      const auto found = id ? asked_.find(*id) : asked_.end();
      if (found != asked_.end()) found->second->obey_authorized(notice);
      break;
    }
    case hub::Notice::Kind::closed:
      obey_closed(notice);
      break;
    case hub::Notice::Kind::copy:
      hand_copy(notice);
      break;
  }
}

void Liaisons::obey_closed(const hub::Notice& notice) {
  const auto found =
      users_.find(hub::user_channel(notice.name_space, notice.user));
  if (found == users_.end()) return;
  const std::vector<Conversation*> all = found->second;
  for (Conversation* const one : all) one->obey_closed(notice);
}

void Liaisons::tick() {
  const std::uint64_t now = clock_.monotonic_ms();
  std::erase_if(young_, [now](const auto& one) {
    if (one.second > now) return false;
    one.first->grow_up();
    return true;
  });
}

void Liaisons::hand_copy(const hub::Notice& notice) {
  for (const auto& [conversation, until] : young_) {
    conversation->take_copy(notice);
  }
}

// ---- who there is ----------------------------------------------------------

void Liaisons::note_asked(const ClientId& id, Conversation& conversation) {
  asked_[id] = &conversation;
}

void Liaisons::note_user(const std::string& key, Conversation& conversation) {
  users_[key].push_back(&conversation);
}

void Liaisons::note_young(Conversation& conversation) {
  const std::uint64_t until = clock_.monotonic_ms() + kYoungMs;
  for (auto& one : young_) {
    if (one.first == &conversation) {
      one.second = until;
      return;
    }
  }
  young_.emplace_back(&conversation, until);
}

void Liaisons::forget(const ClientId& id, const std::string& key,
                      const Conversation& conversation) {
  asked_.erase(id);
  std::erase_if(young_,
                [&](const auto& one) { return one.first == &conversation; });
  const auto found = users_.find(key);
  if (found == users_.end()) return;
  std::erase(found->second, &conversation);
  if (found->second.empty()) users_.erase(found);
}

}  // namespace paperboy::session
