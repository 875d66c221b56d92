#include "backend/callback_table.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <new>
#include <span>
#include <type_traits>

namespace paperboy::backend {

namespace {

struct Slot {
  std::uint64_t serial;
  std::uint16_t port;
  std::uint16_t host_size;
  std::uint16_t path_size;
  std::uint8_t topic;
  std::array<char, Callback::kMaxHost> host;
  std::array<char, Callback::kMaxPath> path;
};

struct Block {
  std::uint64_t instance;
  std::uint64_t version;
  std::uint64_t serials;  // given out
  std::array<Slot, CallbackTable::kMost> slots;
};

static_assert(std::is_trivially_copyable_v<Block>);

Block& at(void* block) { return *static_cast<Block*>(block); }

template <std::size_t kSize>
Bytes text(const std::array<char, kSize>& from, std::size_t size) {
  return {from.data(), std::min(size, kSize)};
}

Callback read(const Slot& slot) {
  return {.topic = slot.topic,
          .host = std::string(text(slot.host, slot.host_size)),
          .port = slot.port,
          .path = std::string(text(slot.path, slot.path_size))};
}

/// All but the serial.
void write(Slot& slot, const Callback& callback) {
  slot.topic = callback.topic;
  slot.port = callback.port;
  slot.host_size = static_cast<std::uint16_t>(callback.host.size());
  slot.path_size = static_cast<std::uint16_t>(callback.path.size());
  std::ranges::copy(callback.host, slot.host.begin());
  std::ranges::copy(callback.path, slot.path.begin());
}

/// What was written before is seen by whoever sees it.
void store(std::uint64_t& cell, std::uint64_t value) {
  std::atomic_ref(cell).store(value, std::memory_order_release);
}

bool is_free(const Slot& slot) { return slot.serial == 0; }

}  // namespace

std::size_t CallbackTable::size() { return sizeof(Block); }

void CallbackTable::format(void* block, std::uint64_t instance) {
  Block* const made = new (block) Block{};
  made->instance = instance;
}

std::uint64_t CallbackTable::instance() const { return at(block_).instance; }

std::uint64_t CallbackTable::version() const {
  return std::atomic_ref(at(block_).version).load(std::memory_order_acquire);
}

bool CallbackTable::add(const Callback& callback, std::size_t most) {
  Block& block = at(block_);
  const std::span slots(block.slots);
  auto slot = std::ranges::find_if(slots, [&](const Slot& one) {
    return !is_free(one) && read(one) == callback;
  });
  if (slot == slots.end()) {
    const auto used = std::ranges::count_if(
        slots, [](const Slot& one) { return !is_free(one); });
    if (static_cast<std::size_t>(used) >= most) return false;
    slot = std::ranges::find_if(slots, is_free);
    if (slot == slots.end()) return false;
    write(*slot, callback);
  }
  store(block.serials, block.serials + 1);
  store(slot->serial, block.serials);
  store(block.version, block.version + 1);
  return true;
}

void CallbackTable::remove(std::uint64_t serial) {
  if (serial == 0) return;
  Block& block = at(block_);
  const auto slot = std::ranges::find(block.slots, serial, &Slot::serial);
  if (slot == block.slots.end()) return;
  store(slot->serial, 0);
  store(block.version, block.version + 1);
}

std::vector<Registered> CallbackTable::all() const {
  std::vector<Registered> found;
  for (const Slot& slot : at(block_).slots) {
    if (!is_free(slot)) found.push_back({slot.serial, read(slot)});
  }
  return found;
}

}  // namespace paperboy::backend
