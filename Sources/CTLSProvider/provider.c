// SPDX-License-Identifier: Apache-2.0
// The algorithms of TLS 1.2 and 1.3, and no others, for the released static files.
//
// OpenSSL offers its algorithms through tables. The tables of its default provider name every cipher, digest, encoder
// and key derivation that it has, so that a static file carries all of them, and each start registers all of them. This
// file defines the three functions that hold such tables. The linker takes the first definition that it meets, which is
// this one, and never opens the members of libcrypto.a with the others; what only those refer to stays out of the file.
// The implementations that are named here are OpenSSL's own, unchanged.
//
// Left out on purpose: finite-field Diffie-Hellman, DSA, X448, Ed448, CCM, ARIA, Camellia, 3DES, and keys behind a pass
// phrase. A name that is missing here is an algorithm that is not offered; nothing becomes weaker by it.
//
// The names of the tables' entries are internal to OpenSSL, the same through all of 3.0. With any other version this
// file is empty, and the whole default provider is linked.

#include <openssl/opensslv.h>

#if OPENSSL_VERSION_MAJOR == 3 && OPENSSL_VERSION_MINOR == 0

#include <openssl/bio.h>
#include <openssl/core_dispatch.h>
#include <openssl/evp.h>
#include <stddef.h>

// What libcrypto.a keeps to itself.
typedef struct prov_ctx_st PROV_CTX;
int ossl_prov_bio_from_dispatch(const OSSL_DISPATCH *functions);
int ossl_prov_seeding_from_dispatch(const OSSL_DISPATCH *functions);
PROV_CTX *ossl_prov_ctx_new(void);
void ossl_prov_ctx_free(PROV_CTX *context);
void ossl_prov_ctx_set0_libctx(PROV_CTX *context, OSSL_LIB_CTX *library);
void ossl_prov_ctx_set0_handle(PROV_CTX *context, const OSSL_CORE_HANDLE *handle);
void ossl_prov_ctx_set0_core_bio_method(PROV_CTX *context, BIO_METHOD *method);
BIO_METHOD *ossl_prov_ctx_get0_core_bio_method(PROV_CTX *context);
BIO_METHOD *ossl_bio_prov_init_bio_method(void);
int ossl_prov_get_capabilities(void *context, const char *capability, OSSL_CALLBACK *callback, void *argument);

