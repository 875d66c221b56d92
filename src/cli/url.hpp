// Where a location is: ws, wss, http and https URLs (RFC 3986, RFC 6455
// section 3). Values.
#pragma once

#include <string>

#include "cli/outcome.hpp"

namespace paperboy::cli {

struct Url {
  bool tls = false;
  std::string host;    // a name or an address, without brackets
  std::string port;    // decimal
  std::string target;  // path and query, as they stand; never empty

  /// "example.com:8443", with brackets around an IPv6 address.
  [[nodiscard]] std::string authority() const;

  /// For the Host header: without the scheme's default port.
  [[nodiscard]] std::string host_header() const;
};

/// Errors show nothing of the URL: its query may hold a token.
Outcome<Url> parse_url(Bytes text);

/// Adds `?channel=NAME` as it stands, since nginx reads $arg_channel so.
/// Refuses a name that an argument can't hold.
Outcome<Url> with_channel(Url url, Bytes channel);

}  // namespace paperboy::cli
