// What a worker does so that key sets (paperboy_jwks) stay as their issuers
// have them: it looks at files once a second, and asks locations again after a
// time, or when a token names a key that isn't known. What can't be read leaves
// the keys as they were, for as long as they may be trusted (max_age=).
#pragma once

#include "nginx/ngx.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "nginx/inner_request.hpp"
#include "nginx/jwks_conf.hpp"

namespace paperboy::nginx {

/// Of one key set; outlives the desk while an answer is awaited.
class JwksKeeper : public std::enable_shared_from_this<JwksKeeper> {
 public:
  explicit JwksKeeper(std::shared_ptr<const JwksConf> conf);

  /// `now`: milliseconds, monotonic.
  void tick(std::uint64_t now);

 private:
  void look(std::uint64_t now);
  void look_at_file(std::uint64_t now);
  void drop_old(std::uint64_t now);
  void ask(std::uint64_t now);
  void on_answer(const InnerAnswer& answer);
  void take(Bytes text);
  void complain(const std::string& why);

  std::shared_ptr<const JwksConf> conf_;
  FileMark mark_;
  bool good_ = true;            // what has that mark is a key set
  std::string complaint_;       // that was logged last; empty: all is well
  std::string skipped_;         // keys, as logged last
  std::uint64_t asked_ms_ = 0;  // 0: never
  std::uint64_t due_ms_ = 0;
  std::uint64_t good_ms_ = 0;  // when its keys were seen last; 0: not yet
  bool asking_ = false;
};

class JwksDesk {
 public:
  /// Once a second, and first when the worker starts.
  void tick();

 private:
  std::vector<std::shared_ptr<const JwksConf>> confs_;
  std::vector<std::shared_ptr<JwksKeeper>> keepers_;
};

}  // namespace paperboy::nginx
