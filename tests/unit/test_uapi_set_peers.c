/* Tests of daemon/ctl/uapi_set.c: what requests make of the one peer. */
#include "tests/unit/uapi_links.h"

#include "common/defs.h"

/* What a new peer has when nothing is said about it. */
static void assert_plain_peer(const struct uapi_edit *edit, uint8_t byte)
{
	struct key key = key_of(byte);

	assert_int_equal(edit->peer, UAPI_PEER_NEW);
	assert_true(key_equal(&edit->conf.peer_key, &key));
	assert_true(key_is_zero(&edit->conf.secrets->preshared_key));
	assert_null(edit->conf.preshared_key_file);
	assert_int_equal(edit->conf.n_endpoints, 0);
	assert_int_equal(edit->conf.wg_allowed_ips.n, 0);
	assert_int_equal(edit->conf.persistent_keepalive, 0);
	/* What the protocol does not know stays. */
	assert_int_equal(edit->conf.mtu, full.mtu);
}

static void a_first_peer(void **state)
{
	struct uapi_edit edit;
	struct key key = key_of(0xb2), psk = key_of(0x77);

	(void)state;
	do_set(&bare,
	       "public_key=" KEY_B "\nprotocol_version=1\npreshared_key=" PSK "\n"
	       "endpoint=[2001:db8::1]:51820\npersistent_keepalive_interval=5\n"
	       "replace_allowed_ips=true\nallowed_ip=10.9.8.7/8\nallowed_ip=::/0\n",
	       &edit);
	assert_int_equal(edit.peer, UAPI_PEER_NEW);
	assert_true(uapi_has_peer(&edit.conf));
	assert_true(key_equal(&edit.conf.peer_key, &key));
	assert_true(key_equal(&edit.conf.secrets->preshared_key, &psk));
	assert_int_equal(edit.conf.n_endpoints, 1);
	assert_string_equal(edit.conf.endpoints[0].host, "2001:db8::1");
	assert_int_equal(netaddr_port(&edit.conf.endpoints[0].literal), 51820);
	assert_int_equal(edit.conf.persistent_keepalive, 5);
	assert_true(edit.conf.given.persistent_keepalive);
	assert_true(edit.keepalive_now);
	assert_string_equal(allowed_text(&edit.conf), "10.0.0.0/8 ::/0");
	assert_true(edit.named.peer && edit.named.preshared_key && edit.named.endpoint &&
		    edit.named.persistent_keepalive && edit.named.allowed_ips);
	uapi_edit_deinit(&edit);
}

static void values_of_the_same_peer(void **state)
{
	struct uapi_edit edit;

	(void)state;
	do_set(&full,
	       "public_key=" KEY_A "\nendpoint=192.0.2.1:9\npersistent_keepalive_interval=26\n",
	       &edit);
	assert_int_equal(edit.peer, UAPI_PEER_SAME);
	assert_true(edit.named.peer && edit.named.endpoint && !edit.named.preshared_key &&
		    !edit.named.allowed_ips);
	assert_int_equal(edit.conf.n_endpoints, 1);
	assert_string_equal(edit.conf.endpoints[0].host, "192.0.2.1");
	assert_false(edit.keepalive_now); /* it was on */
	assert_string_equal(edit.conf.preshared_key_file, "/etc/vpnd/psk");
	assert_string_equal(allowed_text(&edit.conf), "10.1.0.0/16 fd00::/64");
	uapi_edit_deinit(&edit);

	do_set(&full, "public_key=" KEY_A "\npreshared_key=" NO_KEY "\n", &edit);
	assert_true(key_is_zero(&edit.conf.secrets->preshared_key));
	assert_null(edit.conf.preshared_key_file);
	assert_true(edit.named.preshared_key);
	uapi_edit_deinit(&edit);

	full.persistent_keepalive = 0;
	do_set(&full, "public_key=" KEY_A "\npersistent_keepalive_interval=25\n", &edit);
	assert_true(edit.keepalive_now);
	uapi_edit_deinit(&edit);
	do_set(&full, "public_key=" KEY_A "\npersistent_keepalive_interval=0\n", &edit);
	assert_false(edit.keepalive_now);
	assert_true(edit.named.persistent_keepalive);
	uapi_edit_deinit(&edit);
}

