// How a client that can't say where it was goes on from there all the same. As
// its connection ends its places are noted, in a channel of its user's. Who is
// let in again, and has the same fingerprint, looks there:
//
//   look    what is noted of the user's clients is read
//   claim   a place is taken: of all workers and nodes one gets it
//   back    what of the last bytes didn't arrive is counted back, in history
//   go on   it is told that it is subscribed, brought what it missed since, and
//           then what comes
//
// Meanwhile what comes is kept for it. What takes too long, as with a broker
// that isn't reached, is given up: then it begins where the channel stands.
#include <algorithm>

#include "base/envelope.hpp"
#include "hub/key.hpp"
#include "session/conversation.hpp"

namespace paperboy::session {

namespace {

constexpr std::uint64_t kPatienceMs = 1000;

// By so many bytes one message may be shorter, compressed, at another time.
constexpr std::uint64_t kVaries = 16;

void note_departure(const Context& context, Bytes name_space, Bytes user,
                    const hub::Departure& departure, std::int64_t seconds) {
  const std::string channel = hub::left_channel(name_space, user);
  const std::string text = hub::encode(departure);
  context.hub.broker().publish({.channel = channel,
                                .kind = Kind::binary,
                                .data = text,
                                .keep = hub::kept_departures(seconds)},
                               [](const auto&) {});
}

/// How long the channel's message was on the wire, at least. One that wasn't
/// published in this protocol has the time of its delivery in it.
std::uint64_t size_of(const Kept& kept, Bytes channel, Encoder& encoder) {
  std::string frame;
  encoder.encode(hub::as_publication(channel, kept), frame);
  const bool compressed =
      !frame.empty() && (static_cast<unsigned char>(frame[0]) & 0x40U) != 0;
  if (!compressed || is_envelope(kept.extra)) return frame.size();
  return frame.size() - std::min<std::uint64_t>(frame.size() - 1, kVaries);
}

/// Counts back what one didn't get: `newest` are the channel's messages before
/// its place, backwards. False: they are fewer bytes than that.
bool count_back(hub::Departure::Place& place, Bytes channel,
                const std::vector<Kept>& newest, Encoder& encoder) {
  std::uint64_t size = 0;
  for (const Kept& kept : newest) {
    if (size >= place.unreceived) break;
    size += size_of(kept, channel, encoder);
    place.position.offset = kept.position.offset - 1;
  }
  return size >= place.unreceived;
}

}  // namespace

std::uint64_t Conversation::fingerprint() const {
  const Papers* const papers = session_.papers();
  return papers != nullptr ? papers->fingerprint : 0;
}

void Conversation::stay_away() {
  if (session_.papers() != nullptr) session_.papers()->fingerprint = 0;
}

bool Conversation::may_return() const {
  return session_.settings().return_seconds != 0 && fingerprint() != 0 &&
         !session_.user().empty();
}

// ---- leaving ---------------------------------------------------------------

/// One that was still on its way back left where it was before.
std::unique_ptr<hub::Departure> Conversation::departure() const {
  if (!may_return()) return nullptr;
  auto made = std::make_unique<hub::Departure>();
  for (const hub::Subscription& one : session_.subscriptions_) {
    const Bytes key = one.channel_name();
    if (rule(key).keep.count == 0) continue;
    const std::string name(hub::channel_name(key));
    if (const auto* const back = returning(one)) {
      if (back->taken) made->places.push_back(*back->taken);
    } else if (const auto at = session_.context().hub.reached(one)) {
      made->places.push_back({.channel = name, .position = *at});
    }
  }
  if (made->places.empty()) return nullptr;
  made->fingerprint = fingerprint();
  return made;
}

void Conversation::depart(hub::Departure departure) {
  departure.at = session_.context().clock.unix_seconds();
  note_departure(session_.context(), name_space(), session_.user(), departure,
                 session_.settings().return_seconds);
}

/// For the next of its user's that comes.
void Conversation::give_back(const hub::Departure::Place& place) {
  depart({.fingerprint = fingerprint(), .places = {place}});
}

// ---- coming back -----------------------------------------------------------

const Returning* Conversation::returning(const hub::Subscription& at) const {
  if (!rare()) return nullptr;
  const auto found = std::ranges::find(rare()->returning, &at, &Returning::at);
  return found == rare()->returning.end() ? nullptr : &*found;
}

Returning* Conversation::returning(std::uint64_t number) {
  if (!rare()) return nullptr;
  const auto found =
      std::ranges::find(rare()->returning, number, &Returning::number);
  return found == rare()->returning.end() ? nullptr : &*found;
}

/// False: there is nothing to go on from, and it begins where it is.
bool Conversation::look_back(hub::Subscription& subscription, std::uint64_t id,
                             std::int64_t expires) {
  if (!may_return() || rule(subscription.channel_name()).keep.count == 0) {
    return false;
  }
  const std::uint64_t number = session_.context().liaisons.new_look();
  const std::uint64_t until =
      session_.context().clock.monotonic_ms() + kPatienceMs;
  need_rare().asked.emplace_back(&subscription, id);
  need_rare().returning.push_back({&subscription, number, until, expires});
  look(number);
  const auto* const waits = returning(number);
  if (waits != nullptr && !waits->goes_on) {
    session_.context().hub.await(subscription);
    session_.context().liaisons.note_returning(session_);
  }
  return true;
}

void Conversation::look(std::uint64_t number) {
  const auto answer = [self = session_.self(),
                       number](const Result<HistoryPage>& page) {
    if (*self == nullptr) return;
    Conversation here(**self);
    auto* const back = here.returning(number);
    if (back == nullptr || back->goes_on) return;
    if (page) {
      const auto& settings = here.session_.settings();
      back->left =
          hub::places_left(*page, here.fingerprint(),
                           hub::channel_name(back->at->channel_name()),
                           here.session_.context().clock.unix_seconds() -
                               settings.return_seconds);
    }
    here.claim(number);
  };
  session_.context().hub.broker().history(
      hub::left_channel(name_space(), session_.user()), {}, answer);
}

/// One that is gone when it is told that a place is its own leaves it to the
/// next.
void Conversation::claim(std::uint64_t number) {
  auto& left = returning(number)->left;
  if (left.empty()) {
    go_on_from(number, {});
    return;
  }
  const hub::LeftPlace one = std::move(left.front());
  left.erase(left.begin());
  const std::string user(session_.user());
  const std::string name_space(this->name_space());
  const std::int64_t seconds = session_.settings().return_seconds;
  const auto answer = [self = session_.self(), &context = session_.context(),
                       number, place = one.place, user, name_space, seconds,
                       print =
                           fingerprint()](const Result<hub::Published>& taken) {
    const bool is_there =
        *self != nullptr && Conversation(**self).liaison() != nullptr;
    const bool own = taken && !taken->repeated;
    if (is_there) {
      Conversation(**self).claimed(number, taken, place);
    } else if (own) {
      const hub::Departure again{.at = context.clock.unix_seconds(),
                                 .fingerprint = print,
                                 .places = {place}};
      note_departure(context, name_space, user, again, seconds);
    }
  };
  session_.context().hub.broker().publish(
      {.channel = hub::taken_channel(name_space, user),
       .kind = Kind::binary,
       .idempotency_key = one.key,
       .idempotency_ms = static_cast<std::uint64_t>(seconds) * 2000},
      answer);
}

void Conversation::claimed(std::uint64_t number,
                           const Result<hub::Published>& taken,
                           const hub::Departure::Place& place) {
  auto* const back = returning(number);
  if (back == nullptr || back->goes_on) return;
  if (!taken) {
    go_on_from(number, {});
  } else if (taken->repeated) {
    claim(number);
  } else {
    back->taken = place;
    count_back(number);
  }
}

/// What is asked of the history, meanwhile.
void Conversation::ask_back(std::uint64_t number, const HistoryQuery& query,
                            const PageTaker& take) {
  const auto answer = [self = session_.self(), number,
                       take](const Result<HistoryPage>& page) {
    if (*self == nullptr) return;
    Conversation here(**self);
    auto* const back = here.returning(number);
    if (back == nullptr || back->goes_on) return;
    if (page) {
      take(here, *back, *page);
    } else {
      here.go_on_from(number, back->taken->position);
    }
  };
  session_.context().hub.broker().history(returning(number)->at->channel_name(),
                                          query, answer);
}

void Conversation::count_back(std::uint64_t number) {
  const hub::Departure::Place& place = *returning(number)->taken;
  if (place.unreceived == 0 || place.sent == 0) {
    go_on_from(number, place.position);
    return;
  }
  const HistoryQuery newest{
      .since = Position{place.position.epoch, place.position.offset + 1},
      .limit = static_cast<std::uint32_t>(
          std::min<std::uint64_t>(place.sent, session_.settings().max_history)),
      .bytes = room(),
      .reverse = true};
  ask_back(number, newest,
           [](Conversation& here, Returning& back, const HistoryPage& page) {
             auto& place = *back.taken;
             const auto& found = page.publications;
             const bool all =
                 session::count_back(place, back.at->channel_name(), found,
                                     here.session_.encoder(false));
             if (all || found.empty() || found.size() >= place.sent) {
               here.go_on_from(back.number, place.position);
             } else {
               here.count_further(back.number);
             }
           });
}

/// There were fewer bytes. Either the channel has no more, and the others were
/// of other channels, or there are too many: as many and one more can't be had.
void Conversation::count_further(std::uint64_t number) {
  const Position& oldest = returning(number)->taken->position;
  const HistoryQuery before{.since = Position{oldest.epoch, oldest.offset + 1},
                            .limit = 1,
                            .reverse = true};
  ask_back(number, before,
           [](Conversation& here, Returning& back, const HistoryPage& page) {
             Position since = back.taken->position;
             if (!page.publications.empty()) --since.offset;
             here.go_on_from(back.number, since);
           });
}

void Conversation::go_on_from(std::uint64_t number,
                              const std::optional<Position>& since) {
  Returning& back = *returning(number);
  back.goes_on = true;
  recover(
      *back.at, since,
      [here = *this, number](const Result<hub::Recovery>& recovery) mutable {
        here.came_back(number, recovery);
      });
}

/// Copies are of what it has by that.
void Conversation::came_back(std::uint64_t number,
                             const Result<hub::Recovery>& recovery) {
  const Returning back = *returning(number);
  hub::Subscription& here = *back.at;
  if (!recovery) {
    if (back.taken) give_back(*back.taken);
    lose_way(here, recovery.error());
    return;
  }
  const bool all = back.taken && recovery->recovered;
  const auto id = take_asked(here).value();
  reply(dialect::Subscribed{id,
                            hub::channel_name(here.channel_name()),
                            recovery->position,
                            time_left(back.expires),
                            {}});
  if (all) session_.go_on(here, *recovery);
  if (back.taken && !all) {
    session_.note("what a client missed while it was away is gone");
  }
  std::erase_if(rare()->returning,
                [number](const auto& one) { return one.number == number; });
  tidy();
  joined(here,
         all ? Position{recovery->position.epoch, 0} : recovery->position);
}

/// False: nothing more is looked for.
bool Conversation::look_at_returns() {
  const std::uint64_t now = session_.context().clock.monotonic_ms();
  std::vector<std::uint64_t> late;
  bool more = false;
  for (const Returning& one :
       rare() ? rare()->returning : std::vector<Returning>()) {
    const bool waits = !one.goes_on;
    if (waits && one.until <= now) late.push_back(one.number);
    more = more || (waits && one.until > now);
  }
  for (const std::uint64_t number : late) {
    const auto* const back = returning(number);
    if (back == nullptr) continue;
    std::optional<Position> since;
    if (back->taken) since = back->taken->position;
    go_on_from(number, since);
  }
  return more;
}

}  // namespace paperboy::session
