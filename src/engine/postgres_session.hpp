// One connection to PostgreSQL, with the tables that its batches go by. Only where libpq is. One thread at a time.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "postgres_connection.hpp"
#include "postgres_copy.hpp"

namespace cvdd::engine {

class PostgresSession {
 public:
  explicit PostgresSession(const StoreUrl& url) : url_(url) {}

  // Connects if there is no connection; makes or migrates tables and views. Throws StoreError, as all of these do.
  void open();

  enum class Sync : std::uint8_t {
    now,    // on the server's disk when it is committed
    later,  // … when the next transaction of any session is that was committed with `now`
  };
  // One transaction: the rows, and what `also` asks. False: rows that were taken for fresh are there already, so all of
  // them went the longer way.
  bool write(const Share& share, Sync sync, const std::function<void()>& also);

  [[nodiscard]] Answer ask(const std::string& sql);
  [[nodiscard]] Answer ask(const std::string& sql, const std::vector<std::string>& parameters);
  static std::string value(const Answer& answer, int row, int column) { return PQgetvalue(answer.get(), row, column); }

 private:
  void put(const Share& share, bool fresh, Sync sync, const std::function<void()>& also);
  void put(const BatchParts& parts, const Layout& layout, bool fresh);
  void prepare();
  void migrate();
  [[nodiscard]] int version();
  void copy(const std::string& table, const Layout& layout, const std::vector<const StoreRow*>& rows, bool numbered);
  [[nodiscard]] Answer checked(Answer answer);
  [[noreturn]] void fail_sending();
  [[noreturn]] void fail(const Answer& answer) { throw postgres_failure(url_, connection_.get(), answer.get()); }
  [[nodiscard]] StoreError error(StoreError::Kind kind, const std::string& what) const {
    return postgres_error(kind, url_, what);
  }

  StoreUrl url_;
  Connection connection_;
};

}  // namespace cvdd::engine
