// What a worker limits: requests that come too fast, connections of which there
// are too many, clients that send too much, addresses that guess tokens.
// Counted in the zone of limits, with all other workers.
//
// A connection has a ward here only where its location limits something: others
// cost nothing.
#pragma once

#include "nginx/ngx.hpp"

#include <array>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/counters.hpp"
#include "broker/shm_limits.hpp"
#include "nginx/conf.hpp"
#include "session/warden.hpp"

namespace paperboy::nginx {

class Client;
struct Request;
class Ward;

class Limits {
 public:
  /// `memory`: the zone's; empty: nothing is limited. `counters` must outlive
  /// this.
  Limits(std::span<std::byte> memory, Counters& counters);
  ~Limits();

  // Of requests.

  /// Whether it comes too fast, or from an address that has to pause. NGX_OK,
  /// or the status of the refusal. Before anything is verified.
  ngx_int_t check(ngx_http_request_t* r, const LocationConf& conf,
                  Request& request);

  /// Counts the connection that it is to become; until `release`. NGX_OK, or
  /// the status of the refusal.
  ngx_int_t admit(ngx_http_request_t* r, const LocationConf& conf,
                  Request& request, const Client& client);

  /// It has shown a token, or another secret, that nobody has issued.
  void note_bad_token(ngx_http_request_t* r, const LocationConf& conf);

  // Of connections.

  /// What a token of its commands says that `user` may from now on, in place of
  /// what one said before. False: there are as many connections of the user.
  [[nodiscard]] bool limit(const Client& client, const LocationConf& conf,
                           const auth::Allowance& allowance, Bytes name_space,
                           Bytes user);

  /// Null: nothing limits it.
  [[nodiscard]] session::Warden* warden(const Client& client) const;
  void release(const Client& client);

  /// What couldn't be taken back is; call it once a second.
  void tick();

  /// Whether the log may have a line of it: each limit has one a second. What
  /// counts no limit always may.
  [[nodiscard]] bool may_log(Counter counter);

  // For wards.

  using Mark = broker::shm::Mark;
  [[nodiscard]] Mark mark(const LimitKey& key, Bytes value) const;
  [[nodiscard]] WaitNs charge(Mark mark, const Rate& rate, std::uint64_t n);
  /// False: there are as many.
  [[nodiscard]] bool count(Mark mark, std::uint64_t most, bool& counted);
  void uncount(Mark mark);
  /// Of the address, for its bad tokens; 0: it has none.
  [[nodiscard]] Mark pause_mark(const ngx_http_request_t* r) const;
  /// False: it has to pause from here on.
  bool charge_bad_token(const BadTokenLimit& limit, Mark address);
  /// Counts what a limit kept a connection from, and tells the operator.
  void note(Counter counter, Bytes what);

 private:
  ngx_int_t check_pause(ngx_http_request_t* r, const LocationConf& conf,
                        Request& request);

  std::optional<broker::shm::Limits> shared_;  // none: nothing is limited
  Counters& counters_;
  std::array<std::uint64_t, kCounters> logged_ms_{};
  std::vector<Mark> owed_;  // not yet taken back
  std::unordered_map<const Client*, std::unique_ptr<Ward>> wards_;
};

/// Limits of addresses count these together; empty: it has none.
[[nodiscard]] Bytes address_of(const ngx_http_request_t* r);

}  // namespace paperboy::nginx
