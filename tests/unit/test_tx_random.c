/*
 * Tests of daemon/core/tx.c with everything that control and rx can do to it, in random order, at
 * any moment, with batches and sockets of any size: the rules of daemon/proto/keypair.h hold.
 */
#include "tests/unit/seed.h"
#include "tests/unit/tx_desk.h"

#define N_STEPS 20000

static struct seeded seeded;
static uint8_t n_sessions; /* that were made */

/* What control and rx may do at any moment, also while a packet is read. */
static void something_happens(void)
{
	const struct keypairs *told = &desk.told;

	switch (seeded_next(&seeded) % 16) {
	case 0: /* a handshake of ours */
	case 1: /* or one of the peer's */
		if (n_sessions == UINT8_MAX)
			return;
		n_sessions++;
		install(&desk.told, n_sessions % 2, n_sessions);
		install(&desk.far, n_sessions % 2, n_sessions);
		if (seeded_next(&seeded) % 2)
			desk_tell(0);
		break;
	case 2: /* rx has the first packet of the newest session; control has told of it before */
		desk_tell(0);
		latest_confirm(&desk.latest, n_sessions);
		break;
	case 3: /* or of any */
		latest_confirm(&desk.latest, n_sessions ? seeded_next(&seeded) % n_sessions : 0);
		break;
	case 4: /* control hears of it */
		if (told->next) {
			desk_tell(0);
			latest_confirm(&desk.latest, told->next->serial);
			keypairs_confirm(&desk.told, told->next);
			keypairs_confirm(&desk.far, desk.far.next);
		}
		break;
	case 5:
		desk_tell(ORDER_FLUSH);
		break;
	case 6:
		if (told->previous) {
			keypairs_yield(&desk.told);
			desk_tell(0);
		}
		break;
	case 7: /* the keys are erased */
		if (n_sessions < UINT8_MAX) {
			keypairs_wipe(&desk.told);
			desk_tell(0);
		}
		break;
	default:
		break;
	}
}

/* Whatever happens in whatever order: no counter is used twice, none is left out (take() looks),
 * and no packet is lost or overtakes another. */
static void no_counter_is_used_twice(void **state)
{
	uint32_t last = 0;

	(void)state;
	seeded = seeded_begin("tx");
	n_sessions = 1;
	desk_rekey(true, 1);
	desk_tell(0);
	tun.has_vnet = true;
	while_reading = something_happens;
	for (int i = 0; i < N_STEPS; i++) {
		unsigned int pick = (unsigned int)seeded_next(&seeded) % 8;

		n_waiting = pick;
		n_segments = (unsigned int)seeded_next(&seeded) % 100;
		tx.messages_max = 1 + seeded_next(&seeded) % 4;
		is_socket_full = seeded_next(&seeded) % 4 == 0;
		room = seeded_next(&seeded) % 2 ? seeded_next(&seeded) % 8 : SIZE_MAX;
		if (pick == 7)
			tx_keepalive(&tx, START);
		else
			(void)tx_run(&tx, START);
		if (pick == 5)
			turn_loop(desk.worker.loop);
		for (size_t j = 0; j < n_sent; j++) {
			if (!sent[j].is_data)
				continue;
			assert_true(sent[j].number > last);
			last = sent[j].number;
		}
		n_sent = 0;
	}
	assert_true(n_numbers > N_STEPS && last > N_STEPS / 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(no_counter_is_used_twice, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
