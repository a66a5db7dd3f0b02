// A ledger of one instrument, as tests of bars write it: marks and trades in, rows out. Trades are of one unit.
#pragma once

#include <string>
#include <vector>

#include "cvdd/ledger/ledger.hpp"

namespace cvdd::test {

inline constexpr std::int64_t minute = 60'000'000;

struct Account {
  explicit Account(bool event_time = false, bool repairs = false, Ids ids = Ids::sequence, bool watched = false)
      : ledger({seconds(60), event_time, repairs, watched}) {
    instrument.ids = ids;
    instrument.exchange = "test";
    instrument.symbol = "A";
    ledger.add_instrument(instrument);
  }
  void mark(RecordKind kind, std::int64_t us, std::uint64_t id = 0, std::uint64_t count = 0) {
    ledger.apply(Record::mark(kind, 0, {us}, id, count));
  }
  // A trade of one unit at `price`; sold if negative.
  void trade(std::uint64_t id, std::int64_t us, std::int64_t price) {
    ledger.apply(Record::from(trade_of(id, us, price)).value());
  }
  void again(std::uint64_t id, std::int64_t us, std::int64_t price) {
    ledger.apply(Record::from(trade_of(id, us, price)).value().as_again());
  }
  Trade trade_of(std::uint64_t id, std::int64_t us, std::int64_t price) const {
    Trade t;
    t.instrument = &instrument;
    t.time = {us};
    t.id = id;
    t.aggressor = price < 0 ? Aggressor::seller : Aggressor::buyer;
    t.price = {price < 0 ? -price : price, 0};
    t.base = {1, 0};
    t.quote = t.price;
    return t;
  }
  std::vector<Row> close(std::int64_t us) {
    std::vector<Row> rows;
    ledger.close({us}, rows);
    return rows;
  }
  Instrument instrument;
  Ledger ledger;
};

// "minute rev status missing cvd" of each row, minutes counted from the epoch.
inline std::vector<std::string> told(const std::vector<Row>& rows) {
  std::vector<std::string> out;
  for (const Row& r : rows) {
    out.push_back(std::to_string(r.time.us / minute) + " " + std::to_string(r.rev) + " " +
                  std::string(name_of(r.status)) + " " + (r.missing ? std::to_string(*r.missing) : "?") + " " +
                  to_string(r.cvd_base));
  }
  return out;
}
using Lines = std::vector<std::string>;

}  // namespace cvdd::test
