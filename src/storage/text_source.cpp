#include "text_source.hpp"

#include <zlib.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <vector>

#if CVDD_WITH_ZSTD
#include <zstd.h>
#endif

namespace cvdd {

namespace {
constexpr std::string_view zstd_magic = "\x28\xB5\x2F\xFD";

// Plain text as well: zlib hands on what is not packed.
class GzipSource final : public TextSource {
 public:
  explicit GzipSource(const std::string& path) : path_(path), file_(gzopen(path.c_str(), "rb")) {
    if (!file_) throw std::runtime_error(path + ": can't be opened: " + std::strerror(errno));
    gzbuffer(file_.get(), 256 * 1024);
  }
  std::size_t read(std::span<char> out) override {
    const int n = gzread(file_.get(), out.data(), static_cast<unsigned>(out.size()));
    int error = Z_OK;
    const char* text = gzerror(file_.get(), &error);
    torn_ = torn_ || error == Z_BUF_ERROR;
    if (n < 0 && error != Z_BUF_ERROR) throw std::runtime_error(path_ + ": can't be decompressed: " + text);
    return n < 0 ? 0 : static_cast<std::size_t>(n);
  }
  [[nodiscard]] bool torn() const override { return torn_; }

 private:
  struct Close {
    void operator()(gzFile file) const { gzclose(file); }
  };
  std::string path_;
  std::unique_ptr<gzFile_s, Close> file_;
  bool torn_ = false;
};

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

#if CVDD_WITH_ZSTD
class ZstdSource final : public TextSource {
 public:
  ZstdSource(const std::string& path, File file)
      : path_(path), file_(std::move(file)), stream_(ZSTD_createDStream()), packed_(ZSTD_DStreamInSize()) {
    if (!stream_) throw std::bad_alloc();
    // A window as our own files have it, and `zstd -19`; what needs more is refused, and costs no memory.
    ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, 27);
  }
  std::size_t read(std::span<char> out) override {
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    while (to.pos == 0) {
      if (in_.pos == in_.size) {
        in_ = {packed_.data(), std::fread(packed_.data(), 1, packed_.size(), file_.get()), 0};
        if (in_.size == 0) {
          torn_ = wanted_ > 0;
          return 0;
        }
      }
      wanted_ = ZSTD_decompressStream(stream_.get(), &to, &in_);
      if (ZSTD_isError(wanted_) != 0) {
        throw std::runtime_error(path_ + ": can't be decompressed: " + ZSTD_getErrorName(wanted_));
      }
    }
    return to.pos;
  }
  [[nodiscard]] bool torn() const override { return torn_; }

 private:
  struct Free {
    void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
  };
  std::string path_;
  File file_;
  std::unique_ptr<ZSTD_DStream, Free> stream_;
  std::vector<char> packed_;
  ZSTD_inBuffer in_{nullptr, 0, 0};
  std::size_t wanted_ = 0;  // by the frame at hand; 0: it is whole
  bool torn_ = false;
};
#endif
}  // namespace

std::unique_ptr<TextSource> open_text(const std::string& path) {
  File file(std::fopen(path.c_str(), "rb"));
  if (!file) throw std::runtime_error(path + ": can't be opened: " + std::strerror(errno));
  std::array<char, 4> begin{};
  const std::size_t n = std::fread(begin.data(), 1, begin.size(), file.get());
  if (std::string_view(begin.data(), n) != zstd_magic) return std::make_unique<GzipSource>(path);
#if CVDD_WITH_ZSTD
  std::rewind(file.get());
  return std::make_unique<ZstdSource>(path, std::move(file));
#else
  throw std::runtime_error(path + ": is zstd, and this cvdd was built without libzstd: unpack it (zstd -d)");
#endif
}

}  // namespace cvdd
