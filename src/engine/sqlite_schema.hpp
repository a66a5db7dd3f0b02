// Tables and views in SQLite. A bar's other rows are looked up BETWEEN its time and its time: that takes the primary
// key, where they stand beside it, and not the index by time. Numbers are text as the collector printed them; for sums,
// which SQLite knows only in 64 bits or in binary floating point, the deltas are there a second time as whole part and
// four times nine digits (d0 … d4).
#pragma once

#include <array>

#include "sqlite_limbs.hpp"
#include "sqlite_side_schema.hpp"
#include "store_kinds.hpp"

namespace cvdd::engine {

inline constexpr std::array<Migration, 3> sqlite_migrations{{
    {1, R"(
CREATE TABLE rows(
  exchange TEXT NOT NULL, market TEXT NOT NULL, symbol TEXT NOT NULL, time TEXT NOT NULL, collector TEXT NOT NULL,
  rev INTEGER NOT NULL, status TEXT NOT NULL, quality INTEGER NOT NULL,
  open TEXT, high TEXT, low TEXT, close TEXT, buys INTEGER NOT NULL, sells INTEGER NOT NULL,
  buy_base TEXT NOT NULL, sell_base TEXT NOT NULL, buy_quote TEXT NOT NULL, sell_quote TEXT NOT NULL,
  delta_base TEXT NOT NULL, delta_quote TEXT NOT NULL, cvd_base TEXT NOT NULL, cvd_quote TEXT NOT NULL,
  other_base TEXT NOT NULL, other_quote TEXT NOT NULL, first_id TEXT NOT NULL, last_id TEXT NOT NULL, missing INTEGER,
  b0 INTEGER NOT NULL, b1 INTEGER NOT NULL, b2 INTEGER NOT NULL, b3 INTEGER NOT NULL, b4 INTEGER NOT NULL,
  q0 INTEGER NOT NULL, q1 INTEGER NOT NULL, q2 INTEGER NOT NULL, q3 INTEGER NOT NULL, q4 INTEGER NOT NULL,
  PRIMARY KEY(exchange, market, symbol, time, collector)) WITHOUT ROWID;
CREATE INDEX rows_by_time ON rows(time);
CREATE TABLE positions(collector TEXT NOT NULL, file TEXT NOT NULL, offset INTEGER NOT NULL, print INTEGER NOT NULL,
  PRIMARY KEY(collector, file)) WITHOUT ROWID;
CREATE TABLE rejected(source TEXT NOT NULL, place TEXT NOT NULL, reason TEXT NOT NULL, text TEXT NOT NULL,
  PRIMARY KEY(source, place)) WITHOUT ROWID;
)"},
    {2,
     R"(
CREATE VIEW best AS SELECT * FROM rows AS r WHERE NOT EXISTS (
  SELECT 1 FROM rows AS o WHERE o.exchange = r.exchange AND o.market = r.market AND o.symbol = r.symbol
    AND o.time BETWEEN r.time AND r.time AND o.collector <> r.collector
    AND (o.quality, o.buys + o.sells, o.rev) >= (r.quality, r.buys + r.sells, r.rev)
    AND ((o.quality, o.buys + o.sells, o.rev) > (r.quality, r.buys + r.sells, r.rev) OR o.collector < r.collector));
CREATE VIEW bars AS SELECT time, exchange, market, symbol, rev, status, open, high, low, close, buys, sells,
  buy_base, sell_base, buy_quote, sell_quote, delta_base, delta_quote, cvd_base, cvd_quote, other_base, other_quote,
  first_id, last_id, missing, collector FROM best;
CREATE VIEW cvd AS SELECT time, exchange, market, symbol, status, collector, close, delta_base, delta_quote, )" CVDD_TEXT("b") R"( AS cvd_base, )" CVDD_TEXT("q") R"( AS cvd_quote FROM (SELECT *, )" CVDD_SIGN("b") "," CVDD_SIGN("q") R"( FROM (
  SELECT time, exchange, market, symbol, status, collector, close, delta_base, delta_quote, )" CVDD_SUM("b0", "b0") "," CVDD_SUM(
         "b1",
         "b1") "," CVDD_SUM("b2",
                            "b2") "," CVDD_SUM("b3",
                                               "b3") "," CVDD_SUM("b4",
                                                                  "b4") "," CVDD_SUM("q0",
                                                                                     "q0") "," CVDD_SUM("q1",
                                                                                                        "q1") "," CVDD_SUM("q2",
                                                                                                                           "q2") "," CVDD_SUM("q3",
                                                                                                                                              "q3") "," CVDD_SUM("q4",
                                                                                                                                                                 "q4") R"( FROM best
    WINDOW bars_so_far AS (PARTITION BY exchange, market, symbol ORDER BY time ROWS UNBOUNDED PRECEDING)));
CREATE VIEW contradictions AS SELECT a.time, a.exchange, a.market, a.symbol, a.collector AS collector,
  b.collector AS other_collector, a.buys, b.buys AS other_buys, a.sells, b.sells AS other_sells, a.delta_base,
  b.delta_base AS other_delta_base, a.delta_quote, b.delta_quote AS other_delta_quote
  FROM rows AS a CROSS JOIN rows AS b ON b.exchange = a.exchange AND b.market = a.market AND b.symbol = a.symbol
    AND b.time BETWEEN a.time AND a.time AND b.collector > a.collector
  WHERE a.quality = 3 AND b.quality = 3 AND ((a.buys, a.sells, a.buy_base, a.sell_base, a.buy_quote, a.sell_quote,
    a.other_base, a.other_quote, a.first_id, a.last_id) IS NOT (b.buys, b.sells, b.buy_base, b.sell_base, b.buy_quote,
    b.sell_quote, b.other_base, b.other_quote, b.first_id, b.last_id)
    OR (a.buys + a.sells > 0 AND (a.open, a.high, a.low, a.close) IS NOT (b.open, b.high, b.low, b.close)));
)"},
    {3, sqlite_side_tables},
}};

}  // namespace cvdd::engine
