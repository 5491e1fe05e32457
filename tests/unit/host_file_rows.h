/*
 * Broken host files and all that is said about each: the table of test_host_file.c.
 */
#ifndef TESTS_UNIT_HOST_FILE_ROWS_H
#define TESTS_UNIT_HOST_FILE_ROWS_H

#define SYNTAX                                                                                     \
	"the syntax is wrong here or just before; a setting is written name = value; and words "   \
	"stand in quotation marks (what follows is not checked yet)\n"
#define TWICE                                                                                      \
	"a name is given twice in its group; keep one of them (what follows is not checked yet)\n"
#define INCLUDED                                                                                   \
	"@include is not allowed; all settings of the host stand in this one file (what follows "  \
	"is not checked yet)\n"
#define SWITCH    "true or false, without quotation marks\n"
#define OPEN      "the file ends inside a comment; one that opens with \"/*\" needs \"*/\"\n"
#define MTU       "defaults.mtu is not 0 (what fits the path) or a number from 1280 to 65475\n"
#define KEEPALIVE "defaults.persistent_keepalive is not a number of seconds from 0 (off) to 65535\n"
#define LEVEL                                                                                      \
	"log.level is not one of \"error\", \"warning\", \"notice\", \"info\", \"debug\", in "     \
	"quotation marks\n"
#define CIPHER                                                                                     \
	"defaults.cipher is not one of \"auto\", \"chacha20-poly1305\", \"aes256-gcm\", "          \
	"\"aegis128l\", \"aegis256\", in quotation marks\n"
#define TARGET "log.target is not one of \"auto\", \"stderr\", \"journal\", in quotation marks\n"
#define BUFFER(name)                                                                               \
	"data." name " is not 0 (as the kernel has it) or a number of bytes from 65536 to "        \
	"536870912\n"
#define BATCH(name, max) "data." name " is not a number from 1 to " max "\n"
#define CONTROL(code)    "there is a control character (" code "); a host file is plain text\n"
#define IN_LINE          "a carriage return stands inside the line; lines end in LF or CR LF\n"

struct broken_file {
	const char *text;
	const char *said; /* as diag_print() writes it for the file x */
};

/* libconfig loses the memory of a string where its grammar expects none: such a text would be a
   leak under valgrind, so they are left to the fuzzer. */
