/*
 * What two vpnds agree on beyond WireGuard, without a byte more on the wire.
 *
 * The initiator puts an offer into the low 24 bits of its timestamp's nanoseconds: 12 bits of
 * marker and 12 of flags. WireGuard compares them as part of a number only. The implementations of
 * its authors send them as zero; others send the time as it is, so that any 24 bits may come.
 * Therefore only the marker with flags that are known makes an offer, 15 values of 2^24: once in a
 * million initiations such a peer is mistaken for a vpnd, and its next try, five seconds later, is
 * not. The marker is small enough that the nanoseconds stay below 10^9 whatever they are.
 * A stock responder sees an ordinary timestamp and answers an ordinary response. A vpnd picks a
 * suite that both have, and for any but the baseline mixes the suite's label into the hash before
 * it seals the empty payload, and into the derivation of the transport keys. The initiator opens
 * the response as baseline first, then with the label of each suite that it offered.
 *
 * What the data messages carry, packets or Ethernet frames, is part of the same agreement. An end
 * that carries frames (TAP) flags it in every initiation, and for frames each suite, the baseline
 * too, has a label of its own. A responder whose end carries the other kind begins no session. It
 * answers all the same, with the label of a refusal, so that the initiator learns at once why
 * there will be none; an end that only ever initiates would not hear of it otherwise.
 *
 * Why this is as safe as the handshake that it rides on:
 *
 *   No downgrade.  The timestamp is sealed under es and ss: nobody but the two ends can read,
 *     forge or strip an offer. The choice is authenticated by the response's tag, whose hash has
 *     the label in it; a third party can make the response fail, as it always could by dropping
 *     it, but not make it open as another suite. So the suite is the responder's choice among
 *     what the initiator offered, or there is no session.
 *   No key in two suites.  Transport keys come from Kdf2(chaining key, label), with an empty label
 *     for the baseline as in the paper. Labels differ, none is a prefix of another, and HKDF's
 *     outputs for different inputs are independent: the same handshake yields unrelated keys for
 *     each suite, and a session uses those of one.
 *   No session of two kinds.  Frames and packets have different labels, so an end can neither be
 *     led to take packets for frames nor complete a handshake with an end of the other kind, even
 *     where that is a stock peer, which knows of no kinds: its response has no label and begins
 *     no session of frames. A stripped flag is as impossible as a stripped offer.
 *   A refusal gives nothing away.  Only an authentic initiation, newer than all before, is refused
 *     so; to everybody else the end is silent as ever. It is as long as a response, no keys are
 *     derived from it, and nothing else is ever sealed with its key. Who forges one would have to
 *     forge a response. A stock peer cannot open it and drops it, as it drops any bad response.
 *   Nothing new for stock peers.  Without flags there is no marker, and the timestamp is rounded
 *     as ever. With flags, what a stock peer receives is a valid WireGuard initiation, and what it
 *     answers is opened as baseline, with the paper's keys.
 *   What an observer learns.  Nothing: the timestamp is encrypted, lengths are the same. Only data
 *     messages of AEGIS, whose tag is 16 bytes longer, can be told apart by their length.
 */
#ifndef PROTO_OFFER_H
#define PROTO_OFFER_H

#include <stdint.h>

#include "common/defs.h"
#include "daemon/proto/cipher.h"
#include "daemon/proto/tai64n.h"

/* A set of suites, 1 << enum cipher_suite, and OFFER_TAP. The baseline is always meant and never a
 * flag. */
typedef uint16_t offer_t;

/* The flags that this vpnd knows. With another one it is no offer, and the session is plain
 * WireGuard's: who adds a flag must go on without it when that is the answer. */
#define OFFER_SUITES                                                                               \
	((1U << CIPHER_AES256_GCM) | (1U << CIPHER_AEGIS128L) | (1U << CIPHER_AEGIS256))
#define OFFER_TAP   (1U << 11) /* data messages carry frames; more suites grow from below */
#define OFFER_KNOWN (OFFER_SUITES | OFFER_TAP)

/* What data messages carry. Both ends must mean the same. */
enum offer_carries {
	OFFER_PACKETS, /* as WireGuard */
	OFFER_FRAMES,  /* Ethernet */
};

/*! Puts an offer into a rounded timestamp; an offer of nothing leaves it as it is. */
void offer_write(struct tai64n *stamp, offer_t offer);

/*! The offer in a timestamp; 0 for that of a stock peer. */
offer_t offer_read(const struct tai64n *stamp);

/*!
 * The label that is mixed for a suite.
 * \param len  set to its bytes; 0 for packets with the baseline
 */
const char *offer_label(enum offer_carries carries, enum cipher_suite suite, size_t *len);

/*!
 * The label of a response that begins no session, because the responder's end carries what the
 * initiator's does not.
 *
 * \param len  set to its bytes
 */
const char *offer_refusal_label(size_t *len);

#endif
