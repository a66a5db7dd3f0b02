// cvdd_load_bench --cvdd PROGRAM: what a burst brings, and what everyday load costs, beside two yardsticks in the same
// run.
//
// A server of its own sends prepared aggTrade frames (TLS, WebSocket) to one client process at a time:
//   floor  SSL_read with read-ahead into one buffer, frames walked, simdjson, a sum: what OpenSSL allows
//   naive  Beast's websocket stream, one coroutine resume per message, simdjson, a sum
//   cvdd   `cvdd run`: queue, ledger and files included
// Throughput is how fast the server gets rid of its messages; CPU is the client's, from /proc. Read as ratios.
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <simdjson.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <thread>

#include "cvdd/sim/binance_protocol.hpp"
#include "cvdd/sim/certificate.hpp"
#include "cvdd/sim/tape.hpp"
#include "net/frames.hpp"

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace fs = std::filesystem;
using namespace cvdd;
using Clock = std::chrono::steady_clock;

extern char** environ;

namespace {
constexpr std::size_t symbols = 120;
constexpr std::uint64_t first_id = 1'000'000'000;

std::string server_frame(std::string_view text) {
  std::string out("\x81");
  if (text.size() < 126) {
    out += static_cast<char>(text.size());
  } else {
    out += static_cast<char>(126);
    out += static_cast<char>(text.size() >> 8);
    out += static_cast<char>(text.size() & 0xFF);
  }
  return out.append(text);
}

// One frame per symbol, whose id is counted up in place.
struct Prepared {
  std::vector<std::string> frames;
  std::vector<std::size_t> id_at, time_at;
  std::vector<std::uint64_t> id;
  void number(std::size_t i, std::uint64_t value, std::size_t at) {
    for (std::size_t k = 10; k-- > 0; value /= 10) frames[i][at + k] = static_cast<char>('0' + value % 10);
  }
  const std::string& next(std::size_t i) {
    number(i, id[i]++, id_at[i]);
    return frames[i];
  }
  void set_time(std::int64_t ms) {
    const std::string text = std::to_string(ms);
    for (std::size_t i = 0; i < frames.size(); ++i) frames[i].replace(time_at[i], text.size(), text);
  }
};

std::vector<sim::TapeInstrument> instruments() {
  std::vector<sim::TapeInstrument> out;
  for (auto& what : sim::make_instruments(symbols * 3 + 9, 60)) {
    if (what.instrument.market == Market::linear && out.size() < symbols) out.push_back(what);
  }
  return out;
}

Prepared prepare() {
  Prepared p;
  for (const sim::TapeInstrument& what : instruments()) {
    const std::string symbol = what.instrument.symbol;
    std::string lower = symbol;
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
    std::string text = fmt::format(
        R"({{"stream":"{}@aggTrade","data":{{"e":"aggTrade","E":1791382992488,"a":{},"s":"{}","p":"83091.70","q":"0.022",)"
        R"("nq":"0.022","f":8153634393,"l":8153634394,"T":1791382992338,"m":false,"st":1}}}})",
        lower, first_id, symbol);
    p.frames.push_back(server_frame(text));
    p.id_at.push_back(p.frames.back().find("\"a\":") + 4);
    p.time_at.push_back(p.frames.back().find("\"T\":") + 4);
    p.id.push_back(first_id);
  }
  return p;
}

std::int64_t wall_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

// User and system time of a process, in seconds.
double cpu_of(pid_t pid) {
  std::ifstream in(fmt::format("/proc/{}/stat", pid));
  std::string text((std::istreambuf_iterator<char>(in)), {});
  std::istringstream fields(text.substr(text.rfind(')') + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0, system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}
double rss_mib_of(pid_t pid) {
  std::ifstream in(fmt::format("/proc/{}/statm", pid));
  double all = 0, resident = 0;
  in >> all >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
}

// One accepted connection that asked for streams: encrypts into memory, sends in large pieces.
class Line {
 public:
  Line(int fd, SSL* ssl) : fd_(fd), ssl_(ssl) {}
  ~Line() {
    SSL_free(ssl_);
    ::close(fd_);
  }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;
  bool write(std::string_view bytes, bool record_per_message) {
    if (record_per_message)
      return SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) > 0 && flush(64 * 1024);
    plain_.append(bytes);
    if (plain_.size() < 15 * 1024) return true;
    return push();
  }
  bool push() {
    if (!plain_.empty() && SSL_write(ssl_, plain_.data(), static_cast<int>(plain_.size())) <= 0) return false;
    plain_.clear();
    return flush(1);
  }
  bool flush(std::size_t at_least) {
    BIO* out = SSL_get_wbio(ssl_);
    if (BIO_ctrl_pending(out) < at_least) return true;
    char buffer[128 * 1024];
    for (int n; (n = BIO_read(out, buffer, sizeof buffer)) > 0;) {
      for (int sent = 0; sent < n;) {
        const ssize_t now = ::send(fd_, buffer + sent, static_cast<std::size_t>(n - sent), MSG_NOSIGNAL);
        if (now <= 0) return false;
        sent += static_cast<int>(now);
      }
    }
    return true;
  }
  // Blocks for plaintext.
  bool read(std::string& into) {
    char buffer[16 * 1024];
    while (true) {
      const int n = SSL_read(ssl_, buffer, sizeof buffer);
      if (n > 0) {
        into.append(buffer, static_cast<std::size_t>(n));
        return true;
      }
      if (SSL_get_error(ssl_, n) != SSL_ERROR_WANT_READ) return false;
      if (!flush(1)) return false;
      const ssize_t got = ::recv(fd_, buffer, sizeof buffer, 0);
      if (got <= 0) return false;
      BIO_write(SSL_get_rbio(ssl_), buffer, static_cast<int>(got));
    }
  }
  int fd() const { return fd_; }

 private:
  int fd_;
  SSL* ssl_;
  std::string plain_;
};

// The exchange: instrument list, time, and streams for as many connections as come.
class Server {
 public:
  Server() : certificates_(sim::make_certificates()), context_(SSL_CTX_new(TLS_server_method())) {
    BIO* bio = BIO_new_mem_buf(certificates_.leaf_pem.data(), static_cast<int>(certificates_.leaf_pem.size()));
    X509* leaf = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    BIO_free(bio);
    bio = BIO_new_mem_buf(certificates_.key_pem.data(), static_cast<int>(certificates_.key_pem.size()));
    EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
    BIO_free(bio);
    SSL_CTX_use_certificate(context_, leaf);
    SSL_CTX_use_PrivateKey(context_, key);
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    ::listen(listener_, 64);
    socklen_t size = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    std::thread([this] {
      for (int fd; (fd = ::accept(listener_, nullptr, nullptr)) >= 0;) std::thread([this, fd] { serve(fd); }).detach();
    }).detach();
  }
  // Connections that have asked for streams.
  std::vector<std::shared_ptr<Line>> lines() {
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  void forget() {
    const std::lock_guard lock(mutex_);
    for (const auto& line : lines_) ::shutdown(line->fd(), SHUT_RDWR);
    lines_.clear();
  }
  [[nodiscard]] const std::string& ca() const { return certificates_.ca_pem; }
  std::uint16_t port = 0;

 private:
  void serve(int fd) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    SSL* ssl = SSL_new(context_);
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    BIO_set_mem_eof_return(SSL_get_rbio(ssl), -1);
    SSL_set_accept_state(ssl);
    const auto line = std::make_shared<Line>(fd, ssl);
    std::string text;
    while (line->read(text)) {
      const auto end = text.find("\r\n\r\n");
      if (end == text.npos) continue;
      const auto key = text.find("Sec-WebSocket-Key: ");
      if (key == text.npos) {
        rest(*line, text);
        text.clear();
        continue;
      }
      upgrade(*line, text.substr(key + 19, 24));
      text.erase(0, end + 4);
      return converse(line, text);
    }
  }
  static void rest(Line& line, const std::string& request) {
    std::string body = fmt::format(R"({{"serverTime":{}}})", wall_ms());
    if (request.find("exchangeInfo") != request.npos) {
      const auto all = instruments();
      body = sim::binance::exchange_info(Market::linear, all, {wall_ms() * 1'000});
    } else if (request.find("/time") == request.npos) {
      body = "[]";
    }
    line.write(fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", body.size(), body), true);
    line.flush(1);
    ::shutdown(line.fd(), SHUT_WR);
  }
  static void upgrade(Line& line, const std::string& key) {
    const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    unsigned char digest[EVP_MAX_MD_SIZE], encoded[64];
    unsigned size = 0;
    EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha1(), nullptr);
    const int length = EVP_EncodeBlock(encoded, digest, static_cast<int>(size));
    line.write(fmt::format("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           "Sec-WebSocket-Accept: {}\r\n\r\n",
                           std::string_view(reinterpret_cast<char*>(encoded), static_cast<std::size_t>(length))),
               true);
    line.flush(1);
  }
  // Acknowledges what is asked for; the first request makes it a line to send on. Small frames only.
  void converse(const std::shared_ptr<Line>& line, std::string& bytes) {
    bool asked = false;
    do {
      while (bytes.size() >= 6) {
        std::size_t size = bytes[1] & 0x7F, head = 2;
        if (size == 126) {
          size = static_cast<std::size_t>(static_cast<unsigned char>(bytes[2])) << 8 |
                 static_cast<unsigned char>(bytes[3]);
          head = 4;
        }
        if (bytes.size() < head + 4 + size) break;
        std::string payload = bytes.substr(head + 4, size);
        for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<char>(payload[i] ^ bytes[head + i % 4]);
        bytes.erase(0, head + 4 + size);
        const auto id = payload.find("\"id\":");
        if (id == payload.npos || sending.load()) continue;
        const std::string number = payload.substr(id + 5, payload.find_first_of(",}", id) - id - 5);
        line->write(server_frame(fmt::format(R"({{"result":null,"id":{}}})", number)), true);
        line->flush(1);
        if (std::exchange(asked, true)) continue;
        const std::lock_guard lock(mutex_);
        lines_.push_back(line);
      }
    } while (!sending.load() && line->read(bytes));
  }
  sim::CertificateSet certificates_;
  SSL_CTX* context_;
  int listener_ = -1;
  std::mutex mutex_;
  std::vector<std::shared_ptr<Line>> lines_;

 public:
  std::atomic<bool> sending{false};  // nothing else is written then
};

// ---- The yardsticks: each is a process of its own ----

std::uint64_t sum_of(simdjson::ondemand::parser& parser, simdjson::padded_string_view text) {
  simdjson::ondemand::document document;
  std::uint64_t id = 0;
  if (parser.iterate(text).get(document) != simdjson::SUCCESS) return 0;
  auto data = document["data"];
  std::string_view price, size;
  if (data["a"].get(id) != simdjson::SUCCESS || data["p"].get(price) != simdjson::SUCCESS ||
      data["q"].get(size) != simdjson::SUCCESS) {
    return 0;
  }
  return id + price.size() + size.size();
}

SSL_CTX* client_context(const std::string& ca) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_load_verify_locations(context, ca.c_str(), nullptr);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  return context;
}
const char ask[] = R"({"method":"SUBSCRIBE","params":["x@aggTrade"],"id":1})";

int floor_client(std::uint16_t port, const std::string& ca, std::size_t connections) {
  SSL_CTX* context = client_context(ca);
  std::vector<std::thread> threads;
  std::atomic<std::uint64_t> total{0};
  for (std::size_t n = 0; n < connections; ++n) {
    threads.emplace_back([&] {
      const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(port);
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
      SSL* ssl = SSL_new(context);
      SSL_set_fd(ssl, fd);
      SSL_set_read_ahead(ssl, 1);
      SSL_set_default_read_buffer_len(ssl, 8 * 1024);
      if (SSL_connect(ssl) != 1) return;
      const std::string request =
          "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
      SSL_write(ssl, request.data(), static_cast<int>(request.size()));
      std::vector<char> buffer(1 << 18);
      std::size_t end = 0;
      while (std::string_view(buffer.data(), end).find("\r\n\r\n") == std::string_view::npos) {
        const int got = SSL_read(ssl, buffer.data() + end, 4096);
        if (got <= 0) return;
        end += static_cast<std::size_t>(got);
      }
      end = 0;
      std::string frame;
      append_frame(frame, Opcode::text, ask, 1);
      SSL_write(ssl, frame.data(), static_cast<int>(frame.size()));
      simdjson::ondemand::parser parser;
      FrameWalk walk(1 << 20);
      FrameWalk::Batch batch;
      std::uint64_t sum = 0;
      for (int got; (got = SSL_read(ssl, buffer.data() + end, static_cast<int>(buffer.size() - end - 256))) > 0;) {
        end += static_cast<std::size_t>(got);
        if (SSL_has_pending(ssl) == 1 && end < buffer.size() / 2) continue;
        walk.walk({buffer.data(), end}, batch);
        for (const std::string_view m : batch.messages) {
          sum +=
              sum_of(parser, simdjson::padded_string_view(m.data(), m.size(), m.size() + simdjson::SIMDJSON_PADDING));
        }
        std::memmove(buffer.data(), buffer.data() + batch.consumed, end - batch.consumed);
        end -= batch.consumed;
      }
      total += sum;
    });
  }
  for (std::thread& thread : threads) thread.join();
  return total.load() == 42 ? 3 : 0;
}

asio::awaitable<void> naive_connection(asio::ssl::context& tls, std::uint16_t port, std::uint64_t& sum) {
  using Ws = beast::websocket::stream<beast::ssl_stream<beast::tcp_stream>>;
  Ws ws(co_await asio::this_coro::executor, tls);
  const asio::ip::tcp::endpoint where(asio::ip::address_v4::loopback(), port);
  co_await beast::get_lowest_layer(ws).async_connect(where, asio::use_awaitable);
  co_await ws.next_layer().async_handshake(asio::ssl::stream_base::client, asio::use_awaitable);
  co_await ws.async_handshake("localhost", "/", asio::use_awaitable);
  const std::string text = ask;
  co_await ws.async_write(asio::buffer(text), asio::use_awaitable);
  simdjson::ondemand::parser parser;
  beast::flat_buffer buffer;
  buffer.reserve(64 * 1024);
  while (true) {
    co_await ws.async_read(buffer, asio::use_awaitable);
    buffer.reserve(buffer.size() + simdjson::SIMDJSON_PADDING);
    sum += sum_of(parser, simdjson::padded_string_view(static_cast<const char*>(buffer.cdata().data()), buffer.size(),
                                                       buffer.size() + simdjson::SIMDJSON_PADDING));
    buffer.clear();
  }
}

int naive_client(std::uint16_t port, const std::string& ca, std::size_t connections) {
  asio::io_context io(1);
  asio::ssl::context tls(asio::ssl::context::tls_client);
  tls.load_verify_file(ca);
  tls.set_verify_mode(asio::ssl::verify_peer);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < connections; ++i) {
    asio::co_spawn(io, naive_connection(tls, port, sum), [](const std::exception_ptr&) {});
  }
  io.run();
  return sum == 42 ? 3 : 0;
}

// ---- The measurements ----

struct Client {
  std::string name;
  std::vector<std::string> arguments;
  std::size_t connections = 1;
};

struct Measured {
  double per_second = 0, cpu_us = 0, core_percent = 0, rss = 0;
};

class Bench {
 public:
  Bench(std::string self, std::string cvdd) : self_(std::move(self)), cvdd_(std::move(cvdd)) {
    folder_ = fs::temp_directory_path() / fmt::format("cvdd-load-{}", ::getpid());
    fs::create_directories(folder_);
    std::ofstream(folder_ / "ca.pem", std::ios::binary) << server_.ca();
  }
  ~Bench() { fs::remove_all(folder_); }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  Client yardstick(const std::string& kind, std::size_t connections) {
    return {kind,
            {self_, "--client", kind, "--port", std::to_string(server_.port), "--ca", (folder_ / "ca.pem").string(),
             "--connections", std::to_string(connections)},
            connections};
  }
  // Connections of the daemon take 12 instruments each where there are ten.
  Client daemon(std::size_t connections, const std::string& coalesce) {
    static int number = 0;
    const fs::path home = folder_ / std::to_string(++number);
    fs::create_directories(home);
    // The daemon spreads instruments over as few connections as the exchange allows; twins make two of one.
    std::ofstream(home / "cvdd.toml") << fmt::format(
        "audit = \"off\"\nrepair = \"off\"\n[http]\nlisten = \"\"\n[log]\nlevel = \"warn\"\n"
        "[net]\nca_file = \"{}\"\ncoalesce = \"{}\"\n[exchange.binance.linear]\nws = [\"wss://127.0.0.1:{}\"]\n"
        "rest = [\"https://127.0.0.1:{}\"]\n",
        (folder_ / "ca.pem").string(), coalesce, server_.port, server_.port);
    std::ofstream names(home / "symbols.toml");
    names << "[binance]\nlinear = [";
    for (const auto& what : instruments()) names << '"' << what.instrument.symbol << "\", ";
    names << "]\n";
    return {"cvdd", {cvdd_, "run", "--config", (home / "cvdd.toml").string()}, connections};
  }

  Measured burst(const Client& client, bool record_per_message, std::size_t messages) {
    const pid_t pid = start(client);
    const auto lines = ready(client.connections);
    Measured m;
    if (lines.size() < client.connections) return stop(pid), m;
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    Prepared p = prepare();
    p.set_time(wall_ms());
    server_.sending = true;
    const double cpu = cpu_of(pid);
    const auto begin = Clock::now();
    for (std::size_t n = 0; n < messages; ++n) {
      if (n % 65'536 == 0) p.set_time(wall_ms());
      if (!lines[n % lines.size()]->write(p.next(n % symbols), record_per_message)) break;
    }
    for (const auto& line : lines) line->push();
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    m.per_second = static_cast<double>(messages) / seconds;
    m.cpu_us = (cpu_of(pid) - cpu) * 1e6 / static_cast<double>(messages);
    m.rss = rss_mib_of(pid);
    stop(pid);
    return m;
  }

  Measured paced(const Client& client, std::size_t per_second, std::chrono::seconds time) {
    const pid_t pid = start(client);
    const auto lines = ready(client.connections);
    Measured m;
    if (lines.size() < client.connections) return stop(pid), m;
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    Prepared p = prepare();
    server_.sending = true;
    const double cpu = cpu_of(pid);
    const auto begin = Clock::now();
    std::size_t sent = 0;
    while (Clock::now() - begin < time) {
      const double passed = std::chrono::duration<double>(Clock::now() - begin).count();
      const auto due = static_cast<std::size_t>(passed * static_cast<double>(per_second));
      if (sent % 512 == 0) p.set_time(wall_ms());
      if (sent >= due) {
        std::this_thread::sleep_for(std::chrono::microseconds(100));
        continue;
      }
      const auto& line = lines[sent % lines.size()];
      if (!line->write(p.next(sent % symbols), true) || !line->flush(1)) break;
      ++sent;
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    m.per_second = static_cast<double>(sent) / seconds;
    const double used = cpu_of(pid) - cpu;
    m.cpu_us = used * 1e6 / static_cast<double>(sent);
    m.core_percent = used * 100 / seconds;
    m.rss = rss_mib_of(pid);
    stop(pid);
    return m;
  }

 private:
  pid_t start(const Client& client) {
    server_.sending = false;
    std::vector<char*> argv;
    for (const std::string& argument : client.arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    pid_t pid = 0;
    if (posix_spawn(&pid, argv[0], nullptr, nullptr, argv.data(), environ) != 0) return 0;
    return pid;
  }
  std::vector<std::shared_ptr<Line>> ready(std::size_t connections) {
    const auto end = Clock::now() + std::chrono::seconds(10);
    while (server_.lines().size() < connections && Clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return server_.lines();
  }
  void stop(pid_t pid) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    server_.forget();
  }
  Server server_;
  std::string self_, cvdd_;
  fs::path folder_;
};

Measured median(const std::function<Measured()>& measure, int rounds) {
  std::vector<Measured> all;
  for (int i = 0; i < rounds; ++i) all.push_back(measure());
  std::ranges::sort(all, {}, &Measured::cpu_us);
  return all[all.size() / 2];
}
}  // namespace

int main(int argc, char** argv) {
  CLI::App app("burst and everyday load, beside two yardsticks");
  std::string program, client, ca;
  std::uint16_t port = 0;
  std::size_t connections = 1, messages = 2'000'000;
  int rounds = 3, time = 10;
  app.add_option("--cvdd", program, "the program");
  app.add_option("--messages", messages, "of a burst");
  app.add_option("--rounds", rounds, "of each, of which the median counts")->check(CLI::Range(1, 99));
  app.add_option("--seconds", time, "of paced load")->check(CLI::Range(2, 3'600));
  app.add_option("--client", client)->group("");
  app.add_option("--port", port)->group("");
  app.add_option("--ca", ca)->group("");
  app.add_option("--connections", connections)->group("");
  CLI11_PARSE(app, argc, argv);
  if (client == "floor") return floor_client(port, ca, connections);
  if (client == "naive") return naive_client(port, ca, connections);

  Bench bench(argv[0], program);
  fmt::print("{:<34}{:>14}{:>12}{:>10}{:>10}\n", "burst, one connection", "messages/s", "CPU us/msg", "x floor",
             "x naive");
  for (const bool small : {true, false}) {
    const std::size_t n = small ? messages : messages * 2;
    const Measured floor = median([&] { return bench.burst(bench.yardstick("floor", 1), small, n); }, rounds);
    const Measured naive = median([&] { return bench.burst(bench.yardstick("naive", 1), small, n); }, rounds);
    const Measured cvdd = median([&] { return bench.burst(bench.daemon(1, "10ms"), small, n); }, rounds);
    const char* shape = small ? "record per message" : "large records";
    for (const auto& [name, m] : {std::pair{"floor", floor}, {"naive", naive}, {"cvdd", cvdd}}) {
      fmt::print("{:<34}{:>14.0f}{:>12.2f}{:>10.2f}{:>10.2f}\n", fmt::format("  {}, {}", name, shape), m.per_second,
                 m.cpu_us, m.per_second / floor.per_second, m.per_second / naive.per_second);
    }
  }
  fmt::print("\n{:<34}{:>14}{:>12}{:>10}{:>10}\n", "paced, one connection", "messages/s", "CPU us/msg", "% core",
             "x naive");
  for (const std::size_t rate : {5'000UL, 20'000UL, 50'000UL}) {
    const auto seconds = std::chrono::seconds(time);
    const Measured naive = median([&] { return bench.paced(bench.yardstick("naive", 1), rate, seconds); }, 1);
    const Measured cvdd = median([&] { return bench.paced(bench.daemon(1, "10ms"), rate, seconds); }, 1);
    const Measured quick = median([&] { return bench.paced(bench.daemon(1, "0"), rate, seconds); }, 1);
    for (const auto& [name, m] : {std::pair{"naive", naive}, {"cvdd", cvdd}, {"cvdd, coalesce 0", quick}}) {
      fmt::print("{:<34}{:>14.0f}{:>12.2f}{:>10.2f}{:>10.2f}\n", fmt::format("  {}", name), m.per_second, m.cpu_us,
                 m.core_percent, m.cpu_us / naive.cpu_us);
    }
  }
  return 0;
}
