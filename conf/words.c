/* The words that stand for values in both kinds of files. */
#include "conf/words.h"

#include <strings.h>

#include "conf/host_model.h"

#define WORDS(list)                                                                                \
	{                                                                                          \
		(list), ARRAY_SIZE(list)                                                           \
	}

static const struct words_item switches[] = { { "false", false }, { "true", true } };

static const struct words_item yes_no[] = {
	{ "no", false },
	{ "yes", true },
	{ "false", false },
	{ "true", true },
};

static const struct words_item modes[] = { { "tun", CONF_MODE_TUN }, { "tap", CONF_MODE_TAP } };

static const struct words_item mss[] = { { "auto", CONF_MSS_AUTO }, { "no", CONF_MSS_NONE } };

static const struct words_item ready_states[] = {
	{ "interface", CONF_READY_INTERFACE },
	{ "handshake", CONF_READY_HANDSHAKE },
};

static const struct words_item tables[] = { { "auto", CONF_TABLE_AUTO },
					    { "off", CONF_TABLE_OFF } };

static const struct words_item ciphers[] = {
	{ "auto", CONF_CIPHER_AUTO },
	{ "chacha20-poly1305", CONF_CIPHER_CHACHA20_POLY1305 },
	{ "aes256-gcm", CONF_CIPHER_AES256_GCM },
	{ "aegis128l", CONF_CIPHER_AEGIS128L },
	{ "aegis256", CONF_CIPHER_AEGIS256 },
};

static const struct words_item log_levels[] = {
	{ "error", LOG_LEVEL_ERROR },   { "warning", LOG_LEVEL_WARNING },
	{ "notice", LOG_LEVEL_NOTICE }, { "info", LOG_LEVEL_INFO },
	{ "debug", LOG_LEVEL_DEBUG },
};

static const struct words_item log_targets[] = {
	{ "auto", LOG_TARGET_AUTO },
	{ "stderr", LOG_TARGET_STDERR },
	{ "journal", LOG_TARGET_JOURNAL },
};

static const struct words_item sandboxes[] = {
	{ "off", CONF_SANDBOX_OFF },
	{ "refuse", CONF_SANDBOX_REFUSE },
	{ "kill", CONF_SANDBOX_KILL },
};

const struct words words_switch = WORDS(switches);
const struct words words_yes_no = WORDS(yes_no);
const struct words words_mode = WORDS(modes);
const struct words words_mss = WORDS(mss);
const struct words words_ready = WORDS(ready_states);
const struct words words_table = WORDS(tables);
const struct words words_cipher = WORDS(ciphers);
const struct words words_log_level = WORDS(log_levels);
const struct words words_log_target = WORDS(log_targets);
const struct words words_sandbox = WORDS(sandboxes);

bool words_find(const struct words *words, const char *text, unsigned int *ret)
{
	for (size_t i = 0; i < words->n; i++) {
		if (strcasecmp(words->items[i].word, text) == 0) {
			*ret = words->items[i].value;
			return true;
		}
	}
	return false;
}

const char *words_name(const struct words *words, unsigned int value)
{
	for (size_t i = 0; i < words->n; i++) {
		if (words->items[i].value == value)
			return words->items[i].word;
	}
	return NULL;
}
