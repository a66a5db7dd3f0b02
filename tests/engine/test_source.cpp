// Day files as they are read: whole lines only, whatever becomes of the file.
#include <zlib.h>

#include <random>

#include "catch.hpp"
#include "cvdd/engine/source.hpp"
#include "engine/folder.hpp"

using namespace cvdd::engine;
using engine_test::Folder;

namespace {
void gzip(const std::string& from, const std::string& to, std::size_t cut = 0) {
  std::ifstream in(from, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  gzFile out = gzopen(to.c_str(), "wb");
  gzwrite(out, text.data(), static_cast<unsigned>(text.size()));
  gzclose(out);
  if (cut > 0) std::filesystem::resize_file(to, std::filesystem::file_size(to) - cut);
}

SourceFile only(const Folder& folder) {
  const auto files = list_sources(folder.path());
  REQUIRE(files.size() == 1);
  return files[0];
}

std::string read_all(SourceReader& reader, std::size_t piece = 100) {
  std::string out;
  for (std::string_view text; !(text = reader.next(piece)).empty();) out += text;
  return out;
}
}  // namespace

TEST_CASE("names of day files") {
  CHECK(source_from("cvd-2026-11-20.csv")->part == 0);
  CHECK(source_from("cvd-2026-11-20.12.csv")->part == 12);
  CHECK(source_from("cvd-2026-11-20.csv.gz")->packing == Packing::gzip);
  CHECK(source_from("cvd-2026-11-20.1.csv.zst")->name == "cvd-2026-11-20.1.csv");
  CHECK(source_from("context-2026-11-20.csv")->kind == RowKind::context);
  for (const char* other :
       {"latest.csv", "cvd-2026-13-20.csv", "cvd-2026-11-20.csv.tmp", "cvd-2026-11-20.0.csv", "journal.redo",
        "cvd-2026-11-20..csv", "cvd-2026-11-20.1x.csv", "cvd-.csv", "", "-", "other-2026-11-20.csv"}) {
    CHECK_FALSE(source_from(other));
  }
}

TEST_CASE("files come by day and part, the bars first, the plain one before the packed one") {
  Folder folder;
  for (const char* name : {"cvd-2026-11-21.csv", "cvd-2026-11-20.10.csv", "cvd-2026-11-20.2.csv",
                           "cvd-2026-11-20.csv.gz", "cvd-2026-11-21.csv.zst", "latest.csv", "context-2026-11-20.csv",
                           "latest-context.csv", "flow-2026-11-20.csv"}) {
    folder.write(name, "x");
  }
  std::filesystem::create_symlink("cvd-2026-11-21.csv", folder / "cvd-2026-11-22.csv");
  std::vector<std::string> names;
  for (const auto& file : list_sources(folder.path())) names.push_back(file.path.substr(folder.path().size() + 1));
  CHECK(names == std::vector<std::string>{"cvd-2026-11-20.csv.gz", "cvd-2026-11-20.2.csv", "cvd-2026-11-20.10.csv",
                                          "context-2026-11-20.csv", "flow-2026-11-20.csv", "cvd-2026-11-21.csv"});
  CHECK_THROWS_WITH(list_sources(folder / "none"), Catch::Contains("data_dir"));
}

TEST_CASE("a row that is being written is left until it is whole") {
  Folder folder;
  folder.write("cvd-2026-11-20.csv", "one\ntwo\nthr");
  SourceReader reader(only(folder), {});
  CHECK(read_all(reader) == "one\ntwo\n");
  CHECK(reader.position().offset == 8);
  folder.append("cvd-2026-11-20.csv", "ee");
  CHECK(read_all(reader).empty());
  folder.append("cvd-2026-11-20.csv", "\nfour\n");
  CHECK(read_all(reader) == "three\nfour\n");
  // Another reader goes on there.
  SourceReader next(only(folder), reader.position());
  CHECK_FALSE(next.restarted());
  CHECK(read_all(next).empty());
}

TEST_CASE("every way of cutting a file into pieces gives the same lines and positions") {
  Folder folder;
  std::mt19937 random(7);
  std::string text;
  for (int i = 0; i < 3'000; ++i) text += std::string(random() % 200, 'x') + std::to_string(i) + "\n";
  folder.write("cvd-2026-11-20.csv", text);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{70'000}, std::size_t{200'000}, std::size_t{1} << 20}) {
    SourceReader reader(only(folder), {});
    CHECK(read_all(reader, piece) == text);
    CHECK(reader.position().offset == text.size());
  }
  // … and begun anywhere.
  SourceReader reader(only(folder), {});
  std::string read(reader.next(1));
  while (read.size() < text.size()) {
    SourceReader next(only(folder), reader.position());
    REQUIRE_FALSE(next.restarted());
    CHECK(read_all(next) == text.substr(read.size()));
    read += reader.next(1);
  }
}

