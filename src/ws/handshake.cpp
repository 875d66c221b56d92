// RFC 6455 section 4.2.1, item by item. One pass sorts the headers that
// matter; then each has its check.
#include "ws/handshake.hpp"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>

#include "ws/grammar.hpp"

namespace paperboy::ws {

namespace {

constexpr Bytes kAcceptGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr Bytes kVersion = "13";

// 16 bytes in base64: 22 digits and padding.
constexpr std::size_t kKeySize = 24;
constexpr std::size_t kKeyDigits = 22;

struct Single {
  Bytes value;
  int count = 0;
};

struct Headers {
  Single host;
  Single key;
  Single version;
  bool upgrade = false;
  bool connection = false;
  std::vector<Bytes> protocols;
  std::vector<Bytes> extensions;
};

using Check = std::optional<Refusal>;

bool list_has(Bytes list, Bytes token) {
  while (!list.empty()) {
    if (equal_ignoring_case(next_member(list), token)) return true;
  }
  return false;
}

void set(Single& single, Bytes value) {
  single.value = trim(value);
  ++single.count;
}

void sort_in(const HeaderField& field, Headers& headers) {
  const auto is = [&](Bytes name) {
    return equal_ignoring_case(field.name, name);
  };
  if (is("Host")) {
    set(headers.host, field.value);
  } else if (is("Upgrade")) {
    headers.upgrade |= list_has(field.value, "websocket");
  } else if (is("Connection")) {
    headers.connection |= list_has(field.value, "upgrade");
  } else if (is("Sec-WebSocket-Key")) {
    set(headers.key, field.value);
  } else if (is("Sec-WebSocket-Version")) {
    set(headers.version, field.value);
  } else if (is("Sec-WebSocket-Protocol")) {
    headers.protocols.push_back(field.value);
  } else if (is("Sec-WebSocket-Extensions")) {
    headers.extensions.push_back(field.value);
  }
}

Check check_request_line(const UpgradeRequest& request) {
  if (request.method != "GET") {
    return Refusal{405, "a WebSocket is opened with GET"};
  }
  // HTTP/2 and later have no Upgrade (RFC 9113 section 8.6).
  if (request.http_major != 1 || request.http_minor < 1) {
    return Refusal{400, "a WebSocket is opened over HTTP/1.1"};
  }
  return std::nullopt;
}

Check check_singles(const Headers& headers) {
  if (headers.host.count != 1 || headers.host.value.empty()) {
    return Refusal{400, "one Host header is needed"};
  }
  if (!headers.upgrade) {
    return Refusal{400, "the Upgrade header does not ask for websocket"};
  }
  if (!headers.connection) {
    return Refusal{400, "the Connection header does not name upgrade"};
  }
  // Before the key: drafts before version 4 had neither this header nor that.
  if (headers.version.count > 1) {
    return Refusal{400, "Sec-WebSocket-Version is repeated"};
  }
  if (headers.version.value != kVersion) {
    return Refusal{426, "only version 13 of WebSocket is spoken here"};
  }
  return std::nullopt;
}

bool is_base64_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
         (c >= 'A' && c <= 'Z') || c == '+' || c == '/';
}

Check check_key(const Single& key) {
  if (key.count != 1) {
    return Refusal{400, "one Sec-WebSocket-Key header is needed"};
  }
  const Bytes digits = key.value.substr(0, kKeyDigits);
  if (key.value.size() != kKeySize || key.value.substr(kKeyDigits) != "==" ||
      !std::all_of(digits.begin(), digits.end(), is_base64_digit)) {
    return Refusal{400, "Sec-WebSocket-Key is not 16 bytes in base64"};
  }
  return std::nullopt;
}

bool any_repeated(std::vector<Bytes> names) {
  std::sort(names.begin(), names.end());
  return std::adjacent_find(names.begin(), names.end()) != names.end();
}

// Section 4.1, item 10: at least one, each a token, none twice.
Check read_protocols(const std::vector<Bytes>& values,
                     std::vector<Bytes>& protocols) {
  for (Bytes list : values) {
    while (!list.empty()) {
      const Bytes name = next_member(list);
      if (name.empty()) continue;
      if (!is_token(name)) {
        return Refusal{400, "Sec-WebSocket-Protocol is malformed"};
      }
      protocols.push_back(name);
    }
  }
  if (!values.empty() && protocols.empty()) {
    return Refusal{400, "Sec-WebSocket-Protocol is empty"};
  }
  if (any_repeated(protocols)) {
    return Refusal{400, "Sec-WebSocket-Protocol names one twice"};
  }
  return std::nullopt;
}

Check check_extensions(const std::vector<Bytes>& values) {
  std::vector<Extension> extensions;
  for (const Bytes value : values) {
    if (!parse_extensions(value, extensions)) {
      return Refusal{400, "Sec-WebSocket-Extensions is malformed"};
    }
  }
  return std::nullopt;
}

}  // namespace

Result<Upgrade, Refusal> check_upgrade(const UpgradeRequest& request) {
  if (const Check refusal = check_request_line(request)) return *refusal;
  Headers headers;
  for (const HeaderField& field : request.headers) sort_in(field, headers);
  if (const Check refusal = check_singles(headers)) return *refusal;
  if (const Check refusal = check_key(headers.key)) return *refusal;

  Upgrade upgrade;
  upgrade.key = headers.key.value;
  if (const Check refusal =
          read_protocols(headers.protocols, upgrade.protocols)) {
    return *refusal;
  }
  if (const Check refusal = check_extensions(headers.extensions)) {
    return *refusal;
  }
  upgrade.extensions = std::move(headers.extensions);
  return upgrade;
}

std::array<char, 28> accept_value(Bytes key) {
  // SHA1() would look it up each time, at a higher price than the digest's.
  static const EVP_MD* const sha1 = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  std::string text(key);
  text.append(kAcceptGuid);
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  EVP_Digest(text.data(), text.size(), digest.data(), nullptr, sha1, nullptr);
  std::array<unsigned char, 29> encoded;  // OpenSSL ends it with a NUL
  EVP_EncodeBlock(encoded.data(), digest.data(), digest.size());
  std::array<char, 28> value;
  std::copy_n(encoded.begin(), value.size(), value.begin());
  return value;
}

}  // namespace paperboy::ws
