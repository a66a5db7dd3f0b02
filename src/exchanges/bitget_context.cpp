// Docs: https://www.bitget.com/api-doc/contract/websocket/public/Tickers-Channel (checked 2026-11-27), "Market Channel"
// of spot beside it. Sample:
// {"action":"snapshot","arg":{"instType":"USDT-FUTURES","channel":"ticker","instId":"BTCUSDT"},"data":[{"instId":
//  "BTCUSDT","lastPr":"27000.5","bidPr":"27000","askPr":"27000.5","bidSz":"2.71","askSz":"8.76","fundingRate":"0.000010",
//  "nextFundingTime":"1695722400000","markPrice":"27000.0","indexPrice":"25702.4","holdingAmount":"929.502",
//  "ts":"1695715383021"}],"ts":1695715383039}
// Sizes and open interest (holdingAmount): base units, of coin futures too.
#include "bitget_context.hpp"

#include "beside.hpp"

namespace cvdd::bitget {

namespace {

using fields::Ticker;
using json::Slot;

constexpr Slot<Ticker> ticker_slots[] = {
    {"instId", &Ticker::symbol},           {"ts", &Ticker::time},           {"bidPr", &Ticker::bid},
    {"bidSz", &Ticker::bid_size},          {"askPr", &Ticker::ask},         {"askSz", &Ticker::ask_size},
    {"markPrice", &Ticker::mark},          {"indexPrice", &Ticker::index},  {"fundingRate", &Ticker::rate},
    {"nextFundingTime", &Ticker::applies}, {"holdingAmount", &Ticker::open}};
}  // namespace

constinit const RowReader ticker_reader = beside_rows<ticker_slots, fields::take_ticker>;

}  // namespace cvdd::bitget
