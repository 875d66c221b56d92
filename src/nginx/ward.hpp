// What a connection's limits remember of it. Owned by the worker's Limits.
#pragma once

#include "nginx/ngx.hpp"

#include <cstdint>
#include <memory>

#include "nginx/limits.hpp"

namespace paperboy::nginx {

class Ward final : public session::Warden {
 public:
  /// `conf` must outlive it.
  Ward(Limits& limits, const LocationConf& conf, Bytes name_space);
  ~Ward() override;

  /// Counts the connection as one of `user`, who may be nobody yet. The limit
  /// that has as many; null: none.
  const ConnectionLimit* admit(ngx_http_request_t* r, Bytes user);

  /// What tokens and back ends say that `user` may, in place of what they said
  /// before. False: there are as many connections of the user.
  [[nodiscard]] bool allow(const auth::Allowance& allowance, Bytes user);

  // session::Warden
  Verdict message() override;
  bool bytes(std::size_t number) override;
  bool is_user(Bytes user) override;
  [[nodiscard]] auth::Allowance allowance() const override {
    return allowed_ ? allowed_->allowance : auth::Allowance();
  }
  void bad_token() override;

 private:
  using Mark = Limits::Mark;

  /// What is allowed to this connection alone.
  struct Allowed {
    auth::Allowance allowance{};
    Mark counted = 0;            // of its user; 0: it isn't
    std::uint64_t messages = 0;  // the rates
    std::uint64_t bytes = 0;
  };

  [[nodiscard]] Mark mark(ngx_http_request_t* r, const LimitKey& key) const;
  [[nodiscard]] Mark user_mark(const LimitKey& key, Bytes user) const;
  bool count(std::uint64_t most, std::uint64_t& cell, Mark mark);
  void uncount(std::uint64_t& cell);
  bool charge(const RateLimit& limit, std::uint64_t& cell, std::uint64_t n);
  void name_rates(Bytes user);
  Verdict refuse(const Rate& rate, Bytes what);
  bool allowed_bytes(std::size_t number);

  Limits& limits_;
  const LocationConf& conf_;
  Mark space_;                 // of the namespace, in which names are users
  Mark address_;               // for bad tokens; 0: none
  std::uint64_t refused_ = 0;  // the rate of what was refused
  bool banned_ = false;        // its next message is its last

  // In the order of the lists of connections, messages and bytes. Of a limit of
  // connections: the mark that is counted; 0: none. Of a rate: the same, or of
  // one of this connection alone, the rate.
  std::unique_ptr<std::uint64_t[]> cells_;

  std::unique_ptr<Allowed> allowed_;  // null: nobody has said how much
};

}  // namespace paperboy::nginx
