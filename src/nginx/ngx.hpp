// nginx's own headers, which must come before all others in a file, and the
// few bridges between its types and ours.
#pragma once

extern "C" {
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
}

#include <exception>
#include <new>
#include <type_traits>
#include <utility>

#include "base/bytes.hpp"

extern "C" {
extern ngx_module_t ngx_http_paperboy_module;
}

namespace paperboy::nginx {

inline Bytes bytes(const ngx_str_t& text) {
  return {reinterpret_cast<const char*>(text.data), text.len};
}

/// A copy in `pool`, whose data is null where memory ran out.
inline ngx_str_t copy(ngx_pool_t* pool, Bytes text) {
  ngx_str_t copied{};
  copied.data =
      static_cast<u_char*>(ngx_pnalloc(pool, text.empty() ? 1 : text.size()));
  if (copied.data == nullptr) return copied;
  copied.len = text.size();
  if (!text.empty()) ngx_memcpy(copied.data, text.data(), text.size());
  return copied;
}

/// For what only reads: nginx's strings are never const.
inline ngx_str_t borrow(Bytes text) {
  return {text.size(),
          reinterpret_cast<u_char*>(const_cast<char*>(text.data()))};
}

/// A T that lives and dies with `pool`; null where memory ran out.
template <typename T, typename... Args>
T* make_in_pool(ngx_pool_t* pool, Args&&... args) {
  // The cleanup comes first: once there is a T, it must not be lost.
  ngx_pool_cleanup_t* const cleanup = ngx_pool_cleanup_add(pool, sizeof(T));
  if (cleanup == nullptr) return nullptr;
  static_assert(alignof(T) <= NGX_ALIGNMENT);
  T* const made = new (cleanup->data) T(std::forward<Args>(args)...);
  cleanup->handler = [](void* data) { static_cast<T*>(data)->~T(); };
  return made;
}

/// REQUIRES: an exception is being handled.
inline void log_exception() noexcept {
  try {
    throw;
  } catch (const std::exception& e) {
    ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0, "paperboy: %s", e.what());
  } catch (...) {
    ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0, "paperboy: exception");
  }
}

/// What tells nginx that a function of that type failed.
template <typename R>
R failure() {
  if constexpr (std::is_same_v<R, char*>) {
    return static_cast<char*>(NGX_CONF_ERROR);
  } else if constexpr (std::is_pointer_v<R>) {
    return nullptr;
  } else if constexpr (!std::is_void_v<R>) {
    return NGX_ERROR;
  }
}

/// The one boundary that C calls through: what a function throws (in practice
/// std::bad_alloc) ends the request or the turn, not the process.
template <auto F>
struct Callback;

template <typename R, typename... Args, R (*F)(Args...)>
struct Callback<F> {
  static R call(Args... args) noexcept {
    try {
      return F(args...);
    } catch (...) {
      log_exception();
      return failure<R>();
    }
  }
};

/// A function of C for nginx to call: `callback<f>`.
template <auto F>
// NOLINTNEXTLINE(readability-identifier-naming): it reads as a function
constexpr auto callback = &Callback<F>::call;

}  // namespace paperboy::nginx
