// What OpenSSL leaves in its queue of errors, nginx would log as an error of
// the next TLS connection.
#pragma once

#include <openssl/err.h>

namespace paperboy::auth {

/// Takes away, at the end of its scope, the errors that came since its start.
class OpensslErrors {
 public:
  OpensslErrors() { ERR_set_mark(); }
  OpensslErrors(const OpensslErrors&) = delete;
  OpensslErrors& operator=(const OpensslErrors&) = delete;
  ~OpensslErrors() { ERR_pop_to_mark(); }
};

}  // namespace paperboy::auth
