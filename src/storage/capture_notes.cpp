#include "cvdd/storage/capture_notes.hpp"

#include <array>
#include <charconv>

#include "cvdd/ledger/csv_row.hpp"
#include "cvdd/ledger/flow_row.hpp"

namespace cvdd {

namespace {
constexpr char between = '\t';  // fields; what exchanges call things holds none

// By RecordKind: marks are spelled out; of a trade one letter says what it is.
constexpr std::array<std::string_view, 16> kinds = {
    "t",       "o",    "p",       "subscribed", "lost",         "hole",   "unsubscribed",
    "verdict", "name", "candles", "watched",    "contradicted", "proven", "remake",
    "a",       "b"};
bool is_trade(RecordKind kind) {
  return kind == RecordKind::trade || kind == RecordKind::other || kind == RecordKind::placeholder ||
         kind == RecordKind::again || kind == RecordKind::again_other;
}

template <class Number>
void number(std::string& out, Number n, int base = 10) {
  std::array<char, 24> digits{};
  out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), n, base).ptr);
}

class Writer {
 public:
  explicit Writer(std::string_view name) : text_(name) {}
  Writer& operator<<(std::string_view field) {
    text_ += between;
    for (const char c : field) text_ += c == between || c == '\n' ? ' ' : c;
    return *this;
  }
  template <class Number>
  requires std::is_integral_v<Number> Writer& operator<<(Number n) {
    text_ += between;
    number(text_, n);
    return *this;
  }
  Writer& operator<<(bool b) { return *this << std::string_view(b ? "1" : "0"); }
  Writer& operator<<(const Decimal& d) { return *this << to_string(d); }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

// Takes the fields of a note one after the other; `good` ends as false if one was missing or no such value.
class Fields {
 public:
  explicit Fields(std::string_view text) : rest_(text), more_(true) {}
  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] bool more() const { return more_; }
  std::string_view text() {
    good_ = good_ && more_;
    const auto end = rest_.find(between);
    const std::string_view field = rest_.substr(0, end);
    more_ = end != rest_.npos;
    rest_.remove_prefix(more_ ? end + 1 : rest_.size());
    return field;
  }
  template <class Number>
  Number number(int base = 10) {
    Number out{};
    const std::string_view field = text();
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), out, base);
    good_ = good_ && error == std::errc{} && end == field.data() + field.size();
    return out;
  }
  bool flag() { return number<unsigned>() != 0; }
  Timestamp time() { return {number<std::int64_t>()}; }
  Duration duration() { return {number<std::int64_t>()}; }
  Market market() {
    const auto found = market_from(text());
    good_ = good_ && found.has_value();
    return found.value_or(Market::spot);
  }
  Decimal decimal() {
    const auto found = parse_sum(text());
    good_ = good_ && found.has_value();
    return found.value_or(Decimal{});
  }

 private:
  std::string_view rest_;
  bool more_, good_ = true;
};

std::optional<CaptureNote> when(const Fields& fields, CaptureNote note) {
  return fields.good() ? std::optional(std::move(note)) : std::nullopt;
}

std::optional<CaptureNote> read_run(Fields& f) {
  RunNote n;
  n.began = f.time();
  n.part = f.number<std::uint64_t>();
  n.interval = f.duration();
  n.close_delay = f.duration();
  n.event_time = f.flag();
  n.repairs = f.flag();
  n.watched = f.flag();
  return n.interval.us > 0 ? when(f, n) : std::nullopt;
}

std::optional<CaptureNote> read_connection(Fields& f) {
  ConnectionNote n;
  n.connection = f.number<std::uint64_t>();
  n.exchange = f.text();
  n.market = f.market();
  n.answers = f.flag();
  n.url = f.text();
  return when(f, n);
}

std::optional<CaptureNote> read_instrument(Fields& f) {
  InstrumentNote n;
  Instrument& i = n.instrument;
  i.id = f.number<std::uint32_t>();
  i.exchange = f.text();
  i.market = f.market();
  i.ids = f.flag() ? Ids::opaque : Ids::sequence;
  i.contract_size = f.decimal();
  i.symbol = f.text();
  i.base = f.text();
  i.quote = f.text();
  i.settle = f.text();
  return i.id < 0x80000U ? when(f, n) : std::nullopt;
}

