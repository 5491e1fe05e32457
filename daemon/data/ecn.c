/* Congestion marks through the tunnel; see ecn.h. */
#include "daemon/data/ecn.h"

enum ecn { NOT_ECT = 0, ECT_1 = 1, ECT_0 = 2, CE = 3, ECN_MASK = 3 };

uint8_t ecn_encapsulate(uint8_t inner_tos)
{
	uint8_t mark = inner_tos & ECN_MASK;

	return mark == CE ? ECT_0 : mark;
}

uint8_t ecn_decapsulate(uint8_t outer_tos, uint8_t inner_tos)
{
	/* RFC 6040, figure 4: rows are the inner mark, columns the outer one. */
	static const uint8_t combined[4][4] = {
		[NOT_ECT] = { [NOT_ECT] = NOT_ECT,
			      [ECT_1] = NOT_ECT,
			      [ECT_0] = NOT_ECT,
			      [CE] = NOT_ECT },
		[ECT_1] = { [NOT_ECT] = ECT_1, [ECT_1] = ECT_1, [ECT_0] = ECT_1, [CE] = CE },
		[ECT_0] = { [NOT_ECT] = ECT_0, [ECT_1] = ECT_1, [ECT_0] = ECT_0, [CE] = CE },
		[CE] = { [NOT_ECT] = CE, [ECT_1] = CE, [ECT_0] = CE, [CE] = CE },
	};

	return (uint8_t)((inner_tos & ~ECN_MASK) |
			 combined[inner_tos & ECN_MASK][outer_tos & ECN_MASK]);
}
