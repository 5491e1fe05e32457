/* Tests of daemon/ctl/uapi_get.c and uapi_buf.c: the text of an answer, byte by byte. */
#include "tests/unit/uapi_fixture.h"

#include "common/nsec.h"
#include "daemon/ctl/uapi_get.h"

static void assert_text(struct uapi_buf *buf, const char *text)
{
	if (buf->len != strlen(text) || memcmp(buf->bytes, text, buf->len) != 0)
		fail_msg("got:\n%.*s", (int)buf->len, buf->bytes);
}

static void nothing_to_show(void **state)
{
	struct uapi_view view = { 0 };
	struct uapi_buf buf = { 0 };
	struct key no_key = key_of(0);

	(void)state;
	assert_int_equal(uapi_get(&view, &buf), 0);
	assert_text(&buf, "errno=0\n\n");
	/* All-zero keys are none either; and it is added to what is there. */
	view.private_key = &no_key;
	view.peer_key = &no_key;
	assert_int_equal(uapi_get(&view, &buf), 0);
	assert_text(&buf, "errno=0\n\nerrno=0\n\n");
	uapi_buf_deinit(&buf);
}

static void everything_in_order(void **state)
{
	struct key secret = key_of(0x48), peer = key_of(0xa1), psk = key_of(0x77);
	struct prefix allowed[2] = { { .family = AF_INET, .len = 16, .addr = { 10, 1 } },
				     { .family = AF_INET6, .len = 64, .addr = { 0xfd } } };
	struct uapi_view view = {
		.private_key = &secret,
		.listen_port = 51820,
		.fwmark = 0xffffffff,
		.peer_key = &peer,
		.preshared_key = &psk,
		.endpoint = { .in4 = { .sin_family = AF_INET,
				       .sin_port = htons(9),
				       .sin_addr = { htonl(0xc0000201) } } },
		.last_handshake = { 1700000000, 123456789 },
		.rx_bytes = UINT64_MAX,
		.tx_bytes = 148,
		.persistent_keepalive = 65535,
		.allowed_ips = allowed,
		.n_allowed_ips = 2,
	};
	struct uapi_buf buf = { 0 };

	(void)state;
	assert_int_equal(uapi_get(&view, &buf), 0);
	assert_text(&buf, "private_key=" SECRET "\nlisten_port=51820\nfwmark=4294967295\n"
			  "public_key=" KEY_A "\npreshared_key=" PSK "\nprotocol_version=1\n"
			  "endpoint=192.0.2.1:9\nlast_handshake_time_sec=1700000000\n"
			  "last_handshake_time_nsec=123456789\ntx_bytes=148\n"
			  "rx_bytes=18446744073709551615\npersistent_keepalive_interval=65535\n"
			  "allowed_ip=10.1.0.0/16\nallowed_ip=fd00::/64\nerrno=0\n\n");
	uapi_buf_deinit(&buf);
}

static void a_peer_of_which_little_is_known(void **state)
{
	struct key peer = key_of(0xa1);
	struct uapi_view view = { .peer_key = &peer };
	struct uapi_buf buf = { 0 };

	(void)state;
	assert_int_equal(uapi_get(&view, &buf), 0);
	assert_text(&buf, "public_key=" KEY_A "\npreshared_key=" NO_KEY "\nprotocol_version=1\n"
			  "last_handshake_time_sec=0\nlast_handshake_time_nsec=0\ntx_bytes=0\n"
			  "rx_bytes=0\npersistent_keepalive_interval=0\nerrno=0\n\n");
	uapi_buf_deinit(&buf);
}