std::optional<CaptureNote> read_added(Fields& f) {
  AddedNote n;
  n.instrument = f.number<std::uint32_t>();
  n.held = f.flag();
  const std::string_view id = f.text();
  n.last_id = id.empty() ? std::nullopt : parse_digits(id);
  if (!id.empty() && !n.last_id) return std::nullopt;
  while (f.more()) {
    auto row = parse_row(f.text());
    if (!row) return std::nullopt;
    n.rows.push_back(std::move(*row));
  }
  return when(f, std::move(n));
}

std::optional<CaptureNote> read_buckets(Fields& f) {
  BucketsNote n;
  n.instrument = f.number<std::uint32_t>();
  n.bounds.resize(f.number<std::uint8_t>());
  for (Decimal& bound : n.bounds) bound = f.decimal();
  while (f.more()) {
    auto row = parse_flow_row(f.text());
    if (!row) return std::nullopt;
    n.rows.push_back(std::move(*row));
  }
  return when(f, std::move(n));
}

std::optional<CaptureNote> read_candles(Fields& f) {
  CandlesNote n;
  n.instrument = f.number<std::uint32_t>();
  while (f.more()) {
    Candle c;
    c.time = f.time();
    c.fills = f.number<std::uint64_t>();
    for (Decimal* d : {&c.open, &c.high, &c.low, &c.close, &c.base, &c.quote, &c.buy_base, &c.buy_quote}) {
      *d = f.decimal();
    }
    n.candles.push_back(c);
  }
  return when(f, std::move(n));
}

// "KIND:TIME:ID:COUNT", "t1000.a3f0", "h0123456789abcdef" behind the letter of what has no id.
std::optional<RecordedItem> read_item(std::string_view text, std::uint32_t instrument) {
  const auto split = [&](char at) {
    const auto end = text.find(at);
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    return part;
  };
  const auto value = [](std::string_view digits, int base, std::uint64_t& out) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out, base);
    return error == std::errc{} && end == digits.data() + digits.size();
  };
  if (text.find(':') != text.npos) {
    const std::string_view name = split(':');
    std::uint64_t time = 0, id = 0, count = 0;
    if (!value(split(':'), 10, time) || !value(split(':'), 10, id) || !value(text, 10, count)) return std::nullopt;
    for (std::size_t k = 0; k < kinds.size(); ++k) {
      const auto kind = static_cast<RecordKind>(k);
      if (kinds[k] == name && !is_trade(kind) && kind != RecordKind::name) {
        return Record::mark(kind, instrument, {static_cast<std::int64_t>(time)}, id, count);
      }
    }
    return std::nullopt;
  }
  TradeReference out;
  out.instrument = instrument;
  const std::string_view letter = text.substr(0, 1);
  for (std::size_t k = 0; k < kinds.size(); ++k) {
    if (kinds[k] == letter && is_trade(static_cast<RecordKind>(k))) out.kind = static_cast<RecordKind>(k);
  }
  if (letter.empty() || kinds[static_cast<std::size_t>(out.kind)] != letter) return std::nullopt;
  text.remove_prefix(1);
  const bool named = text.starts_with('h');
  if (named) text.remove_prefix(1);
  if (!named && !value(split('.'), 10, out.id)) return std::nullopt;
  return value(text, 16, out.fingerprint) ? std::optional<RecordedItem>(out) : std::nullopt;
}

std::optional<CaptureNote> read_records(std::string_view text) {
  RecordsNote n;
  std::uint32_t instrument = 0;
  while (!text.empty()) {
    const auto end = text.find(' ');
    const std::string_view token = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    if (!token.empty() && token.front() >= '0' && token.front() <= '9') {
      const auto [stop, error] = std::from_chars(token.data(), token.data() + token.size(), instrument);
      if (error != std::errc{} || stop != token.data() + token.size()) return std::nullopt;
      continue;
    }
    auto item = read_item(token, instrument);
    if (!item) return std::nullopt;
    n.items.push_back(std::move(*item));
  }
  return n;
}
}  // namespace

