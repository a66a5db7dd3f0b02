#include <limits>

#include "catch.hpp"
#include "cvdd/base/decimal.hpp"

using namespace cvdd;

namespace {
std::string printed(std::string_view text) {
  const auto d = parse_decimal(text);
  return d ? to_string(*d) : "refused";
}
Decimal dec(std::string_view text) { return parse_sum(text).value(); }
constexpr Int128 largest = (((Int128{1} << 126) - 1) << 1) + 1;
}  // namespace

TEST_CASE("numbers are read exactly and printed plainly") {
  CHECK(printed("58001.03000000") == "58001.03");
  CHECK(printed("0.08620500") == "0.086205");
  CHECK(printed("-0.50") == "-0.5");
  CHECK(printed("0.000") == "0");
  CHECK(printed("-0") == "0");
  CHECK(printed("100") == "100");
  CHECK(printed("1.8E-4") == "0.00018");
  CHECK(printed("2.2e3") == "2200");
  CHECK(printed("1.16539E8") == "116539000");
  CHECK(printed("0.000000000000000001") == "0.000000000000000001");
}

TEST_CASE("what is not one number is refused") {
  for (const char* text : {"",
                           "-",
                           "+1",
                           ".5",
                           "1.",
                           "01",
                           "NaN",
                           "Infinity",
                           " 1",
                           "1 ",
                           "1,5",
                           "0x1",
                           "1e",
                           "1e+",
                           "1e999",
                           "1.2.3",
                           "--1",
                           "1234567890123456789",
                           "0.0000000000000000001",
                           "1e41"}) {
    INFO(text);
    CHECK(printed(text) == "refused");
  }
}

TEST_CASE("printing and reading are inverse") {
  std::uint64_t state = 7;
  for (int i = 0; i < 20'000; ++i) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    const Int128 mantissa = static_cast<Int128>(static_cast<std::int64_t>(state)) * static_cast<std::int64_t>(i + 1);
    const Decimal value(mantissa, static_cast<unsigned>(state >> 58) % 37);
    const auto again = parse_sum(to_string(value));
    REQUIRE(again.has_value());
    REQUIRE(*again == value);
  }
}

TEST_CASE("overflow is reported, never wrapped") {
  CHECK_FALSE(add(Decimal(largest, 0), Decimal(1, 0)).has_value());
  CHECK_FALSE(multiply(Decimal(largest, 0), Decimal(2, 0)).has_value());
  CHECK(add(Decimal(largest, 0), Decimal(-1, 0)).has_value());
  CHECK_FALSE(add(Decimal(largest, 0), Decimal(1, 18)).has_value());
}

TEST_CASE("division rounds half to even, both signs") {
  const auto divided = [](std::string_view a, std::string_view b, unsigned decimals) {
    return to_string(divide_half_even(dec(a), dec(b), decimals).value());
  };
  CHECK(divided("1", "8", 2) == "0.12");
  CHECK(divided("3", "8", 2) == "0.38");
  CHECK(divided("-1", "8", 2) == "-0.12");
  CHECK(divided("-3", "8", 2) == "-0.38");
  CHECK(divided("400", "61804.8", 12) == "0.006471989231");
  CHECK(divided("0", "3", 12) == "0");
  CHECK(divided("1000000", "0.00000001", 12) == "100000000000000");
  CHECK_FALSE(divide_half_even(dec("1"), Decimal{}, 12).has_value());
}

TEST_CASE("values are compared, not representations") {
  CHECK(Decimal(10, 1) == Decimal(1, 0));
  CHECK(dec("-2") < dec("-1.5"));
  CHECK(Decimal(largest, 0) > Decimal(1, 36));
  CHECK(Decimal(-largest, 0) < Decimal(1, 36));
}
