/* Tests of daemon/cli/doctor_port.c: the lines of /proc/net/udp and udp6. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/cli/doctor_port.h"

#define UDP4 "  123: 00000000:CA6C 00000000:0000 07 00000000:00000000 00:00000000 00000000  0 "
#define UDP6                                                                                       \
	"  9: 00000000000000000000000000000000:CA6C 00000000000000000000000000000000:0000 07 "     \
	"00000000:00000000 00:00000000 00000000  0 "

static void sockets_are_found(void **state)
{
	unsigned long inode = 0;

	(void)state;
	assert_true(port_in_line(UDP4 "        0 98765 2 0000000000000000 0", 51820, &inode));
	assert_int_equal(inode, 98765);
	assert_true(port_in_line(UDP6 "        0 4 2 0000000000000000 0\n", 51820, &inode));
	assert_int_equal(inode, 4);
}

static void other_lines_are_none(void **state)
{
	static const char *const lines[] = {
		"",
		"\n",
		"   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   "
		"uid  "
		"timeout inode ref pointer drops",
		UDP4,
		UDP4 "        0 -1 2",
		UDP4 "        0 x 2",
		"  1: CA6C 00000000:0000 07 0:0 00:0 0  0 0 98765 2",
		"  1: 00000000: 00000000:0000 07 0:0 00:0 0  0 0 98765 2",
		"  1: 00000000:1CA6C 00000000:0000 07 0:0 00:0 0  0 0 98765 2",
	};
	unsigned long inode = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_false(port_in_line(lines[i], 51820, &inode));
	assert_false(port_in_line(UDP4 "        0 98765 2 0 0", 51821, &inode));
	assert_int_equal(inode, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sockets_are_found),
		cmocka_unit_test(other_lines_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
