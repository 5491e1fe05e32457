/* Ethernet frames; see frame.h. */
#include "daemon/data/frame.h"

#include <string.h>

#include "daemon/data/ip_header.h"

#define TYPE_OFFSET 12
/* IEEE 802.3 and 802.1Q; the last tag type is older than 802.1ad and still met. */
#define TYPE_IPV4   0x0800
#define TYPE_IPV6   0x86dd
#define TYPE_CTAG   0x8100
#define TYPE_STAG   0x88a8
#define TYPE_OLDTAG 0x9100

static bool is_tag(unsigned int type)
{
	return type == TYPE_CTAG || type == TYPE_STAG || type == TYPE_OLDTAG;
}

size_t frame_ip_offset(const uint8_t *frame, size_t len)
{
	size_t offset = FRAME_HEADER_LEN;
	unsigned int type;

	if (len <= FRAME_HEADER_LEN)
		return 0;
	type = header_load16(frame + TYPE_OFFSET);
	while (is_tag(type) && offset < FRAME_LINK_MAX && offset + FRAME_TAG_LEN < len) {
		/* A tag is two bytes of its own, and the type of what follows. */
		type = header_load16(frame + offset + 2);
		offset += FRAME_TAG_LEN;
	}
	if (type == TYPE_IPV4 && frame[offset] >> 4 == 4)
		return offset;
	return type == TYPE_IPV6 && frame[offset] >> 4 == 6 ? offset : 0;
}

size_t frame_padded_len(size_t len, size_t whole)
{
	size_t padded = (len / FRAME_PADDING_MAX + 1) * FRAME_PADDING_MAX;

	return len < whole ? MIN(padded, whole) : padded;
}

void frame_pad(uint8_t *frame, size_t len, size_t padded_len)
{
	memset(frame + len, 0, padded_len - len);
	frame[padded_len - 1] = (uint8_t)(padded_len - len);
}

bool frame_unpad(const uint8_t *plain, size_t len, size_t *ret_len)
{
	size_t n_padding = len > 0 ? plain[len - 1] : 0;

	if (n_padding == 0 || n_padding > FRAME_PADDING_MAX || len < FRAME_HEADER_LEN + n_padding)
		return false;
	*ret_len = len - n_padding;
	return true;
}
