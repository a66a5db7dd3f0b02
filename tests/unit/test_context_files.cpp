// The files of what stands beside the trades, in the data directory; and the symbol list that asks for it.
#include "catch.hpp"
#include "cvdd/config/config.hpp"
#include "cvdd/ledger/context_row.hpp"
#include "cvdd/ledger/csv_row.hpp"
#include "cvdd/storage/csv_store.hpp"
#include "support/memory_files.hpp"

using namespace cvdd;

namespace {
Row bar(const char* time) {
  Row r;
  r.time = parse_time(time).value();
  r.exchange = "binance";
  r.symbol = "BTCUSDT";
  return r;
}
ContextRow beside(const char* time, std::uint32_t rev = 0, const char* symbol = "BTCUSDT") {
  ContextRow r;
  r.time = parse_time(time).value();
  r.exchange = "binance";
  r.symbol = symbol;
  r.rev = rev;
  r.bid = Decimal(5, 0);
  r.book_age_ms = 10;
  return r;
}
std::string text_of(const std::vector<ContextRow>& rows) {
  std::string text = std::string(context_header()) + "\n";
  for (const ContextRow& r : rows) append_context_row(text, r);
  return text;
}
const std::string first_day = "/d/context-2026-11-20.csv", second_day = "/d/context-2026-11-21.csv";
const InstrumentKey key{"binance", Market::spot, "BTCUSDT"};
}  // namespace

TEST_CASE("context files: rows go to the day of their bar, in the batch of the CVD rows") {
  MemoryFiles files;
  CsvStore store(files, "/d");
  (void)store.open();
  const std::vector<Row> cvd{bar("2026-11-20T23:59:00Z")};
  const std::vector<ContextRow> rows{beside("2026-11-20T23:59:00Z"), beside("2026-11-21T00:00:00Z")};
  CHECK(store.write(cvd, {}, rows) == 0);
  CHECK(files.files[first_day] == text_of({rows[0]}));
  CHECK(files.files[second_day] == text_of({rows[1]}));
  CHECK(files.links["/d/latest-context.csv"] == "context-2026-11-21.csv");
  CHECK(files.links["/d/latest.csv"] == "cvd-2026-11-20.csv");
}

TEST_CASE("context files: the newest row of each instrument is known at the next start") {
  MemoryFiles files;
  {
    CsvStore store(files, "/d");
    (void)store.open();
    const std::vector<Row> cvd{bar("2026-11-20T23:58:00Z"), bar("2026-11-20T23:59:00Z")};
    const std::vector<ContextRow> rows{beside("2026-11-20T23:58:00Z"), beside("2026-11-20T23:59:00Z"),
                                       beside("2026-11-20T23:59:00Z", 1), beside("2026-11-20T23:58:00Z", 2),
                                       beside("2026-11-20T23:59:00Z", 0, "WITHOUTBARS")};
    CHECK(store.write(cvd, {}, rows) == 0);
  }
  CsvStore again(files, "/d");
  const Remembered known = again.open();
  REQUIRE(known.contains(key));
  REQUIRE(known.at(key).context);
  CHECK(known.at(key).context->time == parse_time("2026-11-20T23:59:00Z"));
  CHECK(known.at(key).context->rev == 1);
  CHECK(known.size() == 1);
}

TEST_CASE("context files: a full disk keeps rows of both kinds, in order, and a torn batch is completed") {
  MemoryFiles files;
  CsvStore store(files, "/d");
  (void)store.open();
  files.append_error = ENOSPC;
  const std::vector<Row> cvd{bar("2026-11-20T23:58:00Z")};
  const std::vector<ContextRow> one{beside("2026-11-20T23:58:00Z")}, two{beside("2026-11-20T23:59:00Z")};
  CHECK(store.write(cvd, {}, one) == ENOSPC);
  CHECK(store.write({}, {}, two) == ENOSPC);
  CHECK(store.backlog_rows() == 3);
  files.append_error = 0;
  CHECK(store.write({}) == 0);
  CHECK(files.files[first_day] == text_of({one[0], two[0]}));
  // As a crash leaves it: the journal is there, the file has a half of its last line.
  const std::string whole = files.files[first_day];
  files.files[first_day] = whole.substr(0, whole.size() - 9);
  CsvStore again(files, "/d");
  (void)again.open();
  CHECK(files.files[first_day] == whole);
}

