#include "response.hpp"

#include <zlib.h>

#include <sstream>
#include <stdexcept>

#include "cvdd/base/version.hpp"
#include "json.hpp"

namespace cvdd::web {

namespace beast = boost::beast;

Response answer_with(http::status status, Body body, const char* type) {
  Response response(status, 11);
  response.set(http::field::content_type, type);
  response.text = std::move(body);
  return response;
}

Response text_answer(http::status status, std::string body, const char* type) {
  return answer_with(status, std::make_shared<const std::string>(std::move(body)), type);
}

Response json_answer(http::status status, std::string body) {
  return text_answer(status, std::move(body), "application/json");
}

Response error_answer(http::status status, std::string_view what) {
  std::string out = R"({"error":)";
  append_text(out, what);
  return json_answer(status, out + "}\n");
}

std::string complete_head(Response& response, bool keep_alive) {
  response.keep_alive(keep_alive);
  response.set(http::field::server, std::string(product()));
  response.set("Content-Security-Policy",
               "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
               "base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
  response.set("X-Content-Type-Options", "nosniff");
  response.set("Referrer-Policy", "no-referrer");
  response.set("Cross-Origin-Resource-Policy", "same-origin");
  if (response.find(http::field::cache_control) == response.end()) {
    response.set(http::field::cache_control, "no-store");
  }
  // Those two have no body, whatever they say of it.
  if (response.result() != http::status::no_content && response.result() != http::status::not_modified) {
    response.content_length(response.text->size());
  }
  std::ostringstream head;
  head << response.base();
  return head.str();
}

bool takes_gzip(const Request& request) {
  const auto accepted = request[http::field::accept_encoding];
  for (const auto& [name, parameters] : http::ext_list(accepted)) {
    if (!beast::iequals(name, "gzip")) continue;
    for (const auto& [key, value] : parameters) {
      if (beast::iequals(key, "q") && value.find_first_not_of("0.") == value.npos) return false;
    }
    return true;
  }
  return false;
}

std::string gzip(std::string_view text) {
  z_stream stream{};
  if (deflateInit2(&stream, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("zlib can't begin");
  }
  // zlib does not write to what it reads; its type says nothing of it.
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  std::string out;
  int status = Z_OK;
  // As it is needed: the bound that zlib knows is as long as the text.
  while (status == Z_OK) {
    out.resize(out.size() + text.size() / 16 + 256);
    stream.next_out = reinterpret_cast<Bytef*>(out.data()) + stream.total_out;
    stream.avail_out = static_cast<uInt>(out.size() - stream.total_out);
    status = deflate(&stream, Z_FINISH);
  }
  const std::size_t size = stream.total_out;
  deflateEnd(&stream);
  if (status != Z_STREAM_END) throw std::runtime_error("zlib can't pack an answer");
  return {out, 0, size};  // as large as it has to be: many may hold it for long
}

}  // namespace cvdd::web
