// SPDX-License-Identifier: Apache-2.0
// OpenSSL's default provider with fewer algorithms: the implementations are the library's own, the lists are ours.
#include "CLeanOpenSSL.h"

#ifdef SONDE_LEAN_OPENSSL

#include <openssl/bio.h>
#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>

#include "algorithms.h"

// What the library's own providers stand on. No public header declares it.
typedef struct prov_ctx_st PROV_CTX;
PROV_CTX *ossl_prov_ctx_new(void);
void ossl_prov_ctx_free(PROV_CTX *context);
void ossl_prov_ctx_set0_libctx(PROV_CTX *context, OSSL_LIB_CTX *library);
void ossl_prov_ctx_set0_handle(PROV_CTX *context, const OSSL_CORE_HANDLE *handle);
void ossl_prov_ctx_set0_core_bio_method(PROV_CTX *context, BIO_METHOD *method);
BIO_METHOD *ossl_prov_ctx_get0_core_bio_method(PROV_CTX *context);
BIO_METHOD *ossl_bio_prov_init_bio_method(void);
int ossl_prov_bio_from_dispatch(const OSSL_DISPATCH *core);
int ossl_prov_seeding_from_dispatch(const OSSL_DISPATCH *core);
OSSL_FUNC_provider_get_capabilities_fn ossl_prov_get_capabilities;

// What this file defines in place of the library.
OSSL_provider_init_fn ossl_default_provider_init;
OSSL_provider_init_fn ossl_base_provider_init;

#define PROPERTIES "provider=default"
#define DECLARE(names, functions, ...) extern const OSSL_DISPATCH functions[];
#define ROW(names, functions) {names, PROPERTIES, functions, NULL},
#define DECODER_ROW(names, functions, form) {names, PROPERTIES ",input=der,structure=" form, functions, NULL},
#define TABLE(name, list, row) list(DECLARE) static const OSSL_ALGORITHM name[] = {list(row){NULL, NULL, NULL, NULL}};

TABLE(digests, SONDE_DIGESTS, ROW)
TABLE(ciphers, SONDE_CIPHERS, ROW)
TABLE(macs, SONDE_MACS, ROW)
TABLE(derivations, SONDE_DERIVATIONS, ROW)
TABLE(random_sources, SONDE_RANDOM_SOURCES, ROW)
TABLE(keys, SONDE_KEYS, ROW)
TABLE(exchanges, SONDE_EXCHANGES, ROW)
TABLE(signatures, SONDE_SIGNATURES, ROW)
TABLE(key_transports, SONDE_KEY_TRANSPORTS, ROW)
TABLE(decoders, SONDE_DECODERS, DECODER_ROW)

static const OSSL_ALGORITHM *query(void *context, int operation, int *no_cache) {
  (void)context;
  *no_cache = 0;
  switch (operation) {
    case OSSL_OP_DIGEST: return digests;
    case OSSL_OP_CIPHER: return ciphers;
    case OSSL_OP_MAC: return macs;
    case OSSL_OP_KDF: return derivations;
    case OSSL_OP_RAND: return random_sources;
    case OSSL_OP_KEYMGMT: return keys;
    case OSSL_OP_KEYEXCH: return exchanges;
    case OSSL_OP_SIGNATURE: return signatures;
    case OSSL_OP_ASYM_CIPHER: return key_transports;
    case OSSL_OP_DECODER: return decoders;
    default: return NULL;
  }
}

static void teardown(void *context) {
  BIO_meth_free(ossl_prov_ctx_get0_core_bio_method(context));
  ossl_prov_ctx_free(context);
}

static const OSSL_DISPATCH provider_functions[] = {
    {OSSL_FUNC_PROVIDER_TEARDOWN, (void (*)(void))teardown},
    {OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query},
    {OSSL_FUNC_PROVIDER_GET_CAPABILITIES, (void (*)(void))ossl_prov_get_capabilities},
    {0, NULL},
};

// Loaded by libcrypto under the name `default`, at the first use of an algorithm.
int ossl_default_provider_init(
    const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *core, const OSSL_DISPATCH **functions, void **context) {
  if (!ossl_prov_bio_from_dispatch(core) || !ossl_prov_seeding_from_dispatch(core)) return 0;
  OSSL_FUNC_core_get_libctx_fn *library = NULL;
  for (const OSSL_DISPATCH *entry = core; entry->function_id != 0; entry++) {
    if (entry->function_id == OSSL_FUNC_CORE_GET_LIBCTX) library = OSSL_FUNC_core_get_libctx(entry);
  }
  if (library == NULL) return 0;
  PROV_CTX *made = ossl_prov_ctx_new();
  BIO_METHOD *method = ossl_bio_prov_init_bio_method();
  if (made == NULL || method == NULL) {
    BIO_meth_free(method);
    ossl_prov_ctx_free(made);
    return 0;
  }
  // The library's own providers make no copy of its context either: to them, the core's is the library's.
  ossl_prov_ctx_set0_libctx(made, (OSSL_LIB_CTX *)library(handle));
  ossl_prov_ctx_set0_handle(made, handle);
  ossl_prov_ctx_set0_core_bio_method(made, method);
  *functions = provider_functions;
  *context = made;
  return 1;
}

// The provider `base` reads and writes keys for providers that only compute. Nobody loads it here.
int ossl_base_provider_init(
    const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *core, const OSSL_DISPATCH **functions, void **context) {
  (void)handle, (void)core, (void)functions, (void)context;
  return 0;
}

#endif