/* Requests that end with another peer, or with the same one made anew. */
static void a_peer_is_replaced(void **state)
{
	static const char *const ways[] = {
		"replace_peers=true\npublic_key=" KEY_B "\n",
		"public_key=" KEY_A "\nremove=true\npublic_key=" KEY_B "\n",
		/* For a while there are two. */
		"public_key=" KEY_B "\npublic_key=" KEY_A "\nremove=true\n",
		"public_key=" KEY_B "\npublic_key=" KEY_C "\npublic_key=" KEY_A
		"\nremove=true\npublic_key=" KEY_C "\nremove=true\n",
		/* All of it is gone with the removal. */
		"public_key=" KEY_B "\npersistent_keepalive_interval=9\nallowed_ip=1.0.0.0/8\n"
		"endpoint=192.0.2.1:1\npreshared_key=" PSK "\nremove=true\npublic_key=" KEY_B
		"\npublic_key=" KEY_A "\nremove=true\n",
	};
	struct uapi_edit edit;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		do_set(&full, ways[i], &edit);
		assert_plain_peer(&edit, 0xb2);
		uapi_edit_deinit(&edit);
	}
	do_set(&full, "replace_peers=true\npublic_key=" KEY_A "\n", &edit);
	assert_plain_peer(&edit, 0xa1);
	uapi_edit_deinit(&edit);
}

static void a_peer_is_removed(void **state)
{
	static const char *const ways[] = {
		"replace_peers=true\n",
		"public_key=" KEY_A "\nremove=true\n",
		/* What follows in the section is for nobody. */
		"public_key=" KEY_A "\nremove=true\nallowed_ip=1.0.0.0/8\nendpoint=192.0.2.1:1\n"
		"preshared_key=" PSK "\npersistent_keepalive_interval=1\nupdate_only=true\n"
		"replace_allowed_ips=true\nremove=true\n",
		"public_key=" KEY_B "\npublic_key=" KEY_A "\nremove=true\npublic_key=" KEY_B
		"\nremove=true\n",
	};
	struct uapi_edit edit;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		do_set(&full, ways[i], &edit);
		assert_int_equal(edit.peer, UAPI_PEER_REMOVED);
		assert_false(uapi_has_peer(&edit.conf));
		assert_int_equal(edit.conf.wg_allowed_ips.n, 0);
		assert_int_equal(edit.conf.n_endpoints, 0);
		assert_int_equal(edit.conf.persistent_keepalive, 0);
		assert_true(key_is_zero(&edit.conf.secrets->preshared_key));
		assert_false(edit.keepalive_now || edit.named.peer);
		uapi_edit_deinit(&edit);
	}
	/* One that is not there is removed without a word. */
	do_set(&full, "public_key=" KEY_B "\nremove=true\n", &edit);
	assert_int_equal(edit.peer, UAPI_PEER_SAME);
	assert_string_equal(allowed_text(&edit.conf), "10.1.0.0/16 fd00::/64");
	uapi_edit_deinit(&edit);
	do_set(&bare, "replace_peers=true\n", &edit);
	assert_int_equal(edit.peer, UAPI_PEER_SAME);
	uapi_edit_deinit(&edit);
}

static void update_only_makes_no_peer(void **state)
{
	struct uapi_edit edit;

	(void)state;
	do_set(&full,
	       "public_key=" KEY_B "\nupdate_only=true\nallowed_ip=10.1.0.0/16\n"
	       "public_key=" KEY_A "\nupdate_only=true\npersistent_keepalive_interval=1\n",
	       &edit);
	assert_int_equal(edit.peer, UAPI_PEER_SAME);
	assert_int_equal(edit.conf.persistent_keepalive, 1);
	assert_string_equal(allowed_text(&edit.conf), "10.1.0.0/16 fd00::/64");
	uapi_edit_deinit(&edit);
	do_set(&bare, "public_key=" KEY_B "\nupdate_only=true\n", &edit);
	assert_false(uapi_has_peer(&edit.conf));
	assert_int_equal(edit.peer, UAPI_PEER_SAME);
	uapi_edit_deinit(&edit);
}

