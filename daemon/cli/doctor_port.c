/* `vpnd doctor`: the UDP port, and who has it. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/parse.h"
#include "daemon/cli/doctor.h"
#include "daemon/cli/doctor_port.h"

#define COMM_MAX 32

bool port_in_line(const char *line, uint16_t port, unsigned long *ret_inode)
{
	char local[64], hex[16], inode_text[32];
	uint64_t value, inode;
	const char *colon;

	/* "  sl: LOCAL REMOTE ST TX:RX TR:TM RETRANSMIT UID TIMEOUT INODE ...", proc(5) */
	if (sscanf(line, " %*s %63s %*s %*s %*s %*s %*s %*s %*s %31s", local, inode_text) != 2)
		return false;
	colon = strrchr(local, ':');
	if (!colon)
		return false;
	snprintf(hex, sizeof(hex), "0x%.8s", colon + 1);
	if (!parse_number(hex, UINT16_MAX, &value) || value != port ||
	    !parse_number(inode_text, ULONG_MAX, &inode))
		return false;
	*ret_inode = (unsigned long)inode;
	return true;
}

/* The inode of a socket that is bound to the port. */
static bool find_socket(uint16_t port, unsigned long *ret)
{
	static const char *const files[] = { "/proc/self/net/udp", "/proc/self/net/udp6" };
	bool is_found = false;
	char line[512];

	for (size_t i = 0; !is_found && i < ARRAY_SIZE(files); i++) {
		FILE *stream = fopen(files[i], "re");

		while (stream && !is_found && fgets(line, sizeof(line), stream))
			is_found = port_in_line(line, port, ret);
		if (stream)
			fclose(stream);
	}
	return is_found;
}

/* Whether a process has the socket open. */
static bool has_socket(const char *pid, const char *wanted)
{
	char path[64], target[64];
	bool is_found = false;
	const struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	dir = opendir(path);
	while (dir && !is_found && (entry = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

		target[MAX(n, 0)] = '\0';
		is_found = strcmp(target, wanted) == 0;
	}
	if (dir)
		closedir(dir);
	return is_found;
}

static void read_comm(const char *pid, char comm[static COMM_MAX])
{
	char path[64], raw[COMM_MAX] = "";
	FILE *stream;

	snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
	stream = fopen(path, "re");
	if (stream && fgets(raw, sizeof(raw), stream))
		raw[strcspn(raw, "\n")] = '\0';
	if (stream)
		fclose(stream);
	parse_escape(raw, strlen(raw), comm, COMM_MAX);
}

/* "PROGRAM (process 123)"; processes of other users are seen by root only. */
static void find_owner(unsigned long inode, char *ret, size_t ret_size)
{
	char wanted[64], comm[COMM_MAX];
	const struct dirent *entry;
	bool is_found = false;
	DIR *dir = opendir("/proc");

	snprintf(ret, ret_size, "another program or link");
	snprintf(wanted, sizeof(wanted), "socket:[%lu]", inode);
	while (dir && !is_found && (entry = readdir(dir))) {
		if (!isdigit((unsigned char)entry->d_name[0]) || !has_socket(entry->d_name, wanted))
			continue;
		is_found = true;
		read_comm(entry->d_name, comm);
		snprintf(ret, ret_size, "%s (process %.20s)", comm, entry->d_name);
	}
	if (dir)
		closedir(dir);
}

void doctor_check_port(struct doctor *doctor)
{
	uint16_t wanted = doctor->has_conf ? doctor->conf.listen_port : 0;
	unsigned long inode;
	char owner[128];

	if (doctor->is_running) {
		doctor_say(doctor, DOCTOR_OK, NULL, "the link listens on UDP port %lld",
			   doctor->status.listen_port);
		return;
	}
	if (!wanted)
		return;
	if (!find_socket(wanted, &inode)) {
		doctor_say(doctor, DOCTOR_OK, NULL, "UDP port %u is free", wanted);
		return;
	}
	find_owner(inode, owner, sizeof(owner));
	/* It may be the link itself, if that cannot be asked. */
	doctor_say(doctor, doctor->status.error == -EACCES ? DOCTOR_NOTE : DOCTOR_FAIL,
		   "End that one, or give this link another ListenPort, and the peer's Endpoint as "
		   "well.",
		   "UDP port %u is taken by %s", wanted, owner);
}
