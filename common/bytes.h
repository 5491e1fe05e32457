/*
 * Integers as they lie on the wire.
 *
 * A le32_t or be16_t is an array of bytes in a struct: it has no alignment, it cannot be added
 * or compared by accident, and the compiler turns load and store into one instruction. This is
 * the only file that knows byte order.
 */
#ifndef COMMON_BYTES_H
#define COMMON_BYTES_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define BYTES_WIRE_INT(order, width)                                                               \
	typedef struct {                                                                           \
		uint8_t wire[(width) / 8];                                                         \
	} order##width##_t;                                                                        \
	static inline uint##width##_t order##width##_load(order##width##_t wire)                   \
	{                                                                                          \
		uint##width##_t raw;                                                               \
		memcpy(&raw, wire.wire, sizeof(raw));                                              \
		return order##width##toh(raw);                                                     \
	}                                                                                          \
	static inline order##width##_t order##width##_make(uint##width##_t value)                  \
	{                                                                                          \
		order##width##_t wire;                                                             \
		uint##width##_t raw = hto##order##width(value);                                    \
		memcpy(wire.wire, &raw, sizeof(raw));                                              \
		return wire;                                                                       \
	}

BYTES_WIRE_INT(le, 32)
BYTES_WIRE_INT(le, 64)
BYTES_WIRE_INT(be, 16)
BYTES_WIRE_INT(be, 32)
BYTES_WIRE_INT(be, 64)

#undef BYTES_WIRE_INT

#endif
