// A table of opaque tokens in memory of its own, for tests.
#pragma once

#include <new>
#include <span>
#include <string>

#include "auth/opaque_table.hpp"

#include "test.hpp"

namespace paperboy::auth {

struct TableMemory {
  explicit TableMemory(const OpaqueTable::Limits& limits = {.most = 10,
                                                            .size = 128})
      : size(OpaqueTable::size_for(limits)),
        memory(static_cast<std::byte*>(
            ::operator new(size, std::align_val_t(64)))) {
    assert_true(OpaqueTable::format({memory, size}, limits));
    table.attach({memory, size});
  }
  TableMemory(const TableMemory&) = delete;
  TableMemory& operator=(const TableMemory&) = delete;
  ~TableMemory() { ::operator delete(memory, std::align_val_t(64)); }

  std::size_t size;
  std::byte* memory;
  OpaqueTable table;
};

}  // namespace paperboy::auth
