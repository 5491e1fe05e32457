/* A link file that has nearly every key, most of them more than once where that is allowed. */
#ifndef TESTS_UNIT_WHOLE_FILE_H
#define TESTS_UNIT_WHOLE_FILE_H

/* The text, with this value for Table. */
#define WHOLE_FILE(table)                                                                          \
	"[Interface]\n"                                                                            \
	"PrivateKey = EBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLi8=\n"                              \
	"ListenPort = 51820\nFwMark = 0x10\nAddress = 10.0.0.1/24, 10.0.1.1/24, fd00::1/64\n"      \
	"DNS = 10.0.0.53, example.net, fd00::53\nMTU = 1400\nTable = " table "\n"                  \
	"PreUp = a\nPreUp = b\nPreUp = c\nPostUp = d\nPreDown = e\nPostDown = f %i # g\n"          \
	"SaveConfig = false\nMode = tap\nBridge = br0\nNamespace = ns\nForward = yes\n"            \
	"MssClamp = no\nReadyWhen = handshake\n"                                                   \
	"[Peer]\n"                                                                                 \
	"PublicKey = ST6C/HRGSlkmiBdiPSBTxeuOLMSpiLT+4XnsawENUx0=\n"                               \
	"PresharedKey = wMHCw8TFxsfIycrLzM3Oz9DR0tPU1dbX2Nna29zd3t8=\n"                            \
	"AllowedIPs = 10.0.0.0/24, 10.0.1.0/24, fd00::/64, 10.9.0.0/16, 10.8.0.0/16\n"             \
	"Endpoint = a.example.net:1\nEndpoint = 192.0.2.1:2\nEndpoint = [2001:db8::1]:3\n"         \
	"PersistentKeepalive = 25\nCipher = aes256-gcm\n"

#endif
