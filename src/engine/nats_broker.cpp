// libnats. Publishing is a request of our own: subject, reply, and an inbox that is read here. The library's
// asynchronous publisher is not used, since it frees messages that it is still sending when a hung node blocks it for
// longer than the answer may take (3.4.1).
#include "nats_broker.hpp"

#include <fmt/format.h>
#include <nats/nats.h>

#include <array>
#include <atomic>

#include "cvdd/base/printable.hpp"
#include "message.hpp"
#include "nats_consumer.hpp"
#include "nats_error.hpp"
#include "nats_handles.hpp"

namespace cvdd::engine {

namespace {
constexpr std::int64_t request_ms = 3'000, ns_per_us = 1'000;

class NatsBroker final : public Broker {
  // A request that is not allowed gets no answer; why, the server says beside it.
  template <class Request>
  auto explained(const Request& request) {
    try {
      return request();
    } catch (const BrokerError& error) {
      const std::string said = last_error();
      if (error.kind != BrokerError::Kind::unreachable || said.find("ermissions") == said.npos) throw;
      throw BrokerError(BrokerError::Kind::refused,
                        fmt::format("{}: {}; give this user the rights that the manual lists (publish cvd.v1.> and "
                                    "$JS.API.…, subscribe _INBOX.>)",
                                    error.what(), said));
    }
  }

