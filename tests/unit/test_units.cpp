// What a size means, exchange by exchange and market by market: real contracts, by the exchange's own list and
// messages, against arithmetic that anybody can do again. One buy and one sell each.
#include <fmt/format.h>

#include <map>

#include "answers.hpp"
#include "catch.hpp"
#include "cvdd/feed/intake.hpp"
#include "cvdd/ledger/ledger.hpp"

using namespace cvdd;

namespace {
struct Line {
  const char* exchange;
  Market market;
  const char* listed;    // as its list of instruments describes it
  const char* messages;  // one buy, one sell
  const char* quote;     // currency
  const char* buy_base;
  const char* buy_quote;
  const char* sell_base;
  const char* sell_quote;
  const char* delta_base;
  const char* delta_quote;
};

std::string wrap(const Line& line) {
  const std::string exchange = line.exchange, rows = line.listed;
  if (exchange == "binance") return R"({"symbols":[)" + rows + "]}";
  if (exchange == "okx") return R"({"code":"0","msg":"","data":[)" + rows + "]}";
  if (exchange == "bitget") return R"({"code":"00000","msg":"success","data":[)" + rows + "]}";
  if (exchange == "dydx") return R"({"markets":{"X":)" + rows + "}}";
  if (exchange == "deribit") return R"({"jsonrpc":"2.0","result":[)" + rows + "]}";
  if (exchange == "bybit") {
    return fmt::format(R"({{"retCode":0,"retMsg":"OK","result":{{"category":"{}","list":[{}]}}}})",
                       name_of(line.market), rows);
  }
  if (exchange == "kraken_futures") return R"({"result":"success","instruments":[)" + rows + "]}";
  if (exchange == "kraken") return R"({"error":[],"result":{"PAIR":)" + rows + "}}";
  return "[" + rows + "]";
}

const Line lines[] =
    {
        // ---- Binance. Spot: q is base. 0.5 × 60000.1 = 30000.05; 0.25 × 60000.2 = 15000.05
        {"binance", Market::spot, R"({"symbol":"BTCUSDT","status":"TRADING","baseAsset":"BTC","quoteAsset":"USDT"})",
         R"({"e":"aggTrade","s":"BTCUSDT","a":1,"p":"60000.10","q":"0.50","f":1,"l":1,"T":1700000000000,"m":false}
        {"e":"aggTrade","s":"BTCUSDT","a":2,"p":"60000.20","q":"0.25","f":2,"l":2,"T":1700000000001,"m":true})",
         "USDT", "0.5", "30000.05", "0.25", "15000.05", "0.25", "15000"},
        // 1234567 PEPE × 0.00000445 = 5.49382315; 1000000 × 0.00000444 = 4.44
        {"binance", Market::spot, R"({"symbol":"PEPEUSDT","status":"TRADING","baseAsset":"PEPE","quoteAsset":"USDT"})",
         R"({"e":"aggTrade","s":"PEPEUSDT","a":1,"p":"0.00000445","q":"1234567","f":1,"l":1,"T":1700000000000,"m":false}
        {"e":"aggTrade","s":"PEPEUSDT","a":2,"p":"0.00000444","q":"1000000","f":2,"l":2,"T":1700000000001,"m":true})",
         "USDT", "1234567", "5.49382315", "1000000", "4.44", "234567", "1.05382315"},
        // USD-M: q is base, no multiplier. 0.002 × 83091.7 = 166.1834; 0.001 × 83091.6 = 83.0916
        {"binance", Market::linear,
         R"({"symbol":"BTCUSDT","status":"TRADING","baseAsset":"BTC","quoteAsset":"USDT","marginAsset":"USDT"})",
         R"({"e":"aggTrade","s":"BTCUSDT","a":1,"p":"83091.70","q":"0.002","f":1,"l":1,"T":1700000000000,"m":false,"st":1}
        {"e":"aggTrade","s":"BTCUSDT","a":2,"p":"83091.60","q":"0.001","f":2,"l":2,"T":1700000000001,"m":true,"st":1})",
         "USDT", "0.002", "166.1834", "0.001", "83.0916", "0.001", "83.0918"},
        // 1000PEPE: a unit is a thousand PEPE, and its own base. 10403 × 0.0044478 = 46.2704634; 3 × 0.0044477 =
        // 0.0133431
        {"binance", Market::linear,
         R"({"symbol":"1000PEPEUSDT","status":"TRADING","baseAsset":"1000PEPE","quoteAsset":"USDT","marginAsset":"USDT"})",
         R"({"e":"aggTrade","s":"1000PEPEUSDT","a":1,"p":"0.0044478","q":"10403","f":1,"l":1,"T":1700000000000,"m":false}
        {"e":"aggTrade","s":"1000PEPEUSDT","a":2,"p":"0.0044477","q":"3","f":2,"l":2,"T":1700000000001,"m":true})",
         "USDT", "10403", "46.2704634", "3", "0.0133431", "10400", "46.2571203"},
        // COIN-M: contracts of 100 USD. 5 × 100 = 500; 500 ÷ 80000 = 0.00625. 2 × 100 = 200; ÷ 80000 = 0.0025
        {"binance", Market::inverse,
         R"({"symbol":"BTCUSD_PERP","contractStatus":"TRADING","contractSize":100,"baseAsset":"BTC","quoteAsset":"USD"})",
         R"({"e":"aggTrade","s":"BTCUSD_PERP","a":1,"p":"80000","q":"5","f":1,"l":1,"T":1700000000000,"m":false}
        {"e":"aggTrade","s":"BTCUSD_PERP","a":2,"p":"80000","q":"2","f":2,"l":2,"T":1700000000001,"m":true})",
         "USD", "0.00625", "500", "0.0025", "200", "0.00375", "300"},
        // … of 10 USD. 30 ÷ 2543.5 = 0.011794770984869274… → 0.011794770985; 10 ÷ 2543.5 = 0.003931590328287792…
        {"binance", Market::inverse,
         R"({"symbol":"ETHUSD_PERP","contractStatus":"TRADING","contractSize":10,"baseAsset":"ETH","quoteAsset":"USD"})",
         R"({"e":"aggTrade","s":"ETHUSD_PERP","a":1,"p":"2543.5","q":"3","f":1,"l":1,"T":1700000000000,"m":false}
        {"e":"aggTrade","s":"ETHUSD_PERP","a":2,"p":"2543.5","q":"1","f":2,"l":2,"T":1700000000001,"m":true})",
         "USD", "0.011794770985", "30", "0.003931590328", "10", "0.007863180657", "20"},

        // ---- OKX. Spot: sz is base. 0.00504905 × 78808.8 = 397.90957164; 0.00001 × 78808.7 = 0.788087
        {"okx", Market::spot,
         R"({"instType":"SPOT","instId":"BTC-USDT","baseCcy":"BTC","quoteCcy":"USDT","state":"live"})",
         R"({"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT","tradeId":"1","px":"78808.8","sz":"0.00504905","side":"buy","ts":"1700000000000","count":"1"}]}
        {"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT","tradeId":"2","px":"78808.7","sz":"0.00001","side":"sell","ts":"1700000000001","count":"1"}]})",
         "USDT", "0.00504905", "397.90957164", "0.00001", "0.788087", "0.00503905", "397.12148464"},
        // 0.4135 × 1500 = 620.25; 1 × 1500 = 1500
        {"okx", Market::spot,
         R"({"instType":"SPOT","instId":"ETH-EUR","baseCcy":"ETH","quoteCcy":"EUR","state":"live"})",
         R"({"arg":{"channel":"trades","instId":"ETH-EUR"},"data":[{"instId":"ETH-EUR","tradeId":"1","px":"1500","sz":"0.4135","side":"buy","ts":"1700000000000"}]}
        {"arg":{"channel":"trades","instId":"ETH-EUR"},"data":[{"instId":"ETH-EUR","tradeId":"2","px":"1500","sz":"1","side":"sell","ts":"1700000000001"}]})",
         "EUR", "0.4135", "620.25", "1", "1500", "-0.5865", "-879.75"},
        // Linear: contracts of 0.01 BTC. 7 × 0.01 = 0.07; × 43568.8 = 3049.816. 0.5 × 0.01 = 0.005; × 43568.8 = 217.844
        {"okx", Market::linear,
         R"({"instType":"SWAP","instId":"BTC-USDT-SWAP","ctType":"linear","ctVal":"0.01","ctMult":"1","ctValCcy":"BTC","settleCcy":"USDT","instFamily":"BTC-USDT","baseCcy":"","quoteCcy":"","state":"live"})",
         R"({"arg":{"channel":"trades","instId":"BTC-USDT-SWAP"},"data":[{"instId":"BTC-USDT-SWAP","tradeId":"1","px":"43568.8","sz":"7","side":"buy","ts":"1700000000000"}]}
        {"arg":{"channel":"trades","instId":"BTC-USDT-SWAP"},"data":[{"instId":"BTC-USDT-SWAP","tradeId":"2","px":"43568.8","sz":"0.5","side":"sell","ts":"1700000000001"}]})",
         "USDT", "0.07", "3049.816", "0.005", "217.844", "0.065", "2831.972"},
        // … of 0.1 ETH. 12 × 0.1 = 1.2; × 2543.17 = 3051.804. 1 × 0.1 = 0.1; × 2543 = 254.3
        {"okx", Market::linear,
         R"({"instType":"SWAP","instId":"ETH-USDT-SWAP","ctType":"linear","ctVal":"0.1","ctMult":"1","ctValCcy":"ETH","settleCcy":"USDT","instFamily":"ETH-USDT","state":"live"})",
         R"({"arg":{"channel":"trades","instId":"ETH-USDT-SWAP"},"data":[{"instId":"ETH-USDT-SWAP","tradeId":"1","px":"2543.17","sz":"12","side":"buy","ts":"1700000000000"}]}
        {"arg":{"channel":"trades","instId":"ETH-USDT-SWAP"},"data":[{"instId":"ETH-USDT-SWAP","tradeId":"2","px":"2543","sz":"1","side":"sell","ts":"1700000000001"}]})",
         "USDT", "1.2", "3051.804", "0.1", "254.3", "1.1", "2797.504"},
        // Inverse: contracts of 100 USD. 100 ÷ 43574.9 = 0.00229489912770884… ; 300 ÷ 43574.9 = 0.00688469738312652…
        {"okx", Market::inverse,
         R"({"instType":"SWAP","instId":"BTC-USD-SWAP","ctType":"inverse","ctVal":"100","ctMult":"1","ctValCcy":"USD","settleCcy":"BTC","instFamily":"BTC-USD","baseCcy":"","quoteCcy":"","state":"live"})",
         R"({"arg":{"channel":"trades","instId":"BTC-USD-SWAP"},"data":[{"instId":"BTC-USD-SWAP","tradeId":"1","px":"43574.9","sz":"1","side":"buy","ts":"1700000000000"}]}
        {"arg":{"channel":"trades","instId":"BTC-USD-SWAP"},"data":[{"instId":"BTC-USD-SWAP","tradeId":"2","px":"43574.9","sz":"3","side":"sell","ts":"1700000000001"}]})",
         "USD", "0.002294899128", "100", "0.006884697383", "300", "-0.004589798255", "-200"},
        // … of 10 USD. 110 ÷ 40 = 2.75; 10 ÷ 40 = 0.25
        {"okx", Market::inverse,
         R"({"instType":"FUTURES","instId":"FIL-USD-261225","ctType":"inverse","ctVal":"10","ctMult":"1","ctValCcy":"USD","settleCcy":"FIL","instFamily":"FIL-USD","state":"live"})",
         R"({"arg":{"channel":"trades","instId":"FIL-USD-261225"},"data":[{"instId":"FIL-USD-261225","tradeId":"1","px":"40","sz":"11","side":"buy","ts":"1700000000000"}]}
        {"arg":{"channel":"trades","instId":"FIL-USD-261225"},"data":[{"instId":"FIL-USD-261225","tradeId":"2","px":"40","sz":"1","side":"sell","ts":"1700000000001"}]})",
         "USD", "2.75", "110", "0.25", "10", "2.5", "100"},
        // Option: ctVal 1 × ctMult 0.01 BTC. 3 × 0.01 = 0.03; × 0.0005 = 0.000015 BTC of premium. 1 × 0.01; × 0.0005
        {"okx", Market::option,
         R"({"instType":"OPTION","instId":"BTC-USD-261225-92000-C","ctVal":"1","ctMult":"0.01","ctValCcy":"BTC","settleCcy":"BTC","instFamily":"BTC-USD","state":"live"})",
         R"({"arg":{"channel":"trades","instId":"BTC-USD-261225-92000-C"},"data":[{"instId":"BTC-USD-261225-92000-C","tradeId":"1","px":"0.0005","sz":"3","side":"buy","ts":"1700000000000"}]}
        {"arg":{"channel":"trades","instId":"BTC-USD-261225-92000-C"},"data":[{"instId":"BTC-USD-261225-92000-C","tradeId":"2","px":"0.0005","sz":"1","side":"sell","ts":"1700000000001"}]})",
         "BTC", "0.03", "0.000015", "0.01", "0.000005", "0.02", "0.00001"},
        // 1 × 0.1 ETH: 20 × 0.1 = 2; × 0.0415 = 0.083 ETH. 5 × 0.1 = 0.5; × 0.04 = 0.02
        {"okx", Market::option,
         R"({"instType":"OPTION","instId":"ETH-USD-261225-2500-P","ctVal":"1","ctMult":"0.1","ctValCcy":"ETH","settleCcy":"ETH","uly":"ETH-USD","state":"live"})",
         R"({"arg":{"channel":"trades","instId":"ETH-USD-261225-2500-P"},"data":[{"instId":"ETH-USD-261225-2500-P","tradeId":"1","px":"0.0415","sz":"20","side":"buy","ts":"1700000000000"}]}
        {"arg":{"channel":"trades","instId":"ETH-USD-261225-2500-P"},"data":[{"instId":"ETH-USD-261225-2500-P","tradeId":"2","px":"0.04","sz":"5","side":"sell","ts":"1700000000001"}]})",
         "ETH", "2", "0.083", "0.5", "0.02", "1.5", "0.063"},

        // ---- Deribit. Inverse: amount is USD, whatever the contract. 170 ÷ 77529.5 = 0.002192713741221083…
        // 8000 ÷ 80000 = 0.1
        {"deribit", Market::inverse,
         R"({"instrument_name":"BTC-PERPETUAL","kind":"future","instrument_type":"reversed","base_currency":"BTC","quote_currency":"USD","settlement_currency":"BTC","contract_size":10.0,"is_active":true,"state":"open"})",
         R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":"trades.BTC-PERPETUAL.100ms","data":[{"timestamp":1700000000000,"price":77529.5,"direction":"buy","instrument_name":"BTC-PERPETUAL","trade_seq":1,"amount":170.0,"trade_id":"1","contracts":17.0},{"timestamp":1700000000001,"price":80000.0,"direction":"sell","instrument_name":"BTC-PERPETUAL","trade_seq":2,"amount":8000.0,"trade_id":"2","contracts":800.0}]}})",
         "USD", "0.002192713741", "170", "0.1", "8000", "-0.097807286259", "-7830"},
        // 1 ÷ 2000 = 0.0005; 3 ÷ 2000 = 0.0015
        {"deribit", Market::inverse,
         R"({"instrument_name":"ETH-25DEC26","kind":"future","instrument_type":"reversed","base_currency":"ETH","quote_currency":"USD","settlement_currency":"ETH","contract_size":1.0,"is_active":true})",
         R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":"trades.ETH-25DEC26.100ms","data":[{"timestamp":1700000000000,"price":2000,"direction":"buy","instrument_name":"ETH-25DEC26","trade_seq":1,"amount":1.0,"trade_id":"ETH-1"},{"timestamp":1700000000001,"price":2000.0,"direction":"sell","instrument_name":"ETH-25DEC26","trade_seq":2,"amount":3.0,"trade_id":"ETH-2"}]}})",
         "USD", "0.0005", "1", "0.0015", "3", "-0.001", "-2"},
        // Linear: amount is base. 0.05 × 80000 = 4000; 0.01 × 80001 = 800.01
        {"deribit", Market::linear,
         R"({"instrument_name":"BTC_USDC-PERPETUAL","kind":"future","instrument_type":"linear","base_currency":"BTC","quote_currency":"USDC","settlement_currency":"USDC","contract_size":0.0001,"is_active":true,"state":"open"})", R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":"trades.BTC_USDC-PERPETUAL.100ms","data":[{"timestamp":1700000000000,"price":80000.0,"direction":"buy","instrument_name":"BTC_USDC-PERPETUAL","trade_seq":1,"amount":0.05,"trade_id":"BTC_USDC-1"},{"timestamp":1700000000001,"price":80001.0,"direction":"sell","instrument_name":"BTC_USDC-PERPETUAL","trade_seq":2,"amount":0.01,"trade_id":"BTC_USDC-2"}]}})",
         "USDC", "0.05", "4000", "0.01", "800.01", "0.04", "3199.99"},
        // 2.2e3 = 2200; × 0.625 = 1375. 100 × 0.62 = 62
        {"deribit", Market::linear,
         R"({"instrument_name":"XRP_USDC-PERPETUAL","kind":"future","instrument_type":"linear","base_currency":"XRP","quote_currency":"USDC","settlement_currency":"USDC","contract_size":1,"is_active":true,"state":"open"})",
         R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":"trades.XRP_USDC-PERPETUAL.100ms","data":[{"timestamp":1700000000000,"price":0.625,"direction":"buy","instrument_name":"XRP_USDC-PERPETUAL","trade_seq":1,"amount":2.2e3,"trade_id":"XRP_USDC-1"},{"timestamp":1700000000001,"price":6.2E-1,"direction":"sell","instrument_name":"XRP_USDC-PERPETUAL","trade_seq":2,"amount":1e2,"trade_id":"XRP_USDC-2"}]}})",
         "USDC", "2200", "1375", "100", "62", "2100", "1313"},
        // Options: amount is base, the premium in coin. 0.1 × 0.007 = 0.0007 BTC; 2.5 × 0.0065 = 0.01625
        {"deribit", Market::option,
         R"({"instrument_name":"BTC-25DEC26-62000-C","kind":"option","instrument_type":"reversed","base_currency":"BTC","quote_currency":"BTC","settlement_currency":"BTC","contract_size":1.0,"is_active":true,"state":"open"})",
         R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":"trades.BTC-25DEC26-62000-C.100ms","data":[{"timestamp":1700000000000,"price":0.007,"iv":78.44,"direction":"buy","instrument_name":"BTC-25DEC26-62000-C","trade_seq":1,"amount":0.1,"trade_id":"1"},{"timestamp":1700000000001,"price":0.0065,"direction":"sell","instrument_name":"BTC-25DEC26-62000-C","trade_seq":2,"amount":2.5,"trade_id":"2"}]}})",
         "BTC", "0.1", "0.0007", "2.5", "0.01625", "-2.4", "-0.01555"},
        // … or in USDC. 1000 × 0.0125 = 12.5; 2000 × 0.012 = 24
        {"deribit", Market::option,
         R"({"instrument_name":"XRP_USDC-25DEC26-0d625-C","kind":"option","instrument_type":"linear","base_currency":"XRP","quote_currency":"USDC","settlement_currency":"USDC","contract_size":1000.0,"is_active":true,"state":"open"})",
         R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":"trades.XRP_USDC-25DEC26-0d625-C.100ms","data":[{"timestamp":1700000000000,"price":0.0125,"direction":"buy","instrument_name":"XRP_USDC-25DEC26-0d625-C","trade_seq":1,"amount":1000.0,"trade_id":"XRP_USDC-1"},{"timestamp":1700000000001,"price":0.012,"direction":"sell","instrument_name":"XRP_USDC-25DEC26-0d625-C","trade_seq":2,"amount":2000.0,"trade_id":"XRP_USDC-2"}]}})",
         "USDC", "1000", "12.5", "2000", "24", "-1000", "-11.5"},
        // Spot: amount is base. 0.002 × 80000.5 = 160.001; 0.001 × 80000 = 80
        {"deribit",
         Market::spot, R"({"instrument_name":"BTC_USDC","kind":"spot","instrument_type":"linear","base_currency":"BTC","quote_currency":"USDC","settlement_currency":"USDC","contract_size":0.0001,"is_active":true,"state":"open"})", R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":"trades.BTC_USDC.100ms","data":[{"timestamp":1700000000000,"price":80000.5,"direction":"buy","instrument_name":"BTC_USDC","trade_seq":1,"amount":0.002,"trade_id":"BTC_USDC-1"},{"timestamp":1700000000001,"price":80000.0,"direction":"sell","instrument_name":"BTC_USDC","trade_seq":2,"amount":0.001,"trade_id":"BTC_USDC-2"}]}})",
         "USDC", "0.002", "160.001", "0.001", "80", "0.001", "80.001"},
        // 1.5 × 0.031 = 0.0465; 0.5 × 0.03 = 0.015
        {"deribit", Market::spot,
         R"({"instrument_name":"ETH_BTC","kind":"spot","base_currency":"ETH","quote_currency":"BTC","settlement_currency":"BTC","is_active":true,"state":"open"})",
         R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":"trades.ETH_BTC.100ms","data":[{"timestamp":1700000000000,"price":0.031,"direction":"buy","instrument_name":"ETH_BTC","trade_seq":1,"amount":1.5,"trade_id":"ETH_BTC-1"},{"timestamp":1700000000001,"price":0.03,"direction":"sell","instrument_name":"ETH_BTC","trade_seq":2,"amount":0.5,"trade_id":"ETH_BTC-2"}]}})",
         "BTC", "1.5", "0.0465", "0.5", "0.015", "1", "0.0315"},

        // ---- Bybit. Spot: v is base. 0.000712 × 77606.8 = 55.2560416; 0.001 × 77606.7 = 77.6067
        {"bybit", Market::spot, R"({"symbol":"BTCUSDT","baseCoin":"BTC","quoteCoin":"USDT","status":"Trading"})",
         R"({"topic":"publicTrade.BTCUSDT","ts":1,"type":"snapshot","data":[{"i":"2290000001202469355","T":1700000000000,"p":"77606.8","v":"0.000712","S":"Buy","s":"BTCUSDT","BT":false,"RPI":false},{"i":"2290000001202469356","T":1700000000001,"p":"77606.7","v":"0.001","S":"Sell","s":"BTCUSDT","BT":false,"RPI":true}]})",
         "USDT", "0.000712", "55.2560416", "0.001", "77.6067", "-0.000288", "-22.3506584"},
        // 1.8E-4 × 50000 = 9; 10 × 0.5 = 5
        {"bybit", Market::spot, R"({"symbol":"ETHUSDC","baseCoin":"ETH","quoteCoin":"USDC","status":"Trading"})",
         R"({"topic":"publicTrade.ETHUSDC","ts":1,"type":"snapshot","data":[{"i":"1","T":1700000000000,"p":"50000","v":"1.8E-4","S":"Buy","s":"ETHUSDC","BT":false},{"i":"2","T":1700000000001,"p":"0.5","v":"10","S":"Sell","s":"ETHUSDC","BT":false}]})",
         "USDC", "0.00018", "9", "10", "5", "-9.99982", "4"},
        // Linear: v is base. 0.001 × 16578.5 = 16.5785; 2 × 16578 = 33156
        {"bybit", Market::linear,
         R"({"symbol":"BTCUSDT","contractType":"LinearPerpetual","baseCoin":"BTC","quoteCoin":"USDT","settleCoin":"USDT","status":"Trading"})",
         R"({"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1,"data":[{"T":1700000000000,"s":"BTCUSDT","S":"Buy","v":"0.001","p":"16578.50","L":"PlusTick","i":"20f43950-d8dd-5b31-9112-a178eb6023af","BT":false},{"T":1700000000001,"s":"BTCUSDT","S":"Sell","v":"2","p":"16578","L":"MinusTick","i":"20f43950-d8dd-5b31-9112-a178eb6023b0","BT":false}]})",
         "USDT", "0.001", "16.5785", "2", "33156", "-1.999", "-33139.4215"},
        // 7 × 0.0445 = 0.3115; 100 × 0.0444 = 4.44
        {"bybit", Market::linear,
         R"({"symbol":"1000PEPEPERP","contractType":"LinearPerpetual","baseCoin":"1000PEPE","quoteCoin":"USDC","settleCoin":"USDC","status":"Trading"})",
         R"({"topic":"publicTrade.1000PEPEPERP","type":"snapshot","ts":1,"data":[{"T":1700000000000,"s":"1000PEPEPERP","S":"Buy","v":"7","p":"0.0445","i":"20f43950-d8dd-5b31-9112-a178eb6023af","BT":false},{"T":1700000000001,"s":"1000PEPEPERP","S":"Sell","v":"100","p":"0.0444","i":"20f43950-d8dd-5b31-9112-a178eb6023b0","BT":false}]})",
         "USDC", "7", "0.3115", "100", "4.44", "-93", "-4.1285"},
        // Inverse: v is USD. 5823 ÷ 28560.5 = 0.203882985241855009…; 3 ÷ 30000 = 0.0001
        {"bybit", Market::inverse,
         R"({"symbol":"BTCUSD","contractType":"InversePerpetual","baseCoin":"BTC","quoteCoin":"USD","settleCoin":"BTC","status":"Trading"})",
         R"({"topic":"publicTrade.BTCUSD","type":"snapshot","ts":1,"data":[{"T":1700000000000,"s":"BTCUSD","S":"Buy","v":"5823","p":"28560.50","i":"20f43950-d8dd-5b31-9112-a178eb6023af","BT":false},{"T":1700000000001,"s":"BTCUSD","S":"Sell","v":"3","p":"30000","i":"20f43950-d8dd-5b31-9112-a178eb6023b0","BT":false}]})",
         "USD", "0.203882985242", "5823", "0.0001", "3", "0.203782985242", "5820"},
        // 250 ÷ 2500 = 0.1; 1 ÷ 2000 = 0.0005
        {"bybit", Market::inverse,
         R"({"symbol":"ETHUSDZ26","contractType":"InverseFutures","baseCoin":"ETH","quoteCoin":"USD","settleCoin":"ETH","status":"Trading"})",
         R"({"topic":"publicTrade.ETHUSDZ26","type":"snapshot","ts":1,"data":[{"T":1700000000000,"s":"ETHUSDZ26","S":"Buy","v":"250","p":"2500","i":"20f43950-d8dd-5b31-9112-a178eb6023af","BT":false},{"T":1700000000001,"s":"ETHUSDZ26","S":"Sell","v":"1","p":"2000","i":"20f43950-d8dd-5b31-9112-a178eb6023b0","BT":false}]})",
         "USD", "0.1", "250", "0.0005", "1", "0.0995", "249"},
        // Options: v is base, the premium in the coin that settles. 0.01 × 985 = 9.85 USDC; 0.3 × 980 = 294
        {"bybit", Market::option,
         R"({"symbol":"BTC-25DEC26-29500-C","baseCoin":"BTC","quoteCoin":"USD","settleCoin":"USDC","status":"Trading"})",
         R"({"topic":"publicTrade.BTC","type":"snapshot","ts":1,"data":[{"p":"985","v":"0.01","i":"0404c393-8419-5bac-95c3-5fea28404754","T":1700000000000,"BT":false,"s":"BTC-25DEC26-29500-C","S":"Buy"},{"p":"980","v":"0.3","i":"0404c393-8419-5bac-95c3-5fea28404755","T":1700000000001,"BT":false,"s":"BTC-25DEC26-29500-C","S":"Sell"}]})",
         "USDC", "0.01", "9.85", "0.3", "294", "-0.29", "-284.15"},
        // 10 × 51.5 = 515; 0.1 × 50 = 5
        {"bybit", Market::option,
         R"({"symbol":"ETH-25DEC26-2500-P-USDT","baseCoin":"ETH","quoteCoin":"USDT","settleCoin":"USDT","status":"Trading"})", R"({"topic":"publicTrade.ETH","type":"snapshot","ts":1,"data":[{"p":"51.5","v":"10","i":"0404c393-8419-5bac-95c3-5fea28404754","T":1700000000000,"BT":false,"s":"ETH-25DEC26-2500-P-USDT","S":"Buy"},{"p":"50","v":"0.1","i":"0404c393-8419-5bac-95c3-5fea28404755","T":1700000000001,"BT":false,"s":"ETH-25DEC26-2500-P-USDT","S":"Sell"}]})",
         "USDT", "10", "515", "0.1", "5", "9.9", "510"},

        // ---- Gate. Spot: amount is base. 0.000021 × 77474 = 1.626954; 0.5 × 77470 = 38735
        {"gate", Market::spot, R"({"id":"BTC_USDT","base":"BTC","quote":"USDT","trade_status":"tradable"})",
         R"({"channel":"spot.trades","event":"update","result":{"id":8,"id_market":1,"create_time_ms":"1700000000000.5","side":"buy","currency_pair":"BTC_USDT","amount":"0.000021","price":"77474","range":"1-1"}}
        {"channel":"spot.trades","event":"update","result":{"id":9,"id_market":2,"create_time_ms":"1700000000001.0","side":"sell","currency_pair":"BTC_USDT","amount":"0.5","price":"77470","range":"2-2"}})",
         "USDT", "0.000021", "1.626954", "0.5", "38735", "-0.499979", "-38733.373046"},
        // 89.238 × 0.00000644 = 0.00057469272; 10 × 0.00000643 = 0.0000643
        {"gate", Market::spot, R"({"id":"TLOS_BTC","base":"TLOS","quote":"BTC","trade_status":"tradable"})",
         R"({"channel":"spot.trades","event":"update","result":{"id":8,"id_market":1,"create_time_ms":"1700000000000.0","side":"buy","currency_pair":"TLOS_BTC","amount":"89.238","price":"0.00000644","range":"1-1"}}
        {"channel":"spot.trades","event":"update","result":{"id":9,"id_market":2,"create_time_ms":"1700000000001.0","side":"sell","currency_pair":"TLOS_BTC","amount":"10","price":"0.00000643","range":"2-2"}})",
         "BTC", "89.238", "0.00057469272", "10", "0.0000643", "79.238", "0.00051039272"},
        // Linear: contracts of 0.0001 BTC. 108.5 × 0.0001 = 0.01085; × 77474.5 = 840.598325. 3 × 0.0001 × 77470
        // = 23.241
        {"gate", Market::linear,
         R"({"name":"BTC_USDT","type":"direct","quanto_multiplier":"0.0001","in_delisting":false})",
         R"({"channel":"futures.trades","event":"update","result":[{"size":"108.5","id":1,"create_time_ms":1700000000000,"price":"77474.5","contract":"BTC_USDT"},{"size":"-3","id":2,"create_time_ms":1700000000001,"price":"77470","contract":"BTC_USDT"}]})",
         "USDT", "0.01085", "840.598325", "0.0003", "23.241", "0.01055", "817.357325"},
        // … of 100 LAB. 3 × 100 = 300; × 0.12345 = 37.035. 1 × 100 × 0.1234 = 12.34
        {"gate", Market::linear,
         R"({"name":"LAB_USDT","type":"direct","quanto_multiplier":"100","in_delisting":false})",
         R"({"channel":"futures.trades","event":"update","result":[{"size":3,"id":1,"create_time_ms":1700000000000,"price":"0.12345","contract":"LAB_USDT"},{"size":-1,"id":2,"create_time_ms":1700000000001,"price":"0.1234","contract":"LAB_USDT"}]})",
         "USDT", "300", "37.035", "100", "12.34", "200", "24.695"},
        // Inverse: contracts of 1 USD. 7 ÷ 56155.2 = 0.000124654528877112…; 9 ÷ 29008.7 = 0.000310251752060588…
        {"gate", Market::inverse, R"({"name":"BTC_USD","type":"inverse","quanto_multiplier":"0","in_delisting":false})",
         R"({"channel":"futures.trades","event":"update","result":[{"size":7,"id":1,"create_time_ms":1700000000000,"price":"56155.2","contract":"BTC_USD"},{"size":-9,"id":2,"create_time_ms":1700000000001,"price":"29008.7","contract":"BTC_USD"}]})",
         "USD", "0.000124654529", "7", "0.000310251752", "9", "-0.000185597223", "-2"},
        // It is the only one. 50 ÷ 80000 = 0.000625; 1 ÷ 77000 = 0.000012987012987012…
        {"gate", Market::inverse, R"({"name":"BTC_USD","type":"inverse","quanto_multiplier":"0","in_delisting":false})",
         R"({"channel":"futures.trades","event":"update","result":[{"size":"50","id":1,"create_time_ms":1700000000000,"price":"80000","contract":"BTC_USD"},{"size":"-1","id":2,"create_time_ms":1700000000001,"price":"77000","contract":"BTC_USD"}]})",
         "USD", "0.000625", "50", "0.000012987013", "1", "0.000612012987", "49"},

        // ---- Bitget. Sizes are base units everywhere.
        // 0.001352 × 77600.75 = 104.916214; 0.01 × 77600 = 776
        {"bitget", Market::spot, R"({"symbol":"BTCUSDT","baseCoin":"BTC","quoteCoin":"USDT","status":"online"})",
         R"({"action":"update","arg":{"instType":"SPOT","channel":"trade","instId":"BTCUSDT"},"data":[{"ts":"1700000000000","price":"77600.75","size":"0.001352","side":"buy","tradeId":"1478949856623706112"},{"ts":"1700000000001","price":"77600","size":"0.01","side":"sell","tradeId":"1478949856623706113"}],"ts":1700000000002})",
         "USDT", "0.001352", "104.916214", "0.01", "776", "-0.008648", "-671.083786"},
        // 22.75 × 4.987 = 113.45425; 10 × 4.98 = 49.8
        {"bitget", Market::spot, R"({"symbol":"RENDERUSDT","baseCoin":"RENDER","quoteCoin":"USDT","status":"online"})",
         R"({"action":"update","arg":{"instType":"SPOT","channel":"trade","instId":"RENDERUSDT"},"data":[{"ts":"1700000000000","price":"4.987","size":"22.75","side":"buy","tradeId":"1478949856623706112"},{"ts":"1700000000001","price":"4.98","size":"10","side":"sell","tradeId":"1478949856623706113"}],"ts":1700000000002})",
         "USDT", "22.75", "113.45425", "10", "49.8", "12.75", "63.65425"},
        // 0.0118 × 67000.1 = 790.60118; 2 × 67000 = 134000
        {"bitget", Market::linear,
         R"({"symbol":"BTCUSDT","baseCoin":"BTC","quoteCoin":"USDT","sizeMultiplier":"0.0001","symbolStatus":"normal"})",
         R"({"action":"update","arg":{"instType":"USDT-FUTURES","channel":"trade","instId":"BTCUSDT"},"data":[{"ts":"1700000000000","price":"67000.1","size":"0.0118","side":"buy","tradeId":"1478949856623706112"},{"ts":"1700000000001","price":"67000","size":"2","side":"sell","tradeId":"1478949856623706113"}],"ts":1700000000002})",
         "USDT", "0.0118", "790.60118", "2", "134000", "-1.9882", "-133209.39882"},
        // 0.005 × 67001.5 = 335.0075; 9.25 × 26372.5 = 243945.625
        {"bitget", Market::linear,
         R"({"symbol":"BTCPERP","baseCoin":"BTC","quoteCoin":"USDC","sizeMultiplier":"0.0001","symbolStatus":"normal"})",
         R"({"action":"update","arg":{"instType":"USDC-FUTURES","channel":"trade","instId":"BTCPERP"},"data":[{"ts":"1700000000000","price":"67001.5","size":"0.005","side":"buy","tradeId":"1478949856623706112"},{"ts":"1700000000001","price":"26372.5","size":"9.25","side":"sell","tradeId":"1478949856623706113"}],"ts":1700000000002})",
         "USDC", "0.005", "335.0075", "9.25", "243945.625", "-9.245", "-243610.6175"},
        // Coin futures too, and what they cost is in USD.
        // 447 × 0.168385 = 75.268095; 100 × 0.1683 = 16.83
        {"bitget", Market::linear,
         R"({"symbol":"DOGEUSD","baseCoin":"DOGE","quoteCoin":"USD","sizeMultiplier":"1","symbolStatus":"normal"})",
         R"({"action":"update","arg":{"instType":"COIN-FUTURES","channel":"trade","instId":"DOGEUSD"},"data":[{"ts":"1700000000000","price":"0.168385","size":"447","side":"buy","tradeId":"1478949856623706112"},{"ts":"1700000000001","price":"0.1683","size":"100","side":"sell","tradeId":"1478949856623706113"}],"ts":1700000000002})",
         "USD", "447", "75.268095", "100", "16.83", "347", "58.438095"},
        // 0.02 × 72000.5 = 1440.01; 0.5 × 72000 = 36000
        {"bitget", Market::linear,
         R"({"symbol":"BTCUSD","baseCoin":"BTC","quoteCoin":"USD","sizeMultiplier":"0.001","symbolStatus":"normal"})", R"({"action":"update","arg":{"instType":"COIN-FUTURES","channel":"trade","instId":"BTCUSD"},"data":[{"ts":"1700000000000","price":"72000.5","size":"0.02","side":"buy","tradeId":"1478949856623706112"},{"ts":"1700000000001","price":"72000","size":"0.5","side":"sell","tradeId":"1478949856623706113"}],"ts":1700000000002})",
         "USD", "0.02", "1440.01", "0.5", "36000", "-0.48", "-34559.99"},

        // ---- dYdX. Size is base.
        // 0.002 × 60397 = 120.794; 0.01 × 60396 = 603.96
        {"dydx", Market::linear,
         R"({"clobPairId":"0","ticker":"BTC-USD","status":"ACTIVE","tickSize":"1","stepSize":"0.0001"})",
         R"({"type":"channel_data","connection_id":"3a2e","message_id":4,"id":"BTC-USD","channel":"v4_trades","version":"2.1.0","contents":{"trades":[{"id":"0165e5e40000000200000002","size":"0.002","price":"60397","side":"BUY","createdAt":"2023-11-14T22:13:20.000Z","type":"LIMIT"},{"id":"0165e5e40000000200000003","size":"0.01","price":"60396","side":"SELL","createdAt":"2023-11-14T22:13:20.001Z","type":"LIMIT"}]}})",
         "USD", "0.002", "120.794", "0.01", "603.96", "-0.008", "-483.166"},
        // 3900 × 0.168385 = 656.7015; 100 × 0.1683 = 16.83
        {"dydx", Market::linear,
         R"({"clobPairId":"0","ticker":"DOGE-USD","status":"ACTIVE","tickSize":"1","stepSize":"0.0001"})",
         R"({"type":"channel_data","connection_id":"3a2e","message_id":4,"id":"DOGE-USD","channel":"v4_trades","version":"2.1.0","contents":{"trades":[{"id":"0165e5e40000000200000002","size":"3900","price":"0.168385","side":"BUY","createdAt":"2023-11-14T22:13:20.000Z","type":"LIMIT"},{"id":"0165e5e40000000200000003","size":"100","price":"0.1683","side":"SELL","createdAt":"2023-11-14T22:13:20.001Z","type":"LIMIT"}]}})",
         "USD", "3900", "656.7015", "100", "16.83", "3800", "639.8715"},

        // ---- Coinbase. Size is base; the maker sold, so the taker bought. 5.23512 × 400.23 = 2095.2520776; 0.5 × 400
        // =
        // 200
        {"coinbase", Market::spot, R"({"id":"BTC-USD","base_currency":"BTC","quote_currency":"USD","status":"online"})",
         R"({"type":"match","trade_id":10,"time":"2014-11-07T08:19:27.028459Z","product_id":"BTC-USD","size":"5.23512","price":"400.23","side":"sell"}
        {"type":"match","trade_id":11,"time":"2014-11-07T08:19:28Z","product_id":"BTC-USD","size":"0.50","price":"400.00","side":"buy"})",
         "USD", "5.23512", "2095.2520776", "0.5", "200", "4.73512", "1895.2520776"},
        // 100 × 0.00001234 = 0.001234; 1 × 0.00001233 = 0.00001233
        {"coinbase", Market::spot,
         R"({"id":"SHIB-EUR","base_currency":"SHIB","quote_currency":"EUR","status":"online"})",
         R"({"type":"match","trade_id":10,"time":"2014-11-07T08:19:27.028459Z","product_id":"SHIB-EUR","size":"100","price":"0.00001234","side":"sell"}
        {"type":"match","trade_id":11,"time":"2014-11-07T08:19:28Z","product_id":"SHIB-EUR","size":"1","price":"0.00001233","side":"buy"})",
         "EUR", "100", "0.001234", "1", "0.00001233", "99", "0.00122167"},

        // ---- Kraken. qty is base. 0.5 × 60000.1 = 30000.05; 0.00027625 × 60000 = 16.575
        {"kraken", Market::spot,
         R"({"altname":"XBTUSD","wsname":"XBT/USD","base":"XXBT","quote":"ZUSD","lot_multiplier":1,"status":"online","execution_venue":"international"})",
         R"({"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"buy","price":60000.10,"qty":0.50000000,"ord_type":"limit","trade_id":10,"timestamp":"2023-11-14T22:13:20.000000Z"},{"symbol":"BTC/USD","side":"sell","price":60000.0,"qty":0.00027625,"ord_type":"market","trade_id":11,"timestamp":"2023-11-14T22:13:20.000001Z"}]})",
         "USD", "0.5", "30000.05", "0.00027625", "16.575", "0.49972375", "29983.475"},
        // 100 × 0.16204 = 16.204; 2.5e1 × 0.16 = 4
        {"kraken", Market::spot,
         R"({"altname":"XDGEUR","wsname":"XDG/EUR","base":"XXDG","quote":"ZEUR","lot_multiplier":1,"status":"online"})",
         R"({"channel":"trade","type":"update","data":[{"symbol":"DOGE/EUR","side":"buy","price":0.16204,"qty":100,"ord_type":"limit","trade_id":10,"timestamp":"2023-11-14T22:13:20.000000Z"},{"symbol":"DOGE/EUR","side":"sell","price":1.6e-1,"qty":2.5e1,"ord_type":"market","trade_id":11,"timestamp":"2023-11-14T22:13:20.000001Z"}]})",
         "EUR", "100", "16.204", "25", "4", "75", "12.204"},

        // ---- Kraken Futures. PF_: qty is base. 0.0013 × 76432 = 99.3616; 0.5 × 76431.5 = 38215.75
        {"kraken_futures", Market::linear,
         R"({"symbol":"PF_XBTUSD","pair":"XBT:USD","base":"XBT","quote":"USD","type":"flexible_futures","tickSize":0.5,"contractSize":1,"tradeable":true,"postOnly":false})",
         R"({"feed":"trade","product_id":"PF_XBTUSD","uid":"207b30c3-6890-4f5d-9f1b-087d24701ec9","side":"buy","type":"fill","seq":883384,"time":1700000000000,"qty":0.0013,"price":76432.0}
        {"feed":"trade","product_id":"PF_XBTUSD","uid":"207b30c3-6890-4f5d-9f1b-087d24701eca","side":"sell","type":"liquidation","seq":883385,"time":1700000000001,"qty":0.5,"price":76431.5})",
         "USD", "0.0013", "99.3616", "0.5", "38215.75", "-0.4987", "-38116.3884"},
        // 12 × 1751.5 = 21018; 1.459 × 1751 = 2554.709
        {"kraken_futures", Market::linear,
         R"({"symbol":"FF_ETHUSD_261225","pair":"ETH:USD","base":"ETH","quote":"USD","type":"flexible_futures","contractSize":1.0,"tradeable":true,"postOnly":false,"lastTradingTime":"2026-12-25T16:00:00.000Z"})",
         R"({"feed":"trade","product_id":"FF_ETHUSD_261225","uid":"207b30c3-6890-4f5d-9f1b-087d24701ec9","side":"buy","type":"fill","seq":1,"time":1700000000000,"qty":12,"price":1751.5}
        {"feed":"trade","product_id":"FF_ETHUSD_261225","uid":"207b30c3-6890-4f5d-9f1b-087d24701eca","side":"sell","type":"fill","seq":2,"time":1700000000001,"qty":1.459,"price":1751})",
         "USD", "12", "21018", "1.459", "2554.709", "10.541", "18463.291"},
        // PI_, FI_: qty is USD. 2519 ÷ 39096 = 0.064431143851033…; 8000 ÷ 40000 = 0.2
        {"kraken_futures", Market::inverse,
         R"({"symbol":"PI_XBTUSD","pair":"XBT:USD","base":"XBT","quote":"USD","type":"futures_inverse","tickSize":0.5,"contractSize":1,"tradeable":true,"postOnly":false})",
         R"({"feed":"trade","product_id":"PI_XBTUSD","uid":"57d30a84-6890-4f5d-9f1b-087d24701ec9","side":"buy","type":"fill","seq":222736,"time":1700000000000,"qty":2519.0,"price":39096.0}
        {"feed":"trade","product_id":"PI_XBTUSD","uid":"57d30a84-6890-4f5d-9f1b-087d24701eca","side":"sell","type":"fill","seq":222737,"time":1700000000001,"qty":8000,"price":40000})",
         "USD", "0.064431143851", "2519", "0.2", "8000", "-0.135568856149", "-5481"},
        // 12000 ÷ 0.16 = 75000; 1 ÷ 0.2 = 5
        {"kraken_futures", Market::inverse,
         R"({"symbol":"FI_XRPUSD_261225","pair":"XRP:USD","base":"XRP","quote":"USD","type":"futures_inverse","contractSize":1,"tradeable":true})",
         R"({"feed":"trade","product_id":"FI_XRPUSD_261225","uid":"57d30a84-6890-4f5d-9f1b-087d24701ec9","side":"buy","type":"fill","seq":1,"time":1700000000000,"qty":12000,"price":0.16}
        {"feed":"trade","product_id":"FI_XRPUSD_261225","uid":"57d30a84-6890-4f5d-9f1b-087d24701eca","side":"sell","type":"liquidation","seq":2,"time":1700000000001,"qty":1,"price":0.2})",
         "USD", "75000", "12000", "5", "1", "74995", "11999"},

};

