#include "cvdd/sim/server.hpp"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <stdexcept>

#include "binance_protocol.hpp"
#include "coroutines.hpp"
#include "hub.hpp"

namespace cvdd::sim {
using asio::ip::tcp;

struct Server::State : Hub {
  using Hub::Hub;
};

Timestamp wall_clock() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::microseconds>(now).count()};
}

Hub::Hub(asio::io_context& context, ServerOptions settings, std::shared_ptr<Tape> source)
    : io(context),
      options(std::move(settings)),
      tape(std::move(source)),
      certificates(make_certificates()),
      acceptor(context),
      timer_(context) {
  tls.use_certificate_chain(asio::buffer(certificates.leaf_pem));
  tls.use_private_key(asio::buffer(certificates.key_pem), asio::ssl::context::pem);

  if (!options.recordings.empty()) {
    recording_ = load_recordings(options.recordings);
    for (Market market : {Market::spot, Market::linear, Market::inverse})
      instruments_.at(static_cast<std::size_t>(market)) =
          binance::exchange_info(market, recording_.instruments, wall_clock());
    tape.reset();  // recordings are played instead of the tape
  }
  for (const std::string& path : options.instruments_files) {
    std::string body = read_whole(path);
    const auto market = static_cast<std::size_t>(market_of_instruments(body));
    instruments_.at(market) = std::move(body);
  }
  if (tape) {
    for (const TapeInstrument& what : tape->instruments()) {
      Feed feed;
      feed.protocol = find_protocol(what.instrument.exchange);
      if (feed.protocol == nullptr)
        throw std::runtime_error("no such exchange is simulated: " + what.instrument.exchange);
      feed.topics = feed.protocol->topics(what);
      for (const std::string& topic : feed.topics) feed.channels.push_back(&channel(topic));
      feeds_.push_back(std::move(feed));
    }
  }

  boost::system::error_code error;
  const auto address = asio::ip::make_address(options.address, error);
  const tcp::endpoint endpoint(address, options.port);
  if (!error) acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error)
    throw std::runtime_error(fmt::format("cannot listen on {}:{}: {}", options.address, options.port, error.message()));
  port = acceptor.local_endpoint().port();
}

void Hub::start() {
  asio::co_spawn(io, accept(), asio::detached);
  if (!options.recordings.empty())
    asio::co_spawn(io, play_recording(), asio::detached);
  else if (tape)
    asio::co_spawn(io, print_tape(), asio::detached);
}

void Hub::stop() {
  stopped = true;
  boost::system::error_code ignored;
  acceptor.close(ignored);
  timer_.cancel();
  for (Connection* connection : connections) connection->cut(false);
  for (tcp::socket* socket : rest_sockets) socket->close(ignored);
}

void Hub::drop_connections() {
  for (Connection* connection : connections) connection->cut(true);
}

Channel& Hub::channel(const std::string& topic) { return channels_[topic]; }

void Hub::subscribed() {
  last_subscription_ = std::chrono::steady_clock::now();
  if (!first_subscription_) first_subscription_ = last_subscription_;
}

unsigned Hub::charge(const Protocol& protocol, const Address& address, unsigned weight) {
  const std::int64_t minute = wall_clock().us / 60'000'000;
  if (minute != minute_) weights_.clear();
  minute_ = minute;
  const std::uint32_t allowed = protocol.weight_per_minute(address);
  unsigned& used = weights_[std::string(protocol.name()) + std::to_string(allowed)];  // markets of one pool share it
  used += weight;
  if (used > allowed) ++stats.overweight;
  return used;
}

Answer Hub::answer(Address& address) {
  const Protocol* protocol = owner_of(address);
  if (protocol == nullptr) return {404, "{}", 0};
  std::string_view given;
  const bool first = protocol == protocols().front();
  if (first && address.market && *address.market != Market::option) {
    given = instruments_.at(static_cast<std::size_t>(*address.market));
  }
  return protocol->rest(address, tape.get(), given, wall_clock());
}

asio::awaitable<void> Hub::accept() {
  const auto self = shared_from_this();
  while (!stopped) {
    auto [error, socket] = co_await acceptor.async_accept(quietly);
    if (stopped) co_return;
    if (error) {  // most likely out of descriptors: wait a little, then try again
      asio::steady_timer pause(io, std::chrono::milliseconds(100));
      co_await pause.async_wait(quietly);
      continue;
    }
    asio::co_spawn(io, serve(self, std::move(socket)), asio::detached);
  }
}

Server::Server(asio::io_context& io, ServerOptions options, std::shared_ptr<Tape> tape)
    : state_(std::make_shared<State>(io, std::move(options), std::move(tape))) {}
Server::~Server() { state_->stop(); }
void Server::start() { state_->start(); }
void Server::stop() { state_->stop(); }
void Server::drop_connections() { state_->drop_connections(); }

std::size_t Server::trouble(LineFault fault, std::uint64_t choice) {
  std::map<std::string_view, std::vector<Connection*>> lines;
  for (Connection* connection : state_->connections) lines[connection->exchange()].push_back(connection);
  for (const auto& [exchange, of] : lines) of[choice % of.size()]->befall(fault);
  return lines.size();
}

void Server::fall_mute() { state_->muted = true; }

void Server::trouble_rest(RestFault fault, Duration wait) {
  state_->rest_fault = fault;
  state_->rest_wait = wait;
}

std::uint16_t Server::port() const { return state_->port; }
const std::string& Server::ca_pem() const { return state_->certificates.ca_pem; }
const ServerStats& Server::stats() const { return state_->stats; }

std::string Server::config_toml() const {
  const auto address = state_->acceptor.is_open() ? state_->acceptor.local_endpoint().address()
                                                  : asio::ip::make_address(state_->options.address);
  std::string host = address.is_v6() ? fmt::format("[{}]", address.to_string()) : address.to_string();
  if (address.is_unspecified()) host = address.is_v6() ? "[::1]" : "127.0.0.1";
  std::string text;
  for (const Protocol* protocol : protocols()) {
    for (const Market market : protocol->markets()) {
      text +=
          fmt::format("[exchange.{0}.{1}]\nws = [\"wss://{2}:{3}/{0}/{1}\"]\nrest = [\"https://{2}:{3}/{0}/{1}\"]\n\n",
                      protocol->name(), name_of(market), host, state_->port);
    }
  }
  return text;
}

}  // namespace cvdd::sim
