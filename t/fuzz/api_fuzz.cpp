// The HTTP API's text from strangers. The first byte chooses the method, or
// the old form, or one worker's order for another.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "api/request.hpp"
#include "base/json_text.hpp"
#include "base/utf8.hpp"

namespace {

using paperboy::Bytes;
using namespace paperboy::api;

constexpr std::array<Bytes, 14> kMethods{
    "",          "publish",        "broadcast",
    "subscribe", "unsubscribe",    "disconnect",
    "refresh",   "presence",       "presence_stats",
    "history",   "history_remove", "channels",
    "info",      "batch"};

void require(bool holds) {
  if (!holds) std::abort();
}

/// What is written is read again, and nothing else is read.
void take_order(Bytes text) {
  const auto order = paperboy::hub::decode(text);
  if (!order) return;
  const auto again = paperboy::hub::decode(paperboy::hub::encode(*order));
  require(again &&
          paperboy::hub::encode(*again) == paperboy::hub::encode(*order));
}

void check(const Publish& publish, Bytes body) {
  require(!publish.channels.empty());
  if (publish.kind == paperboy::Kind::text) {
    const Bytes data = publish.message();
    require(data.data() >= body.data());
    require(data.data() + data.size() <= body.data() + body.size());
    require(paperboy::is_json(data));
  }
  if (publish.extra.empty()) return;
  require(paperboy::is_json("{" + publish.extra + "}"));
  require(publish.extra.find('\n') == std::string::npos);
}

void check(const Instruct& instruct) {
  const auto& order = instruct.order;
  require(order.user || !order.client.empty());
  require(paperboy::is_utf8(order.reason) && order.reason.size() <= 123);
  for (const std::string& json : {order.info, order.data}) {
    require(json.empty() ||
            paperboy::is_json(
                json, paperboy::kJsonTextDepth + paperboy::kJsonTextWrapping));
    require(json.find('\n') == std::string::npos);
  }
  take_order(paperboy::hub::encode(order));
}

void ask(Bytes method, Bytes body) {
  const auto request = read_request(method, body);
  if (!request) {
    require(!request.error().why.empty());
    return;
  }
  require(request->weight() <= body.size() + 1);
  for (const Call& call : request->calls) {
    if (const auto* const one = std::get_if<Publish>(&call.command)) {
      check(*one, body);
    } else if (const auto* const two = std::get_if<Instruct>(&call.command)) {
      check(*two);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size == 0) return 0;
  const Bytes input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t choice = data[0] % (kMethods.size() + 1);
  if (choice == kMethods.size()) {
    take_order(input);
  } else {
    ask(kMethods[choice], input);
  }
  return 0;
}
