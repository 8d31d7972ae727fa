// SPDX-License-Identifier: Apache-2.0
// OpenSSL 3. Function-like macros, which Swift cannot import, have static inline twins here; nothing else does.
#ifndef SONDE_COPENSSL_H
#define SONDE_COPENSSL_H

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#endif
