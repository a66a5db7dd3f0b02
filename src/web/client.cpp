#include "client.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace cvdd::web {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;

namespace {
constexpr auto await_tuple = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::seconds handshake_max{10}, idle_max{60};
// What a client says: five times a second, ten at once.
constexpr std::chrono::milliseconds say_pace{20}, say_burst{200};
constexpr int say_percent = 10;
// What it costs to pack a byte, and to look at what a client wants.
constexpr std::size_t bytes_a_microsecond = 40;
constexpr std::chrono::microseconds want_cost{100};
constexpr std::size_t worth_packing = 200;

// 48 KiB for each client that takes packed messages: more would pack little better.
websocket::permessage_deflate packing() {
  websocket::permessage_deflate out;
  out.server_enable = true;
  out.server_max_window_bits = 13;
  out.client_max_window_bits = 10;
  out.memLevel = 5;
  out.compLevel = 4;
  return out;
}
}  // namespace

StreamClient::StreamClient(beast::tcp_stream stream, Allowance& allowance,
                           std::optional<std::vector<InstrumentName>> names)
    : socket_(std::move(stream)), allowance_(allowance), more_(socket_.get_executor()) {
  if (names) names_.emplace(names->begin(), names->end());
}

bool StreamClient::wants(std::string_view exchange, Market market, std::string_view symbol) const {
  const std::tuple parts(exchange, market, symbol);
  if (want_) return want_->instruments.contains(parts);
  return !names_ || names_->contains(parts);
}

asio::awaitable<void> StreamClient::run(beast::http::request<beast::http::empty_body> request, Heard heard) {
  using namespace asio::experimental::awaitable_operators;
  beast::get_lowest_layer(socket_).expires_never();
  websocket::stream_base::timeout limits{handshake_max, idle_max, true};  // asks for a sign of life
  socket_.set_option(limits);
  socket_.set_option(packing());
  socket_.read_message_max(Want::message_max);
  socket_.auto_fragment(false);  // one message, one frame, one write, unless it is packed
  socket_.control_callback([this](websocket::frame_type, beast::string_view) {
    if (!controls_.add(1, std::chrono::steady_clock::now())) drop();
  });
  const auto [error] = co_await socket_.async_accept(request, await_tuple);
  if (!error) co_await (write() || listen(std::move(heard)));
  drop();
}

asio::awaitable<void> StreamClient::listen(Heard heard) {
  beast::flat_buffer buffer(2 * Want::message_max);
  Allowance pace(say_percent, say_burst);
  asio::steady_timer pause(socket_.get_executor());
  while (!gone_) {
    const auto [error, got] = co_await socket_.async_read(buffer, await_tuple);
    if (error) co_return;
    pace.spend(say_pace);
    allowance_.spend(want_cost);
    // What it says meanwhile waits in its socket.
    for (auto more = std::max(pace.wait(), allowance_.wait()); more.count() > 0 && !gone_;
         more = std::max(pace.wait(), allowance_.wait())) {
      pause.expires_after(more);
      co_await pause.async_wait(await_tuple);
    }
    const std::string text = beast::buffers_to_string(buffer.data());
    buffer.clear();
    if (!gone_) co_await take(text, heard);
  }
}

asio::awaitable<void> StreamClient::take(std::string_view text, const Heard& heard) {
  std::string why;
  auto now = parse_want(text, why);
  if (!now) {
    auto message = std::make_shared<std::string>(R"({"type":"error","error":)");
    append_text(*message, why);
    *message += '}';
    tell(std::move(message));
    co_return;
  }
  InstrumentNames unseen;
  const bool all = !want_ || now->anew || now->spark != want_->spark;
  for (const InstrumentName& name : now->instruments) {
    if (all || !want_->instruments.contains(name)) unseen.insert(name);
  }
  if (now->rest && !(want_ && want_->rest)) fresh_rest = true;
  want_ = std::make_shared<const Want>(std::move(*now));
  if (all) groups_told.clear();
  members.clear();
  co_await heard(unseen);
}

// What everybody is told alike is sent as it is: packing it for each of them would cost more than it saves.
bool StreamClient::packs(const std::string& message) {
  if (!want_ || message.size() < worth_packing || allowance_.wait().count() > 0) return false;
  allowance_.spend(std::chrono::microseconds(message.size() / bytes_a_microsecond + 1));
  return true;
}

asio::awaitable<void> StreamClient::write() {
  socket_.text(true);
  while (!gone_) {
    if (waiting_.empty()) {
      more_.expires_at(asio::steady_timer::time_point::max());
      co_await more_.async_wait(await_tuple);
      continue;
    }
    const std::shared_ptr<const std::string> message = waiting_.front();
    socket_.compress(packs(*message));
    const auto [error, sent] = co_await socket_.async_write(asio::buffer(*message), await_tuple);
    if (error) co_return;
    waiting_bytes_ -= message->size();
    waiting_.pop_front();
  }
}

void StreamClient::tell(std::shared_ptr<const std::string> message) {
  if (gone_) return;
  told_ = true;
  waiting_bytes_ += message->size();
  waiting_.push_back(std::move(message));
  if (waiting_bytes_ > (wants_all() ? waiting_max : own_waiting_max)) return drop();
  more_.cancel();
}

void StreamClient::beat(const std::shared_ptr<const std::string>& message) {
  if (want_ && !std::exchange(told_, false)) {
    tell(message);
    told_ = false;
  }
}

void StreamClient::drop() {
  if (std::exchange(gone_, true)) return;
  more_.cancel();
  beast::get_lowest_layer(socket_).close();
}

}  // namespace cvdd::web