 public:
  NatsBroker(NatsConfig config, const std::string& name) : config_(std::move(config)) {
    natsOptions* raw = nullptr;
    nats_check(natsOptions_Create(&raw), "no memory");
    options_.reset(raw);
    std::vector<const char*> servers;
    for (const std::string& one : config_.servers) servers.push_back(one.c_str());
    nats_check(natsOptions_SetServers(raw, servers.data(), static_cast<int>(servers.size())), "[nats] servers");
    nats_check(natsOptions_SetName(raw, name.c_str()), "name");
    nats_check(natsOptions_SetTimeout(raw, 5'000), "timeout");
    // A hung node is noticed within 6 s, not within minutes.
    nats_check(natsOptions_SetPingInterval(raw, 2'000), "ping interval");
    nats_check(natsOptions_SetMaxPingsOut(raw, 2), "pings");
    nats_check(natsOptions_SetMaxReconnect(raw, -1), "reconnects");
    nats_check(natsOptions_SetReconnectWait(raw, 250), "reconnect wait");
    nats_check(natsOptions_SetWriteDeadline(raw, 1'000), "write deadline");
    // Its own handler prints to standard error; what the server said is kept with the connection.
    nats_check(natsOptions_SetErrorHandler(
                   raw, [](natsConnection*, natsSubscription*, natsStatus, void*) {}, nullptr),
               "errors");
    set_identity();
    natsConnection* connection = nullptr;
    const natsStatus connected = natsConnection_Connect(&connection, raw);
    connection_.reset(connection);
    if (connected != NATS_OK) throw nats_failure(fmt::format("{}: can't connect", shown()), connected);
    if (natsConnection_HasHeaderSupport(connection) != NATS_OK) {
      throw BrokerError(BrokerError::Kind::refused,
                        shown() + ": the NATS server is too old, it knows no headers: upgrade it to 2.11.15 or newer");
    }
    jsCtx* js = nullptr;
    jsOptions settings;
    jsOptions_Init(&settings);
    settings.Wait = request_ms;
    nats_check(natsConnection_JetStream(&js, connection, &settings), "JetStream");
    jetstream_.reset(js);
    listen_for_answers();
  }

  bool connected() const override { return natsConnection_Status(connection_.get()) == NATS_CONN_STATUS_CONNECTED; }
  bool closed() const override { return natsConnection_Status(connection_.get()) == NATS_CONN_STATUS_CLOSED; }

  std::string server() const override {
    std::array<char, 256> url{};
    if (natsConnection_GetConnectedUrl(connection_.get(), url.data(), url.size()) != NATS_OK) return "no server";
    return printable(url.data(), url.size());
  }

  std::string last_error() const override {
    const char* text = nullptr;
    (void)natsConnection_GetLastError(connection_.get(), &text);
    return text == nullptr ? "" : printable(text, 300);
  }

  StreamFacts stream() override {
    return explained([&] { return stream_facts(); });
  }
  void create_stream() override {
    explained([&] { make_stream(); });
  }

  bool publish(const OutMessage& out, const std::string& token) override {
    if (!connected()) return false;
    natsMsg* raw = nullptr;
    const std::string reply = inbox_ + "." + token;
    if (natsMsg_Create(&raw, out.subject.c_str(), reply.c_str(), out.body.data(), static_cast<int>(out.body.size())) !=
        NATS_OK) {
      return false;
    }
    const nats::Message message(raw);
    if (natsMsgHeader_Set(raw, "Nats-Msg-Id", out.id.c_str()) != NATS_OK ||
        natsMsgHeader_Set(raw, "Cvdd-Collector", out.collector.c_str()) != NATS_OK ||
        natsMsgHeader_Set(raw, "Cvdd-Interval", out.interval.c_str()) != NATS_OK ||
        (!out.kind.empty() && natsMsgHeader_Set(raw, "Cvdd-Kind", out.kind.c_str()) != NATS_OK)) {
      return false;
    }
    return natsConnection_PublishMsg(connection_.get(), raw) == NATS_OK;
  }

  std::optional<InAnswer> next_answer(std::chrono::milliseconds patience) override {
    natsMsg* raw = nullptr;
    const natsStatus status =
        natsSubscription_NextMsg(&raw, answers_.get(), std::max<std::int64_t>(1, patience.count()));
    const nats::Message message(raw);
    // Slow consumer: answers were dropped, and their rows are sent again.
    if (status != NATS_OK) return std::nullopt;
    InAnswer answer;
    answer.no_responders = natsMsg_IsNoResponders(raw);
    if (natsMsg_GetDataLength(raw) > 0) {
      answer.body.assign(natsMsg_GetData(raw), static_cast<std::size_t>(natsMsg_GetDataLength(raw)));
    }
    const std::string_view subject = natsMsg_GetSubject(raw);
    if (subject.size() > inbox_.size()) answer.token = subject.substr(inbox_.size() + 1);
    return answer;
  }

  void subscribe(const std::string& consumer) override {
    messages_.reset();
    messages_ = explained([&] { return nats::subscribe(jetstream_.get(), config_.stream, consumer); });
  }
  std::vector<std::unique_ptr<InMessage>> fetch(int most, std::chrono::milliseconds patience) override {
    return explained([&] { return nats::fetch(messages_.get(), config_.stream, most, patience); });
  }
  ConsumerFacts consumer(const std::string& name) override {
    return explained([&] { return nats::consumer_facts(jetstream_.get(), config_.stream, name); });
  }

  // By a message that asks for a last number that no stream has: whoever may publish is told that it is another one.
  void try_to_publish() override {
    natsMsg* raw = nullptr;
    nats_check(natsMsg_Create(&raw, "cvd.v1.doctor.spot.none", nullptr, "", 0), "no memory");
    const nats::Message message(raw);
    nats_check(natsMsgHeader_Set(raw, "Nats-Expected-Last-Sequence", "9223372036854775806"), "no memory");
    explained([&] {
      natsMsg* answer = nullptr;
      const natsStatus status = natsConnection_RequestMsg(&answer, connection_.get(), raw, request_ms);
      const nats::Message told(answer);
      if (status != NATS_OK) throw nats_failure("publishing to cvd.v1.>", status);
    });
  }

 private:
  StreamFacts stream_facts() {
    jsStreamInfo* raw = nullptr;
    jsErrCode code = static_cast<jsErrCode>(0);
    const natsStatus status = js_GetStreamInfo(&raw, jetstream_.get(), config_.stream.c_str(), nullptr, &code);
    const nats::StreamInfo info(raw);
    if (status != NATS_OK) throw nats_failure("stream " + config_.stream, status, code);
    StreamFacts facts;
    facts.created = info->Created;
    facts.messages = info->State.Msgs;
    facts.first_sequence = info->State.FirstSeq;
    facts.last_sequence = info->State.LastSeq;
    facts.bytes = info->State.Bytes;
    facts.replicas = info->Config != nullptr ? info->Config->Replicas : 0;
    facts.replicas_now = 1;
    for (int i = 0; info->Cluster != nullptr && i < info->Cluster->ReplicasLen; ++i) {
      facts.replicas_now += info->Cluster->Replicas[i]->Current && !info->Cluster->Replicas[i]->Offline ? 1 : 0;
    }
    return facts;
  }

  void make_stream() {
    jsStreamConfig stream;
    jsStreamConfig_Init(&stream);
    const std::string all(subjects);
    const char* names[] = {all.c_str()};
    stream.Name = config_.stream.c_str();
    stream.Subjects = names;
    stream.SubjectsLen = 1;
    stream.Storage = js_FileStorage;
    stream.Retention = js_LimitsPolicy;
    stream.MaxAge = config_.max_age.us * ns_per_us;
    stream.Duplicates = config_.duplicates.us * ns_per_us;
    stream.Replicas = config_.replicas;
    jsStreamInfo* raw = nullptr;
    jsErrCode code = static_cast<jsErrCode>(0);
    jsOptions patient;  // the first one of a cluster takes its time
    jsOptions_Init(&patient);
    patient.Wait = 15'000;
    const natsStatus status = js_AddStream(&raw, jetstream_.get(), &stream, &patient, &code);
    const nats::StreamInfo info(raw);
    if (status != NATS_OK) throw nats_failure("stream " + config_.stream + " can't be made", status, code);
  }

  [[nodiscard]] std::string shown() const {
    std::string all;
    for (const std::string& one : config_.servers) all += (all.empty() ? "" : ", ") + one;
    return all;
  }

  void set_identity() {
    natsOptions* const o = options_.get();
    if (!config_.user.empty())
      nats_check(natsOptions_SetUserInfo(o, config_.user.c_str(), config_.password.c_str()), "[nats] user");
    if (!config_.credentials.empty()) {
      nats_check(natsOptions_SetUserCredentialsFromFiles(o, config_.credentials.c_str(), nullptr),
                 "[nats] credentials");
    }
    if (!config_.servers.front().starts_with("tls://")) return;
    nats_check(natsOptions_SetSecure(o, true), "TLS");
    const std::string roots = config_.ca_file.empty() ? "/etc/ssl/certs/ca-certificates.crt" : config_.ca_file;
    nats_check(natsOptions_LoadCATrustedCertificates(o, roots.c_str()), "[nats] ca_file");
    if (!config_.certificate.empty()) {
      nats_check(natsOptions_LoadCertificatesChain(o, config_.certificate.c_str(), config_.key.c_str()),
                 "[nats] certificate");
    }
  }

  void listen_for_answers() {
    char* inbox = nullptr;
    nats_check(natsInbox_Create(&inbox), "inbox");
    inbox_ = inbox;
    natsInbox_Destroy(inbox);
    natsSubscription* subscription = nullptr;
    nats_check(natsConnection_SubscribeSync(&subscription, connection_.get(), (inbox_ + ".*").c_str()), "inbox");
    answers_.reset(subscription);
  }

  NatsConfig config_;
  nats::Options options_;
  nats::Connection connection_;
  nats::JetStream jetstream_;
  nats::Subscription answers_, messages_;
  std::string inbox_;
};
}  // namespace

std::unique_ptr<Broker> connect_nats(const NatsConfig& config, const std::string& name) {
  return std::make_unique<NatsBroker>(config, name);
}

}  // namespace cvdd::engine
