/*
 * Which ciphers this host agrees to, and how fast each is here.
 *
 * With Cipher = auto it offers those that are faster than the baseline, the fastest first, as a
 * measurement of about a millisecond each tells at start: processors differ too much to know it
 * beforehand. A named cipher is the only one.
 */
#ifndef CORE_SUITES_H
#define CORE_SUITES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/nsec.h"
#include "conf/model.h"
#include "daemon/proto/cipher.h"

/* What goes into peer_config. */
struct suites {
	enum cipher_suite items[N_CIPHERS]; /* beside the baseline, best first */
	size_t n;
	bool is_forced;
	size_t extra_tag_len; /* by how much the longest tag of them exceeds the baseline's */
};

/*!
 * Measures how fast a cipher seals.
 * \param suite     an available one
 * \param len       bytes of a packet, up to SUITES_MEASURE_MAX
 * \param duration  how long to measure, ns
 * \return bytes per second
 */
double suites_measure(enum cipher_suite suite, size_t len, nsec_t duration);

#define SUITES_MEASURE_MAX 16384

/*!
 * Chooses.
 * \param wanted         `Cipher =` of the link file
 * \param has_room       whether packets may be longer by what a tag of 32 bytes adds; without it
 *                       auto leaves such suites out
 * \return false when the named cipher is not available here
 */
must_check bool suites_choose(enum conf_cipher wanted, bool has_room, struct suites *ret);

#endif
