// Tables and views in PostgreSQL. Numbers are NUMERIC without limits, names compare byte by byte.
#pragma once

#include <array>

#include "store_kinds.hpp"

namespace cvdd::engine {

inline constexpr std::array<Migration, 4> postgres_migrations{{
    {1, R"(
CREATE TABLE rows(
  exchange text COLLATE "C" NOT NULL, market text COLLATE "C" NOT NULL, symbol text COLLATE "C" NOT NULL,
  time timestamptz NOT NULL, collector text COLLATE "C" NOT NULL,
  rev bigint NOT NULL, status text COLLATE "C" NOT NULL, quality smallint NOT NULL,
  open numeric, high numeric, low numeric, close numeric, buys bigint NOT NULL, sells bigint NOT NULL,
  buy_base numeric NOT NULL, sell_base numeric NOT NULL, buy_quote numeric NOT NULL, sell_quote numeric NOT NULL,
  delta_base numeric NOT NULL, delta_quote numeric NOT NULL, cvd_base numeric NOT NULL, cvd_quote numeric NOT NULL,
  other_base numeric NOT NULL, other_quote numeric NOT NULL, first_id text COLLATE "C" NOT NULL,
  last_id text COLLATE "C" NOT NULL, missing bigint,
  PRIMARY KEY(exchange, market, symbol, time, collector)
    INCLUDE (rev, status, quality, buys, sells, close, delta_base, delta_quote));
CREATE INDEX rows_by_time ON rows(time, exchange, market, symbol);
-- The index alone answers where a vacuum has been: one should come after every million rows, not after a fifth of all.
ALTER TABLE rows SET (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 1000000,
  autovacuum_analyze_scale_factor = 0.02);
CREATE TABLE positions(collector text NOT NULL, file text NOT NULL, byte_offset bigint NOT NULL, print bigint NOT NULL,
  PRIMARY KEY(collector, file));
CREATE TABLE rejected(source text NOT NULL, place text NOT NULL, reason text NOT NULL, text text NOT NULL,
  PRIMARY KEY(source, place));
)"},
    {2, R"(
CREATE VIEW best AS SELECT DISTINCT ON (exchange, market, symbol, time) * FROM rows
  ORDER BY exchange, market, symbol, time, quality DESC, buys + sells DESC, rev DESC, collector;
CREATE VIEW bars AS SELECT time, exchange, market, symbol, rev, status, open, high, low, close, buys, sells,
  buy_base, sell_base, buy_quote, sell_quote, delta_base, delta_quote, cvd_base, cvd_quote, other_base, other_quote,
  first_id, last_id, missing, collector FROM best;
CREATE VIEW cvd AS SELECT time, exchange, market, symbol, status, collector, close, delta_base, delta_quote,
  trim_scale(sum(delta_base) OVER bars_so_far) AS cvd_base, trim_scale(sum(delta_quote) OVER bars_so_far) AS cvd_quote
  FROM best WINDOW bars_so_far AS (PARTITION BY exchange, market, symbol ORDER BY time ROWS UNBOUNDED PRECEDING);
CREATE VIEW contradictions AS SELECT a.time, a.exchange, a.market, a.symbol, a.collector AS collector,
  b.collector AS other_collector, a.buys, b.buys AS other_buys, a.sells, b.sells AS other_sells, a.delta_base,
  b.delta_base AS other_delta_base, a.delta_quote, b.delta_quote AS other_delta_quote
  FROM rows AS a JOIN rows AS b ON b.exchange = a.exchange AND b.market = a.market AND b.symbol = a.symbol
    AND b.time = a.time AND b.collector > a.collector
  WHERE a.quality = 3 AND b.quality = 3 AND ((a.buys, a.sells, a.buy_base, a.sell_base, a.buy_quote, a.sell_quote,
    a.other_base, a.other_quote, a.first_id, a.last_id) IS DISTINCT FROM (b.buys, b.sells, b.buy_base, b.sell_base,
    b.buy_quote, b.sell_quote, b.other_base, b.other_quote, b.first_id, b.last_id)
    OR (a.buys + a.sells > 0 AND (a.open, a.high, a.low, a.close) IS DISTINCT FROM (b.open, b.high, b.low, b.close)));
)"},
    {3, R"(
CREATE TABLE context_rows(
  exchange text COLLATE "C" NOT NULL, market text COLLATE "C" NOT NULL, symbol text COLLATE "C" NOT NULL,
  time timestamptz NOT NULL, collector text COLLATE "C" NOT NULL,
  rev bigint NOT NULL, status text COLLATE "C" NOT NULL, quality smallint NOT NULL,
  bid numeric, bid_size numeric, ask numeric, ask_size numeric, book_age_ms bigint,
  mark numeric, "index" numeric, mark_age_ms bigint, funding_rate numeric, funding_time timestamptz,
  open_interest_base numeric, open_interest_quote numeric, open_interest_age_ms bigint, liq_buys bigint, liq_sells bigint,
  liq_buy_base numeric, liq_sell_base numeric, liq_buy_quote numeric, liq_sell_quote numeric, liq_kind text COLLATE "C",
  PRIMARY KEY(exchange, market, symbol, time, collector));
CREATE INDEX context_rows_by_time ON context_rows(time, exchange, market, symbol);
CREATE VIEW context AS SELECT DISTINCT ON (exchange, market, symbol, time) time, exchange, market, symbol, rev, status,
  bid, bid_size, ask, ask_size, book_age_ms, mark, "index", mark_age_ms, funding_rate, funding_time, open_interest_base,
  open_interest_quote, open_interest_age_ms, liq_buys, liq_sells, liq_buy_base, liq_sell_base, liq_buy_quote,
  liq_sell_quote, liq_kind, collector FROM context_rows
  ORDER BY exchange, market, symbol, time, quality DESC, coalesce(liq_buys, 0) + coalesce(liq_sells, 0) DESC, rev DESC,
  collector;
CREATE TABLE flow_rows(
  exchange text COLLATE "C" NOT NULL, market text COLLATE "C" NOT NULL, symbol text COLLATE "C" NOT NULL,
  time timestamptz NOT NULL, bucket text COLLATE "C" NOT NULL, collector text COLLATE "C" NOT NULL,
  rev bigint NOT NULL, status text COLLATE "C" NOT NULL, quality smallint NOT NULL, buys bigint, sells bigint,
  buy_base numeric, sell_base numeric, buy_quote numeric, sell_quote numeric, delta_base numeric, delta_quote numeric,
  cvd_base numeric, cvd_quote numeric, delta_min_base numeric, delta_max_base numeric, largest_buy_quote numeric,
  largest_sell_quote numeric, PRIMARY KEY(exchange, market, symbol, time, bucket, collector));
CREATE INDEX flow_rows_by_time ON flow_rows(time, exchange, market, symbol);
-- Of the collector whose row stands in `bars`, so that the buckets add up to it.
CREATE VIEW flow AS SELECT b.time, b.exchange, b.market, b.symbol, f.bucket, f.rev, f.status, f.buys, f.sells, f.buy_base,
  f.sell_base, f.buy_quote, f.sell_quote, f.delta_base, f.delta_quote, f.cvd_base, f.cvd_quote, f.delta_min_base,
  f.delta_max_base, f.largest_buy_quote, f.largest_sell_quote, b.collector FROM best AS b JOIN flow_rows AS f
  ON f.exchange = b.exchange AND f.market = b.market AND f.symbol = b.symbol AND f.time = b.time
  AND f.collector = b.collector;
CREATE VIEW flow_cvd AS SELECT time, exchange, market, symbol, bucket, status, collector, delta_base, delta_quote,
  trim_scale(sum(delta_base) OVER bars_so_far) AS cvd_base, trim_scale(sum(delta_quote) OVER bars_so_far) AS cvd_quote
  FROM flow WINDOW bars_so_far AS (PARTITION BY exchange, market, symbol, bucket ORDER BY time
  ROWS UNBOUNDED PRECEDING);
ALTER TABLE context_rows SET (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 1000000,
  autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE flow_rows SET (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 1000000,
  autovacuum_analyze_scale_factor = 0.02);
)"},
    // What `best` asks for in the order in which it asks for it: nothing is sorted, and the table is not looked at. By
    // time the index has the time alone, of which a minute's rows have one: it is a fifth as large, and quicker to
    // write.
    {4, R"(
ALTER TABLE rows DROP CONSTRAINT rows_pkey;
ALTER TABLE rows ADD PRIMARY KEY(exchange, market, symbol, time, collector);
CREATE INDEX rows_best ON rows(exchange, market, symbol, time, quality DESC, (buys + sells) DESC, rev DESC, collector)
  INCLUDE (status, buys, sells, close, delta_base, delta_quote);
DROP INDEX rows_by_time;
CREATE INDEX rows_by_time ON rows(time);
)"},
}};

}  // namespace cvdd::engine
