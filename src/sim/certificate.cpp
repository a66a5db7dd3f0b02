#include "certificate.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>

namespace cvdd::sim {
namespace {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* p) const {
    Free(p);
  }
};
void free_bio(BIO* bio) { BIO_free_all(bio); }
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Buffer = std::unique_ptr<BIO, Deleter<free_bio>>;
using Extension = std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>>;

void check(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(std::string("cannot make a certificate: ") + what);
}

void extend(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  Extension extension(X509V3_EXT_nconf_nid(nullptr, &context, nid, value));
  check(extension && X509_add_ext(certificate, extension.get(), -1) == 1, value);
}

Certificate begin(EVP_PKEY* key, const char* common_name, X509* issuer) {
  Certificate made(X509_new());
  check(made != nullptr, "memory");
  X509_set_version(made.get(), X509_VERSION_3);
  std::uint64_t serial = 0;  // random: clients may remember one serial per issuer name
  check(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1, "serial");
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(made.get()), (serial >> 1) | 1U);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -86'400L);  // clocks differ
  X509_gmtime_adj(X509_getm_notAfter(made.get()), 30L * 86'400L);
  X509_set_pubkey(made.get(), key);
  X509_NAME* name = X509_get_subject_name(made.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(common_name), -1, -1, 0);
  X509_set_issuer_name(made.get(), issuer != nullptr ? X509_get_subject_name(issuer) : name);
  return made;
}

template <class Write>
std::string to_pem(Write write) {
  Buffer buffer(BIO_new(BIO_s_mem()));
  check(buffer && write(buffer.get()) == 1, "PEM");
  char* data = nullptr;
  long size = BIO_get_mem_data(buffer.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

constexpr const char* names =
    "DNS:localhost,IP:127.0.0.1,IP:::1,DNS:stream.binance.com,DNS:data-stream.binance.vision,"
    "DNS:fstream.binance.com,DNS:dstream.binance.com,DNS:api.binance.com,DNS:data-api.binance.vision,"
    "DNS:fapi.binance.com,DNS:dapi.binance.com";

}  // namespace

CertificateSet make_certificates() {
  Key ca_key(EVP_EC_gen("P-256"));
  Key leaf_key(EVP_EC_gen("P-256"));
  check(ca_key && leaf_key, "key");

  Certificate ca = begin(ca_key.get(), "cvdd simulated exchanges CA", nullptr);
  extend(ca.get(), ca.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  extend(ca.get(), ca.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  extend(ca.get(), ca.get(), NID_subject_key_identifier, "hash");
  extend(ca.get(), ca.get(), NID_authority_key_identifier, "keyid:always");
  check(X509_sign(ca.get(), ca_key.get(), EVP_sha256()) > 0, "signature");

  Certificate leaf = begin(leaf_key.get(), "localhost", ca.get());
  extend(leaf.get(), ca.get(), NID_basic_constraints, "critical,CA:FALSE");
  extend(leaf.get(), ca.get(), NID_key_usage, "critical,digitalSignature");
  extend(leaf.get(), ca.get(), NID_ext_key_usage, "serverAuth");
  extend(leaf.get(), ca.get(), NID_subject_key_identifier, "hash");
  extend(leaf.get(), ca.get(), NID_authority_key_identifier, "keyid:always");
  extend(leaf.get(), ca.get(), NID_subject_alt_name, names);
  check(X509_sign(leaf.get(), ca_key.get(), EVP_sha256()) > 0, "signature");

  CertificateSet set;
  set.ca_pem = to_pem([&](BIO* b) { return PEM_write_bio_X509(b, ca.get()); });
  set.leaf_pem = to_pem([&](BIO* b) { return PEM_write_bio_X509(b, leaf.get()); });
  set.key_pem = to_pem(
      [&](BIO* b) { return PEM_write_bio_PrivateKey(b, leaf_key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
  return set;
}

}  // namespace cvdd::sim
