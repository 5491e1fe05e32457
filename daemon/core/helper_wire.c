/* Messages between a link and its helper; see helper_wire.h. */
#include "daemon/core/helper_wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/parse.h"
#include "conf/pack.h"

/* Room for descriptors, aligned as the kernel wants it. */
union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(HELPER_FDS_MAX * sizeof(int))];
};

int helper_send(int fd, const struct helper_parcel *parcel, int flags)
{
	struct iovec parts[] = { { parcel->head, parcel->head_len },
				 { parcel->rest, parcel->rest_len } };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = parcel->rest ? 2 : 1 };
	union control control = { .bytes = { 0 } };
	size_t n = 0;
	ssize_t len;

	while (n < HELPER_FDS_MAX && parcel->fds[n] >= 0)
		n++;
	if (n > 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(n * sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(&control.header), parcel->fds, n * sizeof(int));
	}
	do {
		len = sendmsg(fd, &message, MSG_NOSIGNAL | flags);
	} while (len < 0 && errno == EINTR);
	return len < 0 ? -errno : 0;
}

/* Takes descriptors out of the control data; there is no room for more than are wanted, and the
 * kernel closes what has no room. */
static void take_fds(struct msghdr *message, int fds[HELPER_FDS_MAX])
{
	struct cmsghdr *header = CMSG_FIRSTHDR(message);
	size_t len;

	for (; header; header = CMSG_NXTHDR(message, header)) {
		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
		    header->cmsg_len < CMSG_LEN(0))
			continue;
		len = MIN(header->cmsg_len - CMSG_LEN(0), HELPER_FDS_MAX * sizeof(int));
		memcpy(fds, CMSG_DATA(header), len / sizeof(int) * sizeof(int));
		return;
	}
}

int helper_receive(int fd, struct helper_parcel *parcel, int flags)
{
	struct iovec parts[] = { { parcel->head, parcel->head_len },
				 { parcel->rest, parcel->rest_len } };
	union control control = { .bytes = { 0 } };
	struct msghdr message = { .msg_iov = parts,
				  .msg_iovlen = parcel->rest ? 2 : 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof(control.bytes) };
	ssize_t len;

	for (size_t i = 0; i < HELPER_FDS_MAX; i++)
		parcel->fds[i] = -1;
	do {
		len = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | flags);
	} while (len < 0 && errno == EINTR);
	if (len < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	take_fds(&message, parcel->fds);
	if (len == 0 || (message.msg_flags & MSG_TRUNC) != 0) {
		helper_close_fds(parcel);
		return len == 0 ? -EPIPE : -EMSGSIZE;
	}
	parcel->head_len = (size_t)len;
	return 0;
}

void helper_close_fds(struct helper_parcel *parcel)
{
	for (size_t i = 0; i < HELPER_FDS_MAX; i++) {
		if (parcel->fds[i] >= 0)
			close(parcel->fds[i]);
		parcel->fds[i] = -1;
	}
}

static int write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

/* Bytes in a memory file. \return a descriptor or a negative errno */
static int put_into_file(const char *bytes, size_t len)
{
	int fd = memfd_create("vpnd", MFD_CLOEXEC);
	int r = fd < 0 ? -errno : write_all(fd, bytes, len);

	if (r < 0 && fd >= 0)
		close(fd);
	return r < 0 ? r : fd;
}

int helper_pack(const struct conf_link *conf)
{
	size_t len;
	char *bytes;
	int r = pack_link(conf, &bytes, &len);

	if (r < 0)
		return r;
	r = put_into_file(bytes, len);
	free(bytes);
	return r;
}

static int read_all(int fd, char *bytes, size_t len)
{
	size_t at = 0;

	while (at < len) {
		ssize_t n = pread(fd, bytes + at, len - at, (off_t)at);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return -EBADMSG;
		at += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* What is in a memory file, for free(); a NUL is behind it. */
static int take_out_of_file(int fd, char **ret, size_t *ret_len)
{
	/* Nothing else is ever sent, and reading from something else might wait: only memory files
	 * can have seals. */
	int seals = fcntl(fd, F_GET_SEALS);
	off_t len = seals < 0 ? -1 : lseek(fd, 0, SEEK_END);
	int r;

	if (len <= 0 || len > PACK_MAX)
		return -EBADMSG;
	*ret_len = (size_t)len;
	*ret = malloc(*ret_len + 1);
	if (!*ret)
		return -ENOMEM;
	(*ret)[*ret_len] = '\0';
	r = read_all(fd, *ret, *ret_len);
	if (r < 0)
		free(*ret);
	return r;
}

int helper_unpack(int fd, struct conf_link *ret)
{
	char *bytes;
	size_t len;
	int r = take_out_of_file(fd, &bytes, &len);

	if (r < 0)
		return r;
	r = pack_read_link(bytes, len, ret);
	free(bytes);
	return r;
}

/* "LEVEL LINE CODE TEXT" with a NUL, for each. */
int helper_pack_findings(const struct diag *diag)
{
	char *bytes = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&bytes, &len);
	int r;

	if (!stream)
		return -ENOMEM;
	for (size_t i = 0; i < diag->n_items; i++)
		fprintf(stream, "%d %u %d %s%c", (int)diag->items[i].level, diag->items[i].line,
			(int)diag->code, diag->items[i].text, '\0');
	r = fclose(stream) == 0 ? put_into_file(bytes, len) : -ENOMEM;
	free(bytes);
	return r;
}

/* One number and the space behind it. */
static bool take_number(char **at, uint64_t max, unsigned int *ret)
{
	size_t len = strcspn(*at, " ");
	uint64_t number;

	if ((*at)[len] != ' ')
		return false;
	(*at)[len] = '\0';
	if (!parse_number(*at, max, &number))
		return false;
	*ret = (unsigned int)number;
	*at += len + 1;
	return true;
}

int helper_unpack_findings(int fd, struct diag *diag)
{
	unsigned int level, line, code;
	char *bytes, *at;
	size_t len;
	int r = take_out_of_file(fd, &bytes, &len);

	if (r < 0)
		return r;
	for (at = bytes; at < bytes + len; at += strlen(at) + 1) {
		if (!take_number(&at, DIAG_ERROR, &level) || !take_number(&at, UINT32_MAX, &line) ||
		    !take_number(&at, UINT8_MAX, &code))
			break;
		if (level == DIAG_ERROR)
			diag_error_code_at(diag, (enum exit_code)code, line, "%s", at);
		else
			diag_warning(diag, line, "%s", at);
	}
	r = at < bytes + len ? -EBADMSG : 0;
	free(bytes);
	return r;
}