Row row_of(const Line& line) {
  const Exchange* exchange = find_exchange(line.exchange, line.market);
  REQUIRE(exchange != nullptr);
  InstrumentPage page;
  std::string error;
  REQUIRE(read_instruments(*exchange, wrap(line), page, error));
  REQUIRE(page.instruments.size() == 1);
  const Instrument& instrument = page.instruments.front();
  CHECK(instrument.trading);
  CHECK(instrument.quote == line.quote);
  Intake intake(*exchange, true);
  intake.add(instrument);
  std::vector<Record> records;
  std::string_view rest = line.messages;
  while (!rest.empty()) {
    const auto end = std::min(rest.find("\n"), rest.size());
    std::string_view message = rest.substr(0, end);
    message.remove_prefix(message.find('{'));
    const Parsed& parsed = intake.take(message, {}, records);
    INFO(message);
    CHECK(parsed.refusal == Refusal::none);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  Ledger ledger({seconds(60), true});
  ledger.add_instrument(instrument);
  for (const Record& record : records) ledger.apply(record);
  std::vector<Row> rows;
  ledger.finish(*ledger.newest_trade(), *ledger.newest_trade(), rows);
  REQUIRE(rows.size() == 1);
  return rows.front();
}
}  // namespace

TEST_CASE("units: base, quote and delta of real contracts of every exchange and market") {
  std::map<std::pair<std::string, Market>, int> seen;
  for (const Line& line : lines) {
    INFO(line.exchange << " " << name_of(line.market) << " " << line.listed);
    const Row row = row_of(line);
    CHECK((row.buys == 1 && row.sells == 1));
    CHECK(to_string(row.buy_base) == line.buy_base);
    CHECK(to_string(row.buy_quote) == line.buy_quote);
    CHECK(to_string(row.sell_base) == line.sell_base);
    CHECK(to_string(row.sell_quote) == line.sell_quote);
    CHECK(to_string(row.delta_base) == line.delta_base);
    CHECK(to_string(row.delta_quote) == line.delta_quote);
    ++seen[{line.exchange, line.market}];
  }
  for (const Exchange* exchange : all_exchanges()) {
    INFO(exchange->name << " " << name_of(exchange->market));
    CHECK(seen[{std::string(exchange->name), exchange->market}] >= 2);
  }
}
