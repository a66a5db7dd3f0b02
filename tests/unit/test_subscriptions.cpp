// What a connection asks for and what answers mean for it, on an exchange made for the purpose: ten names a request,
// two channels of every instrument.
#include <algorithm>
#include <array>
#include <ctime>
#include <deque>
#include <ranges>

#include "catch.hpp"
#include "cvdd/feed/subscriptions.hpp"

using namespace cvdd;
using namespace std::chrono_literals;

namespace {
std::string topic(const DataChannel& channel, const Instrument& instrument) {
  return std::string(channel.name) + "." + instrument.symbol;
}
constexpr DataChannel channels[] = {
    {.kinds = {DataKind::trade}, .name = "trade", .topic = topic},
    {.kinds = {DataKind::book, DataKind::mark, DataKind::funding}, .name = "ticker", .topic = topic}};
constexpr const DataChannel &trades = channels[0], &ticker = channels[1];

// "1 + trade.A trade.B"
std::string request(Verb verb, const DataChannel& channel, std::span<const Instrument* const> instruments,
                    std::uint64_t id) {
  std::string out = std::to_string(id) + (verb == Verb::subscribe ? " +" : " -");
  for (const Instrument* i : instruments) out += " " + channel.topic_of(*i);
  return out;
}
std::string nothing_to_say(Verb verb, const DataChannel& channel, std::span<const Instrument* const> instruments,
                           std::uint64_t id) {
  return verb == Verb::unsubscribe ? "" : request(verb, channel, instruments, id);
}

Ack grant(std::uint64_t id, std::vector<std::string> topics = {}, Ack::Rest rest = Ack::Rest::open) {
  Ack ack;
  ack.id = id;
  ack.topics = std::move(topics);
  ack.rest = rest;
  return ack;
}
Ack refusal(std::uint64_t id, std::vector<std::string> topics = {}, Ack::Rest rest = Ack::Rest::open) {
  Ack ack = grant(id, std::move(topics), rest);
  ack.ok = false;
  ack.error = "no";
  return ack;
}

// Instruments "A", "B", … and their subscriptions on a connection.
struct World {
  explicit World(std::size_t count, std::uint32_t per_hour = 0) {
    exchange.limits.instruments_per_request = 10;
    exchange.limits.requests_per_hour = per_hour;
    exchange.channels = channels;
    exchange.request = request;
    for (std::size_t i = 0; i < instruments.size(); ++i) {
      instruments[i].symbol = std::string(1, static_cast<char>('A' + i));
    }
    for (std::size_t i = 0; i < count; ++i) subscriptions.add({&instruments[i], &trades});
  }
  [[nodiscard]] Subscription of(std::size_t i, const DataChannel& channel = trades) const {
    return {&instruments[i], &channel};
  }
  std::string next() { return subscriptions.next(now); }
  Subscriptions::Changes answer(const Ack& ack) { return subscriptions.acknowledge(ack, now); }
  Subscriptions::Changes granted(std::uint64_t id) { return answer(grant(id)); }

  std::array<Instrument, 24> instruments{};
  Exchange exchange;
  Subscriptions subscriptions{exchange};
  Subscriptions::Time now = Subscriptions::Time{} + std::chrono::hours(1);
};
// "trade.A trade.B"
std::string list(const std::vector<Subscription>& subscriptions) {
  std::string out;
  for (const Subscription& s : subscriptions) out += (out.empty() ? "" : " ") + s.channel->topic_of(*s.instrument);
  return out;
}
std::string list(const std::vector<Subscriptions::Refused>& refused) {
  std::string out;
  for (const auto& r : refused) {
    out += (out.empty() ? "" : ", ") + r.what.channel->topic_of(*r.what.instrument) + ": " + r.why;
  }
  return out;
}
}  // namespace

TEST_CASE("subscriptions: nothing is said without a connection, and all of it in batches on each") {
  World w(12);
  CHECK(w.next().empty());
  for (const char* first : {"1 + trade.A", "3 + trade.A"}) {
    w.subscriptions.begin();
    CHECK(w.next().starts_with(first));
    CHECK(w.next().ends_with(" + trade.K trade.L"));
    CHECK(w.next().empty());
    CHECK_FALSE(w.subscriptions.asking());
    CHECK(w.subscriptions.waiting());
    w.subscriptions.end();
  }
}

