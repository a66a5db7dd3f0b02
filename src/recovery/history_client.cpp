#include "cvdd/recovery/history_client.hpp"

#include <algorithm>

namespace cvdd {

namespace {
constexpr std::chrono::seconds request_timeout{20};
constexpr std::size_t body_max = std::size_t{4} << 20;
}  // namespace

Duration candle_length(const Exchange& exchange, Duration interval) {
  Duration best;
  if (exchange.candles == nullptr || interval.us == 0) return best;
  if (!exchange.candles->facts.base_exact && !exchange.candles->facts.quote_exact) return best;
  for (const auto& [length, name] : exchange.candles->intervals) {
    if (length.us % interval.us == 0 && (best.us == 0 || length < best)) best = length;
  }
  return best;
}

void refuse_future(HistoryPage& page, Timestamp now) {
  std::erase_if(page.trades, [&](const Trade& trade) {
    if (trade.time <= now + Intake::ahead_max) return false;
    page.refused.push_back({trade.id, trade.time, Refusal::bad_field});
    return true;
  });
}

Outcome<HistoryPage> HistoryClient::read(std::string_view body, const Instrument& instrument) const {
  Outcome<HistoryPage> page = context_.intake->exchange().history->read(body, instrument);
  if (page) refuse_future(*page, context_.time->now());
  return page;
}

HistoryClient::HistoryClient(HistoryContext context) : context_(std::move(context)), timer_(context_.clock->timer()) {}

void HistoryClient::stop() {
  stopping_ = true;
  timer_->cancel();
}

asio::awaitable<void> HistoryClient::sleep(std::chrono::steady_clock::duration time) {
  const auto until = context_.clock->steady() + time;
  while (!stopping_ && context_.clock->steady() < until) co_await timer_->wait_until(until);
}

asio::awaitable<bool> HistoryClient::ask(std::string target, std::string& body, std::string& error) {
  const Duration wait = context_.budget->take(undated(*context_.clock));
  co_await sleep(std::chrono::microseconds(wait.us));
  while (!stopping_) {
    const Duration blocked = context_.gate->blocked(undated(*context_.clock));
    if (blocked.us <= 0) break;
    co_await sleep(std::chrono::microseconds(blocked.us));
  }
  if (stopping_) co_return false;
  co_return co_await get(target, body, error);
}

asio::awaitable<bool> HistoryClient::get(std::string target, std::string& body, std::string& error) {
  const Url& host = context_.hosts[host_ % context_.hosts.size()];
  const auto http = context_.make_http_get();
  const auto deadline = context_.clock->steady() + request_timeout;
  auto response = co_await http->get(host, target, deadline, body_max);
  if (!response.has_value()) {
    error = host.host + ": " + response.error().message() + ": " + http->last_error_detail();
  } else if (response->status != 200) {
    error = host.host + ": " + words_of(*response);
    context_.heed(*response, error);
  } else {
    body = std::move(response->body);
    co_return true;
  }
  ++host_;  // maybe the next one can
  co_return false;
}

bool use_candles(std::vector<Candle>& page, Timestamp from, Timestamp to, Duration interval, std::string& error) {
  std::erase_if(page, [&](const Candle& c) { return c.time < from || c.time >= to; });
  std::ranges::sort(page, {}, &Candle::time);
  const auto twice = std::ranges::adjacent_find(page, {}, &Candle::time);
  const auto odd = std::ranges::find_if(page, [&](const Candle& c) { return bar_start(c.time, interval) != c.time; });
  if (twice != page.end()) error = "two candles of one bar";
  if (odd != page.end()) error = "a candle begins beside its bar";
  return twice == page.end() && odd == page.end();
}

asio::awaitable<bool> HistoryClient::candles(const Instrument& instrument, Timestamp from, Timestamp to,
                                             std::vector<Candle>& out, std::string& error, Duration length) {
  if (length.us == 0) length = context_.interval;
  const Candles* const known = context_.intake->exchange().candles;
  const CandleInterval* const interval = known == nullptr ? nullptr : known->find(length);
  if (interval == nullptr) {
    error = "the exchange has no candles of this length";
    co_return false;
  }
  while (from < to) {
    const Timestamp until = std::min(to, from + Duration{length.us * known->page});
    const Timestamp now = context_.time->now();
    const std::string target = known->target(instrument, from, until, *interval, now);
    std::string body;
    if (!co_await ask(target, body, error)) co_return false;
    auto page = known->read(body, instrument);
    if (!page) {
      error = page.error();
      co_return false;
    }
    if (!use_candles(*page, from, std::min(until, bar_start(now, length)), length, error)) {
      co_return false;
    }
    out.insert(out.end(), page->begin(), page->end());
    from = until;
  }
  co_return true;
}

asio::awaitable<void> HistoryClient::deliver(const Instrument& instrument, std::vector<Record> records) {
  std::span<const Record> rest(records);
  while (!stopping_) {
    rest = rest.subspan(context_.inject(instrument, rest));
    if (rest.empty()) co_return;
    co_await sleep(std::chrono::milliseconds(2));
  }
}

}  // namespace cvdd
