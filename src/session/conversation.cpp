#include "session/conversation.hpp"

#include <algorithm>

#include "hub/key.hpp"

namespace paperboy::session {

namespace {

constexpr Close kBadRequest{close::kBadRequest, "bad request"};

// Unsubscribe codes; from 2500 on the client subscribes again.
constexpr std::uint16_t kInsufficient = 2500;

constexpr std::uint64_t kTick = Wheel::kTickMs;

std::uint32_t ticks(std::uint64_t ms) {
  return static_cast<std::uint32_t>(ms / kTick);
}

}  // namespace

void Conversation::open(const Admission& admission) {
  talk().number = session_.context().ids.next();
  if (connects()) need_rare().pending = std::make_unique<Admission>(admission);
  const std::uint64_t timeout = session_.settings().connect_timeout_ms;
  talk().let_in = timeout == 0;
  if (!talk().let_in) {
    need_rare().connect_by =
        ticks(session_.context().clock.monotonic_ms() + timeout + kTick - 1);
  }
  if (!admission.name_space.empty()) need_names().space = admission.name_space;
  if (admission.fingerprint != 0) {
    session_.need_papers().fingerprint = admission.fingerprint;
  }
}

// ---- commands --------------------------------------------------------------

/// Replies go into `replies` while this lives, whatever is thrown.
struct Conversation::Gathering {
  Gathering(Conversation& here, std::string& replies)
      : context(here.session_.context()),
        talking(std::exchange(context.talking, &here.session_)),
        replies(std::exchange(context.replies, &replies)) {}
  Gathering(const Gathering&) = delete;
  Gathering& operator=(const Gathering&) = delete;
  ~Gathering() {
    context.talking = talking;
    context.replies = replies;
  }

