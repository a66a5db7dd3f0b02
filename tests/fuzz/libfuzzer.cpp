// One libFuzzer program for each target; which one, the build says.
#include "fuzz/targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  cvdd::fuzz::CVDD_FUZZ_TARGET(data, size);
  return 0;
}
