#include "tls_pipe.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

namespace cvdd {

namespace {
constexpr auto await_tuple = asio::as_tuple(asio::use_awaitable);

[[nodiscard]] bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

// As recv(2), behind what is there still; there must be room.
ssize_t take_in(TlsPipe::SocketEnd& end) {
  if (end.begin == end.end) end.begin = end.end = 0;
  const ssize_t n = ::recv(end.fd, end.bytes.get() + end.end, TlsPipe::SocketEnd::room - end.end, 0);
  if (n > 0) end.end += static_cast<std::size_t>(n);
  end.drained = n < 0 ? would_block() : n > 0 && end.end < TlsPipe::SocketEnd::room;
  if (n < 0 && !end.drained) end.error = errno;
  return n;
}

// What one system call may bring: many records. OpenSSL takes them from there one by one, a header and a body at a
// time. Its own read-ahead would move all that is left to the front of its buffer for each record it takes, which costs
// more than these copies (docs/performance.md).
int bio_read(BIO* bio, char* to, int size) {
  BIO_clear_retry_flags(bio);
  auto& end = *static_cast<TlsPipe::SocketEnd*>(BIO_get_data(bio));
  if (end.begin == end.end) {
    const ssize_t n = end.drained || end.error != 0 ? -1 : take_in(end);
    if (n < 0 && end.drained) BIO_set_retry_read(bio);
    if (n < 0) errno = end.error;
    if (n <= 0) return static_cast<int>(n);
  }
  const std::size_t taken = std::min(static_cast<std::size_t>(size), end.end - end.begin);
  if (end.handshaking) {
    if (end.allowed < taken) return errno = EMSGSIZE, -1;
    end.allowed -= taken;
  }
  std::memcpy(to, end.bytes.get() + end.begin, taken);
  end.begin += taken;
  return static_cast<int>(taken);
}
int bio_write(BIO* bio, const char* from, int size) {
  BIO_clear_retry_flags(bio);
  const int fd = static_cast<TlsPipe::SocketEnd*>(BIO_get_data(bio))->fd;
  const ssize_t n = ::send(fd, from, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (n < 0 && would_block()) BIO_set_retry_write(bio);
  return static_cast<int>(n);
}
long bio_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

BIO_METHOD* socket_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    BIO_meth_set_read(m, bio_read);
    BIO_meth_set_write(m, bio_write);
    BIO_meth_set_ctrl(m, bio_control);
    return m;
  }();
  return method;
}
}  // namespace

TlsPipe::TlsPipe(asio::ip::tcp::socket socket, SSL_CTX* context)
    : socket_(std::move(socket)), protocol_(asio::ip::tcp::v4()), ssl_(SSL_new(context)) {
  boost::system::error_code ignored;
  protocol_ = socket_.local_endpoint(ignored).protocol();
  socket_.native_non_blocking(true, ignored);
  BIO* const bio = BIO_new(socket_method());
  end_->fd = socket_.native_handle();
  BIO_set_data(bio, end_.get());
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_connect_state(ssl_.get());
  SSL_set_mode(ssl_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // Otherwise one call of SSL_read goes on for as long as records without data come.
  SSL_clear_mode(ssl_.get(), SSL_MODE_AUTO_RETRY);
  SSL_set_options(ssl_.get(), SSL_OP_NO_RENEGOTIATION);
}

TlsPipe::Outcome TlsPipe::outcome_of(int result) {
  const int system = errno;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return Outcome::nothing;
    case SSL_ERROR_ZERO_RETURN:
      error_ = "closed";
      return Outcome::ended;
    case SSL_ERROR_SYSCALL:
      error_ = system == 0 ? "closed" : system == EMSGSIZE ? "a TLS handshake without end" : std::strerror(system);
      return Outcome::ended;
    default:
      break;
  }
  const unsigned long code = ERR_peek_last_error();
  char text[256];
  ERR_error_string_n(code, text, sizeof text);
  error_ = text;
  return ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING
             ? Outcome::ended
             : Outcome::broken;
}

asio::awaitable<boost::system::error_code> TlsPipe::handshake() {
  while (true) {
    if (end_->fd < 0) co_return asio::error::bad_descriptor;
    ERR_clear_error();
    errno = 0;
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1) {
      end_->handshaking = false;
      limit_.emplace(ssl_.get(), nullptr);
      co_return boost::system::error_code{};
    }
    const unsigned long code = ERR_peek_last_error();
    const bool wants_write = SSL_want_write(ssl_.get());
    switch (outcome_of(result)) {
      case Outcome::nothing: {
        const boost::system::error_code error = wants_write ? co_await writable() : co_await arrival();
        if (error) co_return error;
        break;
      }
      case Outcome::ended:
        co_return boost::system::error_code(asio::ssl::error::stream_truncated);
      default:
        co_return boost::system::error_code(static_cast<int>(code), asio::error::get_ssl_category());
    }
  }
}

