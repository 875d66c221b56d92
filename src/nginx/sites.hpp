// What all clients of a location have in common on this worker: made when the
// first comes, and kept. One a worker; outlives its clients.
#pragma once

#include "nginx/ngx.hpp"

#include <map>
#include <utility>

#include "nginx/conf.hpp"
#include "session/site.hpp"

namespace paperboy::nginx {

struct Site : session::Site {
  const LocationConf& conf;
};

class Sites {
 public:
  /// Must outlive this.
  explicit Sites(session::Context& context) : context_(context) {}

  /// For those who agreed on `settings`, which are of `conf`. Stays at its
  /// address.
  const Site& of(const LocationConf& conf, const session::Settings& settings);

 private:
  session::Context& context_;

  // By addresses alone: without a master the process sees configurations go,
  // and another may come to lie where one was.
  std::map<std::pair<const LocationConf*, const session::Settings*>, Site>
      sites_;
};

}  // namespace paperboy::nginx
