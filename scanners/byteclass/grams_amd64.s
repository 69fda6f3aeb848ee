#include "textflag.h"

// SYMBOLS makes symbols of the bytes in y: five low bits, and the 0x40 one place
// lower.
#define SYMBOLS(y, tmp) \
	VPSRLW $1, y, tmp  \
	VPAND Y1, tmp, tmp \
	VPAND Y0, y, y     \
	VPOR tmp, y, y

// PREPARE writes for the 16 even places from off(DX) on the number of the word
// of bits to words, and of the bit in it to first.
#define PREPARE(off, words, first) \
	VMOVDQU off(DX), Y4     \
	VMOVDQU (off+2)(DX), Y5 \
	SYMBOLS(Y4, Y6)         \
	SYMBOLS(Y5, Y6)         \
	VPAND Y2, Y4, Y6        \
	VMOVDQU Y6, first       \
	VPSRLW $8, Y4, Y4       \
	VPSLLW $6, Y5, Y5       \
	VPAND Y3, Y5, Y5        \
	VPOR Y4, Y5, Y5         \
	VMOVDQU Y5, words

// LOOK shifts the answer for place k into R8.
#define LOOK(k) \
	MOVWLZX words-128+2*k(SP), AX \
	MOVWLZX first-64+2*k(SP), R9  \
	MOVQ (BX)(AX*8), AX           \
	BTQ R9, AX                    \
	ADCL R8, R8

#define LOOK8(k) \
	LOOK((k+7)) \
	LOOK((k+6)) \
	LOOK((k+5)) \
	LOOK((k+4)) \
	LOOK((k+3)) \
	LOOK((k+2)) \
	LOOK((k+1)) \
	LOOK((k+0))

// func gramsAVX2(dst *uint32, data *byte, n int, bits *uint64)
TEXT ·gramsAVX2(SB), NOSPLIT, $128-32
	MOVQ dst+0(FP), DI
	MOVQ data+8(FP), DX
	MOVQ n+16(FP), CX
	MOVQ bits+24(FP), BX
	MOVL $0x1f1f1f1f, AX
	VMOVD AX, X0
	VPBROADCASTD X0, Y0
	MOVL $0x20202020, AX
	VMOVD AX, X1
	VPBROADCASTD X1, Y1
	MOVL $0x00ff00ff, AX
	VMOVD AX, X2
	VPBROADCASTD X2, Y2
	MOVL $0x0fc00fc0, AX
	VMOVD AX, X3
	VPBROADCASTD X3, Y3

loop:
	PREPARE(0, words-128(SP), first-64(SP))
	PREPARE(32, words-96(SP), first-32(SP))
	XORL R8, R8
	LOOK8(24)
	LOOK8(16)
	LOOK8(8)
	LOOK8(0)
	MOVL R8, (DI)
	ADDQ $64, DX
	ADDQ $4, DI
	DECQ CX
	JNZ  loop
	VZEROUPPER
	RET
