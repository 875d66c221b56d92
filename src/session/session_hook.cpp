// What is told of a session: from when it is let in until it has left, in the
// order in which it happens. An upgrade that is refused after all was never in.
#include "session/conversation.hpp"
#include "session/session.hpp"

namespace paperboy::session {

using Event = Hook::Event;

void Session::announce() {
  if (settings().hook == nullptr || told_) return;
  told_ = true;
  tell(Event::connect, {}, {});
  // The last came first.
  std::vector<const hub::Subscription*> all = subscriptions_to({});
  for (auto one = all.rbegin(); one != all.rend(); ++one) {
    tell(Event::subscribe, (*one)->channel_name(), {});
  }
}

void Session::part(const Close& why) {
  if (!told_) return;
  tell(Event::disconnect, {}, why);
  told_ = false;
}

void Session::tell(Event event, Bytes channel, const Close& why) const {
  if (!told_ || !settings().hook->wants(event)) return;
  settings().hook->tell({event, *own_id(), user(), channel, why});
}

/// Plain dialects have none but for a hook's sake.
void Session::name_itself() {
  if (settings().hook == nullptr || settings().dialect->converses()) return;
  context().hook_names[this] = make_client_id();
}

std::optional<ClientId> Session::own_id() const {
  if (const auto talk = conversation()) return talk->id();
  const auto found = context().hook_names.find(this);
  if (found == context().hook_names.end()) return {};
  return found->second;
}

}  // namespace paperboy::session
