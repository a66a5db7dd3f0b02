#include "teller.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace cvdd::web {

namespace asio = boost::asio;

namespace {
constexpr auto await_tuple = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::microseconds shortest_wait{2'000}, longest_wait{50'000};
constexpr std::size_t at_once = 50;

struct Turn {
  explicit Turn(bool& taken) : busy(taken) { busy = true; }
  ~Turn() { busy = false; }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  bool& busy;
};
}  // namespace

Teller::Teller(asio::any_io_executor executor, Engine& engine, Live& live, Answers& answers, Allowance& allowance,
               const std::atomic<bool>& stopping)
    : executor_(std::move(executor)),
      engine_(engine),
      live_(live),
      answers_(answers),
      allowance_(allowance),
      stopping_(stopping) {}

// False: there is nobody to tell any more.
asio::awaitable<bool> Teller::wait_for_turn(const StreamClient& client) {
  asio::steady_timer pause(executor_);
  for (auto more = allowance_.wait(); busy_ || more.count() > 0; more = allowance_.wait()) {
    if (stopping_ || client.gone()) co_return false;
    pause.expires_after(std::clamp<std::chrono::microseconds>(more, shortest_wait, longest_wait));
    co_await pause.async_wait(await_tuple);
  }
  co_return !client.gone();
}

asio::awaitable<void> Teller::tell_in_full(std::shared_ptr<StreamClient> client, const InstrumentNames& unseen) {
  if (unseen.empty() && client->want()->groups.empty()) co_return;
  co_await answers_.wait_for_open_bars();
  const bool mine = co_await wait_for_turn(*client);
  if (!mine) co_return;
  const Turn turn(busy_);
  Slices slices(executor_, allowance_);
  co_await tell_groups(*client, slices);
  if (!unseen.empty()) co_await tell_items(*client, unseen, slices);
  slices.end();
}

asio::awaitable<void> Teller::tell_items(StreamClient& client, const InstrumentNames& names, Slices& slices) {
  const std::shared_ptr<const Snapshot> snapshot = live_.snapshot();
  const Spark spark = client.want()->spark;
  auto message = std::make_shared<std::string>(items_head(spark, snapshot->time));
  for (std::size_t from = 0; from < snapshot->states.size(); from += at_once) {
    if (stopping_ || client.gone()) co_return;
    append_items(*message, names, spark, *snapshot, from, std::min(snapshot->states.size(), from + at_once),
                 live_.board());
    co_await slices.turn();
  }
  *message += "]}";
  client.tell(std::move(message));
}

asio::awaitable<void> Teller::tell_groups(StreamClient& client, Slices& slices) {
  const std::shared_ptr<const Want> want = client.want();
  const std::shared_ptr<const Snapshot> snapshot = live_.snapshot();
  GroupsTold told;
  std::string items;
  for (const GroupAsked& asked : want->groups) {
    append_group_news(items, client, asked, want->spark, groups_, *snapshot, live_.board(), told);
    co_await slices.turn();
    // It wants something else by now, or nothing: it is told of that.
    if (client.want() != want || client.gone() || stopping_) co_return;
  }
  client.groups_told = std::move(told);
  if (items.empty()) co_return;
  auto message = std::make_shared<std::string>(R"({"type":"groups","time":)");
  append_moment(*message, snapshot->time);
  *message += R"(,"groups":[)" + items + "]}";
  client.tell(std::move(message));
}

asio::awaitable<void> Teller::tell_of_groups(Streams streams) {
  if (groups_.define(engine_.groups())) tell_names(streams, groups_.names(), live_.snapshot()->time);
  auto alive = std::make_shared<std::string>(R"({"type":"time","time":)");
  append_moment(*alive, live_.snapshot()->time);
  *alive += '}';
  for (const auto& stream : streams) {
    if (stream->gone() || stream->want() == nullptr || stopping_) continue;
    if (!busy_ && allowance_.wait().count() == 0 && !stream->want()->groups.empty()) {
      const Turn turn(busy_);
      Slices slices(executor_, allowance_);
      co_await tell_groups(*stream, slices);
      slices.end();
    }
    stream->beat(alive);
  }
  groups_.tidy();
}

}  // namespace cvdd::web
