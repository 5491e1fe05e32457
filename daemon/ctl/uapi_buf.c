/* A growing text in memory for secrets; see uapi_buf.h. */
#include "daemon/ctl/uapi_buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/secret.h"

#define FIRST_SIZE 2048
#define PRINT_MAX  128

void uapi_buf_deinit(struct uapi_buf *buf)
{
	secret_free(buf->bytes);
	*buf = (struct uapi_buf) { 0 };
}

bool uapi_buf_reserve(struct uapi_buf *buf, size_t n_more)
{
	size_t size = MAX(buf->size * 2, FIRST_SIZE);
	char *bytes;

	if (n_more <= buf->size - buf->len)
		return true;
	/* Locked pages cannot grow where they are. */
	size = MAX(size, buf->len + n_more);
	bytes = secret_alloc(size);
	if (bytes == NULL) {
		buf->is_broken = true;
		return false;
	}
	if (buf->len > 0)
		memcpy(bytes, buf->bytes, buf->len);
	secret_free(buf->bytes);
	buf->bytes = bytes;
	buf->size = size;
	return true;
}

void uapi_buf_add(struct uapi_buf *buf, const void *bytes, size_t n_bytes)
{
	if (n_bytes == 0 || buf->is_broken || !uapi_buf_reserve(buf, n_bytes))
		return;
	memcpy(buf->bytes + buf->len, bytes, n_bytes);
	buf->len += n_bytes;
}

void uapi_buf_print(struct uapi_buf *buf, const char *format, ...)
{
	char text[PRINT_MAX];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n > 0)
		uapi_buf_add(buf, text, MIN((size_t)n, sizeof(text) - 1));
}

void uapi_buf_add_key(struct uapi_buf *buf, const char *name, const struct key *key)
{
	size_t name_len = strlen(name);
	size_t hex_len = 2 * sizeof(key->bytes);

	/* One more byte: the hexadecimal comes with a NUL, which the end of the line overwrites. */
	if (buf->is_broken || !uapi_buf_reserve(buf, name_len + 1 + hex_len + 1))
		return;
	memcpy(buf->bytes + buf->len, name, name_len);
	buf->len += name_len;
	buf->bytes[buf->len++] = '=';
	sodium_bin2hex(buf->bytes + buf->len, hex_len + 1, key->bytes, sizeof(key->bytes));
	buf->len += hex_len;
	buf->bytes[buf->len++] = '\n';
}

void uapi_buf_drop(struct uapi_buf *buf, size_t n_bytes)
{
	if (n_bytes >= buf->len) {
		uapi_buf_deinit(buf);
		return;
	}
	buf->len -= n_bytes;
	memmove(buf->bytes, buf->bytes + n_bytes, buf->len);
	sodium_memzero(buf->bytes + buf->len, n_bytes);
}
