#include "textflag.h"

// func marksAVX2(runs, marks, quotes *uint64, data *byte, n int, t *markTables)
//
// Looks both halves of each byte up with a shuffle, as scalar does with
// its tables, and collects the sign of the result 64 bytes at a time.
TEXT ·marksAVX2(SB), NOSPLIT, $0-48
	MOVQ runs+0(FP), DI
	MOVQ marks+8(FP), SI
	MOVQ quotes+16(FP), BX
	MOVQ data+24(FP), DX
	MOVQ n+32(FP), CX
	MOVQ t+40(FP), AX
	VBROADCASTI128 (AX), Y0   // class bits by low half
	VBROADCASTI128 16(AX), Y1 // class bits by high half
	VBROADCASTI128 32(AX), Y2 // 0x0f
	VBROADCASTI128 48(AX), Y3 // bits of runs
	VBROADCASTI128 64(AX), Y4 // bits of marks
	VPXOR Y5, Y5, Y5

loop:
	VMOVDQU (DX), Y6
	VMOVDQU 32(DX), Y7
	VPSRLW  $4, Y6, Y8
	VPSRLW  $4, Y7, Y9
	VPAND   Y2, Y8, Y8
	VPAND   Y2, Y9, Y9
	VPAND   Y2, Y6, Y6
	VPAND   Y2, Y7, Y7
	VPSHUFB Y6, Y0, Y6
	VPSHUFB Y7, Y0, Y7
	VPSHUFB Y8, Y1, Y8
	VPSHUFB Y9, Y1, Y9
	VPAND   Y6, Y8, Y8
	VPAND   Y7, Y9, Y9
	VPMOVMSKB Y8, R12
	VPMOVMSKB Y9, R13
	VPAND   Y3, Y8, Y6
	VPAND   Y3, Y9, Y7
	VPAND   Y4, Y8, Y8
	VPAND   Y4, Y9, Y9
	VPCMPEQB Y5, Y6, Y6
	VPCMPEQB Y5, Y7, Y7
	VPCMPEQB Y5, Y8, Y8
	VPCMPEQB Y5, Y9, Y9
	VPMOVMSKB Y6, R8
	VPMOVMSKB Y7, R9
	VPMOVMSKB Y8, R10
	VPMOVMSKB Y9, R11
	SHLQ $32, R9
	SHLQ $32, R11
	SHLQ $32, R13
	ORQ  R13, R12
	MOVQ R12, (BX)
	ORQ  R9, R8
	ORQ  R11, R10
	NOTQ R8
	NOTQ R10
	MOVQ R8, (DI)
	MOVQ R10, (SI)
	ADDQ $64, DX
	ADDQ $8, DI
	ADDQ $8, SI
	ADDQ $8, BX
	DECQ CX
	JNZ  loop
	VZEROUPPER
	RET
