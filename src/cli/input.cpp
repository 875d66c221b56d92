#include "cli/input.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "auth/jwt.hpp"

namespace paperboy::cli {

namespace {

struct CloseFile {
  void operator()(std::FILE* file) const {
    if (file != stdin) std::fclose(file);
  }
};

std::string dashed(Bytes name, Bytes suffix) {
  return "--" + std::string(name) + std::string(suffix);
}

Outcome<std::string> read_env(const std::string& option, Bytes name) {
  const char* const value = std::getenv(std::string(name).c_str());
  if (value == nullptr) {
    return misused(option + ": the environment has no variable of that name");
  }
  return std::string(value);
}

Outcome<std::optional<std::string>> read_raw(const Arguments& arguments,
                                             Bytes name) {
  const auto file = arguments.value(dashed(name, "-file").substr(2));
  const auto env = arguments.value(dashed(name, "-env").substr(2));
  if (!file && !env) return std::optional<std::string>();
  if (file && env) {
    return misused(dashed(name, "-file") + " and " + dashed(name, "-env") +
                   ": give one of them");
  }
  auto text =
      file ? read_file(*file, kMaxKey) : read_env(dashed(name, "-env"), *env);
  if (!text) return text.error();
  return std::optional(std::move(*text));
}

bool is_graphic(char c) { return c > 0x20 && c < 0x7f; }

Failure no_token() {
  return misused("the token: there is none, or it has white space in it");
}

}  // namespace

Outcome<std::string> read_file(Bytes path, std::size_t limit) {
  const std::string name(path);
  std::unique_ptr<std::FILE, CloseFile> file(
      path == "-" ? stdin : std::fopen(name.c_str(), "rb"));
  if (!file) return misused(name + ": " + std::strerror(errno));
  std::string content;
  std::array<char, 16384> piece;
  while (const std::size_t size =
             std::fread(piece.data(), 1, piece.size(), file.get())) {
    content.append(piece.data(), size);
    if (content.size() > limit) {
      return misused(name + ": larger than " + std::to_string(limit) +
                     " bytes");
    }
  }
  if (std::ferror(file.get()) != 0) {
    return misused(name + ": " + std::strerror(errno));
  }
  return content;
}

Outcome<std::optional<std::string>> read_key(const Arguments& arguments) {
  auto key = read_raw(arguments, "key");
  if (!key || !*key) return key;
  std::string& text = **key;
  // paperboy_jwt_key leaves out one final newline of a file, too.
  if (arguments.has("key-file") && text.ends_with('\n')) text.pop_back();
  return key;
}

Outcome<std::optional<std::string>> read_token(const Arguments& arguments,
                                               Bytes name) {
  auto token = read_raw(arguments, name);
  if (!token || !*token) return token;
  std::string& text = **token;
  while (!text.empty() && !is_graphic(text.back())) text.pop_back();
  if (text.empty() || text.size() > auth::kMaxTokenSize ||
      !std::ranges::all_of(text, is_graphic)) {
    return no_token();
  }
  return token;
}

}  // namespace paperboy::cli
