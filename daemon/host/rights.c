/* Users and capabilities; see rights.h. The system calls are made without libcap, of which they
 * are all that would be needed. */
#include "daemon/host/rights.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Who has nothing, where there is not even a line for that name. */
#define NOBODY    "nobody"
#define NOBODY_ID 65534
#define CAPS_MAX  64
/* What may be locked in memory once the right to lock more is gone. */
#define LOCKED_MAX ((rlim_t)8 * 1024 * 1024)

struct user {
	uid_t uid;
	gid_t gid;
};

static int fail(char text[static RIGHTS_TEXT_MAX], const char *what, int error)
{
	char buf[96];

	snprintf(text, RIGHTS_TEXT_MAX, "%s: %s", what, strerror_r(error, buf, sizeof(buf)));
	return error > 0 ? -error : -EIO;
}

/* Looks a user up while files can be read. \return 0 or RIGHTS_NO_USER */
static int find_user(const char *name, struct user *ret, char text[static RIGHTS_TEXT_MAX])
{
	/* Before there are threads. */
	const struct passwd *entry = getpwnam(name); /* NOLINT(concurrency-mt-unsafe) */
	bool is_other = !entry || entry->pw_uid == 0;

	*ret = (struct user) { NOBODY_ID, NOBODY_ID };
	if (is_other)
		entry = getpwnam(NOBODY); /* NOLINT(concurrency-mt-unsafe) */
	if (entry && entry->pw_uid != 0)
		*ret = (struct user) { entry->pw_uid, entry->pw_gid };
	if (!is_other)
		return 0;
	snprintf(text, RIGHTS_TEXT_MAX,
		 "there is no user %s without rights to run as, so it is %s: make that user with "
		 "`useradd --system --shell /usr/sbin/nologin %s`, as scripts/install does",
		 name, NOBODY, name);
	return RIGHTS_NO_USER;
}

int rights_check_user(const char *user, char text[static RIGHTS_TEXT_MAX])
{
	/* Before there are threads. */
	const struct passwd *entry = getpwnam(user); /* NOLINT(concurrency-mt-unsafe) */

	text[0] = '\0';
	if (!entry) {
		snprintf(text, RIGHTS_TEXT_MAX,
			 "there is no user %s: make that user with `useradd --system --shell "
			 "/usr/sbin/nologin %s`, or name another one",
			 user, user);
		return -ENOENT;
	}
	if (entry->pw_uid != 0)
		return 0;
	snprintf(text, RIGHTS_TEXT_MAX,
		 "%s is root, and a link does not run with root's rights: name another user, or "
		 "leave the line out",
		 user);
	return -EPERM;
}

/* Keys stay locked in memory when the right to lock any amount is gone. */
static void keep_lock_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0 || limit.rlim_cur >= LOCKED_MAX)
		return;
	limit.rlim_cur = LOCKED_MAX;
	limit.rlim_max = MAX(limit.rlim_max, LOCKED_MAX);
	(void)setrlimit(RLIMIT_MEMLOCK, &limit);
}

/* Whether the bounding set can be emptied. */
static bool may_empty_bounding_set(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3];

	return syscall(SYS_capget, &header, caps) == 0 &&
	       (caps[CAP_TO_INDEX(CAP_SETPCAP)].effective & CAP_TO_MASK(CAP_SETPCAP)) != 0;
}

/* Without CAP_SETPCAP it stays as it is, and nothing comes of it: the other sets are empty, and no
 * program that is run can get anything out of it. */
static void empty_bounding_set(void)
{
	for (unsigned long cap = 0; cap < CAPS_MAX; cap++) {
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1)
			(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	}
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

static int become(const struct user *user, char text[static RIGHTS_TEXT_MAX])
{
	if (setgroups(0, NULL) < 0)
		return fail(text, "cannot give up the groups", errno);
	if (setresgid(user->gid, user->gid, user->gid) < 0)
		return fail(text, "cannot become another group", errno);
	if (setresuid(user->uid, user->uid, user->uid) < 0)
		return fail(text, "cannot become another user", errno);
	return 0;
}

static int empty_capabilities(char text[static RIGHTS_TEXT_MAX])
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	if (syscall(SYS_capset, &header, none) < 0)
		return fail(text, "cannot give up the capabilities", errno);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail(text, "cannot give up what programs may give", errno);
	return 0;
}

/* Neither inherited by programs nor to be had from them. */
static bool sets_are_empty(bool bounding_too)
{
	for (unsigned long cap = 0; cap < CAPS_MAX; cap++) {
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) == 1 ||
		    (bounding_too && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1))
			return false;
	}
	return true;
}

/* Believes nothing that was done above. */
static int verify(bool was_root, bool bounding_too, const struct user *user,
		  char text[static RIGHTS_TEXT_MAX])
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3];
	uid_t real, effective, saved;

	if (getresuid(&real, &effective, &saved) < 0 || real == 0 || effective == 0 || saved == 0 ||
	    (was_root && (real != user->uid || effective != user->uid || saved != user->uid)))
		return fail(text, "it still is root", EPERM);
	if (was_root && (getgroups(0, NULL) != 0 || getegid() != user->gid))
		return fail(text, "it still has groups", EPERM);
	if (setuid(0) == 0)
		return fail(text, "it can become root again", EPERM);
	if (syscall(SYS_capget, &header, caps) < 0)
		return fail(text, "cannot look at the capabilities", errno);
	for (size_t i = 0; i < ARRAY_SIZE(caps); i++) {
		if (caps[i].effective || caps[i].permitted || caps[i].inheritable)
			return fail(text, "it still has capabilities", EPERM);
	}
	if (!sets_are_empty(bounding_too))
		return fail(text, "programs could still get capabilities", EPERM);
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return fail(text, "programs could still give it rights", EPERM);
	return 0;
}

int rights_drop(const char *user_name, char text[static RIGHTS_TEXT_MAX])
{
	bool was_root = geteuid() == 0, bounding_too = may_empty_bounding_set();
	struct user user = { geteuid(), getegid() };
	int answer = 0, r = 0;

	text[0] = '\0';
	if (was_root)
		answer = find_user(user_name, &user, text);
	keep_lock_limit();
	empty_bounding_set();
	if (was_root)
		r = become(&user, text);
	if (r == 0)
		r = empty_capabilities(text);
	/* Another user has made it possible again. */
	if (r == 0 && prctl(PR_SET_DUMPABLE, 0) < 0)
		r = fail(text, "cannot keep other processes out of the memory", errno);
	if (r == 0)
		r = verify(was_root, bounding_too, &user, text);
	return r < 0 ? r : answer;
}
