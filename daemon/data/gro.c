/* Merging of received packets; see gro.h. */
#include "daemon/data/gro.h"

#include <netinet/in.h>
#include <string.h>

#include "daemon/data/gro_header.h"

_Static_assert((GRO_TABLE_SIZE & (GRO_TABLE_SIZE - 1)) == 0, "slots are chosen by a mask");
_Static_assert(GRO_MAX_PACKETS < UINT16_MAX, "the table holds index + 1");

void gro_begin(struct gro *gro, unsigned int flags)
{
	gro->flags = flags;
	gro->n_packets = 0;
	gro->n_runs = 0;
	gro->n_written = 0;
	gro->latest = NULL;
	memset(gro->table, 0, sizeof(gro->table));
}

static bool is_of_flow(const struct gro_run *run, const uint8_t *packet,
		       const struct gro_shape *shape)
{
	return run->ports == shape->ports && run->protocol == shape->protocol &&
	       (run->ip_len == 40) == shape->v6 &&
	       gro_same_addresses(run->first->data + run->link_len, packet, shape->v6);
}

/*
 * The place in the table where the newest run of the packet's flow is, or where it would be: the
 * first choice, its neighbour, or, when other flows have both, the first. The flow that has to
 * give way loses no order, only its next packet begins a new run.
 */
static uint16_t *find_slot(struct gro *gro, const uint8_t *packet, const struct gro_shape *shape,
			   struct gro_run **ret)
{
	size_t choice = gro_slot(packet, shape);
	uint16_t *empty = NULL;

	*ret = NULL;
	for (size_t i = 0; i < 2; i++) {
		uint16_t *slot = &gro->table[choice ^ i];
		struct gro_run *run = *slot != 0 ? &gro->runs[*slot - 1] : NULL;

		if (run != NULL && is_of_flow(run, packet, shape)) {
			*ret = run;
			return slot;
		}
		if (run == NULL && empty == NULL)
			empty = slot;
	}
	return empty != NULL ? empty : &gro->table[choice];
}

static struct gro_packet *add_packet(struct gro *gro, uint8_t *data, size_t len)
{
	struct gro_packet *packet = &gro->packets[gro->n_packets++];

	packet->data = data;
	packet->len = (uint32_t)len;
	packet->next = NULL;
	return packet;
}

static struct gro_run *add_run(struct gro *gro, uint8_t *data, size_t len)
{
	struct gro_run *run = &gro->runs[gro->n_runs++];

	run->first = run->last = add_packet(gro, data, len);
	run->len = (uint32_t)len;
	run->n_packets = 1;
	run->protocol = 0;
	run->link_len = 0;
	run->closed = true;
	return run;
}

/* A run that the next packet of its flow may continue. */
static struct gro_run *add_open_run(struct gro *gro, uint8_t *data, size_t len,
				    const struct gro_shape *shape)
{
	struct gro_run *run = add_run(gro, data, len);

	run->ports = shape->ports;
	run->gso_size = shape->payload_len;
	run->id_step = GRO_ID_UNKNOWN;
	run->protocol = shape->protocol;
	run->link_len = shape->link_len;
	run->ip_len = shape->ip_len;
	run->headers_len = (uint8_t)(shape->link_len + shape->headers_len);
	run->closed = shape->ends_run;
	run->verified = (gro->flags & GRO_TRUST_CHECKSUMS) != 0;
	if (shape->protocol == IPPROTO_TCP)
		run->next_seq =
			gro_tcp_seq(data + shape->link_len, shape->ip_len) + shape->payload_len;
	return run;
}

/*
 * Checksums are verified only when there is something to merge, and the first packet's then
 * too: what is written alone is verified by whoever receives it.
 */
static bool verify_both(struct gro *gro, struct gro_run *run, const uint8_t *data, size_t len)
{
	if (gro->flags & GRO_TRUST_CHECKSUMS)
		return true;
	if (!run->verified) {
		run->verified = gro_verify(run->first->data + run->link_len,
					   run->first->len - run->link_len, run);
		if (!run->verified) {
			run->closed = true;
			return false;
		}
	}
	return gro_verify(data + run->link_len, len - run->link_len, run);
}