TEST_CASE("a file that is not what it was is read from its beginning") {
  Folder folder;
  folder.write("cvd-2026-11-20.csv", "one\ntwo\n");
  SourceReader reader(only(folder), {});
  (void)read_all(reader);
  for (const char* now : {"uno\ndos\ntres\n", "one\n", "", "one\ntwX\n"}) {
    folder.write("cvd-2026-11-20.csv", now);
    SourceReader again(only(folder), reader.position());
    CHECK(again.restarted());
    CHECK(read_all(again) == now);
  }
}

TEST_CASE("packing a file does not make it another") {
  Folder folder;
  folder.write("cvd-2026-11-20.csv", "one\ntwo\nthree\n");
  SourceReader reader(only(folder), {});
  CHECK(reader.next(1) == "one\ntwo\nthree\n");
  const Position all = reader.position();
  gzip(folder / "cvd-2026-11-20.csv", folder / "cvd-2026-11-20.csv.gz");
  std::filesystem::remove(folder / "cvd-2026-11-20.csv");
  CHECK(stated_size(only(folder)) == 14);
  SourceReader packed(only(folder), all);
  CHECK_FALSE(packed.restarted());
  CHECK(read_all(packed).empty());
  SourceReader whole(only(folder), {});
  CHECK(read_all(whole) == "one\ntwo\nthree\n");
}

TEST_CASE("a packed file that is damaged is refused before a row of it is believed") {
  Folder folder;
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += "line " + std::to_string(i * 7'919) + "\n";
  folder.write("plain", text);
  gzip(folder / "plain", folder / "cvd-2026-11-20.csv.gz", 3);  // its checksum is cut
  CHECK_THROWS_WITH(SourceReader(only(folder), {}), Catch::Contains("cut off"));
  gzip(folder / "plain", folder / "cvd-2026-11-20.csv.gz");
  {
    std::fstream file(folder / "cvd-2026-11-20.csv.gz", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(40'000);
    file.put('\x55');
  }
  CHECK_THROWS_WITH(SourceReader(only(folder), {}), Catch::Contains("damaged"));
  folder.write("cvd-2026-11-20.csv.gz", "not gzip at all, but long enough for a header");
  CHECK_THROWS_AS(SourceReader(only(folder), {}), SourceError);
}

#if CVDD_WITH_ZSTD
TEST_CASE("zstd files are read, and refused when they are damaged") {
  Folder folder;
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += "line " + std::to_string(i * 7'919) + "\n";
  folder.write("cvd-2026-11-20.csv", text);
  if (std::system(("zstd -q --rm " + (folder / "cvd-2026-11-20.csv")).c_str()) != 0) {
    WARN("SKIPPED: there is no program zstd to pack a file with");
    return;
  }
  SourceReader reader(only(folder), {});
  CHECK(read_all(reader, 100'000) == text);
  CHECK(stated_size(only(folder)) == text.size());
  SourceReader behind(only(folder), reader.position());
  CHECK_FALSE(behind.restarted());
  std::filesystem::resize_file(folder / "cvd-2026-11-20.csv.zst",
                               std::filesystem::file_size(folder / "cvd-2026-11-20.csv.zst") - 2);
  CHECK_THROWS_AS(SourceReader(only(folder), {}), SourceError);
}
#endif

TEST_CASE("what has no line ends is no file of rows") {
  Folder folder;
  folder.write("cvd-2026-11-20.csv", "one\n" + std::string(200'000, 'x'));
  SourceReader reader(only(folder), {});
  CHECK(reader.next(1) == "one\n");
  CHECK_THROWS_WITH(reader.next(1), Catch::Contains("no row at byte 4"));
}
