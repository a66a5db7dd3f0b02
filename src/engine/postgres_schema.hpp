// Tables and views in PostgreSQL. Numbers are NUMERIC without limits, names compare byte by byte.
#pragma once

#include <array>

#include "store_kinds.hpp"

namespace cvdd::engine {

inline constexpr std::array<Migration, 2> postgres_migrations{{
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
}};

}  // namespace cvdd::engine
