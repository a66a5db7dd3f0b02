#include "tls_pipe.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>

namespace cvdd {

namespace {
constexpr auto await_tuple = asio::as_tuple(asio::use_awaitable);
// What one system call may bring; more costs more than it saves (docs/performance.md).
constexpr std::size_t read_ahead = 16 * 1024;

// OpenSSL's own socket BIO writes with write(2), whose SIGPIPE would end the process.
int bio_read(BIO* bio, char* to, int size) {
  BIO_clear_retry_flags(bio);
  auto& end = *static_cast<TlsPipe::SocketEnd*>(BIO_get_data(bio));
  if (end.drained) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const ssize_t n = ::recv(end.fd, to, static_cast<std::size_t>(size), 0);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) BIO_set_retry_read(bio);
  end.drained = n > 0 && n < size && end.skips;
  return static_cast<int>(n);
}
int bio_write(BIO* bio, const char* from, int size) {
  BIO_clear_retry_flags(bio);
  const int fd = static_cast<TlsPipe::SocketEnd*>(BIO_get_data(bio))->fd;
  const ssize_t n = ::send(fd, from, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) BIO_set_retry_write(bio);
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
    : socket_(std::move(socket)), protocol_(asio::ip::tcp::v4()), fd_(socket_.native_handle()), ssl_(SSL_new(context)) {
  boost::system::error_code ignored;
  protocol_ = socket_.local_endpoint(ignored).protocol();
  socket_.native_non_blocking(true, ignored);
  BIO* const bio = BIO_new(socket_method());
  end_->fd = fd_;
  BIO_set_data(bio, end_.get());
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_connect_state(ssl_.get());
  SSL_set_read_ahead(ssl_.get(), 1);
  SSL_set_default_read_buffer_len(ssl_.get(), read_ahead);
  SSL_set_mode(ssl_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
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
      error_ = system == 0 ? "closed" : std::strerror(system);
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
    ERR_clear_error();
    errno = 0;
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1) co_return boost::system::error_code{};
    const unsigned long code = ERR_peek_last_error();
    const bool wants_write = SSL_want_write(ssl_.get());
    switch (outcome_of(result)) {
      case Outcome::nothing: {
        const boost::system::error_code error = wants_write ? co_await writable() : co_await readable();
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

TlsPipe::Outcome TlsPipe::read(char* to, std::size_t room, std::size_t& got, bool again_soon) {
  got = 0;
  end_->drained = false;
  end_->skips = again_soon;
  if (fd_ < 0) return Outcome::ended;
  ERR_clear_error();
  while (got < room) {
    errno = 0;
    std::size_t n = 0;
    const int result = SSL_read_ex(ssl_.get(), to + got, room - got, &n);
    if (result != 1) {
      const Outcome outcome = outcome_of(result);
      return got > 0 && outcome == Outcome::nothing ? Outcome::done : outcome;
    }
    got += n;
  }
  return Outcome::done;
}

bool TlsPipe::queue(std::string_view bytes) {
  if (out_.size() > queue_max) return false;
  out_.append(bytes);
  return true;
}

TlsPipe::Outcome TlsPipe::flush() {
  if (fd_ < 0) return Outcome::ended;
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
  if (fd_ < 0) return asio::error::bad_descriptor;
  if (!socket_.is_open()) socket_.assign(protocol_, fd_, error);
  return error;
}

// A peek instead of a wait: that would have to arm the descriptor again each time.
asio::awaitable<boost::system::error_code> TlsPipe::readable() {
  if (const boost::system::error_code error = watch()) co_return error;
  char byte = 0;
  ++waits_;
  const auto buffer = asio::buffer(&byte, 1);
  const auto [error, got] = co_await socket_.async_receive(buffer, asio::socket_base::message_peek, await_tuple);
  --waits_;
  // What went wrong on the way will be seen by who reads.
  const bool ours = error == asio::error::operation_aborted || error == asio::error::bad_descriptor;
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
  if (fd_ < 0 || waits_ > 0 || !socket_.is_open()) return;
  boost::system::error_code error;
  (void)socket_.release(error);
}

void TlsPipe::drop() {
  if (fd_ < 0) return;
  boost::system::error_code ignored;
  if (socket_.is_open())
    socket_.close(ignored);
  else
    ::close(fd_);
  fd_ = -1;
}

}  // namespace cvdd
