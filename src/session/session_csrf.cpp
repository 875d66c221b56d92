// Of sessions whose messages show a token against forged requests
// (auth/csrf.hpp): each is a JSON object with a property `csrf`, of native each
// command. What goes on is the message without it, since it may go to others,
// and its other bytes as they were.
#include "auth/csrf_message.hpp"
#include "session/session.hpp"

namespace paperboy::session {

namespace {

constexpr Close kRefused{close::kPolicy, "csrf"};

Bytes text_of(auth::CsrfCheck check) {
  return check == auth::CsrfCheck::expired
             ? R"({"code":403,"message":"The CSRF provided has expired."})"
             : R"({"code":403,"message":"You do not have permission to )"
               R"(access this websocket."})";
}

}  // namespace

/// False: it was refused, and the connection ends.
bool Session::unwrap(const dialect::Message& shown, std::string& rest) {
  const Bytes user = context().csrf_users[this];
  const std::int64_t now = context().clock.unix_seconds();
  const bool lines =
      settings().dialect->converses() && settings().dialect->connects();
  auto check = auth::CsrfCheck::missing;
  for (Bytes left = shown.data; shown.kind == Kind::text;) {
    const std::size_t newline = lines ? left.find('\n') : Bytes::npos;
    const Bytes one = left.substr(0, newline);
    const auto token = auth::take_csrf(one, rest);
    check = token ? settings().csrf->check(user, *token, now)
                  : auth::CsrfCheck::missing;
    if (check != auth::CsrfCheck::good || newline == Bytes::npos) break;
    rest += '\n';
    left.remove_prefix(newline + 1);
    if (left.empty()) break;
  }
  if (check == auth::CsrfCheck::good) return true;
  context().counters.add(Counter::refused_csrf);
  // Clients of native take it for garbage; the code tells them.
  if (!lines) message({Kind::text, text_of(check)});
  end(kRefused);
  return false;
}

}  // namespace paperboy::session
