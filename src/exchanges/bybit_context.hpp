// What Bybit tells beside trades. Used by its file alone.
#pragma once

#include "channels.hpp"

namespace cvdd::bybit {

extern const RowReader book_reader, ticker_reader, closed_reader;

}  // namespace cvdd::bybit
