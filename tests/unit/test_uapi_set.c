/* Tests of daemon/ctl/uapi_set.c and uapi_draft.c: lines, values, errors, and the device's keys.
   Peers: test_uapi_set_peers.c. */
#include "tests/unit/uapi_links.h"

#include "common/defs.h"

static void nothing_asked_is_nothing_changed(void **state)
{
	struct uapi_edit edit;

	(void)state;
	do_set(&full, "", &edit);
	assert_int_equal(edit.peer, UAPI_PEER_SAME);
	assert_false(edit.named.private_key || edit.named.listen_port || edit.named.fwmark ||
		     edit.named.peer || edit.named.preshared_key || edit.named.endpoint ||
		     edit.named.persistent_keepalive || edit.named.allowed_ips ||
		     edit.keepalive_now);
	assert_true(key_equal(&edit.conf.public_key, &full.public_key));
	assert_true(key_equal(&edit.conf.secrets->private_key, &full.secrets->private_key));
	assert_true(key_equal(&edit.conf.secrets->preshared_key, &full.secrets->preshared_key));
	assert_string_equal(edit.conf.private_key_file, "/etc/vpnd/key");
	assert_string_equal(edit.conf.endpoints[0].host, "far.example");
	assert_string_equal(allowed_text(&edit.conf), "10.1.0.0/16 fd00::/64");
	assert_int_equal(edit.conf.persistent_keepalive, 25);
	assert_int_equal(edit.conf.mtu, 1380);
	uapi_edit_deinit(&edit);
	uapi_edit_deinit(&edit); /* twice is safe */
}

static void the_device_is_set(void **state)
{
	struct uapi_edit edit;

	(void)state;
	do_set(&bare, "private_key=" SECRET "\nlisten_port=4500\nfwmark=4294967295\n", &edit);
	assert_true(edit.named.private_key && edit.named.listen_port && edit.named.fwmark);
	assert_false(edit.named.peer);
	assert_true(key_equal(&edit.conf.public_key, &full.public_key));
	assert_true(uapi_has_private_key(&edit.conf));
	assert_false(uapi_has_peer(&edit.conf));
	assert_int_equal(edit.conf.listen_port, 4500);
	assert_int_equal(edit.conf.fwmark, 4294967295U);
	assert_int_equal(edit.peer, UAPI_PEER_SAME);
	uapi_edit_deinit(&edit);
	/* The link itself is as it was. */
	assert_false(uapi_has_private_key(&bare));
	assert_int_equal(bare.listen_port, 0);
	/* Zero is a value. */
	do_set(&full, "listen_port=0\nfwmark=0\n", &edit);
	assert_int_equal(edit.conf.listen_port, 0);
	assert_int_equal(edit.conf.fwmark, 0);
	assert_true(edit.named.listen_port && edit.named.fwmark && !edit.named.private_key);
	uapi_edit_deinit(&edit);
}

static void a_private_key_is_clamped_or_cleared(void **state)
{
	struct uapi_edit edit;
	struct key clamped = key_of(0xff);

	(void)state;
	clamped.bytes[0] = 0xf8;
	clamped.bytes[31] = 0x7f;
	do_set(&full, "private_key=" HEX("Ff"), &edit); /* no newline at the end, either case */
	assert_true(key_equal(&edit.conf.secrets->private_key, &clamped));
	assert_null(edit.conf.private_key_file);
	assert_false(key_equal(&edit.conf.public_key, &full.public_key));
	assert_int_equal(edit.peer, UAPI_PEER_SAME);
	uapi_edit_deinit(&edit);

	do_set(&full, "private_key=" NO_KEY "\n", &edit);
	assert_true(edit.named.private_key);
	assert_false(uapi_has_private_key(&edit.conf));
	assert_true(key_is_zero(&edit.conf.secrets->private_key));
	assert_true(uapi_has_peer(&edit.conf));
	uapi_edit_deinit(&edit);
}

static void an_empty_line_ends_the_request(void **state)
{
	struct uapi_edit edit;

	(void)state;
	do_set(&full, "fwmark=1\n\nfwmark=2\nrubbish\n", &edit);
	assert_int_equal(edit.conf.fwmark, 1);
	uapi_edit_deinit(&edit);
	do_set(&full, "\n", &edit);
	uapi_edit_deinit(&edit);
}

