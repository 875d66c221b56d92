#include "session/event_encoder.hpp"

#include "hub/key.hpp"

namespace paperboy::session {

/// Who comes and goes isn't told.
void EventEncoder::encode(const Publication& publication, std::string& out) {
  if (publication.event == Event::join || publication.event == Event::leave) {
    return;
  }
  scratch_.clear();
  Publication named = publication;
  named.channel = hub::channel_name(publication.channel);
  out += dialect_.publication(named, scratch_).data;
}

}  // namespace paperboy::session
