// What a back end is asked before a client gets it: to be subscribed, to have
// something published. The client's other commands don't wait for that.
//
// Publishes take effect in the order in which they came; so one whose answer
// is there waits for those before it.
#include <algorithm>
#include <utility>

#include "hub/key.hpp"
#include "session/conversation.hpp"

namespace paperboy::session {

namespace {

/// Of questions of this worker, ever.
std::uint64_t asked = 0;

}  // namespace

bool Conversation::is_judged(Judge::Matter matter) const {
  const Judge* const judge = session_.settings().judge;
  return judge != nullptr && judge->decides(matter);
}

Conversation::End Conversation::await_verdict(
    const dialect::Subscribe& command) {
  if (judged(command.channel) != nullptr) {
    return fail(command.id, ErrorCode::already_subscribed);
  }
  return await_verdict(Judged{
      .number = ++asked, .subscribe = command, .publish = {}, .data = {}});
}

Conversation::End Conversation::await_verdict(const dialect::Publish& command) {
  Judged one{.number = ++asked,
             .subscribe = {},
             .publish = command,
             .data = std::string(command.message.data)};
  return await_verdict(std::move(one));
}

Conversation::End Conversation::await_verdict(Judged one) {
  const Judge& judge = *session_.settings().judge;
  if (need_rare().judged.size() >= judge.most_waiting()) {
    return fail(one.subscribe ? one.subscribe->id : one.publish.id,
                ErrorCode::unavailable);
  }
  need_rare().judged.push_back(std::move(one));
  const Judged& here = need_rare().judged.back();
  const std::string id = client();
  const Judge::Question question{
      .matter =
          here.subscribe ? Judge::Matter::subscribe : Judge::Matter::publish,
      .user = session_.user(),
      .client = id,
      .name_space = name_space(),
      .channel =
          here.subscribe ? here.subscribe->channel : here.publish.channel,
      .kind = here.publish.message.kind,
      .data = here.data};
  judge.ask(question, [self = session_.self(),
                       number = here.number](Judge::Verdict verdict) {
    if (*self != nullptr) Conversation(**self).take(number, verdict);
  });
  return {};
}

/// The command to subscribe to `channel` that waits; null: there is none.
const Conversation::Judged* Conversation::judged(Bytes channel) const {
  if (!rare()) return nullptr;
  const auto found = std::ranges::find_if(rare()->judged, [&](const auto& one) {
    return one.subscribe && one.subscribe->channel == channel;
  });
  return found == rare()->judged.end() ? nullptr : &*found;
}

/// The client has changed its mind before the back end had made up its own.
void Conversation::withdraw(Bytes channel) {
  const Judged* const one = judged(channel);
  if (one == nullptr) return;
  const std::uint64_t id = one->subscribe->id;
  std::erase_if(rare()->judged,
                [&](const auto& other) { return &other == one; });
  tidy();
  (void)fail(id, ErrorCode::unavailable);
}

void Conversation::take(std::uint64_t number, Judge::Verdict verdict) {
  if (!rare()) return;
  const auto found = std::ranges::find(rare()->judged, number, &Judged::number);
  if (found == rare()->judged.end()) return;
  const bool unknown = verdict == Judge::Verdict::unknown;
  found->verdict = unknown && session_.settings().admits_unjudged
                       ? Judge::Verdict::allowed
                       : verdict;
  if (!found->subscribe) return publish_judged();
  const Judged one = std::move(*found);
  rare()->judged.erase(found);
  tidy();
  if (const auto end = conclude(one)) session_.end(*end);
}

/// Those whose turn has come.
void Conversation::publish_judged() {
  while (rare()) {
    const auto first = std::ranges::find_if(
        rare()->judged, [](const auto& one) { return !one.subscribe; });
    if (first == rare()->judged.end() || !first->verdict) return;
    const Judged one = std::move(*first);
    rare()->judged.erase(first);
    tidy();
    if (const auto end = conclude(one)) return session_.end(*end);
  }
}

/// What may have changed meanwhile is checked again.
Conversation::End Conversation::conclude(const Judged& one) {
  const std::uint64_t id = one.subscribe ? one.subscribe->id : one.publish.id;
  if (*one.verdict == Judge::Verdict::refused) {
    return fail(id, ErrorCode::forbidden);
  }
  if (*one.verdict != Judge::Verdict::allowed) {
    return fail(id, ErrorCode::unavailable);
  }
  if (one.subscribe) return subscribe(*one.subscribe, /*decided=*/true);
  dialect::Publish command = one.publish;
  command.message.data = one.data;
  return publish(command, /*decided=*/true);
}

}  // namespace paperboy::session
