#include "textflag.h"

// PART looks the bytes at off(DX) up with the tables in low and high and leaves
// the patterns that they may be part of in out.
#define PART(off, low, high, out) \
	VMOVDQU off(DX), out     \
	VPSRLW $4, out, Y7       \
	VPAND Y0, out, out       \
	VPAND Y0, Y7, Y7         \
	VPSHUFB out, low, out    \
	VPSHUFB Y7, high, Y7     \
	VPAND Y7, out, out

// func triplesAVX2(dst *uint64, data *byte, n int, t *Triples)
TEXT ·triplesAVX2(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ data+8(FP), DX
	MOVQ n+16(FP), CX
	MOVQ t+24(FP), AX
	VBROADCASTI128 (AX), Y1   // low halves of the first, second and third byte
	VBROADCASTI128 16(AX), Y2
	VBROADCASTI128 32(AX), Y3
	VBROADCASTI128 48(AX), Y4 // high halves
	VBROADCASTI128 64(AX), Y5
	VBROADCASTI128 80(AX), Y6
	VBROADCASTI128 96(AX), Y0 // 0x0f
	VPXOR Y12, Y12, Y12

loop:
	PART(0, Y1, Y4, Y8)
	PART(1, Y2, Y5, Y9)
	PART(2, Y3, Y6, Y10)
	VPAND Y9, Y8, Y8
	VPAND Y10, Y8, Y8
	VPCMPEQB Y12, Y8, Y8
	VPMOVMSKB Y8, R8
	PART(32, Y1, Y4, Y8)
	PART(33, Y2, Y5, Y9)
	PART(34, Y3, Y6, Y10)
	VPAND Y9, Y8, Y8
	VPAND Y10, Y8, Y8
	VPCMPEQB Y12, Y8, Y8
	VPMOVMSKB Y8, R9
	SHLQ $32, R9
	ORQ  R9, R8
	NOTQ R8
	MOVQ R8, (DI)
	ADDQ $64, DX
	ADDQ $8, DI
	DECQ CX
	JNZ  loop
	VZEROUPPER
	RET