TEST_CASE("context files: what is not ours is never written to again") {
  MemoryFiles files;
  files.files[first_day] = text_of({beside("2026-11-20T23:58:00Z")}) +
                           "2026-11-20T23:59:00Z,nonsense of somebody, a line as long as ours are\n";
  CsvStore store(files, "/d");
  (void)store.open();
  const std::vector<ContextRow> rows{beside("2026-11-20T23:59:00Z")};
  CHECK(store.write({}, {}, rows) == 0);
  CHECK(files.files["/d/context-2026-11-20.1.csv"] == text_of(rows));
}

namespace {
KnownMarkets known_here() {
  KnownMarkets known{{{"binance", Market::spot}, {"binance", Market::linear}}};
  known.context[{"binance", Market::spot}] = {DataKind::book};
  known.context[{"binance", Market::linear}] = {DataKind::book, DataKind::mark, DataKind::funding};
  return known;
}
SymbolList read(const std::string& text, std::vector<std::string>& told) {
  std::vector<ConfigError> errors;
  SymbolList list = parse_symbols(text, "s", known_here(), errors);
  told.clear();
  for (const ConfigError& e : errors) told.push_back(to_string(e));
  return list;
}
}  // namespace

TEST_CASE("symbol list: what is kept beside the trades, by exchange; nothing unless it is asked for") {
  std::vector<std::string> told;
  CHECK(read("[binance]\nspot = [\"BTCUSDT\"]\n", told).context.empty());
  CHECK(read("[binance]\ncontext = [\"book\", \"mark\"]\nspot = [\"A\"]\nlinear = [\"A\"]\n", told)
            .context.at("binance") == DataKinds{DataKind::book, DataKind::mark});
  CHECK(told.empty());
  const DataKinds all = read("[binance]\ncontext = \"all\"\nspot = [\"A\"]\n", told).context.at("binance");
  CHECK((told.empty() && all.has(DataKind::liquidation) && all.has(DataKind::open_interest) &&
         !all.has(DataKind::trade)));
}

TEST_CASE("symbol list: a kind that is none, or that none of the markets has, is a mistake") {
  std::vector<std::string> told;
  (void)read("[binance]\ncontext = [\"book\", \"depth\"]\nspot = [\"A\"]\n", told);
  REQUIRE(told.size() == 1);
  CHECK(told[0].find("binance.context: expected \"all\", or a list of: \"book\"") != std::string::npos);
  (void)read("[binance]\ncontext = [\"trades\"]\nspot = [\"A\"]\n", told);
  CHECK(told.size() == 1);
  (void)read("[binance]\ncontext = true\nspot = [\"A\"]\n", told);
  CHECK(told.size() == 1);
  // Spot has no mark price; where a market that has is in the list, it is asked for there alone.
  (void)read("[binance]\nspot = [\"A\"]\ncontext = [\"mark\"]\n", told);
  REQUIRE(told.size() == 1);
  CHECK(told[0].find("mark is not to be had of binance spot") != std::string::npos);
  (void)read("[binance]\nspot = [\"A\"]\nlinear = [\"A\"]\ncontext = [\"mark\"]\n", told);
  CHECK(told.empty());
  (void)read("[binance]\nspot = [\"A\"]\nlinear = [\"A\"]\ncontext = [\"liquidations\"]\n", told);
  REQUIRE(told.size() == 1);
  CHECK(told[0].find("liquidations is not to be had of binance linear, spot") == std::string::npos);
  CHECK(told[0].find("liquidations is not to be had of binance") != std::string::npos);
}
