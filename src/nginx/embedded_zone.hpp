// Where the callbacks of embedded back ends are kept: a small zone of nginx's
// of its own, so that all workers know them, and those after a reload.
#pragma once

#include "nginx/ngx.hpp"

#include <string>
#include <vector>

#include "backend/embedded_messaging.hpp"
#include "nginx/conf.hpp"

namespace paperboy::nginx {

/// Names the zone in the configuration; null: all is well.
char* add_callback_zone(ngx_conf_t* cf, EmbeddedConf& conf);

class ZoneCallbacks final : public backend::Callbacks {
 public:
  /// `conf` must outlive this, and is in use.
  explicit ZoneCallbacks(const EmbeddedConf& conf) : conf_(conf) {}

  [[nodiscard]] std::uint64_t version() const override;
  [[nodiscard]] std::vector<backend::Registered> all() const override;
  void remove(std::uint64_t serial) override;

  /// False: there are as many as there may be.
  bool add(const backend::Callback& callback);

  /// Who is told another one has to register again.
  [[nodiscard]] std::string instance() const;

 private:
  const EmbeddedConf& conf_;
};

}  // namespace paperboy::nginx
