/* What the log is told by settings: how much is printed, and where. */
#ifndef COMMON_LOG_LEVEL_H
#define COMMON_LOG_LEVEL_H

/* The values are syslog's, as the journal wants them. */
enum log_level {
	LOG_LEVEL_NONE = 0, /* for log_init() alone: nothing is printed */
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

enum log_target {
	LOG_TARGET_AUTO,    /* entries of the journal where stderr leads to it, else stderr */
	LOG_TARGET_STDERR,  /* lines, whatever reads them */
	LOG_TARGET_JOURNAL, /* entries of the journal; lines on stderr where there is none */
};

#endif
