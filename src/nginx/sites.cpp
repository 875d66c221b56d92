#include "nginx/sites.hpp"

namespace paperboy::nginx {

const Site& Sites::of(const LocationConf& conf,
                      const session::Settings& settings) {
  const Site site{{context_, settings}, conf};
  return sites_.try_emplace({&conf, &settings}, site).first->second;
}

}  // namespace paperboy::nginx
