#include "textflag.h"

// HALF classifies the 32 bytes at off(DX) and stores the bitmaps as the lower
// (to is 0) or upper (to is 4) halves of the words of a Digits at DI.
//
// Y0, Y1: class bits by low and high half; Y2: 0x0f; Y3, Y4: what is added and
// set by high half; Y5: '_'; Y6, Y7: class bits of Run and Hex; Y8 to Y11: the
// grids; Y12: zero.
#define HALF(off, to) \
	VMOVDQU off(DX), Y13        \
	VPMOVMSKB Y13, R8           \
	MOVL R8, (24+to)(DI)        \ // High
	VPSRLW $4, Y13, Y14         \
	VPAND Y2, Y14, Y14          \
	VPAND Y2, Y13, Y15          \
	VPSHUFB Y15, Y0, Y15        \
	VPCMPEQB Y5, Y13, Y5        \ // underscores; Y5 is loaded again below
	VPAND Y6, Y5, Y5            \
	VPSHUFB Y14, Y3, Y2         \ // Y2 is loaded again below
	VPADDB Y2, Y13, Y13         \
	VPOR Y5, Y13, Y13           \
	VPSHUFB Y14, Y4, Y2         \
	VPOR Y2, Y13, Y13           \ // 6 bits of what is in Run
	VPSHUFB Y14, Y1, Y14        \
	VPAND Y14, Y15, Y15         \ // class bits
	VPSLLW $6, Y15, Y14         \
	VPMOVMSKB Y14, R8           \
	MOVL R8, (16+to)(DI)        \ // Dec
	VPAND Y7, Y15, Y14          \
	VPCMPEQB Y12, Y14, Y14      \
	VPMOVMSKB Y14, R8           \
	NOTL R8                     \
	MOVL R8, (8+to)(DI)         \ // Hex
	VPAND Y6, Y15, Y14          \
	VPCMPEQB Y12, Y14, Y14      \ // not in Run
	VPMOVMSKB Y14, R8           \
	NOTL R8                     \
	MOVL R8, (0+to)(DI)         \ // Run
	VPOR Y14, Y13, Y13          \
	VPAND Y8, Y13, Y14          \
	VPCMPEQB Y12, Y14, Y14      \
	VPMOVMSKB Y14, R8           \
	MOVL R8, (32+to)(DI)        \
	VPAND Y9, Y13, Y14          \
	VPCMPEQB Y12, Y14, Y14      \
	VPMOVMSKB Y14, R9           \
	MOVL R9, (40+to)(DI)        \
	VPAND Y10, Y13, Y14         \
	VPCMPEQB Y12, Y14, Y14      \
	VPMOVMSKB Y14, R10          \
	MOVL R10, (48+to)(DI)       \
	VPAND Y11, Y13, Y14         \
	VPCMPEQB Y12, Y14, Y14      \
	VPMOVMSKB Y14, R11          \
	MOVL R11, (56+to)(DI)       \
	VBROADCASTI128 32(AX), Y2   \
	VBROADCASTI128 80(AX), Y5

// func digitsAVX2(dst *Digits, data *byte, n int, t *digitTables)
TEXT ·digitsAVX2(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ data+8(FP), DX
	MOVQ n+16(FP), CX
	MOVQ t+24(FP), AX
	VBROADCASTI128 (AX), Y0
	VBROADCASTI128 16(AX), Y1
	VBROADCASTI128 32(AX), Y2
	VBROADCASTI128 48(AX), Y3
	VBROADCASTI128 64(AX), Y4
	VBROADCASTI128 80(AX), Y5
	VBROADCASTI128 96(AX), Y6
	VBROADCASTI128 112(AX), Y7
	VBROADCASTI128 128(AX), Y8
	VBROADCASTI128 144(AX), Y9
	VBROADCASTI128 160(AX), Y10
	VBROADCASTI128 176(AX), Y11
	VPXOR Y12, Y12, Y12

loop:
	HALF(0, 0)
	HALF(32, 4)
	ADDQ $64, DX
	ADDQ $64, DI
	DECQ CX
	JNZ  loop
	VZEROUPPER
	RET
