#include "nginx/body.hpp"

namespace paperboy::nginx {

namespace {

std::size_t body_size(const ngx_http_request_t* r) {
  std::size_t size = 0;
  if (r->request_body == nullptr) return 0;
  for (auto* link = r->request_body->bufs; link != nullptr; link = link->next) {
    size += static_cast<std::size_t>(ngx_buf_size(link->buf));
  }
  return size;
}

}  // namespace

bool append_buffer(std::string& body, ngx_buf_t& buffer) {
  if (ngx_buf_in_memory(&buffer)) {
    body.append(reinterpret_cast<char*>(buffer.pos),
                static_cast<std::size_t>(buffer.last - buffer.pos));
    return true;
  }
  if (buffer.in_file == 0) return true;
  const auto size =
      static_cast<std::size_t>(buffer.file_last - buffer.file_pos);
  const std::size_t start = body.size();
  body.resize(start + size);
  const ssize_t n =
      ngx_read_file(buffer.file, reinterpret_cast<u_char*>(&body[start]), size,
                    buffer.file_pos);
  return n == static_cast<ssize_t>(size);
}

bool is_sized(const ngx_http_request_t* r) {
  return r->headers_in.content_length_n >= 0 || r->headers_in.chunked != 0 ||
         r->stream != nullptr;
}

Result<std::string> read_body(const ngx_http_request_t* r, std::size_t limit,
                              const Error& too_large) {
  if (body_size(r) > limit) return too_large;
  std::string body;
  if (r->request_body == nullptr) return body;
  for (auto* link = r->request_body->bufs; link != nullptr; link = link->next) {
    if (!append_buffer(body, *link->buf)) {
      return Error{ErrorCode::internal, "the request's body can't be read"};
    }
  }
  return body;
}

Result<Bytes> borrow_body(const ngx_http_request_t* r, std::size_t limit,
                          const Error& too_large, std::string& room) {
  const auto* const first =
      r->request_body != nullptr ? r->request_body->bufs : nullptr;
  const bool whole = first != nullptr && first->next == nullptr &&
                     ngx_buf_in_memory(first->buf);
  if (whole && body_size(r) <= limit) {
    return Bytes(reinterpret_cast<const char*>(first->buf->pos), body_size(r));
  }
  auto body = read_body(r, limit, too_large);
  if (!body) return body.error();
  room = std::move(*body);
  return Bytes(room);
}

}  // namespace paperboy::nginx
