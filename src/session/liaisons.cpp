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
      auto* const known = id ? known_.find(*id) : nullptr;
      if (known != nullptr) Conversation(*known).obey_authorized(notice);
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
  const auto key = hub::user_channel(notice.name_space, notice.user);
  for (auto* const one : hub_.subscribers(key)) {
    Conversation::of(*one).obey_closed(notice);
  }
}

void Liaisons::tick() {
  const std::uint64_t now = clock_.monotonic_ms();
  bool over = true;
  while (over && !recent_.empty()) {
    over = Conversation(*recent_.front()).grow_up(now);
  }
  const auto returning = returning_;
  for (Session* const one : returning) {
    if (!Conversation(*one).look_at_returns()) returning_.erase(one);
  }
}

void Liaisons::hand_copy(const hub::Notice& notice) {
  for (Session* const one : recent_) Conversation(*one).take_copy(notice);
}

// ---- who there is ----------------------------------------------------------

ClientId Liaisons::ById::key(const Session* session) {
  return Conversation::id_of(*session);
}

void Liaisons::note_id(Session& session) { known_.insert(&session); }

void Liaisons::forget_id(Session& session) { known_.erase(&session); }

void Liaisons::note_recent(Session& session, Liaison& liaison) {
  if (liaison.recent) {
    recent_.splice(recent_.end(), recent_, liaison.recent->place);
  } else {
    auto recent = std::make_unique<Liaison::Recent>();
    recent->place = recent_.insert(recent_.end(), &session);
    liaison.recent = std::move(recent);
  }
  liaison.recent->until = clock_.monotonic_ms() + kRecentMs;
}

void Liaisons::forget_recent(const Liaison::Recent& recent) {
  recent_.erase(recent.place);
}

void Liaisons::note_returning(Session& session) { returning_.insert(&session); }

void Liaisons::forget_returning(Session& session) {
  returning_.erase(&session);
}

}  // namespace paperboy::session