/* The answer is what a request can say: read back, it changes nothing. */
static void shown_and_set_agree(void **state)
{
	struct conf_link conf;
	struct uapi_view view;
	struct uapi_buf buf = { 0 };
	struct uapi_edit edit;
	char *text, *line;

	(void)state;
	make_full(&conf);
	view = (struct uapi_view) { .private_key = &conf.secrets->private_key,
				    .listen_port = conf.listen_port,
				    .fwmark = conf.fwmark,
				    .peer_key = &conf.peer_key,
				    .preshared_key = &conf.secrets->preshared_key,
				    .persistent_keepalive = conf.persistent_keepalive,
				    .allowed_ips = conf.allowed_ips.items,
				    .n_allowed_ips = conf.allowed_ips.n };
	assert_int_equal(uapi_get(&view, &buf), 0);
	text = strndup(buf.bytes, buf.len);
	assert_non_null(text);
	/* State is for showing only. */
	line = strstr(text, "last_handshake_time_sec=");
	memmove(line, strstr(text, "persistent_"), strlen(strstr(text, "persistent_")) + 1);
	*strstr(text, "errno=") = '\0';
	do_set(&conf, text, &edit);
	assert_int_equal(edit.peer, UAPI_PEER_SAME);
	assert_true(key_equal(&edit.conf.public_key, &conf.public_key));
	assert_string_equal(allowed_text(&edit.conf), "10.1.0.0/16 fd00::/64");
	assert_int_equal(edit.conf.persistent_keepalive, 25);
	free(text);
	uapi_edit_deinit(&edit);
	uapi_buf_deinit(&buf);
	conf_link_deinit(&conf);
}

static void many_take_no_time(void **state)
{
	enum { MANY = 130000 };
	struct prefix *allowed = calloc(MANY, sizeof(*allowed));
	struct key peer = key_of(0xa1);
	struct uapi_view view = { .peer_key = &peer,
				  .allowed_ips = allowed,
				  .n_allowed_ips = MANY };
	struct uapi_buf buf = { 0 };
	nsec_t begun, taken;

	(void)state;
	assert_non_null(allowed);
	for (uint32_t i = 0; i < MANY; i++) {
		allowed[i] =
			(struct prefix) { .family = i % 2 == 0 ? AF_INET : AF_INET6, .len = 32 };
		memcpy(allowed[i].addr, &i, sizeof(i));
	}
	begun = nsec_thread_cpu();
	assert_int_equal(uapi_get(&view, &buf), 0);
	taken = nsec_thread_cpu() - begun;
	print_message("%d AllowedIPs shown, %zu bytes: %.0f ms\n", MANY, buf.len,
		      (double)taken / 1e6);
	/* 100 ms where the compiler optimises and no sanitizer watches; this is for any build. */
	assert_true(taken < NSEC_PER_SEC);
	uapi_buf_deinit(&buf);
	free(allowed);
}

static void no_memory_is_no_half_answer(void **state)
{
	struct key secret = key_of(0x48), peer = key_of(0xa1);
	struct uapi_view view = { .private_key = &secret,
				  .peer_key = &peer,
				  .n_allowed_ips = SIZE_MAX / 1024 };
	struct uapi_buf buf = { 0 };

	(void)state;
	uapi_buf_print(&buf, "errno=%d\n\n", 0);
	assert_int_equal(uapi_get(&view, &buf), -ENOMEM);
	assert_text(&buf, "errno=0\n\n");
	assert_false(buf.is_broken);
	uapi_buf_deinit(&buf);
}

static void the_buffer_grows_and_shrinks(void **state)
{
	struct uapi_buf buf = { 0 };
	char piece[100];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		memset(piece, 'a' + i % 26, sizeof(piece));
		uapi_buf_add(&buf, piece, sizeof(piece));
	}
	assert_int_equal(buf.len, 100000);
	assert_false(buf.is_broken);
	uapi_buf_drop(&buf, 150);
	assert_int_equal(buf.len, 99850);
	assert_int_equal(buf.bytes[0], 'b');
	assert_int_equal(buf.bytes[50], 'c');
	/* Behind the text nothing is left of it. */
	assert_true(sodium_is_zero((unsigned char *)buf.bytes + buf.len, 150));
	uapi_buf_drop(&buf, buf.len);
	assert_null(buf.bytes);
	assert_int_equal(buf.size, 0);
	/* More than there is: refused, and what follows is left out. */
	uapi_buf_add(&buf, "x", 1);
	assert_false(uapi_buf_reserve(&buf, SIZE_MAX / 4));
	assert_true(buf.is_broken);
	uapi_buf_add(&buf, "y", 1);
	assert_int_equal(buf.len, 1);
	uapi_buf_deinit(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_to_show),
		cmocka_unit_test(everything_in_order),
		cmocka_unit_test(a_peer_of_which_little_is_known),
		cmocka_unit_test(shown_and_set_agree),
		cmocka_unit_test(many_take_no_time),
		cmocka_unit_test(no_memory_is_no_half_answer),
		cmocka_unit_test(the_buffer_grows_and_shrinks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
