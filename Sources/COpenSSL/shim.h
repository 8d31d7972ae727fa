// SPDX-License-Identifier: Apache-2.0
// OpenSSL 3. Function-like macros, which Swift cannot import, have static inline twins here; nothing else does.
#ifndef SONDE_COPENSSL_H
#define SONDE_COPENSSL_H

// OPENSSL_malloc would record this file's path, and with it the place where a released file was built.
#define OPENSSL_NO_FILENAMES

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

// How OpenSSL starts: neither the machine's openssl.cnf nor tables of texts, and no work at exit.
static const uint64_t sonde_OPENSSL_INIT_LEAN =
    OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS | OPENSSL_INIT_NO_ATEXIT;
static const uint64_t sonde_OPENSSL_INIT_LEAN_SSL = OPENSSL_INIT_NO_LOAD_SSL_STRINGS;

// SSL_CTX: settings.
static const uint64_t sonde_SSL_OP_NO_RENEGOTIATION = SSL_OP_NO_RENEGOTIATION;
static inline int sonde_SSL_CTX_set_min_proto_version(SSL_CTX *context, int version) {
  return (int)SSL_CTX_set_min_proto_version(context, version);
}
static inline int sonde_SSL_CTX_set_max_proto_version(SSL_CTX *context, int version) {
  return (int)SSL_CTX_set_max_proto_version(context, version);
}
static inline void sonde_SSL_CTX_set_mode(SSL_CTX *context, long mode) { SSL_CTX_set_mode(context, mode); }
static inline void sonde_SSL_CTX_set_session_cache_mode(SSL_CTX *context, long mode) {
  SSL_CTX_set_session_cache_mode(context, mode);
}
static inline int sonde_SSL_CTX_add1_chain_cert(SSL_CTX *context, X509 *certificate) {
  return (int)SSL_CTX_add1_chain_cert(context, certificate);
}
static inline void sonde_SSL_CTX_set_tlsext_status_cb(SSL_CTX *context, int (*callback)(SSL *, void *)) {
  SSL_CTX_set_tlsext_status_cb(context, callback);
}
static inline void sonde_SSL_CTX_set_tlsext_status_arg(SSL_CTX *context, void *argument) {
  SSL_CTX_set_tlsext_status_arg(context, argument);
}

// SSL: settings and facts.
static inline int sonde_SSL_set_tlsext_host_name(SSL *ssl, const char *name) {
  return (int)SSL_set_tlsext_host_name(ssl, name);
}
static inline int sonde_SSL_set_tlsext_status_type_ocsp(SSL *ssl) {
  return (int)SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp);
}
static inline long sonde_SSL_get_tlsext_status_ocsp_resp(SSL *ssl, const unsigned char **response) {
  return SSL_get_tlsext_status_ocsp_resp(ssl, response);
}
static inline int sonde_SSL_set0_tlsext_status_ocsp_resp(SSL *ssl, unsigned char *response, long count) {
  return (int)SSL_set_tlsext_status_ocsp_resp(ssl, response, count);
}
static inline int sonde_SSL_get_negotiated_group(SSL *ssl) { return (int)SSL_get_negotiated_group(ssl); }

// Memory and memory BIOs.
static inline void *sonde_OPENSSL_malloc(size_t count) { return OPENSSL_malloc(count); }
static inline long sonde_BIO_get_mem_data(BIO *bio, char **data) { return BIO_get_mem_data(bio, data); }
static inline void sonde_BIO_reset(BIO *bio) { (void)BIO_reset(bio); }

// Typed stacks.
static inline int sonde_sk_X509_num(const STACK_OF(X509) *stack) { return sk_X509_num(stack); }
static inline X509 *sonde_sk_X509_value(const STACK_OF(X509) *stack, int index) {
  return sk_X509_value(stack, index);
}
static inline STACK_OF(X509) *sonde_sk_X509_new(void) { return sk_X509_new_null(); }
static inline int sonde_sk_X509_push(STACK_OF(X509) *stack, X509 *certificate) {
  return sk_X509_push(stack, certificate);
}
static inline void sonde_sk_X509_pop_free(STACK_OF(X509) *stack) { sk_X509_pop_free(stack, X509_free); }
static inline int sonde_sk_X509_NAME_num(const STACK_OF(X509_NAME) *stack) { return sk_X509_NAME_num(stack); }
static inline X509_NAME *sonde_sk_X509_NAME_value(const STACK_OF(X509_NAME) *stack, int index) {
  return sk_X509_NAME_value(stack, index);
}

#endif