TEST_CASE("subscriptions: an answer confirms what it names, the rest of its request goes on waiting") {
  World w(3);
  w.subscriptions.begin();
  const auto asked = w.now;
  CHECK(w.next() == "1 + trade.A trade.B trade.C");
  w.now += 3s;
  CHECK(list(w.answer(grant(0, {"trade.B"})).confirmed) == "trade.B");
  CHECK(w.subscriptions.waiting_since() == asked);
  CHECK(list(w.granted(1).confirmed) == "trade.A trade.C");
  CHECK_FALSE(w.subscriptions.waiting());
  CHECK(w.subscriptions.settled());
}

TEST_CASE("subscriptions: an answer about one channel says nothing of another, by id, by topic or by order") {
  World w(2);
  for (std::size_t i : {0U, 1U}) w.subscriptions.add(w.of(i, ticker));
  w.subscriptions.begin();
  CHECK(w.next() == "1 + trade.A trade.B");
  CHECK(w.next() == "2 + ticker.A ticker.B");
  CHECK(list(w.answer(grant(0, {"ticker.A"})).confirmed) == "ticker.A");
  CHECK(list(w.answer(grant(1, {"ticker.B"})).confirmed).empty());
  // A list of all that is subscribed: to the request that it has something of.
  CHECK(list(w.answer(grant(0, {"ticker.A", "ticker.B"}, Ack::Rest::refused)).confirmed) == "ticker.B");
  const auto rest = w.answer(grant(0));
  CHECK(list(rest.confirmed) == "trade.A trade.B");
}

TEST_CASE("subscriptions: data beside the trades may be late or refused without any harm to the connection") {
  World w(1);
  w.subscriptions.add(w.of(0, ticker));
  w.subscriptions.begin();
  CHECK(w.next() == "1 + trade.A");
  CHECK(w.next() == "2 + ticker.A");
  (void)w.granted(1);
  CHECK(w.subscriptions.waiting());
  CHECK_FALSE(w.subscriptions.waiting_since());
  const auto changes = w.answer(refusal(2));
  CHECK(list(changes.refused) == "ticker.A: no");
  CHECK(changes.useless.empty());
  // A connection that tells no trades is of no use, whatever else it tells.
  w.subscriptions.begin();
  CHECK(w.next() == "3 + trade.A");
  CHECK(w.next() == "4 + ticker.A");
  CHECK(list(w.granted(4).confirmed) == "ticker.A");
  CHECK_FALSE(w.answer(refusal(3)).useless.empty());
}

TEST_CASE("subscriptions: who is refused by name is left out, and asked for again after ten minutes, alone") {
  World w(3);
  w.subscriptions.begin();
  (void)w.next();
  const auto changes = w.answer(refusal(1, {"trade.B"}));
  CHECK(list(changes.refused) == "trade.B: no");
  CHECK(w.subscriptions.is_refused(w.of(1)));
  CHECK_FALSE(w.subscriptions.is_refused(w.of(0)));
  CHECK(w.answer(refusal(1, {"trade.B"})).refused.empty());  // told once
  CHECK(list(w.granted(1).confirmed) == "trade.A trade.C");
  w.now += 599s;
  w.subscriptions.ask_refused_again(w.now);
  CHECK(w.next().empty());
  w.now += 1s;
  w.subscriptions.ask_refused_again(w.now);
  CHECK_FALSE(w.subscriptions.is_refused(w.of(1)));
  CHECK(w.next() == "2 + trade.B");
}

TEST_CASE("subscriptions: a refusal of one without its name is believed for a minute") {
  World w(2);
  w.subscriptions.begin();
  (void)w.next();
  CHECK(list(w.answer(grant(1, {"trade.A"})).confirmed) == "trade.A");
  CHECK(list(w.answer(refusal(1)).refused) == "trade.B: no");
  w.now += 60s;
  w.subscriptions.ask_refused_again(w.now);
  CHECK(w.next() == "2 + trade.B");
}

TEST_CASE("subscriptions: who went down with a bad name is asked for at once, in a request of its own") {
  World w(3);
  w.subscriptions.begin();
  (void)w.next();
  const auto changes = w.answer(refusal(1, {"trade.B"}, Ack::Rest::again));
  CHECK(list(changes.refused) == "trade.B: no");
  CHECK(changes.more_to_ask);
  CHECK(w.next() == "2 + trade.A trade.C");
}

TEST_CASE("subscriptions: what a list of accepted names leaves out is refused") {
  World w(3);
  w.subscriptions.begin();
  (void)w.next();
  const auto changes = w.answer(grant(0, {"trade.A", "trade.C"}, Ack::Rest::refused));
  CHECK(list(changes.confirmed) == "trade.A trade.C");
  CHECK(list(changes.refused) == "trade.B: the exchange leaves it out of what it accepted");
}

