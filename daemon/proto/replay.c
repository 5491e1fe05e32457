/* The replay window; see replay.h. */
#include "daemon/proto/replay.h"

/* Clears the words that the window enters when its newest counter moves to `counter`. */
static void advance(struct replay_window *window, uint64_t counter)
{
	uint64_t newest_word = window->n_end ? (window->n_end - 1) / 64 : 0;
	uint64_t n_words = MIN(counter / 64 - newest_word, REPLAY_WORDS);

	for (uint64_t i = 1; i <= n_words; i++)
		window->ring[(newest_word + i) % REPLAY_WORDS] = 0;
	window->n_end = counter + 1;
}

bool replay_accept(struct replay_window *window, uint64_t counter)
{
	uint64_t bit = 1ULL << (counter % 64);
	uint64_t *word = &window->ring[counter / 64 % REPLAY_WORDS];

	if (counter >= window->n_end)
		advance(window, counter);
	else if (window->n_end - 1 - counter > REPLAY_WINDOW)
		return false;
	if (*word & bit)
		return false;
	*word |= bit;
	return true;
}
