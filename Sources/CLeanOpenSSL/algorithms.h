// SPDX-License-Identifier: Apache-2.0
// What the lean provider offers: a table for each kind of operation, X(names, implementation).
//
// The name before the first colon is the usual one, the others are aliases and object identifiers; all of them, and the
// implementations' symbols, are OpenSSL's. Everything is here that a suite of OpenSSL's default list, a group that it
// offers, a certificate whose key and signature TLS accepts, or a private key in PKCS#8, PKCS#1 or SEC 1 form needs.
// Not here:
//   ciphers      ARIA, Camellia, SM4, triple DES; AES in modes other than ECB, CBC, CTR, GCM and CCM; AES-CBC stitched
//                together with its MAC (TLS then runs one after the other)
//   digests      BLAKE2, RIPEMD-160, SM3, SHAKE-128, SHA-512/224 and SHA-512/256
//   MACs         all but HMAC
//   derivations  all but HKDF and TLS's own, so that encrypted keys cannot be read (the tools refuse them)
//   keys         DSA and SM2; DH stays for key exchange, but not in certificates and files
//   forms        all text and PEM (the tools read PEM themselves), Microsoft's, all that writes keys, stores by URI
#ifndef SONDE_ALGORITHMS_H
#define SONDE_ALGORITHMS_H

// SHAKE-256 is part of Ed448. libssl refuses to start without MD5 and SHA-1, and weak signatures shall be named.
#define SONDE_DIGESTS(X) \
  X("SHA1:SHA-1:SSL3-SHA1:1.3.14.3.2.26", ossl_sha1_functions) \
  X("SHA2-224:SHA-224:SHA224:2.16.840.1.101.3.4.2.4", ossl_sha224_functions) \
  X("SHA2-256:SHA-256:SHA256:2.16.840.1.101.3.4.2.1", ossl_sha256_functions) \
  X("SHA2-384:SHA-384:SHA384:2.16.840.1.101.3.4.2.2", ossl_sha384_functions) \
  X("SHA2-512:SHA-512:SHA512:2.16.840.1.101.3.4.2.3", ossl_sha512_functions) \
  X("SHA3-224:2.16.840.1.101.3.4.2.7", ossl_sha3_224_functions) \
  X("SHA3-256:2.16.840.1.101.3.4.2.8", ossl_sha3_256_functions) \
  X("SHA3-384:2.16.840.1.101.3.4.2.9", ossl_sha3_384_functions) \
  X("SHA3-512:2.16.840.1.101.3.4.2.10", ossl_sha3_512_functions) \
  X("SHAKE-256:SHAKE256:2.16.840.1.101.3.4.2.12", ossl_shake_256_functions) \
  X("MD5:SSL3-MD5:1.2.840.113549.2.5", ossl_md5_functions) \
  X("MD5-SHA1", ossl_md5_sha1_functions)

#define SONDE_CIPHERS(X) \
  X("AES-256-ECB:2.16.840.1.101.3.4.1.41", ossl_aes256ecb_functions) \
  X("AES-128-ECB:2.16.840.1.101.3.4.1.1", ossl_aes128ecb_functions) \
  X("AES-256-CBC:AES256:2.16.840.1.101.3.4.1.42", ossl_aes256cbc_functions) \
  X("AES-128-CBC:AES128:2.16.840.1.101.3.4.1.2", ossl_aes128cbc_functions) \
  X("AES-256-CTR", ossl_aes256ctr_functions) \
  X("AES-128-CTR", ossl_aes128ctr_functions) \
  X("AES-256-GCM:id-aes256-GCM:2.16.840.1.101.3.4.1.46", ossl_aes256gcm_functions) \
  X("AES-128-GCM:id-aes128-GCM:2.16.840.1.101.3.4.1.6", ossl_aes128gcm_functions) \
  X("AES-256-CCM:id-aes256-CCM:2.16.840.1.101.3.4.1.47", ossl_aes256ccm_functions) \
  X("AES-128-CCM:id-aes128-CCM:2.16.840.1.101.3.4.1.7", ossl_aes128ccm_functions) \
  X("ChaCha20", ossl_chacha20_functions) \
  X("ChaCha20-Poly1305", ossl_chacha20_ossl_poly1305_functions) \
  X("NULL", ossl_null_functions)

#define SONDE_MACS(X) X("HMAC", ossl_hmac_functions)

#define SONDE_DERIVATIONS(X) \
  X("HKDF", ossl_kdf_hkdf_functions) \
  X("TLS13-KDF", ossl_kdf_tls1_3_kdf_functions) \
  X("TLS1-PRF", ossl_kdf_tls1_prf_functions)

