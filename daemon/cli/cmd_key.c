/* `vpnd genkey`, `pubkey` and `genpsk`: as wg(8) has them. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "common/keytext.h"
#include "daemon/cli/cmds.h"
#include "daemon/proto/primitives.h"

/* Longest input that `pubkey` reads: a key and white space around it. */
#define INPUT_MAX 256

static int print_key(const struct key *key)
{
	char text[KEYTEXT_LEN + 1];
	bool is_written;

	keytext_encode(key, text);
	is_written = printf("%s\n", text) > 0 && fflush(stdout) == 0;
	sodium_memzero(text, sizeof(text));
	if (!is_written)
		perror("vpnd: cannot write the key");
	return is_written ? EXIT_DONE : EXIT_SYSTEM;
}

int cmd_genkey(int argc, char **argv)
{
	struct key private_key;
	uint8_t public_key[KEY_LEN];
	int code;

	(void)argv;
	if (argc != 1)
		return cmd_usage("genkey");
	prim_dh_generate(&private_key, public_key);
	code = print_key(&private_key);
	sodium_memzero(&private_key, sizeof(private_key));
	return code;
}

int cmd_genpsk(int argc, char **argv)
{
	struct key preshared;
	int code;

	(void)argv;
	if (argc != 1)
		return cmd_usage("genpsk");
	randombytes_buf(preshared.bytes, KEY_LEN);
	code = print_key(&preshared);
	sodium_memzero(&preshared, sizeof(preshared));
	return code;
}

/* Reads stdin to its end; returns the bytes, at most `size`. */
static size_t read_input(char *buf, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size && (n = read(STDIN_FILENO, buf + len, size - len)) > 0)
		len += (size_t)n;
	return len;
}

int cmd_pubkey(int argc, char **argv)
{
	static const char white_space[] = " \t\r\n";
	char input[INPUT_MAX];
	struct key private_key, public_key;
	size_t start = 0, len;
	int code = EXIT_CONFIG;

	(void)argv;
	if (argc != 1)
		return cmd_usage("pubkey < PRIVATE-KEY-FILE");
	len = read_input(input, sizeof(input));
	while (len > 0 && memchr(white_space, input[len - 1], sizeof(white_space) - 1))
		len--;
	while (start < len && memchr(white_space, input[start], sizeof(white_space) - 1))
		start++;
	if (keytext_decode(input + start, len - start, &private_key)) {
		prim_dh_public(&public_key, &private_key);
		code = print_key(&public_key);
	} else {
		fprintf(stderr,
			"vpnd: stdin is not a private key: it must be %d characters of "
			"base64, as `vpnd genkey` writes them\n",
			KEYTEXT_LEN);
	}
	sodium_memzero(input, sizeof(input));
	sodium_memzero(&private_key, sizeof(private_key));
	return code;
}
