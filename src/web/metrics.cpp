#include "metrics.hpp"

#include <fmt/format.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <fstream>

#include "cvdd/base/version.hpp"
#include "cvdd/feed/context_intake.hpp"
#include "cvdd/storage/capture.hpp"

namespace cvdd::web {

namespace {
using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<std::pair<std::string, std::string>>;

// Families in the order in which they are first named.
class Families {
 public:
  void counter(const char* name, const char* help, const Labels& labels, double value) {
    metric(name, help, MetricType::Counter, labels).counter.value = value;
  }
  void gauge(const char* name, const char* help, const Labels& labels, double value) {
    metric(name, help, MetricType::Gauge, labels).gauge.value = value;
  }
  void histogram(const char* name, const char* help, const Labels& labels, const Latency& latency) {
    auto& out = metric(name, help, MetricType::Histogram, labels).histogram;
    // Powers of two microseconds: there its buckets end. About 0.5 ms, 1 ms … 8 s.
    std::uint64_t total = 0;
    for (const std::int64_t us : {64, 256, 512, 1'024, 2'048, 4'096, 8'192, 16'384, 32'768, 65'536, 131'072, 262'144,
                                  524'288, 1'048'576, 2'097'152, 4'194'304, 8'388'608}) {
      total = latency.up_to({us});
      out.bucket.push_back({total, static_cast<double>(us) / 1e6});
    }
    out.sample_count = latency.count();
    out.bucket.push_back({out.sample_count, std::numeric_limits<double>::infinity()});
    out.sample_sum = static_cast<double>(latency.sum().us) / 1e6;
  }
  [[nodiscard]] const std::vector<MetricFamily>& all() const { return families_; }

 private:
  ClientMetric& metric(const char* name, const char* help, MetricType type, const Labels& labels) {
    if (families_.empty() || families_.back().name != name) {
      const auto found =
          std::find_if(families_.begin(), families_.end(), [&](const MetricFamily& f) { return f.name == name; });
      if (found != families_.end())
        std::rotate(found, found + 1, families_.end());
      else
        families_.push_back({name, help, type, {}});
    }
    ClientMetric& out = families_.back().metric.emplace_back();
    for (const auto& [key, value] : labels) out.label.push_back({key, value});
    return out;
  }
  std::vector<MetricFamily> families_;
};

const std::time_t process_start = std::time(nullptr);

double number(std::uint64_t n) { return static_cast<double>(n); }
double in_seconds(Duration d) { return static_cast<double>(d.us) / 1e6; }

// Of markets that keep something beside the trades.
void context_metrics(Families& f, const Labels& of, const MarketRunner& market) {
  const ContextIntake* const context = market.context();
  if (context == nullptr) return;
  const auto [all, live] = context->feeds();
  const ContextCounters& c = context->counters();
  f.gauge("cvdd_context_feeds", "Kinds of data beside the trades, each of an instrument", of, number(all));
  f.gauge("cvdd_context_feeds_live", "… that are subscribed", of, number(live));
  f.counter("cvdd_context_values_total", "Values beside the trades", of, number(c.values + c.orders));
  f.counter("cvdd_context_refused_total", "… that can't be read", of, number(c.refused));
  f.counter("cvdd_context_dropped_total", "… for which the queue had no room", of, number(c.dropped));
  f.counter("cvdd_context_lost_total", "Feeds of them that were cut", of, number(c.lost));
}

void market_metrics(Families& f, const MetricsInput& input) {
  std::vector<std::pair<MarketState, const MarketRunner*>> markets;
  for (const auto& [where, market] : input.engine->markets()) markets.emplace_back(market->state(), market.get());
  const auto each = [&](const auto& tell) {
    for (const auto& [state, market] : markets) {
      tell(state, Labels{{"exchange", state.exchange}, {"market", std::string(name_of(state.market))}}, *market);
    }
  };
  const auto with = [](Labels labels, const char* key, std::string_view value) {
    labels.emplace_back(key, value);
    return labels;
  };
  const auto count = [&](const char* name, const char* help, auto value) {
    each([&](const MarketState& s, const Labels& l, const MarketRunner&) {
      f.counter(name, help, l, number(value(s)));
    });
  };
  count("cvdd_messages_total", "Messages received", [](const MarketState& s) { return s.counters->messages; });
  count("cvdd_trades_total", "Live trades taken", [](const MarketState& s) { return s.counters->trades; });
  count("cvdd_duplicates_total", "Trades received once more",
        [](const MarketState& s) { return s.counters->duplicates; });
  each([&](const MarketState& s, const Labels& l, const MarketRunner&) {
    for (std::size_t k = 1; k < s.counters->refused.size(); ++k) {
      f.counter("cvdd_refused_total", "Messages or trades not understood or refused",
                with(l, "kind", name_of(static_cast<Refusal>(k))), number(s.counters->refused[k]));
    }
    f.counter("cvdd_refused_total", "", with(l, "kind", "ahead of the clock"), number(s.counters->ahead));
  });
  count("cvdd_holes_total", "Holes found in trade ids", [](const MarketState& s) { return s.counters->holes; });
  count("cvdd_missing_trades_total", "Trade ids found missing",
        [](const MarketState& s) { return s.counters->missing; });
  count("cvdd_repaired_trades_total", "Missed trades fetched from the exchange's history",
        [](const MarketState& s) { return s.counters->fetched; });
  count("cvdd_twin_copies_total", "Second copies by a redundant connection",
        [](const MarketState& s) { return s.counters->twins; });
  each([&](const MarketState& s, const Labels& l, const MarketRunner&) {
    f.counter("cvdd_twin_lead_seconds_total", "By how much the first copy came earlier, summed up", l,
              static_cast<double>(s.counters->twin_lead_us) / 1e6);
  });
  each([&](const MarketState&, const Labels& l, const MarketRunner& market) { context_metrics(f, l, market); });
  count("cvdd_stalls_total", "Feeds found alive but mute", [](const MarketState& s) { return s.stalls; });
  each([&](const MarketState& s, const Labels& l, const MarketRunner&) {
    for (std::size_t k = 0; k < s.ends.size(); ++k) {
      f.counter("cvdd_reconnects_total", "Connections that ended or were not made",
                with(l, "cause", name_of(static_cast<EndCause>(k))), number(s.ends[k]));
    }
  });
  each([&](const MarketState& s, const Labels& l, const MarketRunner&) {
    f.gauge("cvdd_connections", "Connections there are, or are being made", l, number(s.connections));
  });
  each([&](const MarketState& s, const Labels& l, const MarketRunner&) {
    for (std::size_t k = 0; k < s.instruments.size(); ++k) {
      f.gauge("cvdd_instruments", "Wanted instruments by state", with(l, "state", name_of(static_cast<FeedState>(k))),
              number(s.instruments[k]));
    }
  });
  each([&](const MarketState& s, const Labels& l, const MarketRunner&) {
    const auto known = input.silence.find({s.exchange, s.market});
    if (known == input.silence.end()) return;
    f.gauge("cvdd_feed_silence_seconds", "Since the last live trade", l, known->second.first);
  });
  each([&](const MarketState& s, const Labels& l, const MarketRunner&) {
    const auto known = input.silence.find({s.exchange, s.market});
    if (known == input.silence.end() || known->second.second <= 0) return;
    f.gauge("cvdd_feed_usual_gap_seconds", "Usual time between live trades", l, known->second.second);
  });
  const auto gauge = [&](const char* name, const char* help, auto value) {
    each([&](const MarketState& s, const Labels& l, const MarketRunner&) { f.gauge(name, help, l, number(value(s))); });
  };
  gauge("cvdd_queue_records", "Records waiting in the fullest queue", [](const MarketState& s) { return s.queue; });
  gauge("cvdd_queue_records_max", "Most records that ever waited in one queue",
        [](const MarketState& s) { return s.queue_max; });
  gauge("cvdd_queue_capacity", "Records that a queue holds",
        [](const MarketState&) { return Channel::capacity_default; });
  each([&](const MarketState& s, const Labels& l, const MarketRunner&) {
    f.counter("cvdd_backpressure_seconds_total", "Connections not read because their queues were full, summed up", l,
              static_cast<double>(s.backpressure_us) / 1e6);
  });
  each([&](const MarketState&, const Labels& l, const MarketRunner& market) {
    f.histogram("cvdd_event_to_receipt_seconds", "From a trade's time to its receipt, by the exchange's clock", l,
                market.event_to_receipt());
  });
  each([&](const MarketState&, const Labels& l, const MarketRunner& market) {
    f.histogram("cvdd_receipt_to_ledger_seconds", "From the queue to the ledger, of the oldest of each batch", l,
                market.receipt_to_ledger());
  });
  count("cvdd_rest_requests_total", "History requests made", [](const MarketState& s) { return s.rest_requests; });
  each([&](const MarketState& s, const Labels& l, const MarketRunner&) {
    for (const auto& [status, n] : s.rest_refusals) {
      f.counter("cvdd_rest_refusals_total", "Requests refused, by HTTP status",
                with(l, "status", std::to_string(status)), number(n));
    }
  });
  each([&](const MarketState& s, const Labels& l, const MarketRunner&) {
    if (s.history_allowed == 0) return;
    f.gauge("cvdd_rest_weight_used", "Share of the history budget taken in the last minute", l,
            number(s.history_used) / number(s.history_allowed));
  });
  each([&](const MarketState& s, const Labels& l, const MarketRunner&) {
    f.gauge("cvdd_banned_seconds", "How much longer the exchange wants us to stay away", l, in_seconds(s.banned));
  });
  each([&](const MarketState& s, const Labels& l, const MarketRunner&) {
    f.gauge("cvdd_clock_offset_seconds", "The local clock less the exchange's", l, in_seconds(s.clock_ahead));
  });
  count("cvdd_audited_bars_total", "Closed bars compared with the exchange's candles",
        [](const MarketState& s) { return s.audited; });
  count("cvdd_audit_mismatches_total", "Of them different", [](const MarketState& s) { return s.audit_mismatches; });
  count("cvdd_remade_bars_total", "Bars made again from the exchange's history",
        [](const MarketState& s) { return s.remade; });
  count("cvdd_contradictions_total", "Trades that are neither counted nor copies of what is, each a gap for its bar",
        [](const MarketState& s) { return s.counters->contradictions; });
  each([&](const MarketState& s, const Labels& l, const MarketRunner&) {
    if (!s.proven_lag) return;
    f.gauge("cvdd_proven_lag_seconds", "Since the oldest bar without a final proof began, of all instruments", l,
            in_seconds(*s.proven_lag));
  });
  for (const auto& [state, market] : markets) {
    Board::Counts counts{};
    const auto known = input.board->counts().find({state.exchange, state.market});
    if (known != input.board->counts().end()) counts = known->second;
    for (std::size_t k = 0; k < counts.size(); ++k) {
      f.counter("cvdd_bars_written_total", "Bars by the status they were given: first rows, and rows that changed it",
                {{"exchange", state.exchange},
                 {"market", std::string(name_of(state.market))},
                 {"status", std::string(name_of(static_cast<BarStatus>(k)))}},
                number(counts[k]));
    }
  }
}

void process_metrics(Families& f) {
  rusage used{};
  (void)::getrusage(RUSAGE_SELF, &used);
  const auto time = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  f.counter("process_cpu_seconds_total", "User and system time", {}, time(used.ru_utime) + time(used.ru_stime));
  std::ifstream in("/proc/self/statm");
  double all = 0, resident = 0;
  in >> all >> resident;
  f.gauge("process_resident_memory_bytes", "Resident memory", {},
          resident * static_cast<double>(::sysconf(_SC_PAGESIZE)));
  f.gauge("process_start_time_seconds", "When the process began", {}, static_cast<double>(process_start));
}

void append_number(std::string& out, double value) { out += fmt::format("{}", value); }

// A label's value: what would end it is escaped.
void append_label(std::string& out, const char* key, std::string_view value) {
  out += key;
  out += "=\"";
  for (const char c : value) {
    if (c == '\n') {
      out += "\\n";
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  out += '"';
}

double as_number(const Decimal& d) { return std::strtod(to_string(d).c_str(), nullptr); }

constexpr InstrumentSeries all_series[] = {
    {"cvdd_instrument_live", "Whether the instrument's subscription is up",
     [](std::string& out, const InstrumentState& s, const OpenBar*) {
       out += s.state == FeedState::live ? '1' : '0';
       return true;
     }},
    {"cvdd_instrument_last_trade_timestamp_seconds", "Time of the newest trade",
     [](std::string& out, const InstrumentState&, const OpenBar* open) {
       if (open == nullptr || open->last_trade.us == 0) return false;
       append_number(out, static_cast<double>(open->last_trade.us) / 1e6);
       return true;
     }},
    {"cvdd_instrument_cvd_base", "CVD in base units, as near as a double comes",
     [](std::string& out, const InstrumentState&, const OpenBar* open) {
       if (open != nullptr) append_number(out, as_number(open->cvd_base));
       return open != nullptr;
     }},
    {"cvdd_instrument_cvd_quote", "CVD in quote units, as near as a double comes",
     [](std::string& out, const InstrumentState&, const OpenBar* open) {
       if (open != nullptr) append_number(out, as_number(open->cvd_quote));
       return open != nullptr;
     }},
};
}  // namespace

std::span<const InstrumentSeries> instrument_series() { return all_series; }

void append_series_head(std::string& out, const InstrumentSeries& series) {
  out += fmt::format("# HELP {0} {1}\n# TYPE {0} gauge\n", series.name, series.help);
}

void append_series(std::string& out, const InstrumentSeries& series, const Snapshot& snapshot, std::size_t from,
                   std::size_t to) {
  for (std::size_t i = from; i < std::min(to, snapshot.states.size()); ++i) {
    const InstrumentState& state = snapshot.states[i];
    const std::size_t before = out.size();
    out += series.name;
    append_label(out, "{exchange", state.exchange);
    append_label(out, ",market", name_of(state.market));
    append_label(out, ",symbol", state.symbol);
    out += "} ";
    if (series.value(out, state, snapshot.open_of(state))) {
      out += '\n';
    } else {
      out.resize(before);
    }
  }
}

std::string metrics_text(const MetricsInput& input) {
  Families f;
  const AggregatorStats& a = input.engine->aggregator().stats();
  f.gauge("cvdd_build_info", "Version", {{"version", std::string(version())}}, 1);
  f.gauge("cvdd_ready", "1: every wanted instrument is live and the disk takes rows", {}, input.ready ? 1 : 0);
  f.gauge("cvdd_interval_seconds", "Length of a bar", {}, in_seconds(input.board->interval()));
  market_metrics(f, input);
  f.counter("cvdd_rows_total", "Rows given to the files", {}, number(a.rows.load()));
  f.counter("cvdd_revisions_total", "Of them revisions", {}, number(a.revisions.load()));
  f.counter("cvdd_late_trades_total", "Trades of bars that were written already", {}, number(a.late.load()));
  f.histogram("cvdd_bar_write_seconds", "Rows made text and handed to the kernel", {}, a.bar_write);
  f.histogram("cvdd_sync_seconds", "fdatasync of a day's file", {}, input.engine->sync_time());
  f.gauge("cvdd_backlog_rows", "Rows waiting in memory because the disk does not take them", {},
          number(a.backlog_rows.load()));
  f.counter("cvdd_refused_rows_total", "Rows lost because too many waited", {}, number(a.refused_rows.load()));
  if (const Capture* capture = input.engine->capture()) {
    f.gauge("cvdd_capture_running", "0: the capture has stopped", {}, capture->running() ? 1 : 0);
    f.counter("cvdd_capture_bytes_total", "Bytes of the capture given to the disk", {}, number(capture->bytes()));
  }
  f.gauge("cvdd_streams", "WebSocket clients", {}, number(input.streams));
  process_metrics(f);
  return prometheus::TextSerializer().Serialize(f.all());
}

}  // namespace cvdd::web
