// What callbacks of embedded back ends answer, however it is cut, and what back
// ends register. The first byte chooses.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "backend/callback.hpp"
#include "backend/http_answer.hpp"

namespace {

using paperboy::Bytes;
using namespace paperboy::backend;

void require(bool holds) {
  if (!holds) std::abort();
}

/// The same status, whole or in two pieces.
void answer(std::uint8_t cut, Bytes text) {
  HttpAnswer whole;
  whole.feed(text);
  const auto state = whole.end();
  require(state != HttpAnswer::State::more);
  require((state == HttpAnswer::State::bad) == (whole.status() == 0));
  HttpAnswer pieces;
  pieces.feed(text.substr(0, cut));
  pieces.feed(text.substr(std::min<std::size_t>(cut, text.size())));
  require(pieces.end() == state && pieces.status() == whole.status());
}

/// Nothing gets into a request but one line's path and one host.
void callback(Bytes text) {
  const auto read = read_callback(kRequestsTopic, text);
  if (!read) return;
  require(read->port != 0 && read->path.starts_with('/'));
  const std::string request = post_request(*read, "token", "{}");
  const Bytes head = Bytes(request).substr(0, request.find("\r\n\r\n"));
  std::size_t lines = 1;
  for (const char c : head) lines += c == '\n' ? 1 : 0;
  require(lines == 6);
  const Bytes first = head.substr(0, head.find("\r\n"));
  require(first == "POST " + read->path + " HTTP/1.1");
  require(read->path.find(' ') == Bytes::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size < 2) return 0;
  const Bytes text(reinterpret_cast<const char*>(data) + 2, size - 2);
  if (data[0] % 2 == 0) {
    answer(data[1], text);
  } else {
    callback(text);
  }
  return 0;
}
