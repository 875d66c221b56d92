#include "base/member.hpp"

#include "base/json_text.hpp"

namespace paperboy {

void append_member(std::string& out, const Member& member) {
  out += R"({"user":)";
  append_json_string(out, member.user);
  out += R"(,"client":)";
  append_json_string(out, member.client);
  if (!member.conn_info.empty()) {
    out.append(R"(,"conn_info":)").append(member.conn_info);
  }
  if (!member.chan_info.empty()) {
    out.append(R"(,"chan_info":)").append(member.chan_info);
  }
  out += '}';
}

}  // namespace paperboy
