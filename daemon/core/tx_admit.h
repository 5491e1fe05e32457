/*
 * Which packets of the interface may go to the peer: those whose destination AllowedIPs allow and
 * that are not messages of this very link, as long as there is somebody to send to. Of frames the
 * first does not count; instead those to everybody have a limit.
 */
#ifndef CORE_TX_ADMIT_H
#define CORE_TX_ADMIT_H

#include "daemon/core/tx.h"
#include "daemon/data/inner.h"

/*!
 * Judges what was read into the slot; counts it if it may not go, says why once a minute, and tells
 * the program that sent it, where it is a packet.
 * \param tx     with `split` prepared
 * \param inner  the packet, or the one in the frame; NULL: there is none
 * \return whether it may go
 */
bool tx_admit(struct tx *tx, const struct inner *inner, nsec_t now);

#endif
