#include "session/token_keeper.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "auth/claims.hpp"
#include "base/json.hpp"

namespace paperboy::session {

namespace {

using auth::OpaqueTable;
using auth::TokenError;

constexpr std::uint64_t kLeastSliding = 5;  // seconds
constexpr JsonLimits kClaims{.depth = 16};

constexpr Error kBadTime{ErrorCode::bad_request,
                         "it is to live too long, or too short"};
constexpr Error kBadClaims{ErrorCode::bad_request,
                           "what it is to open can't be"};
constexpr Error kNoToken{ErrorCode::bad_request, "no token, and no id of one"};
constexpr Error kTooLarge{ErrorCode::too_large,
                          "more than paperboy_max_opaque_token_size"};
constexpr Error kFull{ErrorCode::too_large,
                      "as many as paperboy_max_opaque_tokens are good"};
constexpr Error kUnknown{ErrorCode::unavailable,
                         "which there are isn't known yet: try again"};
constexpr Error kNoRandomness{ErrorCode::internal, "no randomness"};

// Of the channel's present epoch: all that is kept.
constexpr Position kBeginning{};

bool can_live(const hub::TokenWish& wish) {
  return wish.seconds >= (wish.sliding ? kLeastSliding : 1) &&
         wish.seconds <= static_cast<std::uint64_t>(TokenRecord::kMaxSeconds);
}

/// What is published after an end isn't for those whose it was.
bool is_end(Bytes message) {
  const auto record = decode_token_record(message);
  return record && record->kind == TokenRecord::Kind::end;
}

/// Whether a JSON Web Token with these claims would be good.
bool can_be(Bytes claims, std::int64_t now) {
  const auto json = Json::parse(claims, kClaims);
  auth::TokenRules rules;
  rules.limits_claim = "limits";
  return json && json->is_object() && auth::read_claims(*json, rules, now).ok();
}

}  // namespace

TokenKeeper::TokenKeeper(hub::Hub& hub, const Clock& clock,
                         auth::OpaqueTable& table, std::uint32_t most,
                         Complaint complain)
    : hub_(hub),
      clock_(clock),
      table_(table),
      most_(most),
      complain_(std::move(complain)),
      ear_(hub, std::string(hub::kTokens), is_end) {
  hub.keep_tokens(hub::kept_tokens(most));
}

TokenKeeper::~TokenKeeper() { *self_ = nullptr; }

// ---- hearing ---------------------------------------------------------------

Result<Done> TokenKeeper::listen() {
  const auto listening = ear_.listen();
  if (!listening) return listening.error();
  if (at_.epoch == 0) at_ = ear_.position();
  if (ear_.lost()) {
    complete_ = false;
    ended_ = true;  // an end may be read no more: others of the node heard it
  }
  if (!complete_ && !reading_) {
    read_.clear();
    read(kBeginning);
  }
  return Done{};
}

/// Who begins after a reload has what others have read.
bool TokenKeeper::known() {
  if (table_.complete()) return true;
  if (!complete_) return false;
  table_.set_complete();
  return true;
}

/// A network broker answers later, and in pages.
void TokenKeeper::read(const Position& since) {
  reading_ = true;
  hub_.broker().history(hub::kTokens, {.since = since},
                        [self = self_](const Result<HistoryPage>& page) {
                          if (*self != nullptr) (*self)->have_read(page);
                        });
}

void TokenKeeper::have_read(const Result<HistoryPage>& page) {
  reading_ = false;
  if (!page) {  // nobody has made any, or it is tried again
    complete_ = page.error().code == ErrorCode::not_found;
    return;
  }
  for (const Kept& kept : page->publications) {
    if (auto record = decode_token_record(kept.data)) {
      read_.push_back({std::move(*record), kept.position, kept.position});
    }
  }
  if (page->publications.empty() ||
      page->publications.back().position.offset >= page->top.offset) {
    take_all();
    complete_ = true;
  } else {
    read(page->publications.back().position);
  }
}

/// One that has ended later is none, not even for a moment; one that was
/// prolonged later isn't over, though what was said first may be.
void TokenKeeper::take_all() {
  auto all = std::exchange(read_, {});
  std::set<Bytes> ended;
  std::map<Bytes, std::int64_t> last;
  for (const Heard& one : all) {
    const TokenRecord& record = one.record;
    if (record.kind == TokenRecord::Kind::end) ended.insert(record.hash);
    std::int64_t& until = last[record.hash];
    until = std::max(until, record.expires);
  }
  for (Heard& one : all) {
    const bool over = ended.contains(one.record.hash);
    if (over && one.record.kind != TokenRecord::Kind::end) continue;
    one.record.expires = last[one.record.hash];
    ended_ |= take(one);
  }
}

bool TokenKeeper::look() {
  bool ended = std::exchange(ended_, false);
  if (!ear_.listening()) return ended;
  const Position upto = ear_.position();
  if (at_.epoch == 0) at_.epoch = upto.epoch;
  for (const std::string& message : ear_.take()) {
    if (auto record = decode_token_record(message)) {
      ended |= take({std::move(*record), {at_.epoch, at_.offset + 1}, upto});
    }
  }
  at_ = upto;
  return ended;
}

/// Each worker of the node takes each; the first changes the table. True: it is
/// the end of one that is in use here.
bool TokenKeeper::take(const Heard& one) {
  const auto hash = auth::hash_from(one.record.hash);
  if (!hash) return false;
  switch (one.record.kind) {
    case TokenRecord::Kind::put: {
      const auto outcome = table_.put(one.record, one.at, now());
      if (outcome == OpaqueTable::Put::full) complain_();
      if (outcome == OpaqueTable::Put::over) {
        table_.confirm_end(*hash, one.upto);
      }
      return false;
    }
    case TokenRecord::Kind::prolong:
      table_.prolong(*hash, one.record.expires);
      return false;
    case TokenRecord::Kind::end:
      (void)table_.end(*hash, one.at, now());
      return in_use_.remove(hash->number());
  }
  return false;
}

// ---- telling ---------------------------------------------------------------

void TokenKeeper::tell(
    const TokenRecord& record,
    const std::function<void(const Result<hub::Published>&)>& reply) {
  const std::string data = encode(record);
  hub_.publish({.channel = hub::kTokens, .kind = Kind::binary, .data = data},
               reply);
}

/// Whether the history is still the one that this worker hears of. A Redis that
/// has lost it says nothing of that.
void TokenKeeper::probe() {
  hub_.broker().history(
      hub::kTokens, {.limit = 0},
      [self = self_](const Result<HistoryPage>& page) {
        if (*self == nullptr || !(*self)->ear_.listening()) return;
        TokenKeeper& here = **self;
        const std::uint64_t epoch = here.ear_.position().epoch;
        const bool lost = page ? epoch != 0 && page->top.epoch != epoch
                               : page.error().code == ErrorCode::not_found;
        if (lost) here.table_.lose_history(here.now());
      });
}

bool TokenKeeper::tick() {
  (void)listen();
  const bool tells = known() && ear_.listening();
  if (tells && table_.begin_probe(now())) probe();
  // What came later isn't taken yet.
  const Position top = tells ? at_ : Position{};
  const auto due = table_.due(top, hub::kept_tokens(most_).count, now());
  for (const TokenRecord& record : due.records) {
    tell(record, [self = self_, record](const Result<hub::Published>& outcome) {
      if (*self != nullptr && !outcome) (*self)->table_.untold(record);
    });
  }
  // Nobody gives back what it hasn't read itself.
  if (due.needless != 0 && complete_) {
    hub_.broker().release_history(hub::kTokens, {top.epoch, due.needless});
  }
  const bool ended = std::exchange(ended_, false);
  return in_use_.due(now()) || ended;
}

// ---- looking ---------------------------------------------------------------

Result<auth::Token, TokenError> TokenKeeper::find(
    Bytes name_space, Bytes token, const auth::TokenRules& rules) {
  const auto hash = auth::hash_of(name_space, token);
  if (!hash) return TokenError::malformed;
  const auto found = table_.find(*hash, now());
  if (found.standing == OpaqueTable::Standing::ended) {
    return TokenError::revoked;
  }
  if (found.standing == OpaqueTable::Standing::unknown) {
    return known() ? TokenError::unknown : TokenError::unknown_so_far;
  }
  const auto claims = Json::parse(found.record.claims, kClaims);
  if (!claims) return TokenError::claims;
  auto read = auth::read_claims(*claims, rules, now());
  if (!read) return read;
  read->id = auth::id_of(token).value_or(std::string());
  read->issued = found.record.issued;
  read->expires.reset();
  if (found.record.sliding == 0) read->expires = found.record.expires;
  read->opaque = hash->number();
  return read;
}

OpaqueTable::Standing TokenKeeper::keep(std::uint64_t number) {
  const auto kept = table_.keep(number, now());
  if (kept.standing == OpaqueTable::Standing::good) {
    in_use_.add(number, kept.expires, kept.sliding);
  }
  return kept.standing;
}

// ---- for back ends ---------------------------------------------------------

void TokenKeeper::create(const hub::TokenWish& wish, const MadeReply& reply) {
  if (!can_live(wish)) return reply(kBadTime);
  if (!can_be(wish.claims, now())) return reply(kBadClaims);
  if (!known()) return reply(kUnknown);
  TokenRecord record{
      .node = table_.node(), .issued = now(), .claims = wish.claims};
  if (!table_.fits(record)) return reply(kTooLarge);
  if (!table_.has_room()) return reply(kFull);
  const std::string token = auth::make_opaque_token().value_or("");
  const auto id = auth::id_of(token);
  const auto hash = auth::hash_of(wish.name_space, token);
  if (!id || !hash) return reply(kNoRandomness);
  record.hash = hash->view();
  record.expires = now() + static_cast<std::int64_t>(wish.seconds);
  if (wish.sliding) record.sliding = static_cast<std::uint32_t>(wish.seconds);
  const hub::MadeToken made{token, *id, record.expires};
  // Here it is good before whoever asked for it can show it.
  tell(record, [self = self_, record, made,
                reply](const Result<hub::Published>& outcome) {
    if (!outcome) return reply(outcome.error());
    if (*self != nullptr &&
        (*self)->table_.put(record, outcome->position, (*self)->now()) ==
            OpaqueTable::Put::full) {
      return reply(kFull);
    }
    reply(made);
  });
}

void TokenKeeper::end(Bytes name_space, Bytes token, const EndReply& reply) {
  const auto hash = auth::hash_of(name_space, token);
  if (!hash) return reply(kNoToken);
  if (!known()) return reply(kUnknown);
  const auto standing = table_.find(*hash, now()).standing;
  if (standing == OpaqueTable::Standing::ended) return reply(false);
  // Another node may have made it just now.
  const bool known_here = standing == OpaqueTable::Standing::good;
  const TokenRecord record{.kind = TokenRecord::Kind::end,
                           .hash = std::string(hash->view())};
  tell(record, [self = self_, hash = *hash, known_here,
                reply](const Result<hub::Published>& outcome) {
    if (!outcome) return reply(outcome.error());
    if (*self != nullptr) {
      (void)(*self)->table_.end(hash, outcome->position, (*self)->now());
    }
    reply(known_here);
  });
}

}  // namespace paperboy::session
