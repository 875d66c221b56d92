// What a connection's limits remember of it. Owned by the worker's Limits.
#pragma once

#include "nginx/ngx.hpp"

#include <cstdint>
#include <memory>

#include "nginx/limits.hpp"

namespace paperboy::nginx {

class Ward final : public session::Warden {
 public:
  Ward(Limits& limits, ngx_http_request_t* r, const LocationConf& conf);
  ~Ward() override;

  /// Counts the connection as one of `user`, who may be nobody yet. The limit
  /// that has as many; null: none.
  const ConnectionLimit* admit(ngx_http_request_t* r, Bytes user);

  // session::Warden
  Verdict message() override;
  bool bytes(std::size_t number) override;
  bool is_user(Bytes user) override;
  void bad_token() override;

 private:
  using Mark = Limits::Mark;

  [[nodiscard]] Mark mark(ngx_http_request_t* r, const LimitKey& key) const;
  [[nodiscard]] Mark user_mark(const LimitKey& key, Bytes user) const;
  bool count(const ConnectionLimit& limit, std::uint64_t& cell, Mark mark);
  bool charge(const RateLimit& limit, std::uint64_t& cell, std::uint64_t n);
  void name_rates(Bytes user);

  Limits& limits_;
  const LimitsConf& conf_;
  Mark space_;                 // of the namespace, in which names are users
  Mark address_;               // for bad tokens; 0: none
  std::uint64_t refused_ = 0;  // the rate of what was refused
  bool banned_ = false;        // its next message is its last

  // In the order of the lists of connections, messages and bytes. Of a limit of
  // connections: the mark that is counted; 0: none. Of a rate: the same, or of
  // one of this connection alone, the rate.
  std::unique_ptr<std::uint64_t[]> cells_;
};

}  // namespace paperboy::nginx
