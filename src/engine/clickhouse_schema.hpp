// Tables and views in ClickHouse. There are no transactions: rows replace each other by key and revision, and where a
// table is read it is read FINAL. Numbers are strings as the collector printed them; the deltas are there a second time
// as whole part and four times nine digits, whose sums are integers.
#pragma once

#include <array>

#include "clickhouse_limbs.hpp"
#include "clickhouse_side_schema.hpp"

namespace cvdd::engine {

struct ClickHouseMigration {
  int version;
  ClickHouseStatements statements;
};

inline constexpr std::array<ClickHouseMigration, 3> clickhouse_migrations{{
    {1,
     {R"(CREATE TABLE IF NOT EXISTS rows(exchange String, market String, symbol String, time DateTime('UTC'), collector String,
  rev UInt32, status String, quality UInt8, open Nullable(String), high Nullable(String), low Nullable(String),
  close Nullable(String), buys Int64, sells Int64, buy_base String, sell_base String, buy_quote String, sell_quote String,
  delta_base String, delta_quote String, cvd_base String, cvd_quote String, other_base String, other_quote String,
  first_id String, last_id String, missing Nullable(Int64), b0 Int64, b1 Int64, b2 Int64, b3 Int64, b4 Int64,
  q0 Int64, q1 Int64, q2 Int64, q3 Int64, q4 Int64)
  ENGINE = ReplacingMergeTree(rev) PARTITION BY toYYYYMM(time) ORDER BY (exchange, market, symbol, time, collector))",
      R"(CREATE TABLE IF NOT EXISTS positions(collector String, file String, byte_offset UInt64, print UInt32, version UInt64)
  ENGINE = ReplacingMergeTree(version) ORDER BY (collector, file))",
      R"(CREATE TABLE IF NOT EXISTS rejected(source String, place String, reason String, text String, version UInt8)
  ENGINE = ReplacingMergeTree(version) ORDER BY (source, place))",
      nullptr, nullptr}},
    {2,
     {R"(CREATE VIEW IF NOT EXISTS best AS SELECT * FROM rows FINAL ORDER BY exchange, market, symbol, time, quality DESC,
  buys + sells DESC, rev DESC, collector LIMIT 1 BY exchange, market, symbol, time)",
      R"(CREATE VIEW IF NOT EXISTS bars AS SELECT time, exchange, market, symbol, rev, status, open, high, low, close, buys, sells,
  buy_base, sell_base, buy_quote, sell_quote, delta_base, delta_quote, cvd_base, cvd_quote, other_base, other_quote,
  first_id, last_id, missing, collector FROM best)",
      "CREATE VIEW IF NOT EXISTS cvd AS SELECT time, exchange, market, symbol, status, collector, close, delta_base, "
      "delta_quote, " CVDD_CH_TEXT("b") " AS cvd_base, " CVDD_CH_TEXT(
          "q") " AS cvd_quote FROM (SELECT "
               "*, " CVDD_CH_SIGN("b") ", " CVDD_CH_SIGN("q") " FROM (SELECT exchange, market, "
                                                              "symbol, time, status, collector, "
                                                              "close, delta_base, "
                                                              "delta_quote, " CVDD_CH_JOIN("b") ", " CVDD_CH_JOIN(
                                                                  "q") " FROM (SELECT exchange, "
                                                                       "market, symbol, "
                                                                       "groupArray(time) AS at, "
                                                                       "groupArray(status) AS "
                                                                       "as_, "
                                                                       "groupArray(collector) AS "
                                                                       "ac, "
                                                                       "groupArray(assumeNotNull("
                                                                       "close)) AS ap, "
                                                                       "groupArray(delta_base) "
                                                                       "AS adb, "
                                                                       "groupArray(delta_quote) "
                                                                       "AS adq, " CVDD_CH_SUMS("b") ", " CVDD_CH_SUMS(
                                                                           "q") " FROM (SELECT * "
                                                                                "FROM best ORDER "
                                                                                "BY exchange, "
                                                                                "market, symbol, "
                                                                                "time) GROUP BY "
                                                                                "exchange, "
                                                                                "market, symbol) "
                                                                                "ARRAY JOIN at "
                                                                                "AS time, as_ AS "
                                                                                "status, ac AS "
                                                                                "collector, ap "
                                                                                "AS close, adb "
                                                                                "AS delta_base, "
                                                                                "adq AS "
                                                                                "delta_quote, "
                                                                                "ab0, ab1, ab2, "
                                                                                "ab3, ab4, aq0, "
                                                                                "aq1, aq2, aq3, "
                                                                                "aq4))",
      nullptr, nullptr}},
    {3, clickhouse_side_tables},
}};

}  // namespace cvdd::engine