// One row of a table: the algorithm's names and object identifiers, and OpenSSL's implementation.
#define ROW(names, implementation) {names, "provider=default", ossl_##implementation##_functions, NULL}
#define DECODER(names, implementation, structure) \
  {names, "provider=default,input=der,structure=" structure, \
   ossl_##implementation##_decoder_functions, NULL}
#define END {NULL, NULL, NULL, NULL}
#define USE(implementation) extern const OSSL_DISPATCH ossl_##implementation##_functions[];

// MD5 is there for the names' sake: OpenSSL wants it when a context is made. Nothing negotiates it.
USE(md5) USE(md5_sha1) USE(sha1) USE(sha224) USE(sha256) USE(sha384) USE(sha512)
static const OSSL_ALGORITHM digests[] = {
  ROW("MD5:SSL3-MD5:1.2.840.113549.2.5", md5),
  ROW("MD5-SHA1", md5_sha1),
  ROW("SHA1:SHA-1:SSL3-SHA1:1.3.14.3.2.26", sha1),
  ROW("SHA2-224:SHA-224:SHA224:2.16.840.1.101.3.4.2.4", sha224),
  ROW("SHA2-256:SHA-256:SHA256:2.16.840.1.101.3.4.2.1", sha256),
  ROW("SHA2-384:SHA-384:SHA384:2.16.840.1.101.3.4.2.2", sha384),
  ROW("SHA2-512:SHA-512:SHA512:2.16.840.1.101.3.4.2.3", sha512),
  END,
};

// ECB and CTR serve the random generator.
USE(null) USE(aes128gcm) USE(aes256gcm) USE(aes128cbc) USE(aes256cbc) USE(aes256ecb) USE(aes256ctr)
USE(chacha20_ossl_poly1305)
static const OSSL_ALGORITHM ciphers[] = {
  ROW("NULL", null),
  ROW("AES-128-GCM:id-aes128-GCM:2.16.840.1.101.3.4.1.6", aes128gcm),
  ROW("AES-256-GCM:id-aes256-GCM:2.16.840.1.101.3.4.1.46", aes256gcm),
  ROW("AES-128-CBC:AES128:2.16.840.1.101.3.4.1.2", aes128cbc),
  ROW("AES-256-CBC:AES256:2.16.840.1.101.3.4.1.42", aes256cbc),
  ROW("AES-256-ECB:2.16.840.1.101.3.4.1.41", aes256ecb),
  ROW("AES-256-CTR", aes256ctr),
  ROW("ChaCha20-Poly1305", chacha20_ossl_poly1305),
  END,
};

USE(hmac)
static const OSSL_ALGORITHM macs[] = {ROW("HMAC", hmac), END};

USE(kdf_hkdf) USE(kdf_tls1_3_kdf) USE(kdf_tls1_prf)
static const OSSL_ALGORITHM derivations[] = {
  ROW("HKDF", kdf_hkdf), ROW("TLS13-KDF", kdf_tls1_3_kdf), ROW("TLS1-PRF", kdf_tls1_prf), END,
};

USE(drbg_ctr) USE(seed_src)
static const OSSL_ALGORITHM generators[] = {ROW("CTR-DRBG", drbg_ctr), ROW("SEED-SRC", seed_src), END};

#define RSA_NAMES "RSA:rsaEncryption:1.2.840.113549.1.1.1"
#define RSA_PSS_NAMES "RSA-PSS:RSASSA-PSS:1.2.840.113549.1.1.10"
#define EC_NAMES "EC:id-ecPublicKey:1.2.840.10045.2.1"
#define ED25519_NAMES "ED25519:1.3.101.112"
#define X25519_NAMES "X25519:1.3.101.110"

USE(rsa_keymgmt) USE(rsapss_keymgmt) USE(ec_keymgmt) USE(ed25519_keymgmt) USE(x25519_keymgmt) USE(mac_legacy_keymgmt)
static const OSSL_ALGORITHM keys[] = {
  ROW(RSA_NAMES, rsa_keymgmt),
  ROW(RSA_PSS_NAMES, rsapss_keymgmt),
  ROW(EC_NAMES, ec_keymgmt),
  ROW(ED25519_NAMES, ed25519_keymgmt),
  ROW(X25519_NAMES, x25519_keymgmt),
  ROW("HMAC", mac_legacy_keymgmt),  // the record layer's codes under TLS 1.2 with CBC
  END,
};

USE(ecdh_keyexch) USE(x25519_keyexch)
static const OSSL_ALGORITHM exchanges[] = {ROW("ECDH", ecdh_keyexch), ROW(X25519_NAMES, x25519_keyexch), END};

USE(rsa_signature) USE(ecdsa_signature) USE(ed25519_signature) USE(mac_legacy_hmac_signature)
static const OSSL_ALGORITHM signatures[] = {
  ROW(RSA_NAMES, rsa_signature),
  ROW("ECDSA", ecdsa_signature),
  ROW(ED25519_NAMES, ed25519_signature),
  ROW("HMAC", mac_legacy_hmac_signature),
  END,
};

USE(rsa_asym_cipher)
static const OSSL_ALGORITHM encryptions[] = {ROW(RSA_NAMES, rsa_asym_cipher), END};

USE(PrivateKeyInfo_der_to_rsa_decoder) USE(SubjectPublicKeyInfo_der_to_rsa_decoder)
USE(type_specific_keypair_der_to_rsa_decoder)
USE(PrivateKeyInfo_der_to_rsapss_decoder) USE(SubjectPublicKeyInfo_der_to_rsapss_decoder)
USE(PrivateKeyInfo_der_to_ec_decoder) USE(SubjectPublicKeyInfo_der_to_ec_decoder)
USE(type_specific_no_pub_der_to_ec_decoder)
USE(PrivateKeyInfo_der_to_ed25519_decoder) USE(SubjectPublicKeyInfo_der_to_ed25519_decoder)
USE(SubjectPublicKeyInfo_der_to_der_decoder)
static const OSSL_ALGORITHM decoders[] = {
  DECODER(RSA_NAMES, PrivateKeyInfo_der_to_rsa, "PrivateKeyInfo"),
  DECODER(RSA_NAMES, SubjectPublicKeyInfo_der_to_rsa, "SubjectPublicKeyInfo"),
  DECODER(RSA_NAMES, type_specific_keypair_der_to_rsa, "type-specific"),
  DECODER(RSA_PSS_NAMES, PrivateKeyInfo_der_to_rsapss, "PrivateKeyInfo"),
  DECODER(RSA_PSS_NAMES, SubjectPublicKeyInfo_der_to_rsapss, "SubjectPublicKeyInfo"),
  DECODER(EC_NAMES, PrivateKeyInfo_der_to_ec, "PrivateKeyInfo"),
  DECODER(EC_NAMES, SubjectPublicKeyInfo_der_to_ec, "SubjectPublicKeyInfo"),
  DECODER(EC_NAMES, type_specific_no_pub_der_to_ec, "type-specific"),
  DECODER(ED25519_NAMES, PrivateKeyInfo_der_to_ed25519, "PrivateKeyInfo"),
  DECODER(ED25519_NAMES, SubjectPublicKeyInfo_der_to_ed25519, "SubjectPublicKeyInfo"),
  DECODER("DER", SubjectPublicKeyInfo_der_to_der, "SubjectPublicKeyInfo"),
  END,
};

static const OSSL_ALGORITHM *query(void *context, int operation, int *no_cache) {
  (void)context;
  *no_cache = 0;
  switch (operation) {
    case OSSL_OP_DIGEST: return digests;
    case OSSL_OP_CIPHER: return ciphers;
    case OSSL_OP_MAC: return macs;
    case OSSL_OP_KDF: return derivations;
    case OSSL_OP_RAND: return generators;
    case OSSL_OP_KEYMGMT: return keys;
    case OSSL_OP_KEYEXCH: return exchanges;
    case OSSL_OP_SIGNATURE: return signatures;
    case OSSL_OP_ASYM_CIPHER: return encryptions;
    case OSSL_OP_DECODER: return decoders;
    default: return NULL;
  }
}

static void teardown(void *context) {
  BIO_meth_free(ossl_prov_ctx_get0_core_bio_method(context));
  ossl_prov_ctx_free(context);
}

static const OSSL_DISPATCH provider[] = {
  {OSSL_FUNC_PROVIDER_TEARDOWN, (void (*)(void))teardown},
  {OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query},
  {OSSL_FUNC_PROVIDER_GET_CAPABILITIES, (void (*)(void))ossl_prov_get_capabilities},
  {0, NULL},
};

// The entry of the default provider (provider-base(7)).
int ossl_default_provider_init(
    const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *core, const OSSL_DISPATCH **functions, void **context);
int ossl_default_provider_init(
    const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *core, const OSSL_DISPATCH **functions, void **context) {
  if (!ossl_prov_bio_from_dispatch(core) || !ossl_prov_seeding_from_dispatch(core)) return 0;
  OSSL_FUNC_core_get_libctx_fn *library = NULL;
  for (; core->function_id != 0; core++) {
    if (core->function_id == OSSL_FUNC_CORE_GET_LIBCTX) library = OSSL_FUNC_core_get_libctx(core);
  }
  if (library == NULL) return 0;

  PROV_CTX *made = ossl_prov_ctx_new();
  BIO_METHOD *method = ossl_bio_prov_init_bio_method();
  if (made == NULL || method == NULL) {
    BIO_meth_free(method);
    ossl_prov_ctx_free(made);
    return 0;
  }
  ossl_prov_ctx_set0_libctx(made, (OSSL_LIB_CTX *)library(handle));
  ossl_prov_ctx_set0_handle(made, handle);
  ossl_prov_ctx_set0_core_bio_method(made, method);
  *context = made;
  *functions = provider;
  return 1;
}

// The older tables of ciphers and digests by name. Signatures of certificates look up their digests there.
void openssl_add_all_ciphers_int(void);
void openssl_add_all_ciphers_int(void) {}

void openssl_add_all_digests_int(void);
void openssl_add_all_digests_int(void) {
  EVP_add_digest(EVP_md5());
  EVP_add_digest(EVP_md5_sha1());
  EVP_add_digest(EVP_sha1());
  EVP_add_digest(EVP_sha224());
  EVP_add_digest(EVP_sha256());
  EVP_add_digest(EVP_sha384());
  EVP_add_digest(EVP_sha512());
}

#endif