static bool append(struct gro *gro, struct gro_run *run, uint8_t *data, size_t len,
		   const struct gro_shape *shape)
{
	struct gro_packet *packet;
	uint8_t id_step;

	if (!gro_continues(run, data + shape->link_len, shape, &id_step) ||
	    !verify_both(gro, run, data, len))
		return false;
	packet = add_packet(gro, data, len);
	run->last->next = packet;
	run->last = packet;
	run->n_packets++;
	run->len += shape->payload_len;
	run->next_seq += shape->payload_len;
	run->id_step = id_step;
	run->closed = shape->ends_run || shape->payload_len < run->gso_size;
	return true;
}

static void add_mergeable(struct gro *gro, uint8_t *data, size_t len, const struct gro_shape *shape)
{
	const uint8_t *packet = data + shape->link_len;
	struct gro_run *run = gro->latest;
	uint16_t *slot;

	/* A run that is the latest is also the newest of its flow. */
	if (run != NULL && is_of_flow(run, packet, shape) && append(gro, run, data, len, shape))
		return;
	slot = find_slot(gro, packet, shape, &run);
	if (run == NULL || run == gro->latest || !append(gro, run, data, len, shape)) {
		run = add_open_run(gro, data, len, shape);
		*slot = gro->n_runs;
	}
	gro->latest = run;
}

/* No packet that comes later may join what came before this one. */
static void seal(struct gro *gro, enum gro_class class, const uint8_t *data,
		 const struct gro_shape *shape)
{
	struct gro_run *run;

	if (class == GRO_UNKNOWN) {
		gro->latest = NULL;
		memset(gro->table, 0, sizeof(gro->table));
	} else if (class == GRO_IN_FLOW) {
		find_slot(gro, data, shape, &run);
		if (run != NULL)
			run->closed = true;
	}
}

/* Adds what has an IP packet behind `link_len` bytes. */
static void add_with_ip(struct gro *gro, uint8_t *data, size_t len, size_t link_len)
{
	struct gro_shape shape = { .link_len = (uint8_t)link_len };
	enum gro_class class = gro_classify(data + link_len, len - link_len, &shape);

	if (class == GRO_MERGEABLE &&
	    (gro->flags & (shape.protocol == IPPROTO_TCP ? GRO_TCP : GRO_UDP))) {
		add_mergeable(gro, data, len, &shape);
		return;
	}
	seal(gro, class, data + link_len, &shape);
	(void)add_run(gro, data, len);
}

bool gro_add(struct gro *gro, uint8_t *packet, size_t len)
{
	if (gro->n_packets == GRO_MAX_PACKETS)
		return false;
	add_with_ip(gro, packet, len, 0);
	return true;
}

bool gro_add_frame(struct gro *gro, uint8_t *frame, size_t len, size_t ip_offset)
{
	if (gro->n_packets == GRO_MAX_PACKETS)
		return false;
	if (ip_offset > 0)
		add_with_ip(gro, frame, len, ip_offset);
	else
		(void)add_run(gro, frame, len);
	return true;
}

struct iovec gro_single(const struct gro_packet *packet)
{
	uint8_t *wire = packet->data - VNET_HDR_LEN;

	memset(wire, 0, VNET_HDR_LEN);
	return (struct iovec) { .iov_base = wire, .iov_len = VNET_HDR_LEN + (size_t)packet->len };
}

const struct gro_write *gro_next(struct gro *gro)
{
	const struct gro_run *run;
	struct iovec *iov = gro->iov;

	if (gro->n_written == gro->n_runs)
		return NULL;
	run = &gro->runs[gro->n_written++];
	if (run->n_packets == 1) {
		*iov++ = gro_single(run->first);
	} else {
		gro_write_headers(run, gro->headers);
		*iov++ = (struct iovec) { gro->headers, VNET_HDR_LEN + (size_t)run->headers_len };
		for (struct gro_packet *packet = run->first; packet; packet = packet->next)
			*iov++ = (struct iovec) { packet->data + run->headers_len,
						  packet->len - run->headers_len };
	}
	gro->write = (struct gro_write) {
		.iov = gro->iov,
		.n_iov = (int)(iov - gro->iov),
		.first = run->first,
		.n_packets = run->n_packets,
		.protocol = run->protocol,
	};
	return &gro->write;
}
