// What Deribit tells beside trades. Used by its file alone.
#pragma once

#include "channels.hpp"

namespace cvdd::deribit {

extern const RowReader ticker_reader;

}  // namespace cvdd::deribit
