// ClickHouse by HTTP: rows by one INSERT a batch. What is inserted twice is there once, so an answer that was lost
// costs nothing but the repetition.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <charconv>
#include <chrono>

#include "clickhouse_lines.hpp"
#include "clickhouse_schema.hpp"
#include "cvdd/base/printable.hpp"
#include "cvdd/base/time_text.hpp"
#include "cvdd/net/http_post.hpp"
#include "store_kinds.hpp"

namespace cvdd::engine {

namespace {
constexpr std::size_t answer_max = std::size_t{16} << 20;
constexpr std::chrono::seconds patience{60};

class ClickHouseStore final : public Store {
 public:
  ClickHouseStore(const StoreUrl& url, const StoreOptions& options) : url_(url) {
    // clickhouse+https://[USER[:PASSWORD]@]HOST[:PORT]/DATABASE
    std::string text = url.text.substr(std::string_view("clickhouse+").size());
    const std::size_t begin = text.find("://") + 3, slash = std::min(text.find('/', begin), text.size());
    const std::size_t at = text.substr(0, slash).rfind('@');
    if (at != text.npos && at >= begin) {
      const std::string who = text.substr(begin, at - begin);
      const std::size_t colon = std::min(who.find(':'), who.size());
      user_ = percent_decoded(who.substr(0, colon));
      password_ = colon < who.size() ? percent_decoded(who.substr(colon + 1)) : "";
      text.erase(begin, at + 1 - begin);
    }
    const std::size_t path = text.find('/', begin);
    database_ = path == text.npos ? "" : text.substr(path + 1);
    const bool plain = !database_.empty() && database_.find_first_not_of(
                                                 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                 "0123456789_") == database_.npos;
    if (!plain || !parse_http_url(text.substr(0, path), place_)) {
      throw error(StoreError::Kind::permanent,
                  "is not an address, expected clickhouse+https://USER:PASSWORD@HOST:8443/DATABASE");
    }
    const bool far = place_.host != "localhost" && place_.host != "127.0.0.1" && place_.host != "::1";
    if (place_.scheme == "http" && far && !password_.empty()) {
      throw error(StoreError::Kind::permanent,
                  "a password does not go over a network in the clear: use clickhouse+https");
    }
    net_ = make_net_context({.ca_file = options.ca_file, .proxy = ""});
  }

  void open() override {
    if (open_) return;
    const std::string version = ask("SELECT version()");
    if (std::atoi(version.c_str()) < 18) {
      throw error(StoreError::Kind::permanent,
                  "is version " + printable(version, 40) + ", and 18.16 or newer is needed");
    }
    (void)ask(
        "CREATE TABLE IF NOT EXISTS schema_version(version UInt32, at DateTime) ENGINE = MergeTree ORDER BY version");
    const int old = std::atoi(ask("SELECT max(version) FROM schema_version").c_str());
    constexpr int newest = clickhouse_migrations.back().version;
    if (old > newest) {
      throw error(StoreError::Kind::permanent,
                  fmt::format("was made by a newer cvdd-engine (schema {}, this one knows {}): install that version",
                              old, newest));
    }
    for (const ClickHouseMigration& step : clickhouse_migrations) {
      if (step.version <= old) continue;
      for (const char* sql : step.statements) {
        if (sql != nullptr) (void)ask(sql);
      }
      (void)ask(fmt::format("INSERT INTO schema_version VALUES ({}, now())", step.version));
    }
    open_ = true;
  }

  Positions positions(const std::string& collector) override {
    open();
    const std::string answer =
        ask("SELECT file, byte_offset, print FROM positions FINAL WHERE collector = " + text_literal(collector));
    Positions out;
    for (const auto& fields : lines_of(answer)) {
      if (fields.size() == 3)
        out[fields[0]] = {std::stoull(fields[1]), static_cast<std::uint32_t>(std::stoull(fields[2]))};
    }
    return out;
  }

  // Rows first: a position never says more than the table has.
  void write(const Write& what) override {
    open();
    std::string text;
    for (const RowKind kind : row_kinds) {
      text.clear();
      for (const StoreRow& row : what.rows) {
        if (row.kind == kind) append_line(text, row);
      }
      if (!text.empty()) (void)ask(fmt::format("INSERT INTO {} FORMAT TabSeparated", layout_of(kind).table), text);
    }
    if (!what.rejected.empty()) {
      text.clear();
      for (const Rejected& one : what.rejected) {
        for (const std::string* field : {&one.source, &one.place, &one.reason, &one.text}) append_field(text, *field);
        text += "1\n";
      }
      (void)ask("INSERT INTO rejected FORMAT TabSeparated", text);
    }
    if (what.file.empty()) return;
    text.clear();
    append_field(text, what.collector);
    append_field(text, what.file);
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    // Later ones replace earlier ones, also within a microsecond and when the clock steps back.
    version_ = std::max(version_ + 1,
                        static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(now).count()));
    text += fmt::format("{}\t{}\t{}\n", what.position.offset, what.position.print, version_);
    (void)ask("INSERT INTO positions FORMAT TabSeparated", text);
  }

