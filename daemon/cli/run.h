/*
 * The life of a link, as `vpnd run` lives it with a link file and `vpnd run --uapi` without.
 */
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include "common/err.h"
#include "conf/host_model.h"

/* What a run is made from. */
struct run_task {
	const struct conf_host *host;
	const char *path; /* of the link file; NULL: the link gets all it has by the wg protocol */
	const char *name; /* of the interface, when there is no file */
	int tun_fd;       /* of an interface that is there already; -1: it is made */
	int uapi_fd;      /* a listening socket for the wg protocol; -1: it is made */
	/*! Called when interface and sockets are there, or NULL. It may write to a descriptor that
	 * is open; other system calls may be forbidden by then. */
	void (*on_ready)(void *context);
	void *context;
};

/*!
 * Runs a link until a signal ends it. The log is open; SIGTERM and SIGINT are blocked.
 * \param task  not owned; its descriptors are closed at the latest when the process ends
 * \return the exit code
 */
enum exit_code run_link(const struct run_task *task);

/*! No core dump, no debugger of another user: to be called before there are keys. */
void run_protect_memory(void);

/*! What a link without a link file begins with: no key, no peer, and the MTU of wireguard-go.
 * \param conf  initialised */
void run_make_bare(const char *name, struct conf_link *conf);

/*! `vpnd run --uapi`: whether these are the arguments of cmd_run_uapi() instead of cmd_run(). */
bool run_is_uapi(int argc, char **argv);

#endif
