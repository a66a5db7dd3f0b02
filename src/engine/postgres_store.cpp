// PostgreSQL: a batch's rows by one connection, in one transaction with the position, or by several at once.
#include <fmt/format.h>
#include <libpq-fe.h>

#include <future>

#include "cvdd/base/printable.hpp"
#include "cvdd/base/time_text.hpp"
#include "postgres_session.hpp"
#include "store_kinds.hpp"

namespace cvdd::engine {

namespace {
constexpr unsigned merges_most = 50;      // batches that go the longer way, once rows were there already
constexpr std::size_t share_min = 1'000;  // rows of a connection, below which one more is not worth it

class PostgresStore final : public Store {
 public:
  PostgresStore(const StoreUrl& url, std::size_t connections) {
    for (std::size_t i = 0; i < std::max<std::size_t>(1, connections); ++i) {
      sessions_.push_back(std::make_unique<PostgresSession>(url));
    }
  }

  void open() override { sessions_.front()->open(); }

  Positions positions(const std::string& collector) override {
    const Answer answer =
        main().ask("SELECT file, byte_offset, print FROM positions WHERE collector = $1", {collector});
    Positions out;
    for (int i = 0; i < PQntuples(answer.get()); ++i) {
      out[PostgresSession::value(answer, i, 0)] = {
          std::stoull(PostgresSession::value(answer, i, 1)),
          static_cast<std::uint32_t>(std::stoull(PostgresSession::value(answer, i, 2)))};
    }
    return out;
  }

  void write(const Write& what) override {
    open();
    const std::size_t shares_most = std::min(sessions_.size(), what.rows.size() / share_min);
    const std::vector<Share> shares = shares_of(what.rows, merges_left_ == 0, std::max<std::size_t>(1, shares_most));
    const bool fresh = shares.size() == 1 ? main().write(shares[0], PostgresSession::Sync::now, [&] { put_rest(what); })
                                          : write_at_once(shares, what);
    know(fresh);
  }

  std::vector<Contradiction> contradictions(Timestamp since, std::size_t most) override {
    const Answer answer = main().ask(
        "SELECT to_char(time AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), exchange, market, symbol, "
        "collector, "
        "other_collector, 'buys '||buys||' and '||other_buys||', sells '||sells||' and '||other_sells||', delta_base "
        "'||delta_base||' and '||other_delta_base FROM contradictions WHERE time >= $1::timestamptz "
        "ORDER BY time DESC LIMIT $2::bigint",
        {format_time(since), std::to_string(most)});
    std::vector<Contradiction> out;
    for (int i = 0; i < PQntuples(answer.get()); ++i) {
      out.push_back({PostgresSession::value(answer, i, 0), PostgresSession::value(answer, i, 1),
                     PostgresSession::value(answer, i, 2), PostgresSession::value(answer, i, 3),
                     PostgresSession::value(answer, i, 4), PostgresSession::value(answer, i, 5),
                     PostgresSession::value(answer, i, 6)});
    }
    return out;
  }

  std::string about() override {
    const Answer answer = main().ask(
        "SELECT current_setting('server_version'), coalesce(max(time)::text, 'none'), "
        "pg_size_pretty(pg_total_relation_size('rows')) FROM rows");
    return fmt::format("PostgreSQL {}, newest bar {}, rows take {}",
                       printable(PostgresSession::value(answer, 0, 0), 60), PostgresSession::value(answer, 0, 1),
                       PostgresSession::value(answer, 0, 2));
  }

  std::uint64_t rejected_count() override {
    return std::stoull(PostgresSession::value(main().ask("SELECT count(*) FROM rejected"), 0, 0));
  }

 private:
  PostgresSession& main() {
    open();
    return *sessions_.front();
  }

  // Each share in a transaction of its own, since one that waited for the others with its rows locked could wait for
  // ever; the position after all of them, so that it is never ahead of the rows. If it is not reached, rows are there
  // that nothing tells of, and are there once when they come again.
  bool write_at_once(const std::vector<Share>& shares, const Write& what) {
    using Sync = PostgresSession::Sync;
    const Sync sync = what.file.empty() ? Sync::now : Sync::later;  // a position is synced, and what was before it
    std::vector<std::future<bool>> others;
    for (std::size_t i = 1; i < shares.size(); ++i) {
      others.push_back(std::async(std::launch::async | std::launch::deferred,
                                  [this, &shares, i, sync] { return sessions_[i]->write(shares[i], sync, [] {}); }));
    }
    bool fresh = sessions_[0]->write(shares[0], sync, [] {});
    for (auto& other : others) fresh = other.get() && fresh;
    (void)sessions_[0]->write({}, Sync::now, [&] { put_rest(what); });
    return fresh;
  }

  void put_rest(const Write& what) {
    for (const Rejected& one : what.rejected) {
      (void)sessions_[0]->ask("INSERT INTO rejected VALUES($1,$2,$3,$4) ON CONFLICT DO NOTHING",
                              {one.source, one.place, one.reason, one.text});
    }
    if (what.file.empty()) return;
    (void)sessions_[0]->ask(
        "INSERT INTO positions VALUES($1,$2,$3,$4) ON CONFLICT (collector, file) DO UPDATE SET "
        "byte_offset = excluded.byte_offset, print = excluded.print",
        {what.collector, what.file, std::to_string(what.position.offset), std::to_string(what.position.print)});
  }

  // Where rows were there already, more of them are likely: the next batch goes the longer way at once, and if the one
  // after that finds such rows again, the next three, and so on.
  void know(bool fresh) {
    if (!fresh) {
      merges_left_ = merges_ = std::min(merges_most, 2 * merges_ + 1);
    } else if (merges_left_ > 0) {
      --merges_left_;
    } else {
      merges_ = 0;
    }
  }

  std::vector<std::unique_ptr<PostgresSession>> sessions_;  // the first one does what is not rows, too
  unsigned merges_ = 0, merges_left_ = 0;  // batches to be merged whole: at the last clash, yet to come
};
}  // namespace

std::unique_ptr<Store> make_postgres_store(const StoreUrl& url, const StoreOptions& options) {
  return std::make_unique<PostgresStore>(url, options.connections);
}

}  // namespace cvdd::engine
