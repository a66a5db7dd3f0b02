#include "sim/world.hpp"

#include <algorithm>

#include "cvdd/base/time_text.hpp"

namespace cvdd::simtest {

using namespace sim;

namespace {
constexpr std::chrono::milliseconds tick_every{200};
constexpr std::chrono::seconds ping_every{20};
constexpr std::size_t snapshot_max = 60;  // trades that come along as answers
// How paths of instrument lists end.
constexpr std::string_view lists[] = {"exchangeInfo",      "/instruments", "/get_instruments",
                                      "/instruments-info", "/products",    "/AssetPairs"};
}  // namespace

World::World(VirtualClock& clock, std::uint64_t seed, std::vector<TapeInstrument> instruments, Duration past)
    : clock_(clock),
      random_(seed * 7919 + 1),
      tape_(seed, clock.true_time() - past, std::move(instruments)),
      printed_(tape_.instruments().size()),
      delivered_(tape_.instruments().size()) {
  for (const TapeInstrument& what : tape_.instruments()) {
    const Side side{what.instrument.exchange, what.instrument.market};
    if (std::find(sides_.begin(), sides_.end(), side) == sides_.end()) sides_.push_back(side);
    topics_.push_back(find_protocol(side.first)->topics(what));
    const auto beside = find_protocol(side.first)->context_topics(what);
    for (std::size_t i = 0; i < beside.size(); ++i) context_topics_[beside[i]].emplace_back(topics_.size() - 1, i);
  }
  trouble_.resize(sides_.size());
  tick();
  second();
  ping();
}

std::size_t World::side_of(const std::string& exchange, Market market) const {
  const auto found = std::find(sides_.begin(), sides_.end(), Side{exchange, market});
  return static_cast<std::size_t>(found - sides_.begin());
}

void World::tick() {
  for (const auto& line : lines_) {
    if (line->open && clock_.steady() >= line->opened + lifetime_) cut(*line);
  }
  tape_.advance(clock_.true_time());
  for (std::size_t i = 0; i < printed_.size(); ++i) {
    const auto trades = tape_.trades(i);
    if (trades.empty()) continue;
    const auto fresh = std::upper_bound(trades.begin(), trades.end(), printed_[i],
                                        [](std::uint64_t id, const TapeTrade& t) { return id < t.id; });
    printed_[i] = trades.back().id;
    for (auto trade = fresh; trade != trades.end(); ++trade) print(i, *trade);
  }
  clock_.at(clock_.steady() + tick_every, [this] { tick(); });
}

// What conversations do by themselves: heartbeats, questions.
void World::second() {
  const auto lines = lines_;
  for (const auto& line : lines) {
    if (!line->open || line->dead) continue;
    Said said;
    line->talk->tick(clock_.true_time(), said);
    act(*line, said);
    tell_context(line);
  }
  clock_.at(clock_.steady() + std::chrono::seconds(1), [this] { second(); });
}

// What stands beside the trades, in the second that begins now.
void World::tell_context(const std::shared_ptr<Line>& line) {
  const Timestamp second = bar_start(clock_.true_time(), seconds(1));
  for (const auto& [topic, all] : line->context) {
    for (const auto& [instrument, number] : all) {
      std::string frame = line->protocol->context_frame(tape_.instruments()[instrument], number, second);
      if (frame.empty()) continue;
      deliver(line, {line->talk->wraps() ? line->protocol->wrapped(topic, frame) : std::move(frame)});
    }
  }
}

void World::ping() {
  for (const auto& line : lines_) {
    if (line->open && !line->dead && !frozen_ && !trouble_[line->side].stalled) line->last_frame = clock_.steady();
  }
  clock_.at(clock_.steady() + ping_every, [this] { ping(); });
}

void World::print(std::size_t instrument, const TapeTrade& trade) {
  const TapeInstrument& what = tape_.instruments()[instrument];
  const std::size_t side = side_of(what.instrument.exchange, what.instrument.market);
  Trouble& t = trouble_[side];
  std::vector<std::string> frames;
  for (const auto& line : lines_) {
    if (!line->open || line->side != side || !line->topics.contains(topic(instrument))) continue;
    if (frames.empty()) line->protocol->frames(what, served_, std::span(&trade, 1), clock_.true_time(), frames);
    for (const std::string_view key : {"\"q\":\"", "\"sz\":\"", "\"size\":\"", "\"amount\":", "\"qty\":"}) {
      const auto size = frames.front().find(key);
      if (!distort_one_ || size == std::string::npos || trade.block) continue;
      frames.front().insert(size + key.size(), "7");
      distort_one_ = false;
    }
    std::string frame = frames.front();
    bool readable = true;
    damage(frame, instrument, t, readable);
    const std::string text = line->talk->wraps() ? line->protocol->wrapped(topic(instrument), frame) : std::move(frame);
    if (t.swallow_one) {
      t.swallow_one = false;
      continue;
    }
    if (t.delay_one.us > 0) {
      clock_.at(clock_.steady() + std::chrono::microseconds(t.delay_one.us),
                [this, line, message = Message{text, instrument, trade.id, readable}] { deliver(line, message); });
      t.delay_one = {};
      continue;
    }
    if (t.broken && random_() % 4 == 0) send(*line, {nonsense(*line->protocol, text)});
    deliver(line, {text, instrument, trade.id, readable});
    // Of a stream of single trades an aggregate's other fills.
    for (std::size_t fill = 1; fill < frames.size(); ++fill) {
      deliver(line, {line->talk->wraps() ? line->protocol->wrapped(topic(instrument), frames[fill]) : frames[fill]});
    }
    if (t.duplicates && random_() % 3 == 0) deliver(line, {text, instrument, trade.id, readable});
  }
}

// Every third row of an instrument has a size that is none.
void World::damage(std::string& frame, std::size_t instrument, Trouble& trouble, bool& readable) {
  if (trouble.unreadable != instrument || ++trouble.unreadable_rows % 3 != 0) return;
  for (const std::string_view key : {"\"q\":", "\"sz\":", "\"size\":", "\"amount\":", "\"v\":"}) {
    const auto size = frame.find(key);
    if (size == std::string::npos) continue;
    frame.insert(size + key.size(), "\"many\",\"was\":");
    readable = false;
    return;
  }
}

std::size_t World::instrument_of(std::size_t side, std::uint32_t what) const {
  std::vector<std::size_t> of_side;
  for (std::size_t i = 0; i < topics_.size(); ++i) {
    const Instrument& of = tape_.instruments()[i].instrument;
    if (side_of(of.exchange, of.market) == side) of_side.push_back(i);
  }
  return of_side.at(what % of_side.size());
}

// Broken at a random place, cut off, or of another kind altogether; never a good trade of another size.
std::string World::nonsense(const Protocol& protocol, const std::string& good) {
  switch (random_() % 6) {
    case 0:
      return good.substr(0, random_() % good.size());
    case 1:
      return "{}";
    case 2:
      return protocol.foreign_frame();
    case 3:
      return std::string(200, '[');
    case 4:
      return R"({"stream":"x@depth","data":{"e":"depthUpdate","s":"BTCUSDT"}})";
    default:
      return std::string("\xff\xfe\x00garbage", 10);
  }
}

void World::deliver(const std::shared_ptr<Line>& line, Message message) {
  if (!line->open || line->mute || line->dead) return;
  if (message.instrument != Tape::npos) last_sent_ = message.instrument;
  send(*line, std::move(message));
}

void World::send(Line& line, Message message) {
  if (!line.open || line.dead) return;
  if (trouble_[line.side].stalled) {
    line.held.push_back(std::move(message));
    return;
  }
  line.inbox.push_back(std::move(message));
  if (!frozen_) line.last_frame = clock_.steady();
  if (line.reader != nullptr) line.reader->cancel();
}

void World::read(Line& line, std::vector<std::string>& frames) {
  frames.clear();
  for (Message& message : line.inbox) {
    if (!message.text.empty()) frames.push_back(std::move(message.text));
    if (message.instrument == Tape::npos) continue;
    Seen& seen = delivered_[message.instrument];
    if (seen.ids.empty()) seen.base = tape_.trades(message.instrument).front().id;
    const std::size_t place = message.id - seen.base;
    if (place >= seen.ids.size()) seen.ids.resize(place + 1'000);
    Reading& reading = seen.ids[place];
    reading.counts = reading.counts || message.readable;
    if (reading.life == life_) continue;
    reading.life = life_;
    reading.at = clock_.true_time();
  }
  line.inbox.clear();
}

// What was held up comes, all at once.
void World::let_go(std::size_t side) {
  trouble_[side].stalled = false;
  for (const auto& line : lines_) {
    if (line->side != side) continue;
    for (Message& message : std::exchange(line->held, {})) send(*line, std::move(message));
  }
}

void World::undeliver_after(std::size_t instrument, std::uint64_t id) {
  Seen& seen = delivered_[instrument];
  for (std::size_t i = 0; i < seen.ids.size(); ++i) {
    if (seen.base + i > id) seen.ids[i].counts = false;
  }
}

std::shared_ptr<Line> World::connect(const Url& url, std::string_view target) {
  Address address = parse_address(url.path + std::string(target), url.host);
  const Protocol* protocol = owner_of(address);
  refusal_.reset();
  if (protocol == nullptr || !address.market) return nullptr;
  const auto now = clock_.steady();
  const Allowed allowed = protocol->attempts();
  auto& attempts = attempts_[std::string(protocol->name())];
  attempts.push_back(now);
  while (attempts.front() + std::chrono::microseconds(allowed.window.us) <= now) attempts.pop_front();
  if (attempts.size() > allowed.count) offend(std::string(protocol->name()) + ": too many attempts");
  if (now < banned_until_) {
    // Who comes back before the time it was given is not listening. Attempts on their way at that moment don't count.
    Told& told = told_[std::string(protocol->name())];
    if (now + std::chrono::seconds(1) < told.until && told.at + std::chrono::seconds(1) < now) {
      offend(std::string(protocol->name()) + ": back before the time it was given");
    }
    const auto wait = std::chrono::ceil<std::chrono::seconds>(banned_until_ - now);
    refusal_ = HttpRefusal{429, wait, "Too many requests"};
    if (told.until < now) told.at = now;
    told.until = now + wait;
    return nullptr;
  }
  const std::size_t side = side_of(std::string(protocol->name()), *address.market);
  if (side == sides_.size() || trouble_[side].outage) return nullptr;
  auto line = std::make_shared<Line>();
  line->protocol = protocol;
  line->talk = protocol->open(address, &tape_, {});
  if (!line->talk) return nullptr;
  line->side = side;
  line->last_frame = line->opened = now;
  std::erase_if(lines_, [](const auto& l) { return !l->open; });
  lines_.push_back(line);
  Said said;
  line->talk->opened(said);
  act(*line, said);
  return line;
}

void World::pinged(Line& line) {
  if (!line.open || line.dead) return;
  count_message(line);
  line.talk->pinged(clock_.true_time());
}

void World::count_message(Line& line) {
  line.received.push_back(clock_.steady());
  while (line.received.front() + std::chrono::seconds(1) <= clock_.steady()) line.received.pop_front();
  if (line.received.size() > line.talk->messages_per_second()) {
    offend(std::string(line.protocol->name()) + ": too many messages");
  }
}

void World::receive(Line& line, std::string_view text) {
  if (!line.open || line.dead) return;
  count_message(line);
  Said said;
  if (trouble_[line.side].rejected && text.find("ubscribe") + text.find("UBSCRIBE") != 2 * text.npos) {
    line.talk->hear("{}", clock_.true_time(), said);  // whatever it says to what it does not understand
    if (said.answers.empty()) said.answers.emplace_back("{}");
    said.listen.clear();
  } else {
    line.talk->hear(text, clock_.true_time(), said);
  }
  act(line, said);
}

void World::offend(const std::string& what) {
  ++offences_;
  if (offence_.empty()) offence_ = what + " at " + format_time(clock_.true_time());
}

void World::act(Line& line, const Said& said) {
  for (const std::string& answer : said.answers) send(line, {answer});
  for (const std::string& topic : said.leave) {
    line.topics.erase(topic);
    line.context.erase(topic);
  }
  for (const std::string& topic : said.listen) {
    if (const auto beside = context_topics_.find(topic); beside != context_topics_.end()) {
      line.context.insert(*beside);
      continue;
    }
    line.topics.insert(topic);
    // The newest trade may come along as an answer; an old trade that counts was delivered too.
    const auto of = std::find_if(topics_.begin(), topics_.end(),
                                 [&](const auto& t) { return t[std::min(served_, t.size() - 1)] == topic; });
    const auto trades = of == topics_.end() ? std::span<const TapeTrade>()
                                            : tape_.trades(static_cast<std::size_t>(of - topics_.begin()));
    for (const TapeTrade& trade : trades.last(std::min(trades.size(), snapshot_max))) {
      const std::string id = std::to_string(trade.id);
      const bool told = std::any_of(said.answers.begin(), said.answers.end(), [&](const std::string& a) {
        // What is told as a snapshot counts where ids go on from before.
        const bool goes_on = !delivered_[static_cast<std::size_t>(of - topics_.begin())].ids.empty();
        return a.find("\"" + id + "\"") != a.npos || (goes_on && a.find(":" + id + ",") != a.npos);
      });
      if (told) send(line, {"", static_cast<std::size_t>(of - topics_.begin()), trade.id});
    }
  }
  if (said.violation) offend(std::string(line.protocol->name()) + ": a limit was not kept");
  if (!said.farewell.empty()) cut(line);
}

std::optional<SteadyTime> World::rest_answers_at() {
  if (rest_silent_ || (rest_flaky_ && random_() % 4 == 0)) return std::nullopt;
  return rest_late_ ? latency() + std::chrono::milliseconds(random_() % 8'000) : latency();
}

Answer World::rest(const Url& url, std::string_view target) {
  if (rest_fails_ || (rest_flaky_ && random_() % 3 == 0)) return {503, "upstream connect error", 0};
  Address address = parse_address(url.path + std::string(target), url.host);
  const Protocol* protocol = owner_of(address);
  if (protocol == nullptr) return {404, "{}", 0};
  const bool a_list = std::any_of(std::begin(lists), std::end(lists),
                                  [&](std::string_view end) { return address.path.ends_with(end); });
  if (listed_ && a_list) return protocol->rest(address, listed_.get(), "", clock_.true_time());
  if (!unlisted_.empty() && a_list) {
    std::vector<TapeInstrument> listed;
    for (const TapeInstrument& t : tape_.instruments()) {
      if (!unlisted_.contains(t.instrument.symbol)) listed.push_back(t);
    }
    const Tape some(1, clock_.true_time(), listed);
    return protocol->rest(address, &some, "", clock_.true_time());
  }
  auto answer = protocol->rest(address, &tape_, "", clock_.true_time());
  // Markets that share a pool share a host here, or are too small to matter.
  unsigned& used = weights_[{url.host, clock_.true_time().us / 60'000'000}];
  used += answer.weight;
  if (used > protocol->weight_per_minute(address)) offend(url.host + ": too much weight");
  return answer;
}

void World::cut(Line& line) {
  line.open = false;
  line.inbox.clear();  // a reset loses what was not read yet
  line.held.clear();
  if (line.reader != nullptr) line.reader->cancel();
}

void World::cut_side(std::size_t side) {
  for (const auto& line : lines_) {
    if (line->side == side) cut(*line);
  }
}

void World::hang_up() {
  for (const auto& line : lines_) {
    line->open = false;
    if (line->reader != nullptr) line->reader->cancel();
  }
}

void World::deafen_one(std::size_t instrument) {
  std::shared_ptr<Line> last;
  for (const auto& line : lines_) {
    if (line->open && line->topics.contains(topic(instrument))) last = line;
  }
  if (last) last->topics.erase(topic(instrument));
  deafened_ = last;
}

void World::cut_all_but_deafened() {
  for (const auto& line : lines_) {
    if (line != deafened_.lock() && line->open) cut(*line);
  }
}

void World::cut_connections() {
  for (const auto& line : lines_) cut(*line);
}

bool World::cut_one_of_two() {
  std::vector<Line*> candidates;
  for (const auto& line : lines_) {
    if (!line->open || line->topics.empty()) continue;
    const bool twin = std::any_of(lines_.begin(), lines_.end(), [&](const auto& other) {
      return other != line && other->open && other->side == line->side && other->topics == line->topics &&
             other->opened + std::chrono::seconds(5) < clock_.steady();
    });
    if (twin) candidates.push_back(line.get());
  }
  if (candidates.empty()) return false;
  cut(*candidates[random_() % candidates.size()]);
  return true;
}

std::size_t World::connections() const {
  return static_cast<std::size_t>(
      std::count_if(lines_.begin(), lines_.end(), [](const auto& l) { return l->open && !l->topics.empty(); }));
}

void World::list_too(std::vector<TapeInstrument> more) {
  more.insert(more.begin(), tape_.instruments().begin(), tape_.instruments().end());
  listed_ = std::make_unique<Tape>(1, clock_.true_time(), std::move(more));
}

void World::cut_all() {
  for (const auto& line : lines_) {
    line->reader = nullptr;
    cut(*line);
  }
  lines_.clear();
}

void World::begin(const Fault& fault) {
  Trouble& t = trouble_[fault.side];
  std::function<void()> end;
  switch (fault.kind) {
    case FaultKind::drop:
      cut_side(fault.side);
      break;
    case FaultKind::outage:
      t.outage = true;
      cut_side(fault.side);
      end = [&t] { t.outage = false; };
      break;
    case FaultKind::mute:
    case FaultKind::half_open:
      for (const auto& line : lines_) {
        if (line->side != fault.side) continue;
        (fault.kind == FaultKind::mute ? line->mute : line->dead) = true;
      }
      break;
    case FaultKind::deaf:
      for (std::size_t i = 0; i < topics_.size(); ++i) {
        const Instrument& of = tape_.instruments()[i].instrument;
        if (side_of(of.exchange, of.market) != fault.side) continue;
        for (const auto& line : lines_) line->topics.erase(topic(i));
        break;
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
      cut_side(fault.side);
      end = [&t] { t.rejected = false; };
      break;
    case FaultKind::rest_fails:
      rest_fails_ = true;
      rest_silent_ = random_() % 2 == 0;
      end = [this] { rest_fails_ = rest_silent_ = false; };
      break;
    case FaultKind::stalled:
      t.stalled = true;
      end = [this, side = fault.side] { let_go(side); };
      break;
    case FaultKind::rest_flaky:
      cut_side(fault.side);
      rest_flaky_ = true;
      end = [this] { rest_flaky_ = false; };
      break;
    case FaultKind::rest_late:
      cut_side(fault.side);
      rest_late_ = true;
      end = [this] { rest_late_ = false; };
      break;
    case FaultKind::refused:
      t.unreadable = instrument_of(fault.side, fault.what);
      end = [&t] { t.unreadable.reset(); };
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

  asio::awaitable<Result<void>> ping(SteadyTime) override {
    if (!line_->open) co_return fail(NetError::closed, "connection reset");
    world_.pinged(*line_);
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
    const SteadyTime answer = world_.rest_answers_at().value_or(deadline);
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