TEST_CASE("subscriptions: a request that is refused as a whole is halved until the bad one is alone") {
  World w(4);
  w.subscriptions.begin();
  CHECK(w.next() == "1 + trade.A trade.B trade.C trade.D");
  CHECK(w.answer(refusal(1)).more_to_ask);
  CHECK(w.next() == "2 + trade.A trade.B");
  CHECK(w.next() == "3 + trade.C trade.D");
  CHECK(list(w.granted(2).confirmed) == "trade.A trade.B");
  (void)w.answer(refusal(3));
  CHECK(w.next() == "4 + trade.C");
  CHECK(w.next() == "5 + trade.D");
  CHECK(list(w.answer(refusal(4)).refused) == "trade.C: no");
  CHECK(list(w.granted(5).confirmed) == "trade.D");
}

TEST_CASE("subscriptions: too many requests makes the same be asked for ten seconds later") {
  World w(2);
  w.subscriptions.begin();
  (void)w.next();
  Ack busy = refusal(1);
  busy.temporary = true;
  const auto changes = w.answer(busy);
  CHECK(changes.refused.empty());
  CHECK(w.next().empty());
  CHECK_FALSE(w.subscriptions.due(w.now + 9s));
  w.now += 10s;
  CHECK(w.next() == "2 + trade.A trade.B");
}

TEST_CASE("subscriptions: a connection on which all is refused is of no use, for long if names were said") {
  World w(2);
  w.subscriptions.begin();
  (void)w.next();
  CHECK(w.answer(refusal(1, {"trade.A"})).useless.empty());
  const auto named = w.answer(refusal(1, {"trade.B"}));
  CHECK(named.useless == "the exchange refuses all instruments of this connection: no");
  CHECK(named.stay_away == Subscriptions::refused_pause);
  World lone(1);
  lone.subscriptions.begin();
  (void)lone.next();
  const auto unnamed = lone.answer(refusal(1));
  CHECK_FALSE(unnamed.useless.empty());
  CHECK(unnamed.stay_away == Duration{});
}

TEST_CASE("subscriptions: where nothing was ever granted, twelve refused requests end the connection") {
  World w(24);
  w.subscriptions.begin();
  std::size_t refused = 0;
  Subscriptions::Changes changes;
  // Halves stay larger than one for as long as that: alone they would be refused by themselves.
  for (std::uint64_t id = 1; changes.useless.empty() && id < 100; ++id) {
    const std::string text = w.next();
    if (std::ranges::count(text, '.') < 2) continue;
    changes = w.answer(refusal(id));
    ++refused;
  }
  CHECK(changes.useless == "the exchange refuses every request: no");
  CHECK(refused == Subscriptions::refusals_max);
}

TEST_CASE("subscriptions: an answer to nothing that was asked is passed over, unless it refuses and names nobody") {
  World w(1);
  w.subscriptions.begin();
  CHECK(w.granted(77).useless.empty());
  CHECK(w.answer(refusal(77, {"trade.X"})).useless.empty());
  CHECK(w.answer(refusal(77)).useless == "the exchange refused a request: no");
  CHECK(w.next() == "1 + trade.A");
}

TEST_CASE("subscriptions: what is not wanted any more is unsubscribed first, if the exchange had been told of it") {
  World w(3);
  w.subscriptions.begin();
  (void)w.next();
  (void)w.granted(1);
  w.subscriptions.add(w.of(3));
  w.subscriptions.remove(w.of(0));
  w.subscriptions.remove(w.of(0));
  w.subscriptions.renew(w.of(0));  // not wanted any more
  w.subscriptions.renew(w.of(1));
  CHECK(w.next() == "2 - trade.A trade.B");
  CHECK(w.next() == "3 + trade.D trade.B");
  CHECK(w.granted(2).confirmed.empty());
  CHECK(list(w.granted(3).confirmed) == "trade.D trade.B");
  w.subscriptions.add(w.of(4));
  w.subscriptions.remove(w.of(4));
  CHECK(w.next().empty());
  w.subscriptions.begin();
  CHECK(w.next() == "4 + trade.B trade.C trade.D");
}

TEST_CASE("subscriptions: what was removed while its request waited is not asked for again") {
  World w(3);
  w.subscriptions.begin();
  (void)w.next();
  w.subscriptions.remove(w.of(1));
  CHECK(w.next() == "2 - trade.B");
  (void)w.answer(refusal(1, {"trade.A"}, Ack::Rest::again));
  CHECK(w.next() == "3 + trade.C");
}

