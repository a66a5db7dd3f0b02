// What libnats hands out, each given back at its end. Only where the library is.
#pragma once

#include <nats/nats.h>

#include <memory>

namespace cvdd::engine::nats {

template <class T, void (*destroy)(T*)>
struct Destroy {
  void operator()(T* what) const { destroy(what); }
};
using Options = std::unique_ptr<natsOptions, Destroy<natsOptions, natsOptions_Destroy>>;
using Connection = std::unique_ptr<natsConnection, Destroy<natsConnection, natsConnection_Destroy>>;
using Subscription = std::unique_ptr<natsSubscription, Destroy<natsSubscription, natsSubscription_Destroy>>;
using JetStream = std::unique_ptr<jsCtx, Destroy<jsCtx, jsCtx_Destroy>>;
using Message = std::unique_ptr<natsMsg, Destroy<natsMsg, natsMsg_Destroy>>;
using StreamInfo = std::unique_ptr<jsStreamInfo, Destroy<jsStreamInfo, jsStreamInfo_Destroy>>;
using ConsumerInfo = std::unique_ptr<jsConsumerInfo, Destroy<jsConsumerInfo, jsConsumerInfo_Destroy>>;

}  // namespace cvdd::engine::nats
