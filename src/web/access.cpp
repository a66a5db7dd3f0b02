// Who may ask for what.
#include <fmt/format.h>

#include <algorithm>

#include "answers.hpp"
#include "cvdd/base/printable.hpp"

namespace cvdd::web {

namespace beast = boost::beast;

namespace {
constexpr std::size_t word_max = 100;

bool has_token(const Request& request, const std::string& token) {
  const auto value = request[http::field::authorization];
  constexpr std::string_view scheme = "Bearer ";
  return value.size() > scheme.size() &&
         beast::iequals(value.substr(0, scheme.size()), {scheme.data(), scheme.size()}) &&
         same_secret({value.data() + scheme.size(), value.size() - scheme.size()}, token);
}

bool about_data(std::string_view path) { return path == "/readyz" || path == "/metrics" || path.starts_with("/api/"); }
}  // namespace

bool Answers::meant(const Request& request) const {
  const auto host = request[http::field::host];
  return !settings_.token.empty() || host_allowed(std::string_view(host.data(), host.size()), settings_.hosts);
}

bool Answers::from_here(const Request& request) const {
  const auto origin = request[http::field::origin];
  const std::string_view from(origin.data(), origin.size());
  const auto name = from.substr(std::min(from.find("//") + 2, from.size()));
  return origin.empty() || from.ends_with("//" + std::string(request[http::field::host])) ||
         std::find(settings_.hosts.begin(), settings_.hosts.end(), name.substr(0, name.find(':'))) !=
             settings_.hosts.end();
}

bool Answers::allowed(const Request& request) const {
  if (settings_.token.empty()) return true;
  if (has_token(request, settings_.token)) return true;
  const auto cookie = request[http::field::cookie];
  for (std::string_view rest(cookie.data(), cookie.size()); !rest.empty();) {
    std::string_view one = rest.substr(0, rest.find(';'));
    rest.remove_prefix(std::min(one.size() + 1, rest.size()));
    while (one.starts_with(' ')) one.remove_prefix(1);
    if (one.starts_with("cvdd=") && session_good(one.substr(5), settings_.token, wall_now())) return true;
  }
  return false;
}

std::optional<Response> Answers::refusal(const Request& request, const std::optional<Target>& target) const {
  if (request.method() != http::verb::get && request.method() != http::verb::head) {
    Response response = error_answer(http::status::method_not_allowed, "only GET and HEAD are answered here");
    response.set(http::field::allow, "GET, HEAD");
    return response;
  }
  if (!target) return error_answer(http::status::bad_request, "the address is not one that is used here");
  if (!target->twice.empty()) {
    return error_answer(http::status::bad_request,
                        printable(target->twice, word_max) + ": it is given twice; expected once");
  }
  if (request.count(http::field::host) != 1) {
    return error_answer(http::status::bad_request, "a request has one header Host");
  }
  if (target->path == "/healthz") return std::nullopt;
  if (!meant(request)) {
    return error_answer(http::status::misdirected_request,
                        "this name is not one of this server's: use its address, or name it in [http] hosts");
  }
  if (!about_data(target->path)) return std::nullopt;
  // A browser says for whom it asks. Who opens a page elsewhere must not make this machine work.
  const auto site = request["Sec-Fetch-Site"];
  if (!site.empty() && site != "same-origin" && site != "none") {
    return error_answer(http::status::forbidden, "a page of another site may not ask here");
  }
  if (allowed(request)) return std::nullopt;
  Response response = error_answer(http::status::unauthorized, "a token is needed: \"Authorization: Bearer TOKEN\"");
  response.set(http::field::www_authenticate, "Bearer");
  return response;
}

// The page shows the token once, in a header, and the browser keeps something else for it.
Response Answers::let_in(const Request& request) const {
  Response response(http::status::no_content, 11);
  if (settings_.token.empty() || !has_token(request, settings_.token)) return response;
  const bool tls = beast::iequals(request["X-Forwarded-Proto"], "https");
  response.set(http::field::set_cookie, fmt::format("cvdd={}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}{}",
                                                    session_of(settings_.token, wall_now() + session_length),
                                                    session_length.us / 1'000'000, tls ? "; Secure" : ""));
  return response;
}

}  // namespace cvdd::web
