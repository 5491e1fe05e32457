/* What all probes share: how their answers read. See probe.h. */
#include "daemon/data/probe.h"

#include <stdio.h>

#include "common/defs.h"

/* What becomes of an offload, in the order in which it is told. */
enum state {
	IN_USE,
	SWITCHED_OFF,
	REFUSED,
	NOT_PROBED,
	N_STATES,
};

static const char *const names[PROBE_N_OFFLOADS] = {
	[PROBE_TUN_READ_TCP] = "TCP superpackets read",
	[PROBE_TUN_READ_UDP] = "UDP superpackets read",
	[PROBE_TUN_WRITE_CSUM] = "checksums left to the kernel",
	[PROBE_TUN_WRITE_TCP] = "TCP merged",
	[PROBE_TUN_WRITE_UDP] = "UDP merged",
	[PROBE_UDP_SEGMENT] = "runs sent",
	[PROBE_UDP_GRO] = "runs received",
};

static const char *const headings[N_STATES] = {
	[IN_USE] = "offloads in use",
	[SWITCHED_OFF] = "switched off in the host file",
	[REFUSED] = "refused by the kernel",
	[NOT_PROBED] = "in use, but could not be probed",
};

static enum state state_of(const struct probe *probe, unsigned int switched_off, size_t offload)
{
	static const enum state states[] = {
		[PROBE_UNKNOWN] = NOT_PROBED,
		[PROBE_WORKS] = IN_USE,
		[PROBE_REFUSED] = REFUSED,
	};

	if (switched_off & 1U << offload)
		return SWITCHED_OFF;
	return states[probe->answers[offload]];
}

/* Appends "SEPARATOR" and "WORD"; what does not fit is cut. */
static size_t append(char *text, size_t at, const char *separator, const char *word)
{
	int len = snprintf(text + at, PROBE_TEXT_MAX - at, "%s%s", separator, word);

	return MIN(at + (len > 0 ? (size_t)len : 0), PROBE_TEXT_MAX - 1);
}

const char *probe_format(const struct probe *probe, unsigned int switched_off,
			 char text[static PROBE_TEXT_MAX])
{
	size_t at = 0;

	text[0] = '\0';
	for (enum state state = IN_USE; state < N_STATES; state++) {
		const char *separator = ": ";

		for (size_t i = 0; i < PROBE_N_OFFLOADS; i++) {
			if (state_of(probe, switched_off, i) != state)
				continue;
			if (separator[0] == ':')
				at = append(text, at, at > 0 ? "; " : "", headings[state]);
			at = append(text, at, separator, names[i]);
			separator = ", ";
		}
		/* What it is all about is said in any case. */
		if (state == IN_USE && at == 0)
			at = append(text, at, headings[IN_USE], ": none");
	}
	return text;
}
