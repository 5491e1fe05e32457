/* mac1, mac2 and cookies; see cookie.h. */
#include "daemon/proto/cookie.h"

#include <sodium.h>

/* Hash(label || public key): labels are eight characters, paper section 5.4.4 and 5.4.7. */
static void make_key(uint8_t ret[static HASH_LEN], const char *label, const struct key *public_key)
{
	prim_hash(ret, label, 8, public_key->bytes, KEY_LEN);
}

/* Both MACs are at the end of both handshake messages. */
static struct msg_macs *macs_of(uint8_t *message, size_t len)
{
	return (struct msg_macs *)(void *)(message + len - sizeof(struct msg_macs));
}

static const struct msg_macs *const_macs_of(const uint8_t *message, size_t len)
{
	return (const struct msg_macs *)(const void *)(message + len - sizeof(struct msg_macs));
}

void cookie_checker_init(struct cookie_checker *checker, const struct key *own_public)
{
	memset(checker, 0, sizeof(*checker));
	make_key(checker->mac1_key, "mac1----", own_public);
	make_key(checker->cookie_key, "cookie--", own_public);
}

void cookie_maker_init(struct cookie_maker *maker, const struct key *peer_public)
{
	memset(maker, 0, sizeof(*maker));
	make_key(maker->mac1_key, "mac1----", peer_public);
	make_key(maker->cookie_key, "cookie--", peer_public);
}

bool cookie_check_mac1(const struct cookie_checker *checker, const uint8_t *message, size_t len)
{
	uint8_t mac1[MAC_LEN];

	prim_mac(mac1, checker->mac1_key, HASH_LEN, message, len - sizeof(struct msg_macs));
	return sodium_memcmp(mac1, const_macs_of(message, len)->mac1, MAC_LEN) == 0;
}

/* The cookie of a source: Mac(secret, address || port), with a secret that is young enough. */
static void make_cookie(struct cookie_checker *checker, uint8_t ret[static MAC_LEN],
			const union netaddr *source, nsec_t now)
{
	uint8_t input[sizeof(struct in6_addr) + sizeof(in_port_t)];
	size_t addr_len;

	if (!checker->has_secret ||
	    nsec_expired(checker->secret_birth, COOKIE_SECRET_LIFETIME, now)) {
		randombytes_buf(checker->secret, sizeof(checker->secret));
		checker->secret_birth = now;
		checker->has_secret = true;
	}
	if (source->sa.sa_family == AF_INET6) {
		addr_len = sizeof(source->in6.sin6_addr);
		memcpy(input, &source->in6.sin6_addr, addr_len);
		memcpy(input + addr_len, &source->in6.sin6_port, sizeof(in_port_t));
	} else {
		addr_len = sizeof(source->in4.sin_addr);
		memcpy(input, &source->in4.sin_addr, addr_len);
		memcpy(input + addr_len, &source->in4.sin_port, sizeof(in_port_t));
	}
	prim_mac(ret, checker->secret, sizeof(checker->secret), input,
		 addr_len + sizeof(in_port_t));
}

bool cookie_check_mac2(struct cookie_checker *checker, const uint8_t *message, size_t len,
		       const union netaddr *source, nsec_t now)
{
	uint8_t cookie[MAC_LEN], mac2[MAC_LEN];
	bool is_valid;

	make_cookie(checker, cookie, source, now);
	prim_mac(mac2, cookie, MAC_LEN, message, len - MAC_LEN);
	is_valid = sodium_memcmp(mac2, const_macs_of(message, len)->mac2, MAC_LEN) == 0;
	sodium_memzero(cookie, sizeof(cookie));
	sodium_memzero(mac2, sizeof(mac2));
	return is_valid;
}

void cookie_make_reply(struct cookie_checker *checker, const uint8_t *message, size_t len,
		       le32_t receiver, const union netaddr *source, nsec_t now,
		       struct msg_cookie *ret)
{
	uint8_t cookie[MAC_LEN];

	make_cookie(checker, cookie, source, now);
	ret->type = le32_make(MSG_COOKIE);
	ret->receiver = receiver;
	randombytes_buf(ret->nonce, sizeof(ret->nonce));
	prim_xaead_seal(ret->encrypted_cookie, cookie, const_macs_of(message, len)->mac1, MAC_LEN,
			ret->nonce, checker->cookie_key);
	sodium_memzero(cookie, sizeof(cookie));
}

void cookie_add_macs(struct cookie_maker *maker, uint8_t *message, size_t len, nsec_t now)
{
	struct msg_macs *macs = macs_of(message, len);

	prim_mac(macs->mac1, maker->mac1_key, HASH_LEN, message, len - sizeof(*macs));
	memcpy(maker->last_mac1, macs->mac1, MAC_LEN);
	maker->has_last_mac1 = true;

	if (maker->has_cookie && !nsec_expired(maker->cookie_birth, COOKIE_LIFETIME, now))
		prim_mac(macs->mac2, maker->cookie, MAC_LEN, message, len - MAC_LEN);
	else
		memset(macs->mac2, 0, MAC_LEN);
}

bool cookie_consume_reply(struct cookie_maker *maker, const struct msg_cookie *reply, nsec_t now)
{
	uint8_t cookie[MAC_LEN];

	if (!maker->has_last_mac1)
		return false;
	if (!prim_xaead_open(cookie, reply->encrypted_cookie, maker->last_mac1, MAC_LEN,
			     reply->nonce, maker->cookie_key))
		return false;
	memcpy(maker->cookie, cookie, MAC_LEN);
	sodium_memzero(cookie, sizeof(cookie));
	maker->cookie_birth = now;
	maker->has_cookie = true;
	maker->has_last_mac1 = false;
	return true;
}