  std::vector<Contradiction> contradictions(Timestamp since, std::size_t most) override {
    open();
    const std::string answer = ask(fmt::format(
        "SELECT formatDateTime(time, '%Y-%m-%dT%H:%M:%SZ', 'UTC'), exchange, market, symbol, min(collector), "
        "max(collector), "
        "concat('delta_base ', argMin(delta_base, collector), ' and ', argMax(delta_base, collector)) FROM rows FINAL "
        "WHERE quality = 3 AND time >= toDateTime({}) GROUP BY time, exchange, market, symbol HAVING uniqExact(buys, "
        "sells, "
        "buy_base, sell_base, buy_quote, sell_quote, other_base, other_quote, first_id, last_id) > 1 ORDER BY time "
        "DESC LIMIT {}",
        std::max<std::int64_t>(0, since.us / 1'000'000), most));
    std::vector<Contradiction> out;
    for (const auto& f : lines_of(answer)) {
      if (f.size() == 7) out.push_back({f[0], f[1], f[2], f[3], f[4], f[5], f[6]});
    }
    return out;
  }

  std::string about() override {
    open();
    return "ClickHouse " + printable(ask("SELECT version()"), 40) + ", newest bar " +
           printable(ask("SELECT toString(max(time)) FROM rows"), 40);
  }

  std::uint64_t rejected_count() override {
    open();
    return std::strtoull(ask("SELECT uniqExact(source, place) FROM rejected").c_str(), nullptr, 10);
  }

 private:
  // The answer without its last newline. With data the statement goes into the address, which has no secrets.
  std::string ask(const std::string& sql, const std::string& data = {}) {
    HttpPost post{.url = place_, .target = "/?database=" + database_, .headers = {}, .body = sql};
    if (!data.empty()) {
      post.target += "&query=";
      for (const char c : sql) c == ' ' ? post.target += "%20" : post.target += c;
      post.body = data;
    }
    if (!user_.empty()) post.headers["X-ClickHouse-User"] = user_;
    if (!password_.empty()) post.headers["X-ClickHouse-Key"] = password_;
    std::string detail;
    auto response = http_post(net_, post, patience, answer_max, detail);
    if (!response) {
      const bool certificate = response.error() == make_error_code(NetError::tls_failed);
      throw error(certificate ? StoreError::Kind::permanent : StoreError::Kind::temporary,
                  fmt::format("{}: {}; {}", response.error().message(), detail,
                              certificate ? "give a certificate authority of your own with ca_file"
                                          : "is it running, and is "
                                            "the address right?"));
    }
    // An error in the middle of an answer ends it with a text.
    if (response->status != 200 || response->body.starts_with("Code: ")) refuse(response->status, response->body);
    if (response->body.ends_with('\n')) response->body.pop_back();
    return std::move(response->body);
  }

  [[noreturn]] void refuse(unsigned status, const std::string& body) {
    const std::size_t at = body.find("Code: ");
    const int code = at == body.npos ? 0 : std::atoi(body.c_str() + at + 6);
    const std::string text = fmt::format("HTTP {}: {}", status, printable(body, 300));
    using Kind = StoreError::Kind;
    switch (code) {
      case 192:
      case 193:
      case 194:
      case 516:
        throw error(Kind::permanent, text + "; put the right USER:PASSWORD into the address");
      case 497:
      case 291:
        throw error(Kind::permanent, text + "; grant this user CREATE, SELECT and INSERT on the database");
      case 164:
        throw error(Kind::permanent, text + "; this user is read-only: give another one, or another profile");
      case 81:
        throw error(Kind::permanent, text + "; create it: CREATE DATABASE " + database_);
      case 243:
        throw error(Kind::temporary, text + "; make room on the server's disk: nothing is lost");
      case 6:
      case 26:
      case 27:
      case 41:
      case 53:
      case 72:
        throw error(Kind::row, text);
      default:
        throw error(status == 401 || status == 403 || status == 404 ? Kind::permanent : Kind::temporary, text);
    }
  }

  [[nodiscard]] StoreError error(StoreError::Kind kind, const std::string& what) const {
    return StoreError(kind, fmt::format("{}: {}", url_.shown, what));
  }

  StoreUrl url_;
  Url place_;
  std::string user_, password_, database_;
  std::shared_ptr<NetContext> net_;
  std::uint64_t version_ = 0;
  bool open_ = false;
};
}  // namespace

std::unique_ptr<Store> make_clickhouse_store(const StoreUrl& url, const StoreOptions& options) {
  return std::make_unique<ClickHouseStore>(url, options);
}

}  // namespace cvdd::engine
