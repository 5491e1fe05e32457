/*
 * Broken link files and all that is said about each: the table of test_link_file.c.
 *
 * IFACE is the least [Interface] and PEER the least [Peer] that are right, two and three lines
 * long, so one more line in [Interface] is line 3 and one more in [Peer] is line 6.
 */
#ifndef TESTS_UNIT_LINK_FILE_ROWS_H
#define TESTS_UNIT_LINK_FILE_ROWS_H

/* Keys, made up; A and PSK are the secrets. PUB_A_HIGH is PUB_A with its top bit set. */
#define A          "EBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLi8="
#define PUB_A      "2J47rXlDfb7Z+ENBgwT0YP8Fx/6B/kqVd6gEy5Nn/2Y=" /* of A */
#define PUB_A_HIGH "2J47rXlDfb7Z+ENBgwT0YP8Fx/6B/kqVd6gEy5Nn/+Y="
#define PUB_B      "ST6C/HRGSlkmiBdiPSBTxeuOLMSpiLT+4XnsawENUx0="
#define PSK        "wMHCw8TFxsfIycrLzM3Oz9DR0tPU1dbX2Nna29zd3t8="
#define ZERO       "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define ONE        "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" /* order 1 */
#define LOW8       "4Ot6fDtBuK4WVuP68Z/EatoJjeucMrH9hmIFFl9JuAA=" /* order 8 */
#define A_HEAD     "EBESExQVFhcYGRobHB0eHy"                       /* A, broken in two */
#define A_TAIL     "AhIiMkJSYnKCkqKywtLi8="
#define A_LOOSE                                                                                    \
	"EBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLi9=" /* A with bits behind the last byte */
#define PSK_NO_PAD "wMHCw8TFxsfIycrLzM3Oz9DR0tPU1dbX2Nna29zd3t8"

#define IFACE "[Interface]\nPrivateKey = " A "\n"
#define PEER  "[Peer]\nPublicKey = " PUB_B "\nAllowedIPs = 10.0.0.0/8\n"

struct broken_file {
	const char *what;
	const char *text;
	const char *said; /* all that diag_print() writes, "x" being the file */
};

