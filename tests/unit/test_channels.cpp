// Tables of channels: what an exchange's file says of its messages, and what is made of it. The exchange is made up.
#include "catch.hpp"
#include "exchanges/channels.hpp"
#include "exchanges/rest.hpp"

using namespace cvdd;
using json::Scalar;
using json::Slot;

namespace {
struct TradeRow {
  Scalar symbol, id, time, price, size, side;
  [[nodiscard]] auto when() const { return fields::milliseconds_since_1970(time); }
  [[nodiscard]] auto id_in_order() const { return fields::integer(id); }
};
constexpr Slot<TradeRow> trade_slots[] = {{"s", &TradeRow::symbol}, {"i", &TradeRow::id},   {"t", &TradeRow::time},
                                          {"p", &TradeRow::price},  {"q", &TradeRow::size}, {"d", &TradeRow::side}};
Refusal read_trade(const TradeRow& row, const Instrument& instrument, Trade& trade) {
  const auto id = row.id_in_order();
  const auto time = row.when();
  const auto side = fields::aggressor(row.side, "b", "s");
  if (!id || !time || !side) return Refusal::bad_field;
  fields::set(trade, instrument, *time, *id, *side);
  return fields::read_volume(row.price, row.size, trade);
}

struct FundingRow {
  Scalar symbol, time, rate, next;
};
constexpr Slot<FundingRow> funding_slots[] = {
    {"s", &FundingRow::symbol}, {"t", &FundingRow::time}, {"rate", &FundingRow::rate}, {"next", &FundingRow::next}};
Refusal read_funding(const FundingRow& row, const Instrument& instrument, FundingRate& out) {
  const auto time = fields::milliseconds_since_1970(row.time), next = fields::milliseconds_since_1970(row.next);
  const auto rate = fields::decimal(row.rate);
  if (!time || !next) return Refusal::bad_field;
  if (!rate) return Refusal::bad_number;
  out = {&instrument, *time, *next, *rate};
  return Refusal::none;
}

constexpr DataChannel channels_there[] = {
    {.kinds = {DataKind::trade}, .name = "fills", .rows = &rows<trade_slots, read_trade>, .stream = Stream::aggregate},
    {.kinds = {DataKind::trade},
     .name = "all",
     .rows = &rows<trade_slots, read_trade>,
     .stream = Stream::single,
     .series = Series::single},
    {.kinds = {DataKind::funding, DataKind::mark}, .name = "ticker", .rows = &rows<funding_slots, read_funding>}};

struct Head {
  Scalar channel, about, rows;
};
constexpr Slot<Head> head_slots[] = {{"ch", &Head::channel}, {"about", &Head::about}};

struct Message {
  using Head = ::Head;
  template <class Value, class OnRows>
  static bool field(std::string_view key, Value v, Head& head, OnRows&& on_rows) {
    return key == "data" ? on_rows(v, 1) : json::read_field<head_slots>(key, v, 1, head);
  }
  static const DataChannel* channel_of(const Head& head) {
    return channels::named(channels_there, fields::text(head.channel));
  }
  static const Scalar& topic(const Head& head) { return head.about; }
  static std::string_view symbol_in(std::string_view topic) { return topic; }
  static Refusal other(std::string_view, const Head& head, const SymbolTable&, Parsed& out) {
    out.ignored = head.channel.is_string();
    return out.ignored ? Refusal::none : Refusal::not_understood;
  }
};

// Read both ways: a space in front sends a message the long one.
struct Reading {
  Reading() {
    instrument.symbol = "A";
    symbols.emplace("A", &instrument);
  }
  const Parsed& of(const std::string& message) {
    channels::parse<Message>(message, symbols, parsed);
    return parsed;
  }
  Instrument instrument;
  SymbolTable symbols;
  Parsed parsed;
};
constexpr const char* ways[] = {"", " "};
}  // namespace