static void a_second_peer_is_refused(void **state)
{
	static const char *const ways[] = {
		"public_key=" KEY_B "\n",
		"fwmark=1\npublic_key=" KEY_B "\nallowed_ip=10.0.0.0/8\n",
		"replace_peers=true\npublic_key=" KEY_B "\npublic_key=" KEY_C "\n",
		/* Too many at a time even to wait for the end. */
		"public_key=" KEY_B "\npublic_key=" KEY_C
		"\npublic_key=" HEX("d4") "\npublic_key=" HEX("e5") "\n",
	};
	struct uapi_edit edit;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		assert_int_equal(try_set(&full, ways[i], &edit), -EUSERS);
		assert_non_null(strstr(edit.reason, "a link of vpnd has one"));
		assert_null(edit.conf.secrets);
	}
	assert_int_equal(full.fwmark, 7);
}

static void oneself_is_no_peer(void **state)
{
	struct uapi_edit edit;
	char lines[512], hex[65];

	(void)state;
	sodium_bin2hex(hex, sizeof(hex), full.public_key.bytes, KEY_LEN);
	snprintf(lines, sizeof(lines), "public_key=%s\nallowed_ip=10.1.0.0/16\nremove=true\n", hex);
	do_set(&full, lines, &edit);
	assert_int_equal(edit.peer, UAPI_PEER_SAME);
	assert_string_equal(allowed_text(&edit.conf), "10.1.0.0/16 fd00::/64");
	uapi_edit_deinit(&edit);
	/* A private key whose public half is the peer's ends the peer. */
	full.peer_key = public_of(0x50);
	do_set(&full, "private_key=" HEX("50") "\n", &edit);
	assert_int_equal(edit.peer, UAPI_PEER_REMOVED);
	assert_false(uapi_has_peer(&edit.conf));
	uapi_edit_deinit(&edit);
}

static void allowed_ips_are_edited(void **state)
{
	static const struct {
		const char *lines, *result;
	} cases[] = {
		{ "allowed_ip=10.2.0.0/16\n", "10.1.0.0/16 fd00::/64 10.2.0.0/16" },
		{ "replace_allowed_ips=true\n", "" },
		{ "replace_allowed_ips=true\nallowed_ip=10.2.0.0/16\n", "10.2.0.0/16" },
		{ "allowed_ip=10.2.0.0/16\nreplace_allowed_ips=true\n", "" },
		{ "allowed_ip=-10.1.0.0/16\n", "fd00::/64" },
		{ "allowed_ip=-10.1.2.3/16\n", "fd00::/64" }, /* masked, as when it is given */
		{ "allowed_ip=-10.1.0.0/17\n", "10.1.0.0/16 fd00::/64" },
		{ "allowed_ip=-10.1.0.0/16\nallowed_ip=10.1.0.0/16\n", "fd00::/64 10.1.0.0/16" },
		/* Given again it is listed last. */
		{ "allowed_ip=10.1.0.0/16\n", "fd00::/64 10.1.0.0/16" },
		{ "allowed_ip=1.1.1.1/32\nallowed_ip=1.1.1.1/32\n",
		  "10.1.0.0/16 fd00::/64 1.1.1.1/32" },
		{ "allowed_ip=0.0.0.0/0\nallowed_ip=::/0\n",
		  "10.1.0.0/16 fd00::/64 0.0.0.0/0 ::/0" },
	};
	struct uapi_edit edit;
	char lines[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(lines, sizeof(lines), "public_key=" KEY_A "\n%s", cases[i].lines);
		do_set(&full, lines, &edit);
		assert_string_equal(allowed_text(&edit.conf), cases[i].result);
		assert_int_equal(edit.peer, UAPI_PEER_SAME);
		assert_true(edit.named.allowed_ips);
		uapi_edit_deinit(&edit);
	}
	/* A prefix moves from the old peer to the new one, and is lost with it. */
	do_set(&full,
	       "public_key=" KEY_B "\nallowed_ip=10.1.0.0/16\nremove=true\npublic_key=" KEY_A "\n",
	       &edit);
	assert_string_equal(allowed_text(&edit.conf), "fd00::/64");
	uapi_edit_deinit(&edit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_first_peer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(values_of_the_same_peer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_peer_is_replaced, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_peer_is_removed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(update_only_makes_no_peer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_second_peer_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(oneself_is_no_peer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(allowed_ips_are_edited, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
