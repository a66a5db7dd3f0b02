// What Bitget tells beside trades. Used by its file alone.
#pragma once

#include "channels.hpp"

namespace cvdd::bitget {

extern const RowReader ticker_reader;

}  // namespace cvdd::bitget