  Context& context;
  const Session* const talking;  // before
  std::string* const replies;
};

void Conversation::receive(const dialect::Message& message) {
  std::string replies;
  const End end = obey_all(message, replies);
  if (!replies.empty()) session_.message({Kind::text, replies});
  if (end) session_.end(*end);
}

Conversation::End Conversation::obey_all(const dialect::Message& message,
                                         std::string& replies) {
  const Gathering gathering(*this, replies);
  std::optional<dialect::Message> rest = message;
  End end;
  for (std::size_t count = 0; !end; ++count) {
    const auto command = session_.settings().dialect->decode(rest);
    if (std::holds_alternative<dialect::NeedMore>(command)) break;
    if (count == session_.settings().max_commands) {
      end = kTooManyRequests;
    } else if (!is_limited(command, end)) {
      end = take(command);
    }
  }
  return end;
}

/// Over the rate at which it may send; whether it is: then it isn't done, which
/// is answered where the dialect has a word for it.
bool Conversation::is_limited(const dialect::Decoded& command, End& end) {
  Warden* const warden = session_.warden();
  const auto verdict =
      warden == nullptr ? Warden::Verdict::passes : warden->message();
  if (verdict == Warden::Verdict::passes) return false;
  const bool answers = connects() && verdict == Warden::Verdict::refused;
  if (!answers || std::holds_alternative<Close>(command)) {
    end = kTooManyRequests;
    return true;
  }
  std::visit(
      [&](const auto& one) {
        if constexpr (requires { one.id; }) {
          (void)fail(one.id, ErrorCode::rate_limited);
        }
      },
      command);
  return true;
}

Conversation::End Conversation::take(const dialect::Decoded& command) {
  if (const auto* const close = std::get_if<Close>(&command)) return *close;
  const bool connects = std::holds_alternative<dialect::Connect>(command);
  if (connects == connected()) return kBadRequest;
  return std::visit([this](const auto& one) { return obey(one); }, command);
}

/// What a conversation doesn't consist of.
template <typename Other>
Conversation::End Conversation::obey(const Other&) {
  return kBadRequest;
}

Conversation::End Conversation::obey(const dialect::Ping& command) {
  reply(dialect::Pong{command.id});
  return {};
}

Conversation::End Conversation::obey(const dialect::Refused& command) {
  return fail(command.id, command.code);
}

/// The dialect answers by itself.
Conversation::End Conversation::obey(const dialect::Send& command) {
  session_.message(command.message);
  return {};
}

Conversation::Rare* Conversation::rare() const {
  const Papers* const papers = session_.papers();
  return papers != nullptr ? static_cast<Rare*>(papers->talk.get()) : nullptr;
}

Conversation::Rare& Conversation::need_rare() {
  auto& talk = session_.need_papers().talk;
  if (!talk) talk = std::make_unique<Rare>();
  return *rare();
}

Papers::Names& Conversation::need_names() {
  auto& names = session_.need_papers().names;
  if (!names) names = std::make_unique<Papers::Names>();
  return *names;
}

void Conversation::set_info(const std::string& info) {
  if (names() != nullptr || !info.empty()) need_names().info = info;
}

void Conversation::set_grants(const auth::Grants& grants) {
  session_.need_papers().grants = std::make_unique<const auth::Grants>(grants);
}

void Conversation::reply(const dialect::Outcome& outcome) {
  const dialect::Dialect& dialect = *session_.settings().dialect;
  const Context& context = session_.context();
  if (context.talking == &session_ && dialect.joins_replies()) {
    dialect.reply(outcome, *context.replies);
    return;
  }
  std::string text;
  dialect.reply(outcome, text);
  if (!text.empty()) session_.message({Kind::text, text});
}

/// Where clients don't connect, those of the original protocol aren't told.
Conversation::End Conversation::fail(std::uint64_t id, const Error& error) {
  if (!connects()) session_.refused(error);
  reply(dialect::Failed{id, error.code});
  return {};
}

Result<std::string> Conversation::key(Bytes name) const {
  return hub::channel_key(name_space(), name,
                          session_.settings().max_channel_length);
}

const hub::Rule& Conversation::rule(Bytes key) const {
  return session_.context().hub.rule(key);
}

Member Conversation::member(Bytes client, Bytes chan_info) const {
  return {.client = client,
          .user = session_.user(),
          .conn_info = names() != nullptr ? Bytes(names()->info) : Bytes(),
          .chan_info = chan_info};
}

/// For answers as long as clients ask for: of those to commands that came
/// together, no more is made than may wait for a client.
std::size_t Conversation::room() const {
  const std::size_t most = session_.settings().send_buffer;
  return rare() ? most - std::min(most, rare()->long_answers) : most;
}

/// Where one has no room, those after it have none: they aren't even made.
void Conversation::reply_bounded(std::uint64_t id,
                                 const dialect::Outcome& outcome) {
  std::string text;
  session_.settings().dialect->reply(outcome, text);
  if (text.size() > room()) {
    need_rare().long_answers = session_.settings().send_buffer;
    fail(id, ErrorCode::too_large);
  } else {
    need_rare().long_answers += text.size();
    reply(outcome);
  }
}

// ---- the end of a subscription ---------------------------------------------

/// Who waits for its answer has it now.
void Conversation::forget(const hub::Subscription& subscription) {
  if (liaison() != nullptr && liaison()->recent) {
    std::erase_if(liaison()->recent->young,
                  [&](const auto& one) { return one.at == &subscription; });
  }
  session_.unsubscribe(subscription);
  if (!rare()) return;
  std::erase_if(rare()->leases,
                [&](const auto& one) { return one.at == &subscription; });
  std::erase(rare()->lost, &subscription);
  std::erase_if(rare()->returning,
                [&](const auto& one) { return one.at == &subscription; });
  if (const auto id = take_asked(subscription)) {
    fail(*id, ErrorCode::unavailable);
  }
  leave_connecting(subscription);
  tidy();
}

bool Conversation::is_asked(const hub::Subscription& subscription) const {
  return rare() && std::ranges::find(rare()->asked, &subscription,
                                     [](auto& one) { return one.first; }) !=
                       rare()->asked.end();
}

std::optional<std::uint64_t> Conversation::take_asked(
    const hub::Subscription& subscription) {
  if (!rare()) return {};
  const auto found = std::ranges::find(
      rare()->asked, &subscription, [](const auto& one) { return one.first; });
  if (found == rare()->asked.end()) return {};
  const std::uint64_t id = found->second;
  rare()->asked.erase(found);
  tidy();
  return id;
}

void Conversation::tidy() {
  if (rare() && talk().let_in && rare()->hears_until == 0 &&
      rare()->leases.empty() && rare()->lost.empty() && rare()->asked.empty() &&
      rare()->judged.empty() && rare()->returning.empty() &&
      !rare()->connecting && !rare()->pending && rare()->long_answers == 0 &&
      rare()->bad_tokens == 0) {
    session_.papers()->talk.reset();
    session_.tidy_papers();
  }
}

/// Of one that the client hasn't been told of there is nothing to tell.
void Conversation::drop(const hub::Subscription& subscription,
                        std::uint16_t code, Bytes reason) {
  if (is_connecting(subscription)) return;
  reply(dialect::Dropped{hub::channel_name(subscription.channel_name()), code,
                         reason});
}

bool Conversation::lose(const hub::Subscription& at) {
  if (talk().server_side || !connects()) return false;
  if (has_lost(at)) return true;
  need_rare().lost.push_back(&at);
  drop(at, kInsufficient, "insufficient state");
  return true;
}

bool Conversation::has_lost(const hub::Subscription& at) const {
  return rare() && std::ranges::find(rare()->lost, &at) != rare()->lost.end();
}

void Conversation::settle() {
  while (rare() && !rare()->lost.empty()) forget(*rare()->lost.back());
  if (rare() && std::exchange(rare()->long_answers, 0) != 0) tidy();
}

// ---- time ------------------------------------------------------------------

std::optional<std::uint64_t> Conversation::due_in() const {
  const Clock& clock = session_.context().clock;
  if (!talk().let_in) {
    const std::uint32_t left = rare()->connect_by - ticks(clock.monotonic_ms());
    return static_cast<std::int32_t>(left) > 0 ? left * kTick : 0;
  }
  std::int64_t first = rare() ? rare()->hears_until : 0;
  for (const Lease& one : rare() ? rare()->leases : Leases{}) {
    const bool sooner = first == 0 || one.expires < first;
    if (one.expires != 0 && sooner) first = one.expires;
  }
  if (first == 0) return {};
  const auto left = first - clock.unix_seconds();
  // No timer is that long; it looks again.
  constexpr std::int64_t kDay = 86'400;
  return static_cast<std::uint64_t>(std::clamp<std::int64_t>(left, 0, kDay)) *
         1000;
}

void Conversation::on_time() {
  if (!talk().let_in) {
    if (due_in() == 0) session_.end({close::kStale, "stale"});
    return;
  }
  const auto now = session_.context().clock.unix_seconds();
  if (!rare()) return;
  const Leases leases = rare()->leases;
  for (const Lease& one : leases) {
    if (one.expires == 0 || one.expires > now) continue;
    drop(*one.at, kSubscriptionExpired, "subscription expired");
    forget(*one.at);
  }
  if (rare() && rare()->hears_until != 0 && rare()->hears_until <= now) {
    stop_hearing();
  }
}

}  // namespace paperboy::session
