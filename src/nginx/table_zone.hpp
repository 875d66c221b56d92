// A zone of nginx's with one table in it, which all workers share, and those
// after a reload that leaves it as large as it was.
#pragma once

#include "nginx/ngx.hpp"

#include <cstddef>
#include <span>

#include "nginx/conf.hpp"

namespace paperboy::nginx {

struct TableZone {
  ngx_str_t name;    // of the directive that says how large it is
  std::size_t size;  // of the table, in bytes; it gets whole pages

  /// Makes an empty one of memory that nobody has used. False: it can't.
  bool (*format)(std::span<std::byte> memory, const MainConf& main);

  /// Tells the configuration where it is.
  void (*attach)(std::span<std::byte> memory, MainConf& main);
};

/// In postconfiguration.
ngx_int_t add_table_zone(ngx_conf_t* cf, const TableZone& table);

}  // namespace paperboy::nginx