std::string to_text(const RunNote& n) {
  return (Writer("run") << n.began.us << n.part << n.interval.us << n.close_delay.us << n.event_time << n.repairs
                        << n.watched)
      .take();
}
std::string to_text(const ConnectionNote& n) {
  return (Writer("connection") << n.connection << n.exchange << name_of(n.market) << n.answers << n.url).take();
}
std::string to_text(const InstrumentNote& n) {
  const Instrument& i = n.instrument;
  return (Writer("instrument") << i.id << i.exchange << name_of(i.market) << (i.ids == Ids::opaque) << i.contract_size
                               << i.symbol << i.base << i.quote << i.settle)
      .take();
}
std::string to_text(const AddedNote& n) {
  Writer out("added");
  out << n.instrument << n.held << (n.last_id ? std::to_string(*n.last_id) : std::string());
  for (const Row& row : n.rows) {
    std::string text;
    append_row(text, row);
    text.pop_back();
    out << std::string_view(text);
  }
  return out.take();
}
std::string to_text(const BucketsNote& n) {
  Writer out("buckets");
  out << n.instrument << n.bounds.size();
  for (const Decimal& bound : n.bounds) out << bound;
  for (const FlowRow& row : n.rows) {
    std::string text;
    append_flow_row(text, row);
    text.pop_back();
    out << std::string_view(text);
  }
  return out.take();
}
std::string to_text(const CandlesNote& n) {
  Writer out("candles");
  out << n.instrument;
  for (const Candle& c : n.candles) {
    out << c.time.us << c.fills << c.open << c.high << c.low << c.close << c.base << c.quote << c.buy_base
        << c.buy_quote;
  }
  return out.take();
}
std::string to_text(const StatusNote& n) { return (Writer("status") << n.status).take(); }
std::string to_text(const CloseNote& n) { return (Writer("close") << n.upto.us).take(); }
std::string to_text(const FinishNote& n) { return (Writer("finish") << n.whole_until.us << n.now.us).take(); }

void append_records_note(std::string& out, std::span<const Record> records, PendingNames& names) {
  out += "records";
  out += between;
  std::uint32_t instrument = UINT32_MAX;
  bool first = true;
  const auto space = [&] {
    if (!first) out += ' ';
    first = false;
  };
  for (const Record& record : records) {
    if (record.kind() == RecordKind::name) {  // its trade has it, and follows
      names[record.instrument()] = record.name();
      continue;
    }
    if (record.instrument() != instrument) {
      space();
      number(out, instrument = record.instrument());
    }
    space();
    out += kinds[static_cast<std::size_t>(record.kind())];
    if (!is_trade(record.kind())) {
      for (const std::uint64_t n : {static_cast<std::uint64_t>(record.time().us), record.id(), record.count()}) {
        out += ':';
        number(out, n);
      }
      continue;
    }
    IdText name;
    if (const auto told = names.empty() ? names.end() : names.find(instrument); told != names.end()) {
      name = told->second;
      names.erase(told);
    }
    const std::uint64_t fingerprint = fingerprint_of(record, name);
    if (record.id() == 0) {
      out += 'h';
      number(out, fingerprint, 16);
    } else {
      number(out, record.id());
      out += '.';
      number(out, fingerprint & 0xFFFFU, 16);
    }
  }
}

std::optional<CaptureNote> parse_note(std::string_view text) {
  Fields f(text);
  const std::string_view name = f.text();
  if (name == "records") return read_records(text.substr(std::min(text.size(), name.size() + 1)));
  if (name == "close") return when(f, CloseNote{f.time()});
  if (name == "instrument") return read_instrument(f);
  if (name == "added") return read_added(f);
  if (name == "connection") return read_connection(f);
  if (name == "status") return when(f, StatusNote{f.number<unsigned>()});
  if (name == "candles") return read_candles(f);
  if (name == "buckets") return read_buckets(f);
  if (name == "run") return read_run(f);
  if (name != "finish") return std::nullopt;
  const Timestamp whole = f.time(), now = f.time();
  return when(f, FinishNote{whole, now});
}

std::uint64_t fingerprint_of(const Record& trade, const IdText& name) {
  std::uint64_t hash = 0x9E3779B97F4A7C15U;
  const auto mix = [&](std::uint64_t with) {
    hash = (hash ^ with) * 0xD6E8FEB86659FD93U;
    hash ^= hash >> 32U;
  };
  const auto decimal = [&](const Decimal& d) {
    mix(static_cast<std::uint64_t>(d.mantissa));
    mix(static_cast<std::uint64_t>(d.mantissa >> 64U) ^ std::uint64_t{d.scale} << 40U);
  };
  mix(static_cast<std::uint64_t>(trade.time().us));
  mix(trade.fills() | static_cast<std::uint64_t>(trade.aggressor()) << 32U);
  decimal(trade.price());
  decimal(trade.base());
  decimal(trade.quote());
  for (const char c : name.view()) mix(static_cast<unsigned char>(c));
  return hash;
}

}  // namespace cvdd