static const struct broken_file broken_files[] = {
	/* Names. */
	{ "lgo: { level = \"info\"; }",
	  "x:1: error: unknown group \"lgo\"; did you mean \"log\"?\n" },
	{ "Data: { }", "x:1: error: unknown group \"Data\"; did you mean \"data\"?\n" },
	{ "\nnetwork: { a: { b: { c = 1; } } }", "x:2: error: unknown group \"network\"; a host "
						 "file has log, data, rights and defaults\n" },
	{ "whatever = 5;", "x:1: error: unknown group \"whatever\"; a host file has log, data, "
			   "rights and defaults\n" },
	{ "a_name_that_is_much_too_long_to_be_repeated_here = 1;",
	  "x:1: error: unknown group; a host file has log, data, rights and defaults\n" },
	{ "mtu = 1400;", "x:1: error: mtu belongs in a group: defaults: { mtu = ...; }\n" },
	{ "log: {\n\tlevle = \"info\";\n}",
	  "x:2: error: unknown setting \"levle\" in log; did you mean \"level\"?\n" },
	{ "data: { TUN_MERGE_TCP = true; }", "x:1: error: unknown setting \"TUN_MERGE_TCP\" in "
					     "data; did you mean \"tun_merge_tcp\"?\n" },
	{ "data: { mtu = 1400; }", "x:1: error: mtu belongs in the group defaults, not in data\n" },
	{ "defaults: { xyzzy: { mtu = 1; } }",
	  "x:1: error: unknown setting \"xyzzy\" in defaults; known there are mtu, "
	  "persistent_keepalive, cipher\n" },
	{ "log: { a_name_that_is_much_too_long_to_be_repeated_here = 1; }",
	  "x:1: error: unknown setting in log; known there are level, target\n" },

	/* Types. */
	{ "log = \"info\";", "x:1: error: log is a group of settings: log: { ... }\n" },
	{ "log = ( );", "x:1: error: log is a group of settings: log: { ... }\n" },
	{ "data = [ true, false ];", "x:1: error: data is a group of settings: data: { ... }\n" },
	{ "log: { level = 6; }", "x:1: error: " LEVEL },
	{ "log: { level: { } }", "x:1: error: " LEVEL },
	{ "log: { level = \"loud\"; }", "x:1: error: " LEVEL },
	{ "log: { level = \"\"; }", "x:1: error: " LEVEL },
	{ "data: { tun_split_tcp = 1; }", "x:1: error: data.tun_split_tcp is not " SWITCH },
	{ "data: { udp_gro = \"true\"; }", "x:1: error: data.udp_gro is not " SWITCH },
	{ "data: { udp_gro = ( true ); }", "x:1: error: data.udp_gro is not " SWITCH },
	{ "defaults: { mtu = \"1400\"; }", "x:1: error: " MTU },
	{ "defaults: { mtu = 1400.0; }", "x:1: error: " MTU },
	{ "defaults: { mtu = true; }", "x:1: error: " MTU },
	{ "defaults: { mtu = [ 1400 ]; }", "x:1: error: " MTU },
	{ "defaults: { cipher = true; }", "x:1: error: " CIPHER },
	{ "defaults: { cipher = \"rot13\"; }", "x:1: error: " CIPHER },

	{ "log: { target = \"syslog\"; }", "x:1: error: " TARGET },
	{ "rights: { hooks = \"yes\"; }", "x:1: error: rights.hooks is not " SWITCH },

	/* Users. */

	/* Numbers. */
	{ "data: { tun_batch = 0; }", "x:1: error: " BATCH("tun_batch", "256") },
	{ "data: { tun_batch = 257; }", "x:1: error: " BATCH("tun_batch", "256") },
	{ "data: { udp_send_batch = 0; }", "x:1: error: " BATCH("udp_send_batch", "64") },
	{ "data: { udp_send_batch = 65; }", "x:1: error: " BATCH("udp_send_batch", "64") },
	{ "data: { udp_receive_batch = 65; }", "x:1: error: " BATCH("udp_receive_batch", "64") },
	{ "data: { udp_receive_batch = true; }", "x:1: error: " BATCH("udp_receive_batch", "64") },
	{ "data: { udp_send_buffer = 65535; }", "x:1: error: " BUFFER("udp_send_buffer") },
	{ "data: { udp_send_buffer = 536870913; }", "x:1: error: " BUFFER("udp_send_buffer") },
	{ "data: { udp_receive_buffer = -1; }", "x:1: error: " BUFFER("udp_receive_buffer") },
	{ "data: { udp_receive_buffer = \"7M\"; }", "x:1: error: " BUFFER("udp_receive_buffer") },
	{ "defaults: { mtu = 1279; }", "x:1: error: " MTU },
	{ "defaults: { mtu = 65476; }", "x:1: error: " MTU },
	{ "defaults: { mtu = -1400; }", "x:1: error: " MTU },
	{ "defaults: { mtu = 0x578; }", "x:1: error: " MTU },
	{ "defaults: { mtu = 0x1000005DC; }", "x:1: error: " MTU },
	{ "defaults: { mtu = 4294968796; }", "x:1: error: " MTU },
	{ "defaults: { mtu = 4294968796L; }", "x:1: error: " MTU },
	{ "defaults: { mtu = 18446744073709553116; }", "x:1: error: " MTU },
	{ "defaults: { mtu = 99999999999999999999999999999999; }", "x:1: error: " MTU },
	{ "defaults: { mtu = 1e3; }", "x:1: error: " MTU },
	{ "defaults: { persistent_keepalive = 65536; }", "x:1: error: " KEEPALIVE },
	{ "defaults: { persistent_keepalive = -1; }", "x:1: error: " KEEPALIVE },
	{ "defaults: { persistent_keepalive = -4294967271; }", "x:1: error: " KEEPALIVE },
	{ "defaults: { persistent_keepalive = \"off\"; }", "x:1: error: " KEEPALIVE },

	/* Syntax, and what stands in front of it. */
	{ "log: { level = info; }", "x:1: error: " SYNTAX },
	{ "log: {\n\tlevel = \"info\";\n\n", "x:3: error: " SYNTAX },
	{ "log: { }\n}\n", "x:2: error: " SYNTAX },
	{ "log", "x:1: error: " SYNTAX },
	{ "data: { udp_gro = ; }", "x:1: error: " SYNTAX },
	{ "[Interface]\nMTU = 1400\n", "x:1: error: " SYNTAX },
	{ "log.level = 1;", "x:1: error: " SYNTAX },
	{ "/* no end\nlog: { }\n", "x:2: error: " OPEN },
	{ "/* a */ log: { level = 6; } /* b\n", "x:1: error: " LEVEL "x:1: error: " OPEN },
	{ "log: { /* }", "x:1: error: " SYNTAX },
	{ "\xc3\xa4 = 1;", "x:1: error: " SYNTAX },
	{ "defaults: {\n\tmtu = 1;\n\tcipher = 2;\n\t=\n",
	  "x:2: error: " MTU "x:3: error: " CIPHER "x:4: error: " SYNTAX },
	{ "log: { level = 6;\n level = \"info\"; }", "x:1: error: " LEVEL "x:2: error: " TWICE },
	{ "log: { }\ndata: { }\nlog: { }\n", "x:3: error: " TWICE },

	/* Directives. */
	{ "@include \"/etc/hostname\"\n", "x:1: error: " INCLUDED },
	{ "log: {\n\t @include \"/etc/hostname\"\n}\n", "x:2: error: " INCLUDED },
	{ "/* */ @include \"/etc/hostname\"\n", "x:1: error: " INCLUDED },
	{ "@@include\n", "x:1: error: " INCLUDED },

	/* Bytes. */
	{ "# a\001\n", "x:1: error: " CONTROL("0x01") },
	{ "\n\n# \033[2J\n", "x:3: error: " CONTROL("0x1b") },
	{ "# \177", "x:1: error: " CONTROL("0x7f") },
	{ "# old\rlog: { }\r", "x:1: error: " IN_LINE },

	/* All at once. */
	{ "log: { level = 1; }\r\ndata: { udp_gor = true;\r\n udp_segment = 1; }\r\nlinks: { }\r\n",
	  "x:1: error: " LEVEL
	  "x:2: error: unknown setting \"udp_gor\" in data; did you mean \"udp_gro\"?\n"
	  "x:3: error: data.udp_segment is not " SWITCH
	  "x:4: error: unknown group \"links\"; a host file has log, data, rights and defaults\n" },
};

#endif
