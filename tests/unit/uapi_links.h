/* The two links that requests are tried on: one has nothing yet, one has everything. */
#ifndef TESTS_UNIT_UAPI_LINKS_H
#define TESTS_UNIT_UAPI_LINKS_H

#include "tests/unit/uapi_fixture.h"

static struct conf_link bare, full;

static int set_up(void **state)
{
	(void)state;
	make_bare(&bare);
	make_full(&full);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	conf_link_deinit(&bare);
	conf_link_deinit(&full);
	return 0;
}

#endif