void TlsPipe::fetch() {
  SocketEnd& end = *end_;
  if (end.fd < 0 || end.error != 0 || (end.begin < end.end && end.end == SocketEnd::room)) return;
  end.drained = false;
  (void)take_in(end);  // an end is met again by who reads
}

TlsPipe::Outcome TlsPipe::read(char* to, std::size_t room, std::size_t& got) {
  got = 0;
  if (end_of_reading_ == Outcome::done) end_of_reading_ = read_on(to, room, got);
  const Outcome outcome = std::exchange(end_of_reading_, Outcome::done);
  if (outcome == Outcome::nothing || outcome == Outcome::done) return got > 0 ? Outcome::done : outcome;
  // What came before the end counts first.
  if (got > 0) {
    end_of_reading_ = outcome;
    return Outcome::done;
  }
  return outcome;
}

TlsPipe::Outcome TlsPipe::read_on(char* to, std::size_t room, std::size_t& got) {
  ERR_clear_error();
  for (unsigned n = 0; got < room && n < records_max; ++n) {
    if (end_->fd < 0) return Outcome::ended;
    errno = 0;
    std::size_t taken = 0;
    const int result = SSL_read_ex(ssl_.get(), to + got, room - got, &taken);
    ++records_;
    if (limit_ && limit_->broken()) {
      error_ = RecordLimit::words();
      return Outcome::broken;
    }
    if (result != 1) {
      const Outcome outcome = outcome_of(result);
      // One record without data, and there is more. (What OpenSSL has of a record whose rest is on its way is no more.)
      if (outcome == Outcome::nothing && end_->begin < end_->end) continue;
      return outcome;
    }
    got += taken;
    if (end_->drained && !has_more()) return Outcome::nothing;
  }
  return Outcome::done;
}

bool TlsPipe::queue(std::string_view bytes) {
  if (out_.size() > queue_max) return false;
  out_.append(bytes);
  return true;
}

TlsPipe::Outcome TlsPipe::flush() {
  if (end_->fd < 0) return Outcome::ended;
  ERR_clear_error();
  std::size_t sent = 0;
  Outcome outcome = Outcome::done;
  while (sent < out_.size()) {
    errno = 0;
    std::size_t n = 0;
    const int result = SSL_write_ex(ssl_.get(), out_.data() + sent, out_.size() - sent, &n);
    if (result != 1) {
      outcome = outcome_of(result);
      break;
    }
    sent += n;
  }
  out_.erase(0, sent);
  return outcome;
}

boost::system::error_code TlsPipe::watch() {
  boost::system::error_code error;
  if (end_->fd < 0) return asio::error::bad_descriptor;
  if (!socket_.is_open()) socket_.assign(protocol_, end_->fd, error);
  return error;
}

// A receive instead of a wait: that would have to arm the descriptor again each time.
asio::awaitable<boost::system::error_code> TlsPipe::arrival() {
  if (const boost::system::error_code error = watch()) co_return error;
  SocketEnd& end = *end_;
  if (end.begin < end.end) co_return boost::system::error_code{};
  ++waits_;
  const auto buffer = asio::buffer(end.bytes.get(), SocketEnd::room);
  const auto [error, got] = co_await socket_.async_receive(buffer, await_tuple);
  --waits_;
  end.begin = 0;
  end.end = got;
  end.drained = got > 0 && got < SocketEnd::room;
  const bool ours = error == asio::error::operation_aborted || error == asio::error::bad_descriptor;
  // What went wrong on the way will be seen by who reads.
  if (!ours && error.category() == boost::system::system_category()) end.error = error.value();
  co_return ours ? error : boost::system::error_code{};
}

asio::awaitable<boost::system::error_code> TlsPipe::writable() {
  if (const boost::system::error_code error = watch()) co_return error;
  ++waits_;
  const auto [error] = co_await socket_.async_wait(asio::ip::tcp::socket::wait_write, await_tuple);
  --waits_;
  co_return error;
}

void TlsPipe::leave_alone() {
  if (end_->fd < 0 || waits_ > 0 || !socket_.is_open()) return;
  boost::system::error_code error;
  (void)socket_.release(error);
}

void TlsPipe::drop() {
  if (end_->fd < 0) return;
  boost::system::error_code ignored;
  if (socket_.is_open())
    socket_.close(ignored);
  else
    ::close(end_->fd);
  end_->fd = -1;  // OpenSSL finds no descriptor any more, which may be another's by now
}

}  // namespace cvdd
