// Where good signatures are remembered (auth/signature_cache.hpp): a zone of
// nginx's of its own, so that all workers share them, and those after a reload,
// to which everybody comes back at once.
#pragma once

#include "nginx/ngx.hpp"

namespace paperboy::nginx {

/// In postconfiguration: names the zone where some location has a public key.
ngx_int_t finish_token_cache(ngx_conf_t* cf);

}  // namespace paperboy::nginx
