// Answers that are made beside the io thread: what is asked of the files, and the page's own files, packed.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "answers.hpp"
#include "asked.hpp"
#include "bars.hpp"
#include "beside.hpp"

namespace cvdd::web {

namespace asio = boost::asio;
namespace beast = boost::beast;

namespace {
constexpr auto await_tuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t readers_max = 2, readers_waiting_max = 16;
}  // namespace

// At most two at a time; a few wait, in no order. False: too many do.
asio::awaitable<bool> Answers::begin_reading() {
  if (waiting_ >= readers_waiting_max) co_return false;
  ++waiting_;
  while (reading_ >= readers_max && !stopping_) co_await read_.async_wait(await_tuple);
  --waiting_;
  ++reading_;
  co_return true;
}

void Answers::end_reading() {
  --reading_;
  read_.cancel();
}

asio::awaitable<Response> Answers::bars(const Request& request, const Target& target) {
  std::string error;
  BarsAnswer asked;
  const auto query = parse_bars_query(target, wall_now() + seconds(1), error);
  if (!query) co_return error_answer(http::status::bad_request, error);
  if (query->summed()) co_return co_await group_bars(request, *query);
  asked.query = *query;
  asked.interval = engine_.config().interval;
  asked.packed = takes_gzip(request);
  if (!co_await begin_reading()) {
    co_return error_answer(http::status::too_many_requests, "too many questions about the files at once");
  }
  struct End {
    Answers& answers;
    ~End() { answers.end_reading(); }
  } const end{*this};
  // Without a row the market is known only if somebody collects it.
  complete_names(asked, live_.snapshot()->states);
  // All of them were looked at, or copied.
  allowance_.spend(std::chrono::microseconds(50 + asked.collected.size() / 2));
  auto read = [this, asked = std::move(asked)]() -> asio::awaitable<BarsText> {
    co_return bars_text(engine_.files(), engine_.config().data_dir, asked, allowance_,
                        [this] { return stopping_.load(); });
  };
  BarsText made = co_await asio::co_spawn(readers_, std::move(read), asio::use_awaitable);
  co_return answer_of(std::move(made), query->csv);
}

// Whose bars are summed, and in which units. Something wrong: what, and the status says of which kind.
std::optional<Response> Answers::find_group(GroupAnswer& asked) const {
  const BarsQuery& query = asked.query;
  if (!query.group.empty()) {
    std::vector<std::string> names;
    for (const GroupWanted& group : engine_.groups()) names.push_back(group.name);
    const std::size_t place = place_of(query.group, names);
    if (place == nobody) return error_answer(http::status::not_found, no_such_group(query.group, names));
    asked.group.of = engine_.groups()[place];
  } else {
    std::vector<InstrumentName> names = query.instruments;
    const auto missing = spell_as_collected(names, live_.snapshot()->states);
    if (!missing.empty()) return error_answer(http::status::not_found, not_collected(missing));
    asked.group.of = std::move(names);
  }
  const auto take = [&](const InstrumentState& s) {
    asked.members.push_back({s.exchange, s.market, s.symbol});
    if (s.instrument == nullptr) return;
    asked.base.add(s.instrument->base);
    asked.quote.add(s.instrument->quote);
  };
  for (const InstrumentState& s : live_.snapshot()->states) {
    if (asked.group.has(s)) take(s);
  }
  const std::size_t many = asked.members.size();
  if (many == 0) return error_answer(http::status::not_found, "group: no instrument of it is collected here");
  if (many > group_members_max) {
    return error_answer(http::status::bad_request, "group: it has more than 200 members");
  }
  return std::nullopt;
}

asio::awaitable<Response> Answers::group_bars(const Request& request, const BarsQuery& query) {
  GroupAnswer asked;
  asked.query = query;
  asked.interval = engine_.config().interval;
  asked.packed = takes_gzip(request);
  if (auto wrong = find_group(asked)) co_return std::move(*wrong);
  allowance_.spend(std::chrono::microseconds(200));  // all instruments were looked at
  if (!co_await begin_reading()) {
    co_return error_answer(http::status::too_many_requests, "too many questions about the files at once");
  }
  struct End {
    Answers& answers;
    ~End() { answers.end_reading(); }
  } const end{*this};
  auto read = [this, asked = std::move(asked)]() -> asio::awaitable<BarsText> {
    co_return group_bars_text(engine_.files(), engine_.config().data_dir, asked, allowance_,
                              [this] { return stopping_.load(); });
  };
  BarsText made = co_await asio::co_spawn(readers_, std::move(read), asio::use_awaitable);
  co_return answer_of(std::move(made), query.csv);
}

Response Answers::answer_of(BarsText made, bool csv) {
  if (made.unknown) return error_answer(http::status::not_found, made.error);
  if (!made.error.empty()) {
    return error_answer(made.many_markets ? http::status::bad_request : http::status::service_unavailable, made.error);
  }
  Response response =
      text_answer(http::status::ok, std::move(made.text), csv ? "text/csv; charset=utf-8" : "application/json");
  response.set(http::field::vary, "Accept-Encoding");
  if (made.packed) response.set(http::field::content_encoding, "gzip");
  if (csv && !made.next.empty()) response.set("X-Next-From", made.next);
  return response;
}

// The page's files stay as they are, so each is packed once.
asio::awaitable<Body> Answers::packed(const Asset& asset) {
  if (const auto known = packed_.find(asset.path); known != packed_.end()) co_return known->second;
  auto work = [&asset, &allowance = allowance_]() -> asio::awaitable<Body> {
    step_back();
    const auto begin = thread_time();
    auto out = std::make_shared<const std::string>(gzip(asset.body));
    allowance.spend(thread_time() - begin);
    co_return out;
  };
  Body out = co_await asio::co_spawn(readers_, std::move(work), asio::use_awaitable);
  packed_.emplace(asset.path, out);
  co_return out;
}

asio::awaitable<Response> Answers::asset(const Request& request, std::string path) {
  if (path == "/") path = "/index.html";
  for (const Asset& a : assets()) {
    if (a.path != path) continue;
    const bool known = request[http::field::if_none_match] == beast::string_view(a.etag.data(), a.etag.size());
    const std::string type = std::string(a.type) + (a.type.starts_with("text/") ? "; charset=utf-8" : "");
    const bool pack = !known && a.body.size() >= SharedAnswers::worth_packing && takes_gzip(request);
    Body body;
    if (pack) {
      body = co_await packed(a);
    } else {
      body = std::make_shared<const std::string>(known ? std::string_view{} : a.body);
    }
    Response response =
        answer_with(known ? http::status::not_modified : http::status::ok, std::move(body), type.c_str());
    if (pack) response.set(http::field::content_encoding, "gzip");
    response.set(http::field::vary, "Accept-Encoding");
    response.set(http::field::cache_control, "no-cache");
    response.set(http::field::etag, std::string(a.etag));
    co_return response;
  }
  co_return error_answer(http::status::not_found, "there is nothing here; the page is at /, the API at /api/v1/");
}

}  // namespace cvdd::web
