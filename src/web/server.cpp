// The HTTP server: what it knows, kept up to date, and its streams. What is said, and to whom, is in the other files of
// this folder.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <cstring>

#include "answers.hpp"
#include "cvdd/base/printable.hpp"
#include "cvdd/web/web_server.hpp"
#include "door.hpp"
#include "files.hpp"
#include "live.hpp"
#include "query.hpp"
#include "stream.hpp"
#include "teller.hpp"

namespace cvdd {

namespace asio = boost::asio;
namespace beast = boost::beast;
using namespace web;

namespace {
constexpr auto await_tuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t streams_max = 64;
constexpr std::chrono::milliseconds tick{250};
constexpr std::size_t stream_names_max = 200, at_once = 500;
constexpr int rest_every = 3;  // looks, which are a second apart
constexpr Duration groups_patience = seconds(30);
constexpr std::size_t noted_max = 5;
// Bars that ended earlier come from candles, a month at a time: who wants them asks.
constexpr Duration told_back_to = seconds(86'400);
// What readers may have of the io thread and of the threads beside it: a fifth of a processor, and half a second of it
// at once.
constexpr int readers_share = 20;
constexpr std::chrono::milliseconds readers_saved{500};
}  // namespace

class WebServer::State : public std::enable_shared_from_this<WebServer::State> {
 public:
  State(const asio::any_io_executor& executor, Engine& engine, Settings settings)
      : executor_(executor),
        engine_(engine),
        settings_(std::move(settings)),
        ticker_(executor),
        live_(engine, wall_now()),
        answers_(executor, engine, live_, settings_, readers_, allowance_, giving_up_),
        teller_(executor, engine, live_, answers_, allowance_, giving_up_),
        door_({executor, settings_, answers_, allowance_,
               [this](asio::awaitable<void> what) { spawn(std::move(what)); },
               [this](beast::tcp_stream& stream, Request request, Places::Handle place) {
                 return begin_stream(stream, std::move(request), place);
               }}) {
    answers_.streams = [this] { return streams_.size(); };
    engine_.aggregator().row_feed().attach();
  }
  void start() {
    spawn(door_.accept());
    spawn(gather());
    spawn(read_the_past());
  }
  void stop() {
    if (std::exchange(stopping_, true)) return;
    ticker_.cancel();
    door_.close();
    giving_up_ = true;
  }
  void join() {
    giving_up_ = true;
    readers_.join();
  }
  [[nodiscard]] std::uint16_t port() const { return door_.port(); }

 private:
  void spawn(asio::awaitable<void> what) {
    // Whatever goes wrong here: collecting goes on.
    asio::co_spawn(executor_, std::move(what), [self = shared_from_this()](const std::exception_ptr& e) {
      if (!e) return;
      try {
        std::rethrow_exception(e);
      } catch (const std::exception& error) {
        spdlog::error("the HTTP server has lost a task reason=\"{}\"", error.what());
      }
    });
  }
  // ---- Once every quarter of a second ----

  asio::awaitable<void> gather() {
    std::chrono::steady_clock::time_point next_look{};
    while (!stopping_) {
      bool missed = false;
      const auto batches = live_.take_rows(missed);
      if (missed) {
        for (const auto& stream : streams_) stream->drop();  // they come again, and ask for what there is
      }
      for (const RowFeed::Rows& rows : batches) {
        const Timestamp oldest = wall_now() - told_back_to - engine_.config().interval - engine_.config().interval;
        for (std::size_t from = 0; from < rows->size(); from += at_once) {
          const std::size_t to = std::min(rows->size(), from + at_once);
          live_.add(rows, from, to);
          // Rows of one batch are in the order of their bars.
          const auto piece = std::span<const Row>(*rows).subspan(from, to - from);
          const auto recent = std::ranges::partition_point(piece, [&](const Row& row) { return row.time < oldest; });
          tell_rows(streams_, {recent, piece.end()});
          co_await asio::post(executor_, asio::use_awaitable);
        }
      }
      const auto now = std::chrono::steady_clock::now();
      if (now >= next_look) {
        next_look = now + std::chrono::seconds(1);
        live_.set_health(engine_.last_health(), wall_now());
        live_.look(wall_now());
        const Live::Changes changes = live_.take_changes();
        if (!changes.gone.empty()) forget_gone();
        tell_list(streams_, changes, live_.snapshot()->time);
        if (!streams_.empty()) {
          live_.show_interest(now);
          co_await tell_of_open_bars();
          const Streams streams = streams_;
          co_await teller_.tell_of_groups(streams);
          if (++looks_ % rest_every == 0) co_await tell_the_rest();
        } else {
          last_told_ = rest_told_ = {};
        }
        if (live_.interested(now)) engine_.aggregator().row_feed().want_open_bars();
        std::erase_if(streams_, [](const auto& s) { return s->gone(); });
        answers_.tidy();
        note_groups();
      }
      ticker_.expires_after(tick);
      co_await ticker_.async_wait(await_tuple);
    }
  }

  // Whatever a saved list's groups can't find is told once, when the exchanges' lists have had time to come.
  void note_groups() {
    const std::vector<GroupWanted>& groups = engine_.groups();
    const Timestamp now = live_.snapshot()->time;
    if (groups != noted_groups_) {
      noted_groups_ = groups;
      groups_due_ = now + groups_patience;
    }
    if (!groups_due_ || now < *groups_due_) return;
    groups_due_.reset();
    std::vector<std::string> names = unmatched_members(groups, live_.snapshot()->states);
    if (names.empty()) return;
    const std::size_t many = names.size();
    names.resize(std::min(many, noted_max));
    spdlog::warn("groups have members that match nothing that is collected members={} first=\"{}\"", many,
                 printable(fmt::format("{}", fmt::join(names, "; ")), reason_max));
  }