TEST_CASE("channels: each has its own rows, and what is no trade goes into a list of its type") {
  Reading read;
  for (const std::string way : ways) {
    const Parsed& trades =
        read.of(way + R"({"ch":"fills","data":[{"s":"A","i":7,"t":1700000000000,"p":"2.5","q":"4","d":"b"}]})");
    REQUIRE(trades.trades.size() == 1);
    CHECK((trades.trades[0].id == 7 && trades.trades[0].quote == Decimal(10, 0) && !trades.has_beside));
    const Parsed& rates =
        read.of(way + R"({"ch":"ticker","data":[{"s":"A","t":1700000000000,"rate":-0.0001,"next":1700006400000}]})");
    CHECK((rates.trades.empty() && rates.refusal == Refusal::none && rates.has_beside));
    REQUIRE(rates.beside.funding_rates.size() == 1);
    CHECK((rates.beside.funding_rates[0].rate == Decimal(-1, 4) &&
           rates.beside.funding_rates[0].applies == Timestamp{1'700'006'400'000'000}));
    CHECK(read.of(way + R"({"ch":"fills","data":[]})").beside.funding_rates.empty());
  }
}

TEST_CASE("channels: a row of trades that is refused names whose it may be, one of another kind nobody") {
  Reading read;
  for (const std::string way : ways) {
    INFO("way '" << way << "'");
    const Parsed& trade = read.of(
        way +
        R"({"ch":"fills","about":"A","data":[{"s":"A","i":7,"t":1700000000000,"p":"0","q":"4","d":"b"},{"i":8}]})");
    CHECK((trade.refused_rows == 2 && trade.trades.empty() && !trade.refused_of_anybody));
    REQUIRE(trade.refused_of.size() == 2);
    CHECK((trade.refused_of[0].instrument == &read.instrument && trade.refused_of[0].time.us != 0));
    CHECK(trade.refused_of[1].instrument == &read.instrument);  // whom the whole message is about
    const Parsed& rate = read.of(way + R"({"ch":"ticker","about":"A","data":[{"s":"A","t":1,"rate":"x"}]})");
    CHECK((rate.refused_rows == 1 && rate.refused_of.empty() && !rate.refused_of_anybody));
    CHECK(rate.beside.funding_rates.empty());
    const Parsed& stranger =
        read.of(way + R"({"ch":"fills","data":[{"s":"B","i":7,"t":1700000000000,"p":"1","q":"4","d":"b"}]})");
    CHECK((stranger.refusal == Refusal::unknown_symbol && stranger.refused_of.empty()));
  }
}

TEST_CASE("channels: the head may stand behind the rows; a channel nobody knows is ignored") {
  Reading read;
  CHECK(read.of(R"({"data":[{"s":"A","i":7,"t":1700000000000,"p":"2.5","q":"4","d":"b"}],"ch":"all"})").trades.size() ==
        1);
  CHECK(read.of(R"({"ch":"books","data":[[1,2],{"a":[]}]})").ignored);
  CHECK(read.of(R"({"data":[]})").refusal == Refusal::not_understood);
  CHECK(read.of(R"({"ch":"fills","data":{}})").refusal == Refusal::bad_field);
  CHECK(read.of(R"({"ch":"fills","data":[{"s":"A"}]}x)").refusal == Refusal::not_json);
}

TEST_CASE("channels: the one for a kind of data and a stream") {
  Exchange exchange;
  exchange.channels = channels_there;
  CHECK(exchange.trades(Stream::aggregate).name == "fills");
  CHECK(exchange.trades(Stream::single).name == "all");
  CHECK(exchange.channel(DataKind::mark, Stream::single)->name == "ticker");
  CHECK(exchange.channel(DataKind::book, Stream::single) == nullptr);
  CHECK_FALSE(exchange.has_history_of(Series::single));
  CHECK((!exchange.can_audit(seconds(60)) && !exchange.has_taker_candles(seconds(60))));
}

TEST_CASE("rest: queries are encoded, envelopes say why there is no answer") {
  const std::string query = rest::Query("/a").add("x", "B/C D").add("n", 5).add("t", "10:00");
  CHECK(query == "/a?x=B%2FC%20D&n=5&t=10:00");
  static constexpr rest::Envelope envelope{"result.list", "code", "0", "msg"};
  json::Reader reader;
  std::vector<TradeRow> rows;
  Scalar cursor;
  const rest::Field more[] = {{"result.cursor", &cursor}};
  const auto read = [&](std::string_view body) {
    rows.clear();
    return rest::read(reader, body, envelope, more, rest::into<trade_slots>(rows));
  };
  CHECK(read(R"({"code":0,"result":{"list":[{"s":"A"},5],"cursor":"x"}})").empty());
  CHECK((rows.size() == 2 && rows[0].symbol.is_string("A") && !rows[1].symbol.present() && cursor.is_string("x")));
  CHECK(read(R"({"result":{"list":[]},"code":"0"})").empty());
  CHECK(read(R"({"code":"7","msg":"no such"})") == "no such (code 7)");
  CHECK(read(R"({"code":"0","result":{"list":{}}})") == "no \"list\" in the answer");
  CHECK(read(R"({"code":"0","result":{"list":[]})") == "not a whole JSON object");
  CHECK(rest::has_code(R"({"code":"7"})", envelope, {"6", "7"}));
  CHECK_FALSE(rest::has_code(R"({"code":"7")", envelope, {"7"}));
  static constexpr rest::Envelope bare{{}, {}, {}, "message"};
  CHECK(rest::read(reader, "[]", bare, {}, rest::into<trade_slots>(rows)).empty());
  CHECK(rest::read(reader, R"({"message":"NotFound"})", bare, {}, rest::into<trade_slots>(rows)) == "NotFound");
  CHECK(rest::read(reader, "{}", bare, {}, rest::into<trade_slots>(rows)) == "not a JSON array");
}
