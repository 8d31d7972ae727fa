// SPDX-License-Identifier: Apache-2.0
// What the static files leave out of OpenSSL. There is nothing to call: being linked is all that these sources do.
//
// A static libcrypto reaches nearly all of itself through a few tables: the default provider's list of algorithms, the
// older lists of ciphers and digests, the texts of errors, the engines. The linker takes an archive's member only for a
// symbol that is still missing, so that the definitions here, which it sees first, keep the members with the same
// symbols out, and with them all that only those name: a seventh of the released file.
//
// The symbols are OpenSSL's internal ones. Where a later patch release of 3.0 renames an algorithm's, the link fails
// for an undefined symbol; where it moves one that is defined here, for a duplicate. With any other version these
// sources are empty and the whole library is linked. Ordinary builds, which use the shared library, never see them.
#ifndef SONDE_CLEANOPENSSL_H
#define SONDE_CLEANOPENSSL_H

#include <openssl/opensslv.h>

#if OPENSSL_VERSION_MAJOR == 3 && OPENSSL_VERSION_MINOR == 0
#define SONDE_LEAN_OPENSSL 1
#endif

#endif