/* Lines that are refused, with what wireguard-go answers and a word of the reason. */
static const struct {
	const char *lines;
	int error;
	const char *reason;
} refusals[] = {
	{ "fwmark", -EPROTO, "no \"=\" in line 2" },
	{ "fwmark=1\n \n", -EPROTO, "line 3" },
	{ "=\n", -EINVAL, "unknown key" },
	{ "private_keys=" SECRET "\n", -EINVAL, "unknown key in line 2" },
	{ "Fwmark=1\n", -EINVAL, "unknown key" },
	{ " fwmark=1\n", -EINVAL, "unknown key" },
	{ "get=1\n", -EINVAL, "unknown key" },
	{ "private_key=\n", -EINVAL, "private_key is not a key" },
	{ "private_key=" SECRET "0\n", -EINVAL, "private_key is not a key" },
	{ "private_key= " SECRET "\n", -EINVAL, "private_key is not a key" },
	{ "private_key=g" HEX4("1111111") HEX4("11111111") "111\n", -EINVAL,
	  "private_key is not a key" },
	{ "listen_port=\n", -EINVAL, "listen_port is not a number" },
	{ "listen_port=65536\n", -EINVAL, "listen_port is not a number" },
	{ "listen_port=-1\n", -EINVAL, "listen_port is not a number" },
	{ "listen_port=0x10\n", -EINVAL, "listen_port is not a number" },
	{ "listen_port=1 \n", -EINVAL, "listen_port is not a number" },
	{ "listen_port=1\r\n", -EINVAL, "listen_port is not a number" },
	{ "fwmark=4294967296\n", -EINVAL, "fwmark is not a number" },
	{ "fwmark=off\n", -EINVAL, "fwmark is not a number" },
	{ "replace_peers=false\n", -EINVAL, "replace_peers is not \"true\"" },
	{ "replace_peers=1\n", -EINVAL, "replace_peers is not \"true\"" },
	/* Keys in the wrong place. */
	{ "endpoint=192.0.2.1:1\n", -EINVAL, "endpoint before the first public_key, in line 2" },
	{ "remove=true\n", -EINVAL, "remove before" },
	{ "public_key=" KEY_A "\nprivate_key=" SECRET "\n", -EINVAL, "private_key behind" },
	{ "public_key=" KEY_A "\nlisten_port=1\n", -EINVAL, "listen_port behind" },
	{ "public_key=" KEY_A "\nreplace_peers=true\n", -EINVAL, "replace_peers behind" },
	/* What `get` shows is not for `set`. */
	{ "public_key=" KEY_A "\nrx_bytes=1\n", -EINVAL, "unknown key in line 3" },
	/* The peer's values. */
	{ "public_key=a1\n", -EINVAL, "public_key is not a key" },
	{ "public_key=" KEY_A "\nremove=false\n", -EINVAL, "remove is not" },
	{ "public_key=" KEY_A "\nupdate_only=yes\n", -EINVAL, "update_only is not" },
	{ "public_key=" KEY_A "\npreshared_key=77\n", -EINVAL, "preshared_key is not a key" },
	{ "public_key=" KEY_A "\nendpoint=far.example:1\n", -EINVAL, "no numeric address" },
	{ "public_key=" KEY_A "\nendpoint=192.0.2.1\n", -EINVAL, "has no port" },
	{ "public_key=" KEY_A "\nendpoint=192.0.2.1:0\n", -EINVAL, "port that is not" },
	{ "public_key=" KEY_A "\nendpoint=2001:db8::1:1\n", -EINVAL, "without brackets" },
	{ "public_key=" KEY_A "\nendpoint=[fe80::1%nonesuch]:1\n", -EINVAL, "does not exist" },
	{ "public_key=" KEY_A "\nendpoint=\n", -EINVAL, "endpoint has no port" },
	{ "public_key=" KEY_A "\nendpoint=" HEX("11") HEX("11") "\n", -EINVAL, "too long" },
	{ "public_key=" KEY_A "\npersistent_keepalive_interval=off\n", -EINVAL, "seconds" },
	{ "public_key=" KEY_A "\npersistent_keepalive_interval=65536\n", -EINVAL, "seconds" },
	{ "public_key=" KEY_A "\nreplace_allowed_ips=false\n", -EINVAL, "replace_allowed_ips" },
	{ "public_key=" KEY_A "\nallowed_ip=10.0.0.1\n", -EINVAL, "has no \"/length\"" },
	{ "public_key=" KEY_A "\nallowed_ip=10.0.0.0/33\n", -EINVAL, "0 to 32" },
	{ "public_key=" KEY_A "\nallowed_ip=10.0.0/8\n", -EINVAL, "is not an IPv4" },
	{ "public_key=" KEY_A "\nallowed_ip=+10.0.0.0/8\n", -EINVAL, "is not an IPv4" },
	{ "public_key=" KEY_A "\nallowed_ip=--10.0.0.0/8\n", -EINVAL, "is not an IPv4" },
	{ "public_key=" KEY_A "\nallowed_ip=\n", -EINVAL, "has no \"/length\"" },
	{ "public_key=" KEY_A "\nallowed_ip=-\n", -EINVAL, "has no \"/length\"" },
	{ "public_key=" KEY_A "\nprotocol_version=2\n", -EINVAL, "protocol_version is not 1" },
	/* A section that is passed over is read as strictly. */
	{ "public_key=" KEY_A "\nremove=true\nendpoint=x\n", -EINVAL, "line 4: endpoint" },
	{ "public_key=" KEY_A "\nremove=true\npreshared_key=x\n", -EINVAL, "preshared_key" },
	{ "public_key=" KEY_A "\nremove=true\nallowed_ip=x/1\n", -EINVAL, "allowed_ip" },
	/* Nobody has such keys. */
	{ "replace_peers=true\npublic_key=" NO_KEY "\n", -EINVAL, "no private key has" },
	{ "replace_peers=true\npublic_key=01" HEX4("00000000") HEX4("0000000") "00\n", -EINVAL,
	  "no private key has" },
};