#define SONDE_EXCHANGES(X) \
  X("DH:dhKeyAgreement:1.2.840.113549.1.3.1", ossl_dh_keyexch_functions) \
  X("ECDH", ossl_ecdh_keyexch_functions) \
  X("X25519:1.3.101.110", ossl_x25519_keyexch_functions) \
  X("X448:1.3.101.111", ossl_x448_keyexch_functions)

#define SONDE_RANDOM_SOURCES(X) \
  X("CTR-DRBG", ossl_drbg_ctr_functions) \
  X("SEED-SRC", ossl_seed_src_functions)

// HMAC stands here as well because libssl signs with it where TLS 1.2 computes the MAC of a CBC suite.
#define SONDE_SIGNATURES(X) \
  X("RSA:rsaEncryption:1.2.840.113549.1.1.1", ossl_rsa_signature_functions) \
  X("ED25519:1.3.101.112", ossl_ed25519_signature_functions) \
  X("ED448:1.3.101.113", ossl_ed448_signature_functions) \
  X("ECDSA", ossl_ecdsa_signature_functions) \
  X("HMAC", ossl_mac_legacy_hmac_signature_functions)

// The key exchange of the RSA suites of TLS 1.2.
#define SONDE_KEY_TRANSPORTS(X) X("RSA:rsaEncryption:1.2.840.113549.1.1.1", ossl_rsa_asym_cipher_functions)

#define SONDE_KEYS(X) \
  X("DH:dhKeyAgreement:1.2.840.113549.1.3.1", ossl_dh_keymgmt_functions) \
  X("RSA:rsaEncryption:1.2.840.113549.1.1.1", ossl_rsa_keymgmt_functions) \
  X("RSA-PSS:RSASSA-PSS:1.2.840.113549.1.1.10", ossl_rsapss_keymgmt_functions) \
  X("EC:id-ecPublicKey:1.2.840.10045.2.1", ossl_ec_keymgmt_functions) \
  X("X25519:1.3.101.110", ossl_x25519_keymgmt_functions) \
  X("X448:1.3.101.111", ossl_x448_keymgmt_functions) \
  X("ED25519:1.3.101.112", ossl_ed25519_keymgmt_functions) \
  X("ED448:1.3.101.113", ossl_ed448_keymgmt_functions) \
  X("HMAC", ossl_mac_legacy_keymgmt_functions)

// A decoder turns one form of one kind of key into a key: X(names, implementation, form).
#define SONDE_DECODERS(X) \
  X("RSA:rsaEncryption:1.2.840.113549.1.1.1", ossl_PrivateKeyInfo_der_to_rsa_decoder_functions, "PrivateKeyInfo") \
  X("RSA:rsaEncryption:1.2.840.113549.1.1.1", ossl_SubjectPublicKeyInfo_der_to_rsa_decoder_functions, \
    "SubjectPublicKeyInfo") \
  X("RSA:rsaEncryption:1.2.840.113549.1.1.1", ossl_type_specific_keypair_der_to_rsa_decoder_functions, \
    "type-specific") \
  X("RSA-PSS:RSASSA-PSS:1.2.840.113549.1.1.10", ossl_PrivateKeyInfo_der_to_rsapss_decoder_functions, \
    "PrivateKeyInfo") \
  X("RSA-PSS:RSASSA-PSS:1.2.840.113549.1.1.10", ossl_SubjectPublicKeyInfo_der_to_rsapss_decoder_functions, \
    "SubjectPublicKeyInfo") \
  X("EC:id-ecPublicKey:1.2.840.10045.2.1", ossl_PrivateKeyInfo_der_to_ec_decoder_functions, "PrivateKeyInfo") \
  X("EC:id-ecPublicKey:1.2.840.10045.2.1", ossl_SubjectPublicKeyInfo_der_to_ec_decoder_functions, \
    "SubjectPublicKeyInfo") \
  X("EC:id-ecPublicKey:1.2.840.10045.2.1", ossl_type_specific_no_pub_der_to_ec_decoder_functions, "type-specific") \
  X("ED25519:1.3.101.112", ossl_PrivateKeyInfo_der_to_ed25519_decoder_functions, "PrivateKeyInfo") \
  X("ED25519:1.3.101.112", ossl_SubjectPublicKeyInfo_der_to_ed25519_decoder_functions, "SubjectPublicKeyInfo") \
  X("ED448:1.3.101.113", ossl_PrivateKeyInfo_der_to_ed448_decoder_functions, "PrivateKeyInfo") \
  X("ED448:1.3.101.113", ossl_SubjectPublicKeyInfo_der_to_ed448_decoder_functions, "SubjectPublicKeyInfo") \
  X("DER", ossl_SubjectPublicKeyInfo_der_to_der_decoder_functions, "SubjectPublicKeyInfo")

#endif
