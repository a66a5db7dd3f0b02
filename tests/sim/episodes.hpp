// Single faults, each set up with care, where drawn ones would seldom meet just so. Prints what it saw.
#pragma once

#include <cstdint>
#include <string>

namespace cvdd::simtest {

// All of them, or the one of this name; true if every one was good.
bool play_episodes(std::uint64_t seed, const std::string& name);

}  // namespace cvdd::simtest
