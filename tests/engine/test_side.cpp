// What stands beside the bars: lines by their contracts' letter, tables and views of their own.
#include "catch.hpp"
#include "cvdd/base/time_text.hpp"
#include "cvdd/ledger/flow_row.hpp"
#include "engine/folder.hpp"
#include "engine/loader.hpp"
#include "engine/message.hpp"
#include "engine/postgres_copy.hpp"

using namespace cvdd;
using namespace cvdd::engine;
using engine_test::ask;
using engine_test::Folder;
using Lines = std::vector<std::string>;

namespace {
const std::string context_header =
    "time,exchange,market,symbol,rev,status,bid,bid_size,ask,ask_size,book_age_ms,mark,index,mark_age_ms,funding_rate,"
    "funding_time,open_interest_base,open_interest_quote,open_interest_age_ms,liq_buys,liq_sells,liq_buy_base,liq_sell_"
    "base,liq_buy_quote,liq_sell_quote,liq_kind\n";
const std::string flow_first_line = std::string(flow_header()) + "\n";
const std::string linear =
    "2026-11-20T20:59:00Z,binance,linear,BTCUSDT,0,live,83090.10,1.250,83090.20,0.5,120,83091.00000000,83088.5,1000,"
    "-0.00010000,2026-11-21T00:00:00Z,71234.5,5918000000.1,3000,1,0,0.25,0,20772.5,0,sampled";
const std::string spot = "2026-11-20T20:59:00Z,binance,spot,BTCUSDT,0,gap,83090.1,1,,,120,,,,,,,,,,,,,,,";

std::string flow(const std::string& bucket, const std::string& delta, const std::string& minute = "20:59",
                 int rev = 0) {
  const std::string most = bucket == "all" ? "-0.5,1.5,1000,2000" : ",,,";
  return fmt::format("2026-11-20T{}:00Z,binance,spot,BTCUSDT,{},{},live,2,1,1,0.5,100,50,{},{},{},{},{}\n", minute,
                     bucket, rev, delta, delta, delta, delta, most);
}

std::optional<StoreRow> row(RowKind kind, const std::string& line) {
  std::string reason;
  return store_row_from("east", line, reason, kind);
}
std::string reason_of(RowKind kind, const std::string& line) {
  std::string reason;
  CHECK_FALSE(store_row_from("east", line, reason, kind));
  return reason;
}
void load(const Folder& folder, const std::string& db, const std::string& collector = "a") {
  const auto store = make_store(parse_store_url("sqlite:" + db), {});
  Loader loader(*store, {.directory = folder.path(), .collector = collector, .piece_bytes = 1});
  std::atomic<bool> stop{false};
  loader.pass(stop);
}
}  // namespace

TEST_CASE("headers are those of the contracts") {
  CHECK(layout_of(RowKind::cvd).header + "\n" == engine_test::header());
  CHECK(layout_of(RowKind::context).header + "\n" == context_header);
  CHECK(layout_of(RowKind::flow).header == flow_header());
  for (const RowKind kind : row_kinds) {
    CHECK(layout_of(kind).columns.size() <= row_fields);
    CHECK(row_kind_from(layout_of(kind).name) == kind);
    CHECK(layout_of(kind).stored.size() == layout_of(kind).columns.size() + 2);
  }
  CHECK(names_of(layout_of(RowKind::flow), true) == "exchange, market, symbol, time, bucket, collector");
}

TEST_CASE("lines beside the bars are believed field by field") {
  const auto one = row(RowKind::context, linear);
  REQUIRE(one);
  CHECK(one->row.buys == 1);
  CHECK(row(RowKind::context, spot));
  CHECK(reason_of(RowKind::context, spot + ",") == "27 fields, and 26 are expected");
  for (const auto& [from, to, column] :
       std::vector<std::array<std::string, 3>>{{"83090.10", "8309o", "bid"},
                                               {"83090.10", "8.3e4", "bid"},
                                               {"83090.10", ".5", "bid"},
                                               {"120", "-1", "book_age_ms"},
                                               {"sampled", "some", "liq_kind"},
                                               {"live", "history", "status"},
                                               {"linear", "swap", "market"},
                                               {"2026-11-21T00:00:00Z", "2026-11-21", "funding_time"},
                                               {"BTCUSDT", "BTC\x01", "symbol"},
                                               {"2026-11-20T20:59:00Z", "2026-11-20T20:61:00Z", "time"}}) {
    std::string broken = linear;
    broken.replace(broken.find(from), from.size(), to);
    CHECK(reason_of(RowKind::context, broken) == column + " is not as cvdd writes it");
  }
  std::string text = flow("1000", "1.25");
  text.pop_back();
  const auto bucket = row(RowKind::flow, text);
  REQUIRE(bucket);
  CHECK(bucket->bucket == "1000");
  CHECK(to_string(bucket->row.delta_base) == "1.25");
  for (const char* const wrong : {"-1000", "some", ""}) {
    std::string other = text;
    other.replace(other.find("1000"), 4, wrong);
    CHECK(reason_of(RowKind::flow, other) == "bucket is not as cvdd writes it");
  }
  CHECK(reason_of(RowKind::flow, "2026-11-20T20:59:00Z,binance,spot,BTCUSDT,all,0,history,,,,,,,,,,,,,,") ==
        "buys is not as cvdd writes it");
}

