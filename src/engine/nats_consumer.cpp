#include "nats_consumer.hpp"

#include <fmt/format.h>

#include "message.hpp"
#include "nats_error.hpp"

namespace cvdd::engine::nats {

namespace {
class NatsMessage final : public InMessage {
 public:
  explicit NatsMessage(natsMsg* message) : message_(message) {
    subject = natsMsg_GetSubject(message);
    if (natsMsg_GetDataLength(message) > 0) {
      body.assign(natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message)));
    }
    const char* value = nullptr;
    if (natsMsgHeader_Get(message, "Cvdd-Collector", &value) == NATS_OK) collector = value;
    if (natsMsgHeader_Get(message, "Cvdd-Kind", &value) == NATS_OK) kind = value;
    jsMsgMetaData* meta = nullptr;
    if (natsMsg_GetMetaData(&meta, message) != NATS_OK) return;
    sequence = meta->Sequence.Stream;
    deliveries = meta->NumDelivered;
    jsMsgMetaData_Destroy(meta);
  }
  void acknowledge() override { (void)natsMsg_Ack(message_.get(), nullptr); }

 private:
  Message message_;
};
}  // namespace

Subscription subscribe(jsCtx* js, const std::string& stream, const std::string& consumer) {
  jsConsumerConfig wanted;
  jsConsumerConfig_Init(&wanted);
  const std::string all(subjects);
  wanted.Durable = consumer.c_str();
  wanted.AckPolicy = js_AckExplicit;
  wanted.AckWait = 30'000'000'000;
  wanted.MaxDeliver = -1;
  wanted.MaxAckPending = 20'000;
  wanted.FilterSubject = all.c_str();
  wanted.DeliverPolicy = js_DeliverAll;
  jsErrCode code = static_cast<jsErrCode>(0);
  jsConsumerInfo* raw = nullptr;
  natsStatus status = js_GetConsumerInfo(&raw, js, stream.c_str(), consumer.c_str(), nullptr, &code);
  if (status != NATS_OK && code == JSConsumerNotFoundErr) {
    status = js_AddConsumer(&raw, js, stream.c_str(), &wanted, nullptr, &code);
  }
  const ConsumerInfo info(raw);
  if (status != NATS_OK) throw nats_failure(fmt::format("consumer {} of stream {}", consumer, stream), status, code);
  jsSubOptions bound;
  jsSubOptions_Init(&bound);
  bound.Stream = stream.c_str();
  bound.Consumer = consumer.c_str();
  bound.ManualAck = true;
  natsSubscription* subscription = nullptr;
  status = js_PullSubscribe(&subscription, js, all.c_str(), consumer.c_str(), nullptr, &bound, &code);
  Subscription messages(subscription);
  if (status != NATS_OK) throw nats_failure(fmt::format("consumer {} of stream {}", consumer, stream), status, code);
  return messages;
}

std::vector<std::unique_ptr<InMessage>> fetch(natsSubscription* from, const std::string& stream, int most,
                                              std::chrono::milliseconds patience) {
  natsMsgList list{nullptr, 0};
  jsErrCode code = static_cast<jsErrCode>(0);
  const natsStatus status = natsSubscription_Fetch(&list, from, most, patience.count(), &code);
  std::vector<std::unique_ptr<InMessage>> out;
  for (int i = 0; i < list.Count; ++i) {
    out.push_back(std::make_unique<NatsMessage>(list.Msgs[i]));
    list.Msgs[i] = nullptr;
  }
  natsMsgList_Destroy(&list);
  if (out.empty() && status != NATS_OK && status != NATS_TIMEOUT)
    throw nats_failure("fetching from stream " + stream, status, code);
  return out;
}

ConsumerFacts consumer_facts(jsCtx* js, const std::string& stream, const std::string& name) {
  jsConsumerInfo* raw = nullptr;
  jsErrCode code = static_cast<jsErrCode>(0);
  const natsStatus status = js_GetConsumerInfo(&raw, js, stream.c_str(), name.c_str(), nullptr, &code);
  const ConsumerInfo info(raw);
  if (status != NATS_OK) throw nats_failure(fmt::format("consumer {} of stream {}", name, stream), status, code);
  return {info->NumPending, static_cast<std::uint64_t>(info->NumAckPending),
          static_cast<std::uint64_t>(info->NumRedelivered)};
}

}  // namespace cvdd::engine::nats
