// A folder of its own for each test, and rows to put there.
#pragma once

#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "cvdd/ledger/csv_row.hpp"

namespace engine_test {

namespace fs = std::filesystem;

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "cvdd-engine-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  [[nodiscard]] std::string path() const { return path_.string(); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
  }
  void append(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary | std::ios::app) << text;
  }

 private:
  fs::path path_;
};

inline cvdd::Decimal decimal(const std::string& text) { return *cvdd::parse_sum(text); }

struct RowSpec {
  std::string time = "2026-11-20T00:00:00Z";
  std::string symbol = "BTCUSDT";
  std::string delta = "1.5";
  cvdd::BarStatus status = cvdd::BarStatus::live;
  std::uint32_t rev = 0;
  std::uint64_t buys = 2;
  std::string cvd = "1.5";
};

inline std::string line(const RowSpec& spec) {
  cvdd::Row row;
  row.time = *cvdd::parse_time(spec.time);
  row.exchange = "binance";
  row.symbol = spec.symbol;
  row.rev = spec.rev;
  row.status = spec.status;
  row.buys = spec.buys;
  row.open = row.high = row.low = row.close = decimal("100.5");
  row.delta_base = decimal(spec.delta);
  row.delta_quote = cvdd::negate(decimal(spec.delta));
  row.buy_base = row.delta_base.is_negative() ? cvdd::Decimal{} : row.delta_base;
  row.sell_base = row.delta_base.is_negative() ? cvdd::negate(row.delta_base) : cvdd::Decimal{};
  row.cvd_base = decimal(spec.cvd);
  row.first_id = "1";
  row.last_id = "2";
  if (spec.status == cvdd::BarStatus::gap) row.missing = std::nullopt;
  std::string text;
  cvdd::append_row(text, row);
  return text;
}
inline std::string header() { return std::string(cvdd::csv_header()) + "\n"; }

// All rows of a query, fields joined by "|", NULL as "-".
inline std::vector<std::string> ask(const std::string& file, const std::string& sql) {
  sqlite3* db = nullptr;
  if (sqlite3_open_v2(file.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr) != SQLITE_OK)
    throw std::runtime_error("no database");
  std::vector<std::string> out;
  char* wrong = nullptr;
  sqlite3_exec(
      db, sql.c_str(),
      [](void* to, int columns, char** values, char**) {
        std::string text;
        for (int i = 0; i < columns; ++i)
          text += (i > 0 ? "|" : "") + std::string(values[i] != nullptr ? values[i] : "-");
        static_cast<std::vector<std::string>*>(to)->push_back(text);
        return 0;
      },
      &out, &wrong);
  if (wrong != nullptr) out.push_back(std::string("error: ") + wrong);
  sqlite3_free(wrong);
  sqlite3_close(db);
  return out;
}

}  // namespace engine_test
