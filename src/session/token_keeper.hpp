// A worker's part in keeping opaque tokens: it makes and ends them for back
// ends, hears of those of others, and looks them up. What is kept is in a table
// that all workers of the node share; what they tell each other goes through a
// channel of our own to all workers of all nodes, and its history is what a
// node that comes later reads first. One a worker, on its event loop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "auth/opaque_table.hpp"
#include "auth/token_store.hpp"
#include "base/clock.hpp"
#include "base/token_record.hpp"
#include "hub/ear.hpp"
#include "hub/hub.hpp"
#include "hub/tokens.hpp"
#include "session/tokens_in_use.hpp"

namespace paperboy::session {

class TokenKeeper final : public auth::TokenStore, public hub::Tokens {
 public:
  /// That another node has made one for which there is no room here.
  using Complaint = std::function<void()>;

  /// All must outlive this. `most`: tokens that are good.
  TokenKeeper(hub::Hub& hub, const Clock& clock, auth::OpaqueTable& table,
              std::uint32_t most, Complaint complain);
  ~TokenKeeper() override;

  /// From now on others reach this worker, and what was there before is read.
  /// Goes on with what it couldn't do; once a second will do.
  Result<Done> listen();

  /// Whether all that were made before this node began are in the table: until
  /// then none is good or bad.
  [[nodiscard]] bool known();

  /// After a drain: takes what came. True: clients are to look whether theirs
  /// has ended, since one that any of them had has.
  bool look();

  /// Once a second. True: clients are to say that they are still there.
  bool tick();

  // auth::TokenStore
  [[nodiscard]] Result<auth::Token, auth::TokenError> find(
      Bytes name_space, Bytes token, const auth::TokenRules& rules) override;
  auth::OpaqueTable::Standing keep(std::uint64_t number) override;

  // hub::Tokens
  void create(const hub::TokenWish& wish, const MadeReply& reply) override;
  void end(Bytes name_space, Bytes token, const EndReply& reply) override;

 private:
  struct Heard {
    TokenRecord record;
    Position at;    // in the history, or an earlier one
    Position upto;  // or a later one
  };

  void read(const Position& since);
  void have_read(const Result<HistoryPage>& page);
  void take_all();
  void probe();
  bool take(const Heard& one);
  void tell(const TokenRecord& record,
            const std::function<void(const Result<hub::Published>&)>& reply);
  [[nodiscard]] std::int64_t now() const { return clock_.unix_seconds(); }

  hub::Hub& hub_;
  const Clock& clock_;
  auth::OpaqueTable& table_;
  const std::uint32_t most_;
  Complaint complain_;
  hub::Ear ear_;
  std::vector<Heard> read_;  // of the history, until all of it is there
  TokensInUse in_use_;
  Position at_;         // up to where was heard; of epoch 0: it isn't known
  bool ended_ = false;  // there were ends, perhaps, that weren't heard
  bool complete_ = false;
  bool reading_ = false;
  std::shared_ptr<TokenKeeper*> self_ = std::make_shared<TokenKeeper*>(this);
};

}  // namespace paperboy::session
