// What stands beside the bars, in ClickHouse: tables of their own, the better collector's row of each bar, and the
// running sum of each bucket's deltas by limbs, as the bars' own.
#pragma once

#include <array>

#include "clickhouse_limbs.hpp"

namespace cvdd::engine {

// One after another: each is good if it is there already.
using ClickHouseStatements = std::array<const char*, 6>;

// clang-format off
inline constexpr ClickHouseStatements clickhouse_side_tables{
R"(CREATE TABLE IF NOT EXISTS context_rows(exchange String, market String, symbol String, time DateTime('UTC'),
  collector String, rev UInt32, status String, quality UInt8, bid Nullable(String), bid_size Nullable(String),
  ask Nullable(String), ask_size Nullable(String), book_age_ms Nullable(Int64), mark Nullable(String),
  "index" Nullable(String), mark_age_ms Nullable(Int64), funding_rate Nullable(String),
  funding_time Nullable(DateTime('UTC')), open_interest_base Nullable(String), open_interest_quote Nullable(String),
  open_interest_age_ms Nullable(Int64), liq_buys Nullable(Int64), liq_sells Nullable(Int64), liq_buy_base Nullable(String),
  liq_sell_base Nullable(String), liq_buy_quote Nullable(String), liq_sell_quote Nullable(String),
  liq_kind Nullable(String))
  ENGINE = ReplacingMergeTree(rev) PARTITION BY toYYYYMM(time) ORDER BY (exchange, market, symbol, time, collector))",
R"(CREATE VIEW IF NOT EXISTS context AS SELECT time, exchange, market, symbol, rev, status, bid, bid_size, ask, ask_size,
  book_age_ms, mark, "index", mark_age_ms, funding_rate, funding_time, open_interest_base, open_interest_quote,
  open_interest_age_ms, liq_buys, liq_sells, liq_buy_base, liq_sell_base, liq_buy_quote, liq_sell_quote, liq_kind, collector
  FROM context_rows FINAL ORDER BY exchange, market, symbol, time, quality DESC,
  ifNull(liq_buys, 0) + ifNull(liq_sells, 0) DESC, rev DESC, collector LIMIT 1 BY exchange, market, symbol, time)",
R"(CREATE TABLE IF NOT EXISTS flow_rows(exchange String, market String, symbol String, time DateTime('UTC'), bucket String,
  collector String, rev UInt32, status String, quality UInt8, buys Nullable(Int64), sells Nullable(Int64),
  buy_base Nullable(String), sell_base Nullable(String), buy_quote Nullable(String), sell_quote Nullable(String),
  delta_base Nullable(String), delta_quote Nullable(String), cvd_base Nullable(String), cvd_quote Nullable(String),
  delta_min_base Nullable(String), delta_max_base Nullable(String), largest_buy_quote Nullable(String),
  largest_sell_quote Nullable(String), b0 Int64, b1 Int64, b2 Int64, b3 Int64, b4 Int64,
  q0 Int64, q1 Int64, q2 Int64, q3 Int64, q4 Int64)
  ENGINE = ReplacingMergeTree(rev) PARTITION BY toYYYYMM(time) ORDER BY (exchange, market, symbol, time, bucket, collector))",
// Of the collector whose row stands in `bars`, so that the buckets add up to it.
R"(CREATE VIEW IF NOT EXISTS best_flow AS SELECT * FROM (SELECT * FROM flow_rows FINAL) WHERE
  (exchange, market, symbol, time, collector) IN (SELECT exchange, market, symbol, time, collector FROM best))",
R"(CREATE VIEW IF NOT EXISTS flow AS SELECT time, exchange, market, symbol, bucket, rev, status, buys, sells, buy_base,
  sell_base, buy_quote, sell_quote, delta_base, delta_quote, cvd_base, cvd_quote, delta_min_base, delta_max_base,
  largest_buy_quote, largest_sell_quote, collector FROM best_flow)",
"CREATE VIEW IF NOT EXISTS flow_cvd AS SELECT time, exchange, market, symbol, bucket, status, collector, delta_base, "
"delta_quote, " CVDD_CH_TEXT("b") " AS cvd_base, " CVDD_CH_TEXT("q") " AS cvd_quote FROM (SELECT *, " CVDD_CH_SIGN("b") ", "
CVDD_CH_SIGN("q") " FROM (SELECT exchange, market, symbol, bucket, time, status, collector, delta_base, delta_quote, "
CVDD_CH_JOIN("b") ", " CVDD_CH_JOIN("q") R"( FROM (SELECT exchange, market, symbol, bucket, groupArray(time) AS at,
  groupArray(status) AS as_, groupArray(collector) AS ac, groupArray(ifNull(delta_base, '')) AS adb,
  groupArray(ifNull(delta_quote, '')) AS adq, )" CVDD_CH_SUMS("b") ", " CVDD_CH_SUMS("q") R"( FROM (SELECT * FROM best_flow
  ORDER BY exchange, market, symbol, bucket, time) GROUP BY exchange, market, symbol, bucket) ARRAY JOIN at AS time,
  as_ AS status, ac AS collector, adb AS delta_base, adq AS delta_quote, ab0, ab1, ab2, ab3, ab4, aq0, aq1, aq2, aq3, aq4)))",
};
// clang-format on

}  // namespace cvdd::engine
