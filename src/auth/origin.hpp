// Which origins (RFC 6454) a location lets in. A browser sends the field
// Origin with every WebSocket handshake, and a page can't change it.
//
// Rules and policies belong to the configuration, or, where a rule comes from
// a variable, to the request; matching changes nothing in them.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

struct pcre2_real_code_8;

namespace paperboy::auth {

inline constexpr std::size_t kMaxOriginSize = 512;  // bytes

/// Where this request went to.
struct Self {
  Bytes scheme;  // "https": the trusted one, behind a proxy
  Bytes host;    // the field Host: "example.com:8443"
};

/// An origin in its normal form: scheme and host in lower case, the port only
/// where it is not the scheme's default, an IPv6 address in its shortest form.
struct Origin {
  std::string scheme;
  std::string host;
  std::optional<unsigned> port;

  /// Exactly scheme://host[:port] (RFC 6454 section 6.2); nothing for `null`,
  /// a user, a path, a byte that isn't ASCII, more than kMaxOriginSize bytes.
  static std::optional<Origin> parse(Bytes text);

  [[nodiscard]] std::string text() const;

  friend bool operator==(const Origin&, const Origin&) = default;
};

class OriginRule {
 public:
  /// `https://example.com[:port]`  exactly this origin;
  /// `https://*.example.com[:port]`  what has one label or more before that;
  /// `~regex`  the whole normal form of an origin, case ignored (PCRE2);
  /// `same`    scheme, host and port of the request;
  /// `null`    what a browser sends for an opaque origin;
  /// `any`     everything.
  /// The error's message says what is wrong with `pattern`.
  static Result<OriginRule> parse(Bytes pattern);

  static OriginRule same() { return OriginRule(Kind::same); }

  /// What is no origin matches `any` alone, and so does `null`, but for a
  /// rule `null`.
  [[nodiscard]] bool matches(Bytes origin, const Self& self) const;

  [[nodiscard]] bool is_any() const { return kind_ == Kind::any; }

 private:
  enum class Kind : unsigned char { exact, wildcard, regex, same, null, any };
  struct FreeRegex {
    void operator()(pcre2_real_code_8* code) const;
  };

  explicit OriginRule(Kind kind) : kind_(kind) {}

  static Result<OriginRule> parse_wildcard(Bytes scheme, Bytes rest);
  static Result<OriginRule> parse_regex(Bytes regex);
  [[nodiscard]] bool matches_regex(const Origin& origin) const;
  [[nodiscard]] bool matches_wildcard(const Origin& origin) const;

  Kind kind_;
  Origin origin_;  // exact; wildcard: its host is what follows the `*`
  std::unique_ptr<pcre2_real_code_8, FreeRegex> regex_;
};

/// The rules of a location: one that matches is enough. Without any rule it is
/// as if `same` stood there.
class OriginPolicy {
 public:
  void add(OriginRule rule) { rules_.push_back(std::move(rule)); }

  /// `origin` is the field's value, nothing where the request has none: then
  /// it is no browser, and is admitted with `any`, or where a key makes sure
  /// that nothing is delivered without a token.
  [[nodiscard]] bool admits(std::optional<Bytes> origin, const Self& self,
                            bool keys_configured) const;

  [[nodiscard]] bool any() const;

 private:
  std::vector<OriginRule> rules_;
};

}  // namespace paperboy::auth