TEST_CASE("subscriptions: an exchange may want to hear nothing of who leaves") {
  World w(2);
  w.exchange.request = nothing_to_say;
  w.subscriptions.begin();
  (void)w.next();
  (void)w.granted(1);
  w.subscriptions.remove(w.of(0));
  CHECK(w.subscriptions.due(w.now));
  CHECK(w.next().empty());
  CHECK_FALSE(w.subscriptions.asking());
  CHECK_FALSE(w.subscriptions.waiting());
}

TEST_CASE("subscriptions: an unsubscription is answered in parts as well, and leaves nobody behind") {
  World w(3);
  w.subscriptions.begin();
  (void)w.next();
  (void)w.granted(1);
  for (std::size_t i : {0U, 1U}) w.subscriptions.remove(w.of(i));
  CHECK(w.next() == "2 - trade.A trade.B");
  (void)w.answer(grant(2, {"trade.A"}));
  CHECK(w.subscriptions.waiting());
  // All that is left, which the leaving are not in.
  (void)w.answer(grant(2, {"trade.C"}, Ack::Rest::refused));
  CHECK_FALSE(w.subscriptions.waiting());
}

TEST_CASE("subscriptions: a probe waits for its answer like a request, and unsettles nothing") {
  World w(1);
  w.subscriptions.begin();
  (void)w.next();
  (void)w.granted(1);
  const auto probed = w.now += 5s;
  CHECK(w.subscriptions.probe(w.now) == 2);
  CHECK(w.subscriptions.waiting_since() == probed);
  CHECK(w.subscriptions.settled());
  CHECK(w.granted(2).confirmed.empty());
  CHECK_FALSE(w.subscriptions.waiting());
  (void)w.subscriptions.probe(w.now);
  (void)w.subscriptions.probe(w.now);
  w.subscriptions.probe_answered();
  CHECK_FALSE(w.subscriptions.waiting());
}

TEST_CASE("subscriptions: no more requests in an hour than the exchange takes on one connection") {
  World w(24, 2);
  w.subscriptions.begin();
  CHECK_FALSE(w.next().empty());
  CHECK_FALSE(w.next().empty());
  CHECK(w.next().empty());
  CHECK_FALSE(w.subscriptions.due(w.now + 3'599s));
  w.now += 3'601s;
  CHECK(w.next() == "3 + trade.U trade.V trade.W trade.X");
  // A new connection has its own hour.
  w.subscriptions.begin();
  CHECK_FALSE(w.next().empty());
}

TEST_CASE("subscriptions: an instrument is referred to until its leaving was answered, or a new connection begins") {
  World w(2);
  const Instrument &a = w.instruments[0], &b = w.instruments[1], &never = w.instruments[5];
  CHECK((w.subscriptions.refers_to(a) && !w.subscriptions.refers_to(never)));
  w.subscriptions.begin();
  (void)w.next();
  (void)w.granted(1);
  w.subscriptions.remove(w.of(0));
  CHECK(w.subscriptions.refers_to(a));
  CHECK(w.next() == "2 - trade.A");
  CHECK(w.subscriptions.refers_to(a));
  (void)w.granted(2);
  CHECK((!w.subscriptions.refers_to(a) && w.subscriptions.refers_to(b)));
  w.subscriptions.remove(w.of(1));
  (void)w.next();
  CHECK(w.subscriptions.refers_to(b));
  w.subscriptions.end();
  w.subscriptions.begin();
  CHECK(!w.subscriptions.refers_to(b));
}

TEST_CASE("subscriptions: an answer that names a million things costs no more than it takes to read it") {
  constexpr std::size_t many = 1'000;
  World w(0);
  std::deque<Instrument> instruments(many);
  w.exchange.limits.instruments_per_request = many;
  for (std::size_t i = 0; i < many; ++i) {
    instruments[i].symbol = "S" + std::to_string(1'000'000 + i);
    w.subscriptions.add({&instruments[i], &trades});
  }
  w.subscriptions.begin();
  (void)w.next();
  Ack ack = grant(1);
  for (int i = 0; i < 1'000'000; ++i) ack.topics.push_back("trade.S" + std::to_string(2'000'000 + i));
  const std::clock_t begin = std::clock();
  CHECK(w.answer(ack).confirmed.empty());
  ack.topics.emplace_back("trade.S1000999");
  CHECK(w.answer(ack).confirmed.size() == 1);
  CHECK(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC < 2);  // it was 10
  ack.topics.assign(100'000, "trade.S1000001");
  CHECK(w.answer(ack).confirmed.size() == 1);
  CHECK(w.subscriptions.waiting());
}