  void forget_gone() {
    last_told_.forget_gone(*live_.snapshot());
    rest_told_.forget_gone(*live_.snapshot());
    teller_.some_are_gone();
    answers_.some_are_gone();
  }

  // Piece by piece, from one snapshot. Who comes meanwhile is told the next time.
  asio::awaitable<void> tell_of_open_bars() {
    const std::shared_ptr<const Snapshot> snapshot = live_.snapshot();
    Streams old, fresh;
    for (const auto& stream : streams_) (std::exchange(stream->fresh, false) ? fresh : old).push_back(stream);
    for (std::size_t from = 0; from < snapshot->states.size() && !stopping_; from += at_once) {
      const std::size_t to = std::min(snapshot->states.size(), from + at_once);
      tell_open(old, fresh, *snapshot, from, to, last_told_);
      co_await asio::post(executor_, asio::use_awaitable);
    }
  }

  // What is not in sight, in short and more seldom: for those who sort or filter by it.
  asio::awaitable<void> tell_the_rest() {
    const std::shared_ptr<const Snapshot> snapshot = live_.snapshot();
    Streams old, fresh;
    for (const auto& stream : streams_) {
      if (stream->gone() || stream->want() == nullptr || !stream->want()->rest) continue;
      (std::exchange(stream->fresh_rest, false) ? fresh : old).push_back(stream);
    }
    if (old.empty() && fresh.empty()) {
      rest_told_ = {};
      co_return;
    }
    for (std::size_t from = 0; from < snapshot->states.size() && !stopping_; from += at_once) {
      const std::size_t to = std::min(snapshot->states.size(), from + at_once);
      tell_rest(old, fresh, *snapshot, from, to, live_.board(), rest_told_);
      co_await asio::post(executor_, asio::use_awaitable);
    }
  }

  asio::awaitable<void> read_the_past() {
    const Timestamp now = wall_now();
    auto read = [this, now]() -> asio::awaitable<Board> {
      Board board(engine_.config().interval);
      const Duration recent{engine_.config().interval.us * 50};
      const int error = read_past(engine_.files(), engine_.config().data_dir, now - seconds(90'000), now, recent, board,
                                  [this] { return giving_up_.load(); });
      if (error != 0) {
        spdlog::warn("the page's list begins without its past: the files can't be read reason=\"{}\"",
                     std::strerror(error));
      }
      co_return board;
    };
    Board past = co_await asio::co_spawn(readers_, std::move(read), asio::use_awaitable);
    live_.set_past(std::move(past));
  }

  // ---- Streams ----

  asio::awaitable<void> begin_stream(beast::tcp_stream& stream, Request request, Places::Handle place) {
    const auto raw = request.target();
    const auto target = parse_target(std::string_view(raw.data(), raw.size()));
    if (!target || target->path != "/api/v1/stream") {
      co_await door_.refuse(stream, http::status::not_found, "the stream is at /api/v1/stream");
      co_return;
    }
    // Pages of other sites may open WebSockets to here, which a browser does not keep them from.
    if (!answers_.from_here(request)) {
      co_await door_.refuse(stream, http::status::forbidden, "a page of another site may not listen here");
      co_return;
    }
    if (auto refused = answers_.refusal(request, target)) {
      co_await door_.refuse(stream, *refused);
      co_return;
    }
    std::optional<std::vector<InstrumentName>> names;
    const auto asked = target->parameters.find("instruments");
    if (asked != target->parameters.end()) {
      names = parse_names(asked->second, stream_names_max);
      if (!names) {
        co_await door_.refuse(stream, http::status::bad_request,
                              "instruments: expected up to 200 like exchange:market:symbol, with commas between them");
        co_return;
      }
    }
    if (streams_.size() >= streams_max || place->kept) {
      co_await door_.refuse(stream, http::status::too_many_requests, "there are 64 streams already");
      co_return;
    }
    const auto made = std::make_shared<StreamClient>(std::move(stream), allowance_, std::move(names));
    streams_.push_back(made);
    place->stays = true;
    place->close = [made] { made->drop(); };
    StreamClient::Heard heard = [this, made](const InstrumentNames& unseen) {
      return teller_.tell_in_full(made, unseen);
    };
    co_await made->run(std::move(request), std::move(heard));
    std::erase(streams_, made);
  }

  asio::any_io_executor executor_;
  Engine& engine_;
  Settings settings_;
  asio::steady_timer ticker_;
  Live live_;
  Streams streams_;
  Told last_told_, rest_told_;
  int looks_ = 0;
  std::vector<GroupWanted> noted_groups_;
  std::optional<Timestamp> groups_due_;
  Allowance allowance_{readers_share, readers_saved};
  bool stopping_ = false;
  std::atomic<bool> giving_up_{false};
  asio::thread_pool readers_{3};  // the past of the list, one download, and charts beside them
  Answers answers_;
  Teller teller_;
  Door door_;
};

WebServer::WebServer(boost::asio::any_io_executor executor, Engine& engine, Settings settings)
    : state_(std::make_shared<State>(executor, engine, std::move(settings))) {}
WebServer::~WebServer() {
  state_->stop();
  state_->join();
}
void WebServer::start() { state_->start(); }
void WebServer::stop() { state_->stop(); }
std::uint16_t WebServer::port() const { return state_->port(); }

}  // namespace cvdd
