// Plain, gzip and zstd files as streams of bytes.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#if CVDD_WITH_ZSTD
#include <zstd.h>
#endif

#include <array>
#include <cerrno>
#include <cstring>

#include "cvdd/engine/source.hpp"

namespace cvdd::engine {

namespace {
constexpr std::size_t piece = std::size_t{128} << 10;

class Descriptor {
 public:
  explicit Descriptor(const std::string& path) : path_(path), fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (fd_ < 0) throw SourceError(fmt::format("{}: can't be opened: {}", path, std::strerror(errno)));
  }
  ~Descriptor() { ::close(fd_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] std::size_t read(char* to, std::size_t room, std::uint64_t at) const {
    while (true) {
      const ssize_t got = ::pread(fd_, to, room, static_cast<off_t>(at));
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EINTR) throw SourceError(fmt::format("{}: can't be read: {}", path_, std::strerror(errno)));
    }
  }
  void sync() const {
    // A file system that has no such thing (EINVAL, EROFS) has nothing that could get lost either.
    if (::fdatasync(fd_) == 0 || errno == EINVAL || errno == EROFS) return;
    throw SourceError(fmt::format("{}: the disk does not confirm its rows: {}", path_, std::strerror(errno)));
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  int fd_;
};

class PlainStream final : public ByteStream {
 public:
  explicit PlainStream(const SourceFile& file) : file_(file.path) {}
  std::size_t read(char* to, std::size_t room) override {
    const std::size_t got = file_.read(to, room, at_);
    if (got > 0) file_.sync();
    at_ += got;
    return got;
  }
  void skip_to(std::uint64_t offset) override { at_ = offset; }

 private:
  Descriptor file_;
  std::uint64_t at_ = 0;
};

// What packed streams share: input in pieces, and skipping by reading.
class PackedStream : public ByteStream {
 public:
  explicit PackedStream(const SourceFile& file) : file_(file.path) {}
  void skip_to(std::uint64_t offset) override {
    std::string away(piece, '\0');
    while (offset > 0) {
      const std::size_t got = read(away.data(), std::min<std::uint64_t>(offset, away.size()));
      if (got == 0) return;
      offset -= got;
    }
  }

 protected:
  // The next piece of the file; empty at its end.
  std::string_view more() {
    const std::size_t got = file_.read(in_.data(), in_.size(), at_);
    at_ += got;
    return {in_.data(), got};
  }
  [[noreturn]] void fail(const char* what) const {
    throw SourceError(
        fmt::format("{}: {}; unpack or copy it again, or put the plain file beside it", file_.path(), what));
  }

 private:
  Descriptor file_;
  std::uint64_t at_ = 0;
  std::array<char, piece> in_{};
};

class GzipStream final : public PackedStream {
 public:
  explicit GzipStream(const SourceFile& file) : PackedStream(file) {
    if (inflateInit2(&state_, 16 + MAX_WBITS) != Z_OK) fail("no memory to unpack it");
  }
  ~GzipStream() override { inflateEnd(&state_); }
  std::size_t read(char* to, std::size_t room) override {
    state_.next_out = reinterpret_cast<Bytef*>(to);
    state_.avail_out = static_cast<uInt>(room);
    while (state_.avail_out == room) {
      if (state_.avail_in == 0) {
        const std::string_view input = more();
        if (input.empty() && within_) fail("the gzip file is cut off");
        if (input.empty()) break;
        state_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
        state_.avail_in = static_cast<uInt>(input.size());
      }
      within_ = true;
      const int status = inflate(&state_, Z_NO_FLUSH);
      if (status == Z_STREAM_END) {
        within_ = false;  // another member may follow
        if (inflateReset(&state_) != Z_OK) fail("the gzip file is damaged");
      } else if (status != Z_OK && status != Z_BUF_ERROR) {
        fail("the gzip file is damaged");
      }
    }
    return room - state_.avail_out;
  }

 private:
  z_stream state_{};
  bool within_ = true;
};

#if CVDD_WITH_ZSTD
class ZstdStream final : public PackedStream {
 public:
  explicit ZstdStream(const SourceFile& file) : PackedStream(file), state_(ZSTD_createDStream()) {
    if (!state_) fail("no memory to unpack it");
    // 128 MiB of window at the most (zstd -19 --long makes no more).
    (void)ZSTD_DCtx_setParameter(state_.get(), ZSTD_d_windowLogMax, 27);
  }
  std::size_t read(char* to, std::size_t room) override {
    ZSTD_outBuffer out{to, room, 0};
    while (out.pos == 0) {
      if (in_.pos == in_.size) {
        const std::string_view input = more();
        if (input.empty() && within_) fail("the zstd file is cut off");
        if (input.empty()) break;
        in_ = {input.data(), input.size(), 0};
      }
      const std::size_t left = ZSTD_decompressStream(state_.get(), &out, &in_);
      if (ZSTD_isError(left) != 0) fail("the zstd file is damaged");
      within_ = left != 0;
    }
    return out.pos;
  }

 private:
  struct Free {
    void operator()(ZSTD_DStream* s) const { ZSTD_freeDStream(s); }
  };
  std::unique_ptr<ZSTD_DStream, Free> state_;
  ZSTD_inBuffer in_{nullptr, 0, 0};
  bool within_ = true;
};
#endif
}  // namespace

bool can_unpack(Packing packing) { return packing != Packing::zstd || CVDD_WITH_ZSTD != 0; }

std::unique_ptr<ByteStream> open_stream(const SourceFile& file) {
  switch (file.packing) {
    case Packing::none:
      return std::make_unique<PlainStream>(file);
    case Packing::gzip:
      return std::make_unique<GzipStream>(file);
    case Packing::zstd:
#if CVDD_WITH_ZSTD
      return std::make_unique<ZstdStream>(file);
#else
      throw SourceError(file.path +
                        ": this cvdd-engine was built without zstd; install libzstd-dev and build it again, " +
                        "or unpack the file");
#endif
  }
  return nullptr;
}

std::optional<std::uint64_t> stated_size(const SourceFile& file) {
  if (file.packing == Packing::gzip && file.size >= 18) {
    // Modulo 2^32, of the last member: good for gzip's own files, and a day is smaller.
    std::array<unsigned char, 4> end{};
    if (Descriptor(file.path).read(reinterpret_cast<char*>(end.data()), end.size(), file.size - 4) != 4) return {};
    return std::uint64_t{end[0]} | std::uint64_t{end[1]} << 8 | std::uint64_t{end[2]} << 16 |
           std::uint64_t{end[3]} << 24;
  }
#if CVDD_WITH_ZSTD
  if (file.packing == Packing::zstd) {
    std::array<char, 32> head{};
    const std::size_t got = Descriptor(file.path).read(head.data(), head.size(), 0);
    const unsigned long long size = ZSTD_getFrameContentSize(head.data(), got);
    if (size != ZSTD_CONTENTSIZE_UNKNOWN && size != ZSTD_CONTENTSIZE_ERROR) return size;
  }
#endif
  return std::nullopt;
}

}  // namespace cvdd::engine
