// SPDX-License-Identifier: Apache-2.0
// Parts of OpenSSL that the tools never use, but that its start and its X.509 code name. See CLeanOpenSSL.h.
#include "CLeanOpenSSL.h"

#ifdef SONDE_LEAN_OPENSSL

#include <openssl/evp.h>
#include <openssl/http.h>

// The older list of ciphers, which would link each of them a second time. TLS takes its ciphers from the provider.
void openssl_add_all_ciphers_int(void) {}

// The older list of digests, where X.509 looks up the digest of a signature's algorithm. The weak ones are here so that
// they are known for what they are.
void openssl_add_all_digests_int(void) {
  EVP_add_digest(EVP_md5());
  EVP_add_digest(EVP_md5_sha1());
  EVP_add_digest(EVP_sha1());
  EVP_add_digest(EVP_sha224());
  EVP_add_digest(EVP_sha256());
  EVP_add_digest(EVP_sha384());
  EVP_add_digest(EVP_sha512());
  EVP_add_digest(EVP_sha3_224());
  EVP_add_digest(EVP_sha3_256());
  EVP_add_digest(EVP_sha3_384());
  EVP_add_digest(EVP_sha3_512());
}

// The texts of errors. The tools have words of their own for those that they tell, and numbers for the others.
int ossl_err_load_crypto_strings(void) { return 1; }
int ossl_err_load_SSL_strings(void) { return 1; }

// Engines: the tools load no hardware's driver.
void engine_load_openssl_int(void) {}
void engine_load_rdrand_int(void) {}
void engine_load_dynamic_int(void) {}
void engine_load_padlock_int(void) {}
void engine_load_afalg_int(void) {}

// Certificates and revocation lists by URL: the tools fetch nothing that a certificate names.
BIO *OSSL_HTTP_get(
    const char *url, const char *proxy, const char *no_proxy, BIO *bio, BIO *read_bio, OSSL_HTTP_bio_cb_t update,
    void *argument, int buffer_size, const STACK_OF(CONF_VALUE) *headers, const char *content_type, int expect_asn1,
    size_t maximum, int timeout) {
  (void)url, (void)proxy, (void)no_proxy, (void)bio, (void)read_bio, (void)update, (void)argument, (void)buffer_size;
  (void)headers, (void)content_type, (void)expect_asn1, (void)maximum, (void)timeout;
  return NULL;
}

#endif