static void wrong_lines_are_refused_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		struct uapi_edit edit;
		const char *lines = refusals[i].lines;
		int r = try_set(&full, lines, &edit);

		if (r != refusals[i].error || !strstr(edit.reason, refusals[i].reason))
			fail_msg("%d \"%s\" for:\n%s", r, edit.reason, lines);
		assert_null(edit.conf.secrets);
		assert_null(edit.conf.wg_allowed_ips.items);
		/* No value, and so no secret, is repeated. */
		assert_null(strstr(edit.reason, "4848"));
		uapi_edit_deinit(&edit);
	}
	/* The link is untouched by all of them. */
	assert_int_equal(full.fwmark, 7);
	assert_string_equal(allowed_text(&full), "10.1.0.0/16 fd00::/64");
}

static void a_nul_ends_no_value(void **state)
{
	static const char lines[] = "fwmark=1\0"
				    "2\n";
	static const char name[] = "fwmark\0=1\n";
	struct uapi_edit edit;

	(void)state;
	assert_int_equal(uapi_set(lines, sizeof(lines) - 1, &full, &edit), -EINVAL);
	assert_int_equal(uapi_set(name, sizeof(name) - 1, &full, &edit), -EINVAL);
}

static void the_reason_shows_nothing_that_was_sent(void **state)
{
	struct uapi_edit edit;

	(void)state;
	assert_int_equal(try_set(&full, SECRET "=1\n", &edit), -EINVAL);
	assert_null(strstr(edit.reason, "4848"));
	assert_int_equal(try_set(&full, SECRET "\n", &edit), -EPROTO);
	assert_null(strstr(edit.reason, "4848"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_asked_is_nothing_changed, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(the_device_is_set, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_private_key_is_clamped_or_cleared, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(an_empty_line_ends_the_request, set_up, tear_down),
		cmocka_unit_test_setup_teardown(wrong_lines_are_refused_whole, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_nul_ends_no_value, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_reason_shows_nothing_that_was_sent, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