static const struct broken_file broken_files[] = {
	{ "empty file", "",
	  "x: error: there is no [Interface] section; a link file has [Interface] and [Peer]\n"
	  "x: error: there is no [Peer] section; a link file has [Interface] and [Peer]\n" },
	{ "only comments", "# nothing\n; here\n\n   \n",
	  "x: error: there is no [Interface] section; a link file has [Interface] and [Peer]\n"
	  "x: error: there is no [Peer] section; a link file has [Interface] and [Peer]\n" },
	{ "no peer section", IFACE,
	  "x: error: there is no [Peer] section; a link file has [Interface] and [Peer]\n" },
	{ "no interface section", PEER,
	  "x: error: there is no [Interface] section; a link file has [Interface] and [Peer]\n" },
	{ "key before section", "ListenPort = 1\n" IFACE PEER,
	  "x:1: error: the key \"ListenPort\" stands before any section; put it below [Interface] "
	  "or [Peer]\n" },
	{ "unknown key before section", "x = 1\n" IFACE PEER,
	  "x:1: error: the key \"x\" stands before any section; put it below [Interface] or "
	  "[Peer]\n" },
	{ "no equals sign", IFACE "ListenPort 51820\n" PEER,
	  "x:3: error: the line has no \"=\"; it must be \"Key = value\", \"[Section]\" or a "
	  "comment that begins with \"#\"\n" },
	{ "colon for equals", IFACE "ListenPort: 51820\n" PEER,
	  "x:3: error: the line has no \"=\"; it must be \"Key = value\", \"[Section]\" or a "
	  "comment that begins with \"#\"\n" },
	{ "only a word", IFACE "garbage\n" PEER,
	  "x:3: error: the line has no \"=\"; it must be \"Key = value\", \"[Section]\" or a "
	  "comment that begins with \"#\"\n" },
	{ "equals sign in a comment", IFACE "MTU # = 1400\n" PEER,
	  "x:3: error: the line has no \"=\"; it must be \"Key = value\", \"[Section]\" or a "
	  "comment that begins with \"#\"\n" },
	{ "no key", IFACE "= 51820\n" PEER,
	  "x:3: error: the name of the key before \"=\" is empty; the line must be \"Key = "
	  "value\"\n" },
	{ "key with strange characters", IFACE "Listen\033Port = 1\n" PEER,
	  "x:3: error: the name of the key before \"=\" has characters other than letters and "
	  "digits; the line must be \"Key = value\"\n" },
	{ "key with a space", IFACE "Listen Port = 1\n" PEER,
	  "x:3: error: the name of the key before \"=\" has characters other than letters and "
	  "digits; the line must be \"Key = value\"\n" },
	{ "key of 41 characters", IFACE "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa = 1\n" PEER,
	  "x:3: error: the name of the key before \"=\" is too long; the line must be \"Key = "
	  "value\"\n" },
	{ "key of 40 characters", IFACE "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa = 1\n" PEER,
	  "x:3: error: unknown key in [Interface]; known there are PrivateKey, PrivateKeyFile, "
	  "ListenPort, FwMark, Address, DNS, MTU, Table, PreUp, PostUp, PreDown, PostDown, "
	  "SaveConfig, Mode, Bridge, BridgeCreate, Namespace, "
	  "Forward, Masquerade, MssClamp, ReadyWhen\n" },
	{ "bare private key in a line", IFACE A "\n" PEER,
	  "x:3: error: the name of the key before \"=\" is too long; the line must be \"Key = "
	  "value\"\n" },
	{ "private key broken in two lines",
	  "[Interface]\nPrivateKey = " A_HEAD "\n" A_TAIL "\n" PEER,
	  "x:2: error: PrivateKey is not a key; a key has 44 characters of base64 and ends in "
	  "\"=\"\n"
	  "x:3: error: unknown key in [Interface]; known there are PrivateKey, PrivateKeyFile, "
	  "ListenPort, FwMark, Address, DNS, MTU, Table, PreUp, PostUp, PreDown, PostDown, "
	  "SaveConfig, Mode, Bridge, BridgeCreate, Namespace, "
	  "Forward, Masquerade, MssClamp, ReadyWhen\n" },
	{ "private key broken, no sign left", "[Interface]\nPrivateKey =\n" A "\n" PEER,
	  "x:2: error: PrivateKey has no value behind its \"=\"\n"
	  "x:3: error: the name of the key before \"=\" is too long; the line must be \"Key = "
	  "value\"\n" },
	{ "section bracket open", "[Interface\nPrivateKey = " A "\n" PEER,
	  "x:1: error: the section heading has no closing \"]\"\n" },
	{ "section bracket open with comment", "[Interface # ]\n" PEER,
	  "x:1: error: the section heading has no closing \"]\"\n" },
	{ "section name empty", IFACE PEER "[]\nx = 1\n",
	  "x:6: error: the name in the section heading is empty; a link file has [Interface] and "
	  "[Peer]\n" },
	{ "section name long", IFACE PEER "[sssssssssssssssssssssssssssssssssssssssss]\n",
	  "x:6: error: the name in the section heading is too long; a link file has [Interface] "
	  "and [Peer]\n" },
	{ "section name with a slash", IFACE PEER "[Pe/er]\n",
	  "x:6: error: the name in the section heading has characters other than letters and "
	  "digits; a link file has [Interface] and [Peer]\n" },
	{ "text behind section", IFACE PEER "[Peer] PublicKey = 1\n",
	  "x:6: error: something stands behind the \"]\" of the section heading; keys go into the "
	  "lines below it\n" },
	{ "unknown section", IFACE PEER "[Relay]\nx = 1\n",
	  "x:6: error: unknown section; a link file has [Interface] and [Peer]\n" },
	{ "mistyped section", "[Interfaces]\nPrivateKey = " A "\n" PEER,
	  "x:1: error: unknown section \"[Interfaces]\"; did you mean \"[Interface]\"?\n" },
	{ "mistyped peer section", IFACE "[Pear]\nPublicKey = " PUB_B "\n",
	  "x:3: error: unknown section \"[Pear]\"; did you mean \"[Peer]\"?\n" },
	{ "second interface section", IFACE PEER "[Interface]\nMTU = 1400\n",
	  "x:6: error: a second [Interface], the first is in line 1; put all its keys there\n" },
	{ "second peer section", IFACE PEER "[Peer]\nPublicKey = " PUB_A "\nFoo = 1\n",
	  "x:6: error: a second [Peer], the first is in line 3; one link has one peer, make a "
	  "second file for this one\n" },
	{ "mistyped key", IFACE PEER "AlowedIPs = 10.1.0.0/16\n",
	  "x:6: error: unknown key \"AlowedIPs\" in [Peer]; did you mean \"AllowedIPs\"?\n" },
	{ "mistyped key, swapped letters", IFACE "Adrdess = 10.0.0.1\n" PEER,
	  "x:3: error: unknown key \"Adrdess\" in [Interface]; did you mean \"Address\"?\n" },
	{ "unknown key", IFACE PEER "Jc = 4\n",
	  "x:6: error: unknown key \"Jc\" in [Peer]; known there are PublicKey, PresharedKey, "
	  "PresharedKeyFile, AllowedIPs, Endpoint, PersistentKeepalive, Cipher\n" },
	{ "unknown key without value", IFACE PEER "Jc =\n",
	  "x:6: error: unknown key in [Peer]; known there are PublicKey, PresharedKey, "
	  "PresharedKeyFile, AllowedIPs, Endpoint, PersistentKeepalive, Cipher\n" },
	{ "interface key in peer", IFACE PEER "Address = 10.0.0.1\n",
	  "x:6: error: Address belongs in [Interface], not in [Peer]\n" },
	{ "peer key in interface", IFACE "PersistentKeepalive = 25\n" PEER,
	  "x:3: error: PersistentKeepalive belongs in [Peer], not in [Interface]\n" },
	{ "no private key", "[Interface]\nListenPort = 1\n" PEER,
	  "x:1: error: [Interface] has no PrivateKey and no PrivateKeyFile; \"vpnd genkey\" makes "
	  "a key\n" },
	{ "private key empty", "[Interface]\nPrivateKey =\n" PEER,
	  "x:2: error: PrivateKey has no value behind its \"=\"\n" },
	{ "private key short", "[Interface]\nPrivateKey = " A_HEAD "=\n" PEER,
	  "x:2: error: PrivateKey is not a key; a key has 44 characters of base64 and ends in "
	  "\"=\"\n" },
	{ "private key not canonical", "[Interface]\nPrivateKey = " A_LOOSE "\n" PEER,
	  "x:2: error: PrivateKey is not a key; a key has 44 characters of base64 and ends in "
	  "\"=\"\n" },
	{ "private key in quotes", "[Interface]\nPrivateKey = \"" A "\"\n" PEER,
	  "x:2: error: PrivateKey is not a key; a key has 44 characters of base64 and ends in "
	  "\"=\"\n" },
	{ "private key in hexadecimal",
	  "[Interface]\nPrivateKey = "
	  "1010101010101010101010101010101010101010101010101010101010101010\n" PEER,
	  "x:2: error: PrivateKey is not a key; a key has 44 characters of base64 and ends in "
	  "\"=\"\n" },
	{ "private key by a command of wg-quick(8)",
	  "[Interface]\nPostUp = wg set %i private-key /etc/wireguard/%i.key\n" PEER,
	  "x:1: error: [Interface] has no PrivateKey and no PrivateKeyFile; in the place of the "
	  "command that sets private-key, name the same file with PrivateKeyFile\n" },
	{ "private key zero", "[Interface]\nPrivateKey = " ZERO "\n" PEER,
	  "x:2: error: the private key is all zero, which is no key; \"vpnd genkey\" makes one\n" },
	{ "private key twice", IFACE "PrivateKey = " A "\n" PEER,
	  "x:3: error: PrivateKey is given twice, first in line 2; keep one of them\n" },
	{ "private key and file", IFACE "PrivateKeyFile = site-a.key\n" PEER,
	  "x:3: error: PrivateKey and PrivateKeyFile are both given; keep one of them\n" },
	{ "private key as the file's name", "[Interface]\nPrivateKeyFile = " A "\n" PEER,
	  "x:2: error: PrivateKeyFile is a key, but must be the name of a file that holds one\n" },
	{ "port twice", IFACE "ListenPort = 1\nlistenport = 2\n" PEER,
	  "x:4: error: ListenPort is given twice, first in line 3; keep one of them\n" },
	{ "port negative", IFACE "ListenPort = -1\n" PEER,
	  "x:3: error: ListenPort is not a number from 0 (any port) to 65535, nor a service of UDP "
	  "in /etc/services\n" },
	{ "port too large", IFACE "ListenPort = 65536\n" PEER,
	  "x:3: error: ListenPort is not a number from 0 (any port) to 65535, nor a service of UDP "
	  "in /etc/services\n" },
	{ "port far too large", IFACE "ListenPort = 18446744073709551617\n" PEER,
	  "x:3: error: ListenPort is not a number from 0 (any port) to 65535, nor a service of UDP "
	  "in /etc/services\n" },
	{ "port with text", IFACE "ListenPort = 51820x\n" PEER,
	  "x:3: error: ListenPort is not a number from 0 (any port) to 65535, nor a service of UDP "
	  "in /etc/services\n" },
	{ "port with exponent", IFACE "ListenPort = 1e3\n" PEER,
	  "x:3: error: ListenPort is not a number from 0 (any port) to 65535, nor a service of UDP "
	  "in /etc/services\n" },
	{ "port in hexadecimal", IFACE "ListenPort = 0x10\n" PEER,
	  "x:3: error: ListenPort is not a number from 0 (any port) to 65535, nor a service of UDP "
	  "in /etc/services\n" },
	{ "port empty", IFACE "ListenPort =\n" PEER,
	  "x:3: error: ListenPort has no value behind its \"=\"\n" },
	{ "port as a comment", IFACE "ListenPort = # 51820\n" PEER,
	  "x:3: error: ListenPort has no value behind its \"=\"\n" },
	{ "mark too large", IFACE "FwMark = 0x100000000\n" PEER,
	  "x:3: error: FwMark is not \"off\" or a number from 0 to 4294967295 (0xffffffff)\n" },
	{ "mark word", IFACE "FwMark = on\n" PEER,
	  "x:3: error: FwMark is not \"off\" or a number from 0 to 4294967295 (0xffffffff)\n" },
	{ "mark without digits", IFACE "FwMark = 0x\n" PEER,
	  "x:3: error: FwMark is not \"off\" or a number from 0 to 4294967295 (0xffffffff)\n" },
	{ "address not one", IFACE "Address = ten\n" PEER,
	  "x:3: error: Address is not an IPv4 or IPv6 address with an optional /length\n" },
	{ "address octal", IFACE "Address = 10.0.0.010/24\n" PEER,
	  "x:3: error: Address is not an IPv4 or IPv6 address with an optional /length\n" },
	{ "address short form", IFACE "Address = 10.1/16\n" PEER,
	  "x:3: error: Address is not an IPv4 or IPv6 address with an optional /length\n" },
	{ "address length 33", IFACE "Address = 10.0.0.1/33\n" PEER,
	  "x:3: error: Address has a length behind \"/\" that is not a number from 0 to 32\n" },
	{ "address length 129", IFACE "Address = fd00::1/129\n" PEER,
	  "x:3: error: Address has a length behind \"/\" that is not a number from 0 to 128\n" },
	{ "address length missing", IFACE "Address = 10.0.0.1/\n" PEER,
	  "x:3: error: Address has a length behind \"/\" that is not a number from 0 to 32\n" },
	{ "address length negative", IFACE "Address = 10.0.0.1/-1\n" PEER,
	  "x:3: error: Address has a length behind \"/\" that is not a number from 0 to 32\n" },
	{ "address with scope", IFACE "Address = fe80::1%eth0/64\n" PEER,
	  "x:3: error: Address is not an IPv4 or IPv6 address with an optional /length\n" },
	{ "address list with one wrong entry",
	  IFACE "Address = 10.0.0.1/24, fd00::1/64, 10.0.0.256\n" PEER,
	  "x:3: error: Address: entry 3 of the list is not an IPv4 or IPv6 address with an "
	  "optional /length\n" },
	{ "address ::1/128", IFACE "Address = ::1/128\n" PEER,
	  "x:3: error: Address ::1/128 is a loopback, multicast, broadcast or unspecified address, "
	  "which no interface of a tunnel can have\n" },
	{ "address ::/128", IFACE "Address = ::/128\n" PEER,
	  "x:3: error: Address ::/128 is a loopback, multicast, broadcast or unspecified address, "
	  "which no interface of a tunnel can have\n" },
	{ "address ff02::1/64", IFACE "Address = ff02::1/64\n" PEER,
	  "x:3: error: Address ff02::1/64 is a loopback, multicast, broadcast or unspecified "
	  "address, "
	  "which no interface of a tunnel can have\n" },
	{ "address 0.0.0.0/24", IFACE "Address = 0.0.0.0/24\n" PEER,
	  "x:3: error: Address 0.0.0.0/24 is a loopback, multicast, broadcast or unspecified "
	  "address, "
	  "which no interface of a tunnel can have\n" },
	{ "address 127.0.0.1/32", IFACE "Address = 127.0.0.1/32\n" PEER,
	  "x:3: error: Address 127.0.0.1/32 is a loopback, multicast, broadcast or unspecified "
	  "address, "
	  "which no interface of a tunnel can have\n" },
	{ "address 224.0.0.1/32", IFACE "Address = 224.0.0.1/32\n" PEER,
	  "x:3: error: Address 224.0.0.1/32 is a loopback, multicast, broadcast or unspecified "
	  "address, "
	  "which no interface of a tunnel can have\n" },
	{ "address 255.255.255.255/32", IFACE "Address = 255.255.255.255/32\n" PEER,
	  "x:3: error: Address 255.255.255.255/32 is a loopback, multicast, broadcast or "
	  "unspecified address, "
	  "which no interface of a tunnel can have\n" },
	{ "address twice", IFACE "Address = 10.0.0.1/24\nAddress = 10.0.0.1/24\n" PEER,
	  "x:4: warning: Address 10.0.0.1/24 is in line 3 already\n" },
	{ "65 addresses",
	  IFACE
	  "Address = 10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4, 10.0.0.5, 10.0.0.6, 10.0.0.7, "
	  "10.0.0.8, 10.0.0.9, 10.0.0.10, 10.0.0.11, 10.0.0.12, 10.0.0.13, 10.0.0.14, 10.0.0.15, "
	  "10.0.0.16, 10.0.0.17, 10.0.0.18, 10.0.0.19, 10.0.0.20, 10.0.0.21, 10.0.0.22, 10.0.0.23, "
	  "10.0.0.24, 10.0.0.25, 10.0.0.26, 10.0.0.27, 10.0.0.28, 10.0.0.29, 10.0.0.30, 10.0.0.31, "
	  "10.0.0.32, 10.0.0.33, 10.0.0.34, 10.0.0.35, 10.0.0.36, 10.0.0.37, 10.0.0.38, 10.0.0.39, "
	  "10.0.0.40, 10.0.0.41, 10.0.0.42, 10.0.0.43, 10.0.0.44, 10.0.0.45, 10.0.0.46, 10.0.0.47, "
	  "10.0.0.48, 10.0.0.49, 10.0.0.50, 10.0.0.51, 10.0.0.52, 10.0.0.53, 10.0.0.54, 10.0.0.55, "
	  "10.0.0.56, 10.0.0.57, 10.0.0.58, 10.0.0.59, 10.0.0.60, 10.0.0.61, 10.0.0.62, 10.0.0.63, "
	  "10.0.0.64, 10.0.0.65\n" PEER,
	  "x:3: error: Address has more than 64 entries\n" },
	{ "dns with a slash", IFACE "DNS = 10.0.0.1/24\n" PEER,
	  "x:3: error: DNS is not an IPv4 address, an IPv6 address, a search domain or a routing "
	  "domain (\"~example.com\", or \"~.\" for all)\n" },
	{ "17 name servers",
	  IFACE
	  "DNS = 10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5 10.0.0.6 10.0.0.7 10.0.0.8 10.0.0.9 "
	  "10.0.0.10 10.0.0.11 10.0.0.12 10.0.0.13 10.0.0.14 10.0.0.15 10.0.0.16 10.0.0.17\n" PEER,
	  "x:3: error: DNS has more than 16 entries\n" },
	{ "mtu zero", IFACE "MTU = 0\n" PEER,
	  "x:3: error: MTU is not a number from 68 to 65475\n" },
	{ "mtu 67", IFACE "MTU = 67\n" PEER, "x:3: error: MTU is not a number from 68 to 65475\n" },
	{ "mtu 65476", IFACE "MTU = 65476\n" PEER,
	  "x:3: error: MTU is not a number from 68 to 65475\n" },
	{ "mtu negative", IFACE "MTU = -1\n" PEER,
	  "x:3: error: MTU is not a number from 68 to 65475\n" },
	{ "mtu 1279 with IPv6", IFACE "MTU = 1279\nAddress = fd00::1/64\n" PEER,
	  "x:3: error: MTU is 1279, but the interface has an IPv6 address, and IPv6 needs at least "
	  "1280\n" },
	{ "table zero", IFACE "Table = 0\n" PEER,
	  "x:3: error: Table is not \"auto\", \"off\", a number from 1 to 4294967295 or the name "
	  "of a routing table\n" },
	{ "table negative", IFACE "Table = -5\n" PEER,
	  "x:3: error: Table is not \"auto\", \"off\", a number from 1 to 4294967295 or the name "
	  "of a routing table\n" },
	{ "table with a space", IFACE "Table = my table\n" PEER,
	  "x:3: error: Table is not \"auto\", \"off\", a number from 1 to 4294967295 or the name "
	  "of a routing table\n" },
	{ "hook empty", IFACE "PostUp =\n" PEER,
	  "x:3: error: PostUp has no value behind its \"=\"\n" },
	{ "hook with an escape", IFACE "PostUp = echo \033[31m\n" PEER,
	  "x:3: error: PostUp has control characters in its value; a link file is plain text\n" },
	{ "save config word", IFACE "SaveConfig = yes\n" PEER,
	  "x:3: error: SaveConfig is not \"true\" or \"false\"\n" },
	{ "save config true", IFACE "SaveConfig = true\n" PEER,
	  "x:3: warning: SaveConfig = true has no effect: vpnd never writes the file\n" },
	{ "mode word", IFACE "Mode = bridge\n" PEER,
	  "x:3: error: Mode is not \"tun\" (packets) or \"tap\" (Ethernet frames)\n" },
	{ "bridge without tap", IFACE "Bridge = br0\n" PEER,
	  "x:3: error: Bridge needs Mode = tap, because a bridge takes Ethernet frames only\n" },
	{ "bridge name long", IFACE "Mode = tap\nBridge = abcdefghijklmnop\n" PEER,
	  "x:4: error: Bridge is not the name of an interface: 1 to 15 letters, digits or "
	  "\"_=+.-\"\n" },
	{ "bridge name with slash", IFACE "Mode = tap\nBridge = ../br0\n" PEER,
	  "x:4: error: Bridge is not the name of an interface: 1 to 15 letters, digits or "
	  "\"_=+.-\"\n" },
	{ "mtu without room for the frame's header", IFACE "Mode = tap\nMTU = 65445\n" PEER,
	  "x:4: error: MTU is 65445, but with Mode = tap it is at most 65444, because the Ethernet "
	  "header takes room as well\n" },
	{ "tap as a full tunnel", IFACE "Mode = tap\n" PEER "AllowedIPs = 0.0.0.0/0, ::/0\n",
	  "x:7: warning: on Mode = tap a default route asks by ARP for every address: use Table = "
	  "off and \"PostUp = ip route add default via ADDRESS\"\n" },
	{ "namespace leads out", IFACE "Namespace = ../host\n" PEER,
	  "x:3: error: Namespace is not the name of a network namespace as \"ip netns\" lists "
	  "it, nor the number of a process\n" },
	{ "namespace hidden", IFACE "Namespace = .x\n" PEER,
	  "x:3: error: Namespace is not the name of a network namespace as \"ip netns\" lists "
	  "it, nor the number of a process\n" },
	{ "forward word", IFACE "Forward = on\n" PEER,
	  "x:3: error: Forward is not \"yes\" or \"no\"\n" },
	{ "masquerade word", IFACE "Masquerade = eth0\n" PEER,
	  "x:3: error: Masquerade is not \"yes\", \"no\" or a prefix such as 10.0.0.0/24 or "
	  "fd00::/64\n" },
	{ "masquerade yes and a list", IFACE "Masquerade = 10.0.0.0/8\nMasquerade = yes\n" PEER,
	  "x:3: error: Masquerade has \"yes\" or \"no\" beside prefixes; keep one of them\n" },
	{ "masquerade twice and with host bits",
	  IFACE "Masquerade = 10.0.0.1/8\nMasquerade = 10.0.0.0/8\n" PEER,
	  "x:3: warning: Masquerade 10.0.0.1/8 has bits set behind its length; 10.0.0.0/8 is "
	  "used\n"
	  "x:4: warning: Masquerade 10.0.0.0/8 is in line 3 already\n" },
	{ "masquerade of another version",
	  IFACE "Address = 10.9.0.1/24\nMasquerade = 10.0.0.0/8, fd00::/8\n" PEER,
	  "x:4: warning: Masquerade has fd00::/8, but the interface has no IPv6 address that could "
	  "stand in its place; add an Address\n" },
	{ "masquerade behind a bridge", IFACE "Mode = tap\nBridge = br0\nMasquerade = yes\n" PEER,
	  "x:5: error: Masquerade and Bridge are both given, but packets leave by the bridge then, "
	  "and not by the link's interface; keep one of them\n" },
	{ "clamp behind a bridge", IFACE "Mode = tap\nBridge = br0\nMssClamp = 1300\n" PEER,
	  "x:5: warning: MssClamp has no effect with Bridge: frames are bridged as they are\n" },
	{ "clamp too small", IFACE "MssClamp = 535\n" PEER,
	  "x:3: error: MssClamp is not \"auto\", \"no\" or a number from 536 to 65495\n" },
	{ "ready word", IFACE "ReadyWhen = up\n" PEER,
	  "x:3: error: ReadyWhen is not \"interface\" or \"handshake\"\n" },
	{ "no public key", IFACE "[Peer]\nAllowedIPs = 10.0.0.0/8\n",
	  "x:3: error: [Peer] has no PublicKey; \"vpnd pubkey\" at the far end prints it\n" },
	{ "public key wrong", IFACE "[Peer]\nPublicKey = " PSK_NO_PAD "\nAllowedIPs = 10.0.0.0/8\n",
	  "x:4: error: PublicKey is not a key; a key has 44 characters of base64 and ends in "
	  "\"=\"\n" },
	{ "public key own", IFACE "[Peer]\nPublicKey = " PUB_A "\nAllowedIPs = 10.0.0.0/8\n",
	  "x:4: error: PublicKey is the public key of this end; the far end's belongs here\n" },
	{ "public key own with the top bit",
	  IFACE "[Peer]\nPublicKey = " PUB_A_HIGH "\nAllowedIPs = 10.0.0.0/8\n",
	  "x:4: error: PublicKey is the public key of this end; the far end's belongs here\n" },
	{ "public key zero", IFACE "[Peer]\nPublicKey = " ZERO "\nAllowedIPs = 10.0.0.0/8\n",
	  "x:4: error: PublicKey is all zero, which is no key\n" },
	{ "public key one", IFACE "[Peer]\nPublicKey = " ONE "\nAllowedIPs = 10.0.0.0/8\n",
	  "x:4: error: PublicKey is a point of low order, which no private key has; take the far "
	  "end's\n" },
	{ "public key of order eight",
	  IFACE "[Peer]\nPublicKey = " LOW8 "\nAllowedIPs = 10.0.0.0/8\n",
	  "x:4: error: PublicKey is a point of low order, which no private key has; take the far "
	  "end's\n" },
	{ "preshared key wrong", IFACE PEER "PresharedKey = abc\n",
	  "x:6: error: PresharedKey is not a key; a key has 44 characters of base64 and ends in "
	  "\"=\"\n" },
	{ "preshared key and file", IFACE PEER "PresharedKey = " PSK "\nPresharedKeyFile = psk\n",
	  "x:7: error: PresharedKey and PresharedKeyFile are both given; keep one of them\n" },
	{ "preshared key zero", IFACE PEER "PresharedKey = " ZERO "\n",
	  "x:6: warning: PresharedKey is all zero, which is the same as none\n" },
	{ "preshared key in PublicKey twice", IFACE PEER "PublicKey = " PSK "\n",
	  "x:6: error: PublicKey is given twice, first in line 4; keep one of them\n" },
	{ "allowed ips missing", IFACE "[Peer]\nPublicKey = " PUB_B "\n",
	  "x:3: warning: [Peer] has no AllowedIPs, so no packet may pass the link; \"0.0.0.0/0, "
	  "::/0\" with Table = off allows all\n" },
	{ "allowed ips host bits", IFACE PEER "AllowedIPs = 192.0.2.1/24\n",
	  "x:6: warning: AllowedIPs 192.0.2.1/24 has bits set behind its length; 192.0.2.0/24 is "
	  "used\n" },
	{ "allowed ips host bits IPv6", IFACE PEER "AllowedIPs = 2001:db8::1/32\n",
	  "x:6: warning: AllowedIPs 2001:db8::1/32 has bits set behind its length; 2001:db8::/32 "
	  "is used\n" },
	{ "allowed ips twice", IFACE PEER "AllowedIPs = 192.0.2.0/24, 10.0.0.0/8\n",
	  "x:6: warning: AllowedIPs 10.0.0.0/8 is in line 5 already\n" },
	{ "allowed ips twice after masking", IFACE PEER "AllowedIPs = 10.1.2.3/8\n",
	  "x:6: warning: AllowedIPs 10.1.2.3/8 has bits set behind its length; 10.0.0.0/8 is used\n"
	  "x:6: warning: AllowedIPs 10.0.0.0/8 is in line 5 already\n" },
	{ "allowed ips empty entry", IFACE PEER "AllowedIPs = 192.0.2.0/24,,198.51.100.0/24\n",
	  "x:6: error: AllowedIPs: entry 2 of the list is empty\n" },
	{ "allowed ips without commas", IFACE PEER "AllowedIPs = 192.0.2.0/24 198.51.100.0/24\n",
	  "x:6: error: AllowedIPs has a length behind \"/\" that is not a number from 0 to 32\n" },
	{ "allowed ips removal", IFACE PEER "AllowedIPs = -192.0.2.0/24\n",
	  "x:6: error: AllowedIPs is not an IPv4 or IPv6 address with an optional /length\n" },
	{ "allowed ips three wrong", IFACE PEER "AllowedIPs = a, 192.0.2.0/99, ::/200\n",
	  "x:6: error: AllowedIPs: entry 1 of the list is not an IPv4 or IPv6 address with an "
	  "optional /length\n"
	  "x:6: error: AllowedIPs: entry 2 of the list has a length behind \"/\" that is not a "
	  "number from 0 to 32\n"
	  "x:6: error: AllowedIPs: entry 3 of the list has a length behind \"/\" that is not a "
	  "number from 0 to 128\n" },
	{ "endpoint without port", IFACE PEER "Endpoint = vpn.example.com\n",
	  "x:6: error: Endpoint has no port; it is written host:port or [IPv6 address]:port\n" },
	{ "endpoint port zero", IFACE PEER "Endpoint = vpn.example.com:0\n",
	  "x:6: error: Endpoint has a port that is not a number from 1 to 65535\n" },
	{ "endpoint port too large", IFACE PEER "Endpoint = vpn.example.com:65536\n",
	  "x:6: error: Endpoint has a port that is not a number from 1 to 65535\n" },
	{ "endpoint service name", IFACE PEER "Endpoint = vpn.example.com:no-such-service\n",
	  "x:6: error: Endpoint has a port that is not a number from 1 to 65535\n" },
	{ "endpoint without host", IFACE PEER "Endpoint = :1\n",
	  "x:6: error: Endpoint has no host before the port\n" },
	{ "endpoint bracket open", IFACE PEER "Endpoint = [2001:db8::1:51820\n",
	  "x:6: error: Endpoint has no \"]\" behind the IPv6 address\n" },
	{ "endpoint without brackets", IFACE PEER "Endpoint = 2001:db8::1:51820\n",
	  "x:6: error: Endpoint has an IPv6 address without brackets; it is written "
	  "[address]:port\n" },
	{ "endpoint IPv4 in brackets", IFACE PEER "Endpoint = [192.0.2.1]:51820\n",
	  "x:6: error: Endpoint has no IPv6 address between \"[\" and \"]\"\n" },
	{ "endpoint short IPv4", IFACE PEER "Endpoint = 192.0.2:51820\n",
	  "x:6: error: Endpoint has an IPv4 address that is not four numbers from 0 to 255\n" },
	{ "endpoint bad IPv4", IFACE PEER "Endpoint = 192.0.2.256:51820\n",
	  "x:6: error: Endpoint has an IPv4 address that is not four numbers from 0 to 255\n" },
	{ "endpoint hexadecimal IPv4", IFACE PEER "Endpoint = 0xc0000201:51820\n",
	  "x:6: error: Endpoint has an IPv4 address that is not four numbers from 0 to 255\n" },
	{ "endpoint name of 254 characters",
	  IFACE PEER
	  "Endpoint = "
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:1\n",
	  "x:6: error: Endpoint has a host name of more than 253 characters\n" },
	{ "endpoint name with a space", IFACE PEER "Endpoint = vpn example:1\n",
	  "x:6: error: Endpoint has a host with other characters than letters, digits, \".\", "
	  "\"-\" and \"_\"\n" },
	{ "endpoint name with an empty part", IFACE PEER "Endpoint = vpn..example.com:1\n",
	  "x:6: error: Endpoint has a host name with an empty part\n" },
	{ "endpoint port behind junk", IFACE PEER "Endpoint = [2001:db8::1]x:1\n",
	  "x:6: error: Endpoint has something between \"]\" and the port; it is written [IPv6 "
	  "address]:port\n" },
	{ "endpoint scope on a global address", IFACE PEER "Endpoint = [2001:db8::1%lo]:1\n",
	  "x:6: error: Endpoint has an interface behind \"%\", which only a link-local address "
	  "(fe80::) takes\n" },
	{ "endpoint scope empty", IFACE PEER "Endpoint = [fe80::1%]:1\n",
	  "x:6: error: Endpoint has no interface name of 1 to 15 characters behind \"%\"\n" },
	{ "endpoint multicast", IFACE PEER "Endpoint = 224.0.0.1:1\n",
	  "x:6: error: Endpoint is a multicast, broadcast or unspecified address; it must be the "
	  "address of one host\n" },
	{ "endpoint unspecified", IFACE PEER "Endpoint = [::]:1\n",
	  "x:6: error: Endpoint is a multicast, broadcast or unspecified address; it must be the "
	  "address of one host\n" },
	{ "endpoint list", IFACE PEER "Endpoint = a.example:1, b.example:1\n",
	  "x:6: error: Endpoint has a host with other characters than letters, digits, \".\", "
	  "\"-\" and \"_\"\n" },
	{ "endpoint repeated", IFACE PEER "Endpoint = A.example:1\nEndpoint = a.example:1\n",
	  "x:7: warning: Endpoint repeats the one in line 6\n" },
	{ "nine endpoints",
	  IFACE PEER
	  "Endpoint = h0.example:1\nEndpoint = h1.example:1\nEndpoint = h2.example:1\nEndpoint = "
	  "h3.example:1\nEndpoint = h4.example:1\nEndpoint = h5.example:1\nEndpoint = "
	  "h6.example:1\nEndpoint = h7.example:1\nEndpoint = h8.example:1\n",
	  "x:14: error: Endpoint has more than 8 entries\n" },
	{ "keepalive negative", IFACE PEER "PersistentKeepalive = -1\n",
	  "x:6: error: PersistentKeepalive is not \"off\" or a number of seconds from 0 to "
	  "65535\n" },
	{ "keepalive too large", IFACE PEER "PersistentKeepalive = 65536\n",
	  "x:6: error: PersistentKeepalive is not \"off\" or a number of seconds from 0 to "
	  "65535\n" },
	{ "keepalive word", IFACE PEER "PersistentKeepalive = on\n",
	  "x:6: error: PersistentKeepalive is not \"off\" or a number of seconds from 0 to "
	  "65535\n" },
	{ "cipher unknown", IFACE PEER "Cipher = aes128\n",
	  "x:6: error: Cipher is not one of auto, chacha20-poly1305, aes256-gcm, aegis128l and "
	  "aegis256\n" },
	{ "cipher twice", IFACE PEER "Cipher = auto\nCipher = auto\n",
	  "x:7: error: Cipher is given twice, first in line 6; keep one of them\n" },
	{ "lone carriage return", "[Interface]\rPrivateKey = " A "\r" PEER,
	  "x:1: error: something stands behind the \"]\" of the section heading; keys go into the "
	  "lines below it\n" },
	{ "utf-16", "\377\376[\000I\000",
	  "x:1: error: the file is UTF-16 text; save it as UTF-8\n" },
	{ "everything wrong at once",
	  "x = 1\n[Interface]\nPort = 1\nMTU = 9\n[Peer]\nPublickKey = x\nEndpoint = a\n",
	  "x:1: error: the key \"x\" stands before any section; put it below [Interface] or "
	  "[Peer]\n"
	  "x:2: error: [Interface] has no PrivateKey and no PrivateKeyFile; \"vpnd genkey\" makes "
	  "a key\n"
	  "x:3: error: unknown key \"Port\" in [Interface]; known there are PrivateKey, "
	  "PrivateKeyFile, ListenPort, FwMark, Address, DNS, MTU, Table, PreUp, PostUp, PreDown, "
	  "PostDown, SaveConfig, Mode, Bridge, BridgeCreate, Namespace, "
	  "Forward, Masquerade, MssClamp, ReadyWhen\n"
	  "x:4: error: MTU is not a number from 68 to 65475\n"
	  "x:5: error: [Peer] has no PublicKey; \"vpnd pubkey\" at the far end prints it\n"
	  "x:5: warning: [Peer] has no AllowedIPs, so no packet may pass the link; \"0.0.0.0/0, "
	  "::/0\" with Table = off allows all\n"
	  "x:6: error: unknown key \"PublickKey\" in [Peer]; did you mean \"PublicKey\"?\n"
	  "x:7: error: Endpoint has no port; it is written host:port or [IPv6 address]:port\n" },
};

#endif