TEST_CASE("flow as the ledger prints it is believed, whatever the status") {
  const auto [status, bucket] = GENERATE(table<BarStatus, std::string>({{BarStatus::live, "0"},
                                                                        {BarStatus::live, "all"},
                                                                        {BarStatus::repaired, "1000.5"},
                                                                        {BarStatus::partial, "all"},
                                                                        {BarStatus::gap, "0"},
                                                                        {BarStatus::history, "all"}}));
  FlowRow printed;
  printed.time = *parse_time("2026-11-20T20:59:00Z");
  printed.exchange = "binance";
  printed.symbol = "BTCUSDT";
  printed.bucket = bucket;
  printed.rev = 3;
  printed.status = status;
  printed.sums.buys = 7;
  printed.delta_base = *parse_decimal("-0.00000001");
  if (status == BarStatus::live && bucket == "all") printed.delta_min_base = printed.delta_base;
  std::string line;
  append_flow_row(line, printed);
  line.pop_back();
  const auto read = row(RowKind::flow, line);
  REQUIRE(read);
  CHECK(read->line == line);
  CHECK(read->bucket == bucket);
  CHECK(read->row.status == status);
  CHECK(read->row.rev == 3);
  CHECK(read->row.buys == 7);
  CHECK(read->row.delta_base == printed.delta_base);
}

TEST_CASE("messages of what stands beside the bars") {
  const auto one = row(RowKind::context, linear);
  REQUIRE(one);
  CHECK(subject_of(*one) == "cvd.v1.binance.linear.BTCUSDT.context");
  CHECK(message_id(*one) == "east/binance/linear/BTCUSDT/2026-11-20T20:59:00Z/0/context");
  std::string small = flow("0", "1"), all = flow("all", "1");
  small.pop_back();
  all.pop_back();
  const auto a = row(RowKind::flow, small), b = row(RowKind::flow, all);
  REQUIRE((a && b));
  CHECK(subject_of(*a) == "cvd.v1.binance.spot.BTCUSDT.flow");
  CHECK(message_id(*b) == "east/binance/spot/BTCUSDT/2026-11-20T20:59:00Z/0/flow/all");
  // Buckets of one bar need not wait for each other.
  CHECK(order_of(*a) != order_of(*b));
}

TEST_CASE("context: each row once, digits as they were, the better collector's in front") {
  Folder a, b;
  const std::string db = a / "cvd.db";
  std::string late = linear, partial = linear;
  late.replace(late.find(",0,live"), 7, ",1,live").replace(late.find(",1,0,0.25,0,"), 12, ",2,0,0.75,0,");
  partial.replace(partial.find("live"), 4, "partial").replace(partial.find("83090.10"), 8, "1");
  a.write("context-2026-11-20.csv", context_header + linear + "\n" + spot + "\nnonsense\n");
  b.write("context-2026-11-20.csv", context_header + partial + "\n");
  load(a, db, "a");
  load(b, db, "b");
  const std::string ask_linear =
      "SELECT collector, rev, bid, mark, \"index\", funding_rate, funding_time, liq_buys, liq_kind FROM context WHERE "
      "market = 'linear'";
  CHECK(ask(db, ask_linear) == Lines{"a|0|83090.10|83091.00000000|83088.5|-0.00010000|2026-11-21T00:00:00Z|1|sampled"});
  CHECK(ask(db, "SELECT ask, mark, liq_buys, liq_kind, status FROM context WHERE market = 'spot'") ==
        Lines{"-|-|-|-|gap"});
  CHECK(ask(db, "SELECT count(*) FROM context_rows") == Lines{"3"});
  CHECK(ask(db, "SELECT place FROM rejected") ==
        Lines{fmt::format("context-2026-11-20.csv:{}", context_header.size() + linear.size() + spot.size() + 2)});
  // A liquidation that came late.
  a.append("context-2026-11-20.csv", late + "\n");
  load(a, db, "a");
  CHECK(ask(db, "SELECT rev, liq_buys, liq_buy_base FROM context WHERE market = 'linear'") == Lines{"1|2|0.75"});
  CHECK(ask(db, "SELECT count(*) FROM bars") == Lines{"0"});
}

