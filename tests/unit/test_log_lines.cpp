// Every warning and error in the source has its row in docs/operations.md.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "catch.hpp"
#include "source_dir.hpp"

namespace fs = std::filesystem;
using cvdd::source_dir;

namespace {
std::string text_of(const fs::path& path) {
  std::ifstream in(path);
  REQUIRE(in);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// The arguments of a call whose opening bracket ends before `at`.
std::string arguments(const std::string& code, std::size_t at) {
  std::size_t end = at;
  bool quoted = false;
  for (int depth = 1; end < code.size() && depth > 0; ++end) {
    const char c = code[end];
    if (quoted && c == '\\') {
      ++end;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted) {
      depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    }
  }
  static const std::regex joint(R"("\s*\n\s*")");
  return std::regex_replace(code.substr(at, end - at - 1), joint, "");
}

// The words by which somebody would look a line up: the longest run of its own text before the first key=, up to where
// a sentence goes on. Empty: the line is made elsewhere.
std::string words_of(const std::string& call) {
  static const std::regex literal(R"re("((?:[^"\\]|\\.)*)")re"), key(R"( [a-z_]+=)"), filled(R"(\{[^}]*\})"),
      rest(R"([:;,].*)");
  std::string best;
  for (std::sregex_iterator it(call.begin(), call.end(), literal), end; it != end; ++it) {
    std::string text = (*it)[1];
    std::smatch at;
    if (std::regex_search(text, at, key)) text.resize(static_cast<std::size_t>(at.position()));
    for (std::sregex_token_iterator piece(text.begin(), text.end(), filled, -1), none; piece != none; ++piece) {
      std::string words = *piece;
      std::erase_if(words, [](char c) { return c == '`' || c == '\\'; });
      words.erase(0, words.find_first_not_of(" :;,"));
      const std::string whole = words;
      words = std::regex_replace(words, rest, "");
      if (words.size() < 12) words = whole;
      while (!words.empty() && words.back() == ' ') words.pop_back();
      if (words.size() > best.size()) best = words;
    }
  }
  return best.size() < 8 ? "" : best;
}
}  // namespace

TEST_CASE("every warning and every error of the source has its row in docs/operations.md") {
  const std::string manual = text_of(fs::path(source_dir()) / "docs/operations.md");
  const std::regex call(
      R"((spdlog::(warn|error|critical)|log_answer|notes_\.push_back|on_problem|on_note|complain)\()");
  const std::regex ledger_call(R"(errors_\.push_back\()");
  std::size_t found = 0;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(source_dir()) / "src")) {
    if (entry.path().extension() != ".cpp") continue;
    const std::string code = text_of(entry.path());
    const bool ledger = entry.path().parent_path().filename() == "ledger";
    for (const std::regex* kind : {&call, &ledger_call}) {
      if (kind == &ledger_call && !ledger) continue;
      for (std::sregex_iterator it(code.begin(), code.end(), *kind), end; it != end; ++it) {
        const auto at = static_cast<std::size_t>(it->position() + it->length());
        const std::string words = words_of(arguments(code, at));
        if (words.empty()) continue;
        ++found;
        INFO(entry.path().filename().string() << ": " << words);
        CHECK(manual.find(words) != std::string::npos);
      }
    }
  }
  CHECK(found > 50);
}

TEST_CASE("the words by which a log line is looked up") {
  CHECK(words_of(R"("can't connect, trying again session=\"{}\" host={}:{}", a, b)") == "can't connect");
  CHECK(words_of(R"("{}", error.what())").empty());
  CHECK(words_of(R"(fmt::format("{}: is damaged: everything is read again", path))") ==
        "is damaged: everything is read again");
}
