/*
 * A script for two ends and the wire between them, with the rules of the simulation as judges.
 *
 * Each step is three bytes: what, and two arguments. Datagrams stay on the wire until a step
 * delivers, copies, spoils or loses one of them. At the end the wire is healed, and the link must
 * work again and then fall silent; a rule that breaks aborts.
 */
#include <sodium.h>

#include "common/defs.h"
#include "tests/sim/sim.h"
#include "tests/sim/sim_random.h"

#define MAX_STEPS 200

static struct sim sim;

static void step_send(uint8_t x, uint8_t y)
{
	for (unsigned int n = y % 8 == 7 ? 140 : y % 8 + 1; n > 0; n--)
		sim_send(&sim, x & 1);
}

static void step_wait(uint8_t x, uint8_t y)
{
	static const nsec_t units[] = { NSEC_PER_MSEC, 20 * NSEC_PER_MSEC, NSEC_PER_SEC / 4,
					NSEC_PER_SEC };

	sim_advance(&sim, (y + 1) * units[x % ARRAY_SIZE(units)]);
}

static void step_deliver(uint8_t x, uint8_t y)
{
	(void)y;
	if (sim.n_flying > 0)
		sim_deliver(&sim, x % sim.n_flying);
}

/* All that fly now, from the oldest place or from the newest. */
static void step_deliver_all(uint8_t x, uint8_t y)
{
	(void)y;
	for (size_t n = sim.n_flying; n > 0 && sim.n_flying > 0; n--)
		sim_deliver(&sim, x & 1 ? sim.n_flying - 1 : 0);
}

static void step_drop(uint8_t x, uint8_t y)
{
	for (size_t n = y % 4; n > 0 && sim.n_flying > 0; n--)
		sim_drop(&sim, x % sim.n_flying);
}

static void step_duplicate(uint8_t x, uint8_t y)
{
	(void)y;
	if (sim.n_flying > 0 && sim.n_flying < 300)
		sim_duplicate(&sim, x % sim.n_flying);
}

/* Changes one byte of a copy. Half of the time mac1 is made right again, as anybody can who
 * knows the public key. */
static void step_spoil(uint8_t x, uint8_t y)
{
	struct sim_datagram *datagram;
	struct cookie_maker maker;
	enum msg_type type;
	size_t copy;

	if (sim.n_flying == 0 || sim.n_flying >= 300)
		return;
	copy = sim_duplicate(&sim, x % sim.n_flying); /* may move them all */
	datagram = &sim.flying[copy];
	datagram->bytes[y % datagram->len] ^= (uint8_t)(1U << x % 8);
	type = msg_classify(datagram->bytes, datagram->len);
	if (y & 1 && (type == MSG_INITIATION || type == MSG_RESPONSE)) {
		cookie_maker_init(&maker, &sim.ends[datagram->to].public_key);
		cookie_add_macs(&maker, datagram->bytes, datagram->len, sim.now);
	}
	sim_deliver(&sim, copy);
}

/* Sent back to where it came from. */
static void step_reflect(uint8_t x, uint8_t y)
{
	struct sim_datagram *datagram;

	(void)y;
	if (sim.n_flying == 0)
		return;
	datagram = &sim.flying[x % sim.n_flying];
	datagram->to = !datagram->to;
}

static void step_restart(uint8_t x, uint8_t y)
{
	(void)y;
	sim_restart(&sim, x & 1);
}

static void step_wallclock(uint8_t x, uint8_t y)
{
	static const int64_t units[] = { 1, 90, 86400, 1LL << 32 };

	sim.ends[x & 1].wall_offset_sec += (int8_t)y * units[x / 2 % ARRAY_SIZE(units)];
}

static void step_counter(uint8_t x, uint8_t y)
{
	sim_preset_counter(&sim, x & 1,
			   (x & 2 ? REKEY_AFTER_MESSAGES : REJECT_AFTER_MESSAGES) - y % 16);
}

/* Puts an end under load, without the cost of a flood. */
static void step_load(uint8_t x, uint8_t y)
{
	sim.ends[x & 1].peer.load = (struct load_gauge) {
		.empty_at = sim.now + NSEC_PER_SEC,
		.loaded_until = sim.now + y * NSEC_PER_SEC / 16,
	};
}

static void (*const steps[])(uint8_t, uint8_t) = {
	step_send,  step_wait,    step_deliver, step_deliver_all, step_drop,    step_duplicate,
	step_spoil, step_reflect, step_restart, step_wallclock,   step_counter, step_load,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct sim_setup setup = { 0 };
	static bool is_prepared;

	if (!is_prepared)
		sim_random_install();
	is_prepared = true;

	sim_begin(&sim, size, &setup);
	sim.is_manual = true;
	for (size_t i = 0; i + 3 <= size && i / 3 < MAX_STEPS; i += 3)
		steps[data[i] % ARRAY_SIZE(steps)](data[i + 1], data[i + 2]);
	for (size_t i = sim.n_flying; i-- > 0;)
		sim_deliver(&sim, i);
	sim.n_flying = 0;
	sim.is_manual = false;
	sim_require_alive(&sim);
	sim_require_silence(&sim);
	sim_finish(&sim);
	return 0;
}
