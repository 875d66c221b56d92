// Nodes that keep opaque tokens, and the history that they have in common, for
// tests.
#pragma once

#include <memory>
#include <string>

#include "auth/opaque_fakes.hpp"
#include "hub/fakes.hpp"
#include "session/token_keeper.hpp"

#include "test.hpp"

namespace paperboy::session {

using auth::TokenError;
using Standing = auth::OpaqueTable::Standing;

class TestClock final : public Clock {
 public:
  [[nodiscard]] std::uint64_t monotonic_ms() const override { return 0; }
  [[nodiscard]] std::int64_t unix_seconds() const override { return now; }

  std::int64_t now = 1000;
};

/// What nodes have in common: the history, which each has its own worker hear.
struct Broker {
  hub::FakeBroker broker;
  hub::FakePresence presence{broker};
  hub::RuleSet rules;
  hub::Hub hub{broker, presence, rules};
  TestClock clock;
};

struct Node : auth::TableMemory {
  explicit Node(Broker& of,
                const auth::OpaqueTable::Limits& limits = {.most = 10,
                                                           .size = 128})
      : TableMemory(limits),
        keeper(of.hub, of.clock, table, limits.most, [this] { ++complaints; }) {
  }

  int complaints = 0;
  TokenKeeper keeper;
};

struct World : Broker {
  World() { assert_true(node.keeper.listen().ok()); }

  hub::MadeToken create(Bytes claims, std::uint64_t seconds = 100,
                        bool sliding = false, Bytes name_space = {}) {
    const auto made = std::make_shared<hub::MadeToken>();
    node.keeper.create(
        {std::string(name_space), std::string(claims), seconds, sliding},
        [this, made](const Result<hub::MadeToken>& outcome) {
          why = outcome ? std::string()
                        : std::string(error_name(outcome.error().code));
          if (outcome) *made = *outcome;
        });
    return *made;
  }
  /// "ended", "there was none", or the error.
  std::string end(Bytes token, Bytes name_space = {}) {
    std::string what = "nothing";
    node.keeper.end(name_space, token, [&](const Result<bool>& outcome) {
      what = outcome ? (*outcome ? "ended" : "there was none")
                     : std::string(error_name(outcome.error().code));
    });
    return what;
  }
  /// True: something has ended.
  bool turn(Node* other = nullptr) {
    bool more = true;
    bool ended = false;
    while (more) {
      more = hub.drain();
      ended |= node.keeper.look();
      if (other != nullptr) ended |= other->keeper.look();
    }
    hub.release();
    return ended;
  }
  Result<auth::Token, TokenError> find(Bytes token, Bytes name_space = {}) {
    return node.keeper.find(name_space, token, {});
  }
  /// It lets a client in.
  void use(Bytes token, Node* at = nullptr) {
    TokenKeeper& keeper = at != nullptr ? at->keeper : node.keeper;
    const auto found = keeper.find("", token, {});
    assert_true(found.ok());
    assert_true(keeper.keep(found->opaque) == Standing::good);
  }
  void assert_refused(Bytes token, TokenError error, Bytes name_space = {}) {
    const auto found = find(token, name_space);
    assert_false(found.ok());
    assert_int_equal(found.error(), error);
  }

  Node node{*this};
  std::string why;
};

inline void assert_text(const std::string& actual, const char* expected) {
  assert_string_equal(actual.c_str(), expected);
}

}  // namespace paperboy::session