TEST_CASE("flow: of the collector whose bar is the better one; sums of each bucket exact across the change") {
  Folder a, b;
  const std::string db = a / "cvd.db";
  using engine_test::line;
  a.write("cvd-2026-11-20.csv", engine_test::header() + line({.time = "2026-11-20T20:59:00Z", .delta = "3"}) +
                                    line({.time = "2026-11-20T21:00:00Z", .delta = "1", .status = BarStatus::gap}));
  a.write("flow-2026-11-20.csv", flow_first_line + flow("0", "1") + flow("1000", "2") + flow("all", "3") +
                                     flow("0", "1", "21:00") + flow("1000", "0", "21:00") + flow("all", "1", "21:00"));
  b.write("cvd-2026-11-20.csv", engine_test::header() +
                                    line({.time = "2026-11-20T20:59:00Z", .delta = "9", .status = BarStatus::partial}) +
                                    line({.time = "2026-11-20T21:00:00Z", .delta = "5.000000000000000000000000001"}));
  b.write("flow-2026-11-20.csv", flow_first_line + flow("0", "9") + flow("all", "9") +
                                     flow("0", "5.000000000000000000000000001", "21:00") + flow("1000", "0", "21:00") +
                                     flow("all", "5.000000000000000000000000001", "21:00"));
  load(a, db, "a");
  load(b, db, "b");
  CHECK(ask(db, "SELECT collector, bucket, delta_base FROM flow ORDER BY time, bucket") ==
        Lines{"a|0|1", "a|1000|2", "a|all|3", "b|0|5.000000000000000000000000001", "b|1000|0",
              "b|all|5.000000000000000000000000001"});
  CHECK(ask(db, "SELECT bucket, cvd_base FROM flow_cvd WHERE time = '2026-11-20T21:00:00Z' ORDER BY bucket") ==
        Lines{"0|6.000000000000000000000000001", "1000|2", "all|8.000000000000000000000000001"});
  CHECK(ask(db,
            "SELECT f.cvd_base = c.cvd_base FROM flow_cvd f JOIN cvd c USING (exchange, market, symbol, time) "
            "WHERE bucket = 'all'") == Lines{"1", "1"});
  CHECK(ask(db, "SELECT delta_min_base, largest_sell_quote FROM flow WHERE bucket <> '1000' AND collector = 'a'") ==
        Lines{"-|-", "-0.5|2000"});
}

TEST_CASE("a batch for PostgreSQL: the table's order, each key's highest revision, NULL where nothing is known") {
  std::vector<StoreRow> rows{*row(RowKind::context, spot)};
  std::string text, late = flow("all", "2", "20:59", 1), early = flow("all", "1");
  late.pop_back();
  early.pop_back();
  rows.push_back(*row(RowKind::flow, late));
  rows.push_back(*row(RowKind::flow, early));
  append_copy_line(text, rows[0], layout_of(RowKind::context), 7);
  CHECK(
      text ==
      "binance\tspot\tBTCUSDT\t2026-11-20T20:59:00Z\teast\t0\tgap\t0\t83090.1\t1\t\\N\t\\N\t120\t\\N\t\\N\t\\N\t\\N\t\\"
      "N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t7\n");
  const BatchParts parts = parts_of(rows, layout_of(RowKind::flow), true);
  REQUIRE(parts.fresh.size() == 1);
  CHECK(parts.fresh[0] == &rows[1]);
  CHECK(parts.merged.empty());
  CHECK(parts_of(rows, layout_of(RowKind::flow), false).merged.size() == 1);
  CHECK(merge_of(layout_of(RowKind::flow)).starts_with("INSERT INTO flow_rows SELECT DISTINCT ON (exchange, market, "));
}

TEST_CASE("a batch for several connections: each key in one share, each share in the order of the keys") {
  std::vector<StoreRow> rows;
  for (const char* const time : {"21:01", "20:59", "21:00", "20:58", "20:57"}) {
    for (const char* const bucket : {"all", "0"}) {
      std::string text = flow(bucket, "1", time, 0), later = flow(bucket, "2", time, 1);
      text.pop_back();
      later.pop_back();
      rows.push_back(*row(RowKind::flow, text));
      rows.push_back(*row(RowKind::flow, later));
    }
  }
  rows.push_back(*row(RowKind::context, spot));
  for (const std::size_t connections : {1U, 3U, 4U}) {
    const std::vector<Share> shares = shares_of(rows, true, connections);
    REQUIRE(shares.size() == connections);
    std::vector<std::string> keys;
    std::size_t largest = 0, beside = 0;
    for (const Share& share : shares) {
      const std::vector<const StoreRow*>& fresh = share[index_of(RowKind::flow)].fresh;
      largest = std::max(largest, fresh.size());
      beside += share[index_of(RowKind::context)].fresh.size();
      for (const StoreRow* one : fresh) {
        CHECK(one->row.rev == 1);
        keys.push_back(std::to_string(one->row.time.us) + one->bucket);
      }
    }
    CHECK(keys.size() == 10);
    CHECK(std::is_sorted(keys.begin(), keys.end()));
    CHECK(std::adjacent_find(keys.begin(), keys.end()) == keys.end());
    CHECK(largest == (10 + connections - 1) / connections);
    CHECK(beside == 1);
  }
}
