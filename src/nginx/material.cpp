#include "nginx/material.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>

namespace paperboy::nginx {

namespace {

/// A line's end at the end of a file is an editor's, not the secret's.
void strip_newline(std::string& text) {
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
}

}  // namespace

std::optional<std::string> read_material_file(ngx_conf_t* cf, Bytes name) {
  ngx_str_t path = copy(cf->pool, std::string(name).append(1, '\0'));
  if (path.data == nullptr) return {};
  --path.len;
  if (ngx_conf_full_name(cf->cycle, &path, 1) != NGX_OK) return {};
  std::ifstream file(std::string(bytes(path)), std::ios::binary);
  if (!file) return {};
  std::string text{std::istreambuf_iterator<char>(file), {}};
  strip_newline(text);
  return text;
}

std::optional<std::string> read_environment(Bytes name) {
  static std::map<std::string, std::string, std::less<>> known;
  const char* const value = std::getenv(std::string(name).c_str());
  if (value != nullptr) known.insert_or_assign(std::string(name), value);
  const auto found = known.find(name);
  if (found == known.end()) return {};
  return found->second;
}

}  // namespace paperboy::nginx
