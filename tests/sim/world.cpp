#include "sim/world.hpp"

#include <algorithm>

namespace cvdd::simtest {

using namespace sim;

namespace {
constexpr std::chrono::milliseconds tick_every{200};
constexpr std::chrono::seconds ping_every{20};
}  // namespace

World::World(VirtualClock& clock, std::uint64_t seed, std::size_t instruments, std::uint32_t trades_per_minute)
    : clock_(clock),
      random_(seed * 7919 + 1),
      tape_(seed, clock.true_time() - seconds(60), make_instruments(instruments, trades_per_minute)),
      printed_(tape_.instruments().size()),
      delivered_(tape_.instruments().size()) {
  tick();
  ping();
}

void World::tick() {
  for (const auto& line : lines_) {
    if (line->open && clock_.steady() >= line->opened + lifetime_) cut(*line);
  }
  tape_.advance(clock_.true_time());
  for (std::size_t i = 0; i < printed_.size(); ++i) {
    const auto trades = tape_.trades(i);
    if (trades.empty()) continue;
    const auto fresh = std::min<std::uint64_t>(trades.back().id - printed_[i], trades.size());
    printed_[i] = trades.back().id;
    for (const TapeTrade& trade : trades.last(fresh)) print(i, trade);
  }
  clock_.at(clock_.steady() + tick_every, [this] { tick(); });
}

void World::ping() {
  for (const auto& line : lines_) {
    if (line->open && !line->dead) line->last_frame = clock_.steady();
  }
  clock_.at(clock_.steady() + ping_every, [this] { ping(); });
}

void World::print(std::size_t instrument, const TapeTrade& trade) {
  const TapeInstrument& what = tape_.instruments()[instrument];
  const std::string stream = binance::stream_name(what.instrument, "aggTrade");
  Trouble& t = trouble(what.instrument.market);
  std::string raw;
  for (const auto& line : lines_) {
    if (!line->open || line->market != what.instrument.market || !line->streams.contains(stream)) continue;
    if (raw.empty()) raw = binance::aggregate_frame(what, trade, clock_.true_time());
    const std::string text = line->combined ? binance::wrapped(stream, raw) : raw;
    if (t.swallow_one) {
      t.swallow_one = false;
      continue;
    }
    if (t.delay_one.us > 0) {
      clock_.at(clock_.steady() + std::chrono::microseconds(t.delay_one.us),
                [this, line, instrument, id = trade.id, text] { deliver(line, instrument, id, text); });
      t.delay_one = {};
      continue;
    }
    if (t.broken && random_() % 4 == 0) send(*line, nonsense(text));
    deliver(line, instrument, trade.id, text);
    if (t.duplicates && random_() % 3 == 0) deliver(line, instrument, trade.id, text);
  }
}

// Broken at a random place, cut off, or of another kind altogether; never a good trade of another size.
std::string World::nonsense(const std::string& good) {
  switch (random_() % 6) {
    case 0:
      return good.substr(0, random_() % good.size());
    case 1:
      return "{}";
    case 2:
      return R"({"e":"aggTrade","s":"NOSUCH","a":1,"p":"1","q":"1","f":1,"l":1,"T":1,"m":true})";
    case 3:
      return std::string(200, '[');
    case 4:
      return R"({"stream":"x@depth","data":{"e":"depthUpdate","s":"BTCUSDT"}})";
    default:
      return std::string("\xff\xfe\x00garbage", 10);
  }
}

void World::deliver(const std::shared_ptr<Line>& line, std::size_t instrument, std::uint64_t id, std::string text) {
  if (!line->open || line->mute || line->dead) return;
  line->ids.emplace_back(instrument, id);
  send(*line, std::move(text));
}

void World::send(Line& line, std::string text) {
  if (!line.open || line.dead) return;
  line.inbox.push_back(std::move(text));
  line.last_frame = clock_.steady();
  if (line.reader != nullptr) line.reader->cancel();
}

void World::read(Line& line, std::vector<std::string>& frames) {
  frames.assign(line.inbox.begin(), line.inbox.end());
  line.inbox.clear();
  for (const auto& [instrument, id] : line.ids) {
    Seen& seen = delivered_[instrument];
    if (seen.ids.empty()) seen.base = tape_.trades(instrument).front().id;
    if (id - seen.base >= seen.ids.size()) seen.ids.resize(id - seen.base + 1'000);
    seen.ids[id - seen.base] = true;
  }
  line.ids.clear();
}

void World::undeliver_after(std::size_t instrument, std::uint64_t id) {
  Seen& seen = delivered_[instrument];
  for (std::size_t i = 0; i < seen.ids.size(); ++i) {
    if (seen.base + i > id) seen.ids[i] = false;
  }
}

std::shared_ptr<Line> World::connect(const Url& url, std::string_view target) {
  const binance::Address address = binance::parse_address(url.path + std::string(target), url.host);
  const auto entry = binance::parse_entry(address);
  attempts_.push_back(clock_.steady());
  while (attempts_.front() + std::chrono::seconds(300) <= clock_.steady()) attempts_.pop_front();
  if (attempts_.size() > 300) ++offences_;
  refusal_.reset();
  if (clock_.steady() < banned_until_) {
    // Who comes back before the time it was given is not listening. Attempts on their way at that moment don't count.
    if (clock_.steady() + std::chrono::seconds(1) < told_to_wait_until_ &&
        told_at_ + std::chrono::seconds(1) < clock_.steady()) {
      ++offences_;
    }
    const auto wait = std::chrono::ceil<std::chrono::seconds>(banned_until_ - clock_.steady());
    refusal_ = HttpRefusal{429, wait, "Too many requests"};
    if (told_to_wait_until_ < clock_.steady()) told_at_ = clock_.steady();
    told_to_wait_until_ = clock_.steady() + wait;
    return nullptr;
  }
  if (!entry || !address.market || trouble(*address.market).outage) return nullptr;
  auto line = std::make_shared<Line>();
  line->market = *address.market;
  line->door = entry->door;
  line->combined = entry->combined;
  line->last_frame = line->opened = clock_.steady();
  line->streams.insert(entry->streams.begin(), entry->streams.end());
  std::erase_if(lines_, [](const auto& l) { return !l->open; });
  lines_.push_back(line);
  return line;
}

void World::receive(Line& line, std::string_view text) {
  if (!line.open || line.dead) return;
  line.received.push_back(clock_.steady());
  while (line.received.front() + std::chrono::seconds(1) <= clock_.steady()) line.received.pop_front();
  if (line.received.size() > (line.market == Market::spot ? 5U : 10U)) ++offences_;
  const binance::Request request = binance::parse_request(line.market, text);
  using binance::Method;
  if (request.method == Method::subscribe && trouble(line.market).rejected) {
    return send(line, binance::error_answer(line.market, 2, "Invalid request: unknown stream", request.id));
  }
  if (request.method == Method::list) {
    return send(line, binance::stream_list(std::vector(line.streams.begin(), line.streams.end()), request.id));
  }
  if (request.method == Method::bad) return send(line, request.error);
  send(line, binance::acknowledgement(request.id));
  for (const std::string& stream : request.streams) {
    if (request.method == Method::unsubscribe)
      line.streams.erase(stream);
    else if (binance::delivers(line.market, line.door, stream))
      line.streams.insert(stream);
  }
}

binance::Answer World::rest(const Url& url, std::string_view target) {
  if (rest_fails_) return {503, "upstream connect error", 0};
  const auto address = binance::parse_address(url.path + std::string(target), url.host);
  if (!unlisted_.empty() && address.market && address.path.ends_with("exchangeInfo")) {
    std::vector<TapeInstrument> listed;
    for (const TapeInstrument& t : tape_.instruments()) {
      if (t.instrument.market == *address.market && !unlisted_.contains(t.instrument.symbol)) listed.push_back(t);
    }
    return {200, binance::exchange_info(*address.market, listed, clock_.true_time()), 20};
  }
  auto answer =
      binance::rest(binance::parse_address(url.path + std::string(target), url.host), &tape_, "", clock_.true_time());
  unsigned& used = weights_[{url.host, clock_.true_time().us / 60'000'000}];
  used += answer.weight;
  if (used > (url.host.starts_with("api") ? 6'000U : 2'400U)) ++offences_;
  return answer;
}

void World::cut(Line& line) {
  line.open = false;
  line.inbox.clear();  // a reset loses what was not read yet
  line.ids.clear();
  if (line.reader != nullptr) line.reader->cancel();
}

void World::cut_market(Market market) {
  for (const auto& line : lines_) {
    if (line->market == market) cut(*line);
  }
}

void World::cut_connections() {
  for (const auto& line : lines_) cut(*line);
}

std::size_t World::connections() const {
  return static_cast<std::size_t>(
      std::count_if(lines_.begin(), lines_.end(), [](const auto& l) { return l->open && !l->streams.empty(); }));
}

void World::cut_all() {
  for (const auto& line : lines_) {
    line->reader = nullptr;
    cut(*line);
  }
  lines_.clear();
}

void World::begin(const Fault& fault) {
  Trouble& t = trouble(fault.market);
  std::function<void()> end;
  switch (fault.kind) {
    case FaultKind::drop:
      cut_market(fault.market);
      break;
    case FaultKind::outage:
      t.outage = true;
      cut_market(fault.market);
      end = [&t] { t.outage = false; };
      break;
    case FaultKind::mute:
    case FaultKind::half_open:
      for (const auto& line : lines_) {
        if (line->market != fault.market) continue;
        (fault.kind == FaultKind::mute ? line->mute : line->dead) = true;
      }
      break;
    case FaultKind::duplicates:
      t.duplicates = true;
      end = [&t] { t.duplicates = false; };
      break;
    case FaultKind::broken:
      t.broken = true;
      end = [&t] { t.broken = false; };
      break;
    case FaultKind::swallowed:
      t.swallow_one = true;
      break;
    case FaultKind::late:
      t.delay_one = fault.length;
      break;
    case FaultKind::banned:
      for (const auto& line : lines_) cut(*line);
      banned_until_ = clock_.steady() + std::chrono::microseconds(fault.length.us);
      break;
    case FaultKind::rejected:
      t.rejected = true;
      cut_market(fault.market);
      end = [&t] { t.rejected = false; };
      break;
    case FaultKind::rest_fails:
      rest_fails_ = true;
      rest_silent_ = random_() % 2 == 0;
      end = [this] { rest_fails_ = rest_silent_ = false; };
      break;
    default:
      break;  // of the process or its disk: the run's business
  }
  if (end) clock_.at(clock_.steady() + std::chrono::microseconds(fault.length.us), end);
}

// ------------------------------------------------------------------ the seams

namespace {
class VirtualTransport final : public Transport {
 public:
  explicit VirtualTransport(World& world) : world_(world), timer_(world.clock().timer()) {}
  ~VirtualTransport() override {
    if (line_) {
      line_->reader = nullptr;
      line_->open = false;
    }
  }

  asio::awaitable<Result<void>> connect(const Url& url, std::string_view target, SteadyTime deadline) override {
    const SteadyTime answer = world_.latency();
    co_await timer_->wait_until(std::min(answer, deadline));
    line_ = world_.connect(url, target);
    if (!line_ && world_.refusal()) {
      refusal_ = world_.refusal();
      co_return fail(NetError::upgrade_refused, "HTTP 429");
    }
    if (!line_) co_return fail(NetError::connect_failed, "connection refused");
    co_return Result<void>();
  }

  asio::awaitable<Result<std::span<const std::string_view>>> read(SteadyTime deadline) override {
    while (true) {
      if (!line_->inbox.empty()) break;
      if (!line_->open) co_return fail(NetError::closed, "connection reset");
      if (world_.clock().steady() >= deadline) co_return fail(NetError::timed_out, "no message in time");
      line_->reader = timer_.get();
      co_await timer_->wait_until(deadline);
      line_->reader = nullptr;
    }
    world_.read(*line_, frames_);
    views_.assign(frames_.begin(), frames_.end());
    co_return std::span<const std::string_view>(views_);
  }

  asio::awaitable<Result<void>> write(std::string_view text, SteadyTime) override {
    if (!line_->open) co_return fail(NetError::closed, "connection reset");
    world_.receive(*line_, text);
    co_return Result<void>();
  }

  asio::awaitable<void> close(SteadyTime) override {
    line_->open = false;
    co_return;
  }
  [[nodiscard]] SteadyTime last_frame() const override { return line_->last_frame; }
  [[nodiscard]] std::optional<HttpRefusal> last_refusal() const override { return refusal_; }
  [[nodiscard]] const std::string& last_error_detail() const override { return detail_; }

 private:
  std::optional<HttpRefusal> refusal_;
  boost::system::error_code fail(NetError error, const char* detail) {
    detail_ = detail;
    return error;
  }
  World& world_;
  std::unique_ptr<Timer> timer_;
  std::shared_ptr<Line> line_;
  std::vector<std::string> frames_;
  std::vector<std::string_view> views_;
  std::string detail_;
};

class VirtualHttpGet final : public HttpGet {
 public:
  explicit VirtualHttpGet(World& world) : world_(world), timer_(world.clock().timer()) {}
  asio::awaitable<Result<HttpResponse>> get(const Url& url, std::string_view target, SteadyTime deadline,
                                            std::size_t) override {
    const SteadyTime answer = world_.rest_answers() ? world_.latency() : deadline;
    co_await timer_->wait_until(std::min(answer, deadline));
    if (world_.clock().steady() >= deadline) {
      detail_ = "no answer in time";
      co_return boost::system::error_code(NetError::timed_out);
    }
    auto said = world_.rest(url, target);
    HttpResponse response;
    response.status = said.status;
    response.body = std::move(said.body);
    co_return response;
  }
  [[nodiscard]] const std::string& last_error_detail() const override { return detail_; }

 private:
  World& world_;
  std::unique_ptr<Timer> timer_;
  std::string detail_;
};
}  // namespace

std::unique_ptr<Transport> World::make_transport() { return std::make_unique<VirtualTransport>(*this); }
std::unique_ptr<HttpGet> World::make_http_get() { return std::make_unique<VirtualHttpGet>(*this); }

}  // namespace cvdd::simtest
