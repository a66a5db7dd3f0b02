// What stands beside the bars, in SQLite: tables of their own, the better collector's row of each bar, and the running
// sum of each bucket's deltas by limbs, as the bars' own.
#pragma once

#include "sqlite_limbs.hpp"

namespace cvdd::engine {

// clang-format off
inline constexpr const char* sqlite_side_tables = R"(
CREATE TABLE context_rows(
  exchange TEXT NOT NULL, market TEXT NOT NULL, symbol TEXT NOT NULL, time TEXT NOT NULL, collector TEXT NOT NULL,
  rev INTEGER NOT NULL, status TEXT NOT NULL, quality INTEGER NOT NULL,
  bid TEXT, bid_size TEXT, ask TEXT, ask_size TEXT, book_age_ms INTEGER, mark TEXT, "index" TEXT, mark_age_ms INTEGER,
  funding_rate TEXT, funding_time TEXT, open_interest_base TEXT, open_interest_quote TEXT, open_interest_age_ms INTEGER,
  liq_buys INTEGER, liq_sells INTEGER, liq_buy_base TEXT, liq_sell_base TEXT, liq_buy_quote TEXT, liq_sell_quote TEXT,
  liq_kind TEXT, PRIMARY KEY(exchange, market, symbol, time, collector)) WITHOUT ROWID;
CREATE INDEX context_rows_by_time ON context_rows(time);
CREATE VIEW context AS SELECT time, exchange, market, symbol, rev, status, bid, bid_size, ask, ask_size, book_age_ms, mark,
  "index", mark_age_ms, funding_rate, funding_time, open_interest_base, open_interest_quote, open_interest_age_ms,
  liq_buys, liq_sells, liq_buy_base, liq_sell_base, liq_buy_quote, liq_sell_quote, liq_kind, collector
  FROM context_rows AS r WHERE NOT EXISTS (
    SELECT 1 FROM context_rows AS o WHERE o.exchange = r.exchange AND o.market = r.market AND o.symbol = r.symbol
      AND o.time BETWEEN r.time AND r.time AND o.collector <> r.collector
      AND ((o.quality, ifnull(o.liq_buys, 0) + ifnull(o.liq_sells, 0), o.rev)
           > (r.quality, ifnull(r.liq_buys, 0) + ifnull(r.liq_sells, 0), r.rev)
        OR (o.quality, ifnull(o.liq_buys, 0) + ifnull(o.liq_sells, 0), o.rev)
           = (r.quality, ifnull(r.liq_buys, 0) + ifnull(r.liq_sells, 0), r.rev) AND o.collector < r.collector));
CREATE TABLE flow_rows(
  exchange TEXT NOT NULL, market TEXT NOT NULL, symbol TEXT NOT NULL, time TEXT NOT NULL, bucket TEXT NOT NULL,
  collector TEXT NOT NULL, rev INTEGER NOT NULL, status TEXT NOT NULL, quality INTEGER NOT NULL,
  buys INTEGER, sells INTEGER, buy_base TEXT, sell_base TEXT, buy_quote TEXT, sell_quote TEXT, delta_base TEXT,
  delta_quote TEXT, cvd_base TEXT, cvd_quote TEXT, delta_min_base TEXT, delta_max_base TEXT, largest_buy_quote TEXT,
  largest_sell_quote TEXT,
  b0 INTEGER NOT NULL, b1 INTEGER NOT NULL, b2 INTEGER NOT NULL, b3 INTEGER NOT NULL, b4 INTEGER NOT NULL,
  q0 INTEGER NOT NULL, q1 INTEGER NOT NULL, q2 INTEGER NOT NULL, q3 INTEGER NOT NULL, q4 INTEGER NOT NULL,
  PRIMARY KEY(exchange, market, symbol, time, bucket, collector)) WITHOUT ROWID;
CREATE INDEX flow_rows_by_time ON flow_rows(time);
-- Of the collector whose row stands in `bars`, so that the buckets add up to it.
CREATE VIEW best_flow AS SELECT f.* FROM best AS b CROSS JOIN flow_rows AS f
  ON f.exchange = b.exchange AND f.market = b.market AND f.symbol = b.symbol AND f.time BETWEEN b.time AND b.time
  AND f.collector = b.collector;
CREATE VIEW flow AS SELECT time, exchange, market, symbol, bucket, rev, status, buys, sells, buy_base, sell_base, buy_quote,
  sell_quote, delta_base, delta_quote, cvd_base, cvd_quote, delta_min_base, delta_max_base, largest_buy_quote,
  largest_sell_quote, collector FROM best_flow;
CREATE VIEW flow_cvd AS SELECT time, exchange, market, symbol, bucket, status, collector, delta_base, delta_quote, )"
CVDD_TEXT("b") " AS cvd_base, " CVDD_TEXT("q") " AS cvd_quote FROM (SELECT *, " CVDD_SIGN("b") ", " CVDD_SIGN("q") R"( FROM (
  SELECT time, exchange, market, symbol, bucket, status, collector, delta_base, delta_quote, )"
CVDD_SUM("b0", "b0") "," CVDD_SUM("b1", "b1") "," CVDD_SUM("b2", "b2") "," CVDD_SUM("b3", "b3") "," CVDD_SUM("b4", "b4") ","
CVDD_SUM("q0", "q0") "," CVDD_SUM("q1", "q1") "," CVDD_SUM("q2", "q2") "," CVDD_SUM("q3", "q3") "," CVDD_SUM("q4", "q4")
R"( FROM best_flow
    WINDOW bars_so_far AS (PARTITION BY exchange, market, symbol, bucket ORDER BY time ROWS UNBOUNDED PRECEDING)));
)";
// clang-format on

}  // namespace cvdd::engine
