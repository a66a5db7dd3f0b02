// The program's main, and what failed once more at the very end: tests with threads log so much that it would be lost.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#include <iostream>
#include <sstream>
#include <string>

namespace {
struct FailuresAgain : Catch::TestEventListenerBase {
  using TestEventListenerBase::TestEventListenerBase;

  void testCaseStarting(const Catch::TestCaseInfo& info) override { test_ = info.name; }
  bool assertionEnded(const Catch::AssertionStats& stats) override {
    const Catch::AssertionResult& result = stats.assertionResult;
    if (result.isOk() || ++count_ > shown_max) return true;
    std::ostringstream out;
    out << test_ << "\n  " << result.getSourceInfo() << ": " << result.getExpressionInMacro() << "\n  "
        << result.getExpandedExpression() << '\n';
    for (const auto& info : stats.infoMessages) out << "  " << info.message.substr(0, info_max) << '\n';
    text_ += out.str();
    return true;
  }
  void testRunEnded(const Catch::TestRunStats&) override {
    if (count_ > 0) std::cerr << "\n" << count_ << " assertions failed, the first of them:\n" << text_ << std::flush;
  }

 private:
  static constexpr std::size_t shown_max = 8, info_max = 1'000;
  std::string test_, text_;
  std::size_t count_ = 0;
};
CATCH_REGISTER_LISTENER(FailuresAgain)
}  // namespace
