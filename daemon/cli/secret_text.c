/* Text with keys in it; see secret_text.h. */
#include "daemon/cli/secret_text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "common/keytext.h"
#include "common/secret.h"

int secret_text_init(struct secret_text *text, size_t size)
{
	*text = (struct secret_text) { .bytes = secret_alloc(size), .size = size };
	return text->bytes != NULL ? 0 : -ENOMEM;
}

void secret_text_deinit(struct secret_text *text)
{
	secret_free(text->bytes);
	*text = (struct secret_text)SECRET_TEXT_NULL;
}

void secret_text_add(struct secret_text *text, const char *format, ...)
{
	size_t room = text->size - text->len;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text->bytes + text->len, room, format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= room) {
		text->is_cut = true;
		text->bytes[text->len] = '\0';
		return;
	}
	text->len += (size_t)len;
}

void secret_text_key(struct secret_text *text, const char *name, const struct key *key)
{
	secret_text_add(text, "%s = ", name);
	/* The key goes where it stays, and room for the newline must be left. */
	if (text->size - text->len < KEYTEXT_LEN + 2) {
		text->is_cut = true;
		return;
	}
	keytext_encode(key, text->bytes + text->len);
	text->len += KEYTEXT_LEN;
	secret_text_add(text, "\n");
}

int secret_text_write(const struct secret_text *text, int fd)
{
	size_t done = 0;

	while (done < text->len) {
		ssize_t n = write(fd, text->bytes + done, text->len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		done += (size_t)n;
	}
	return 0;
}
