#include "go_asm.h"
#include "textflag.h"

// Registers of decodeBMI2:
//
// SI, DI: next byte in and out; DX: the first byte of what came out; R8: bits,
// the next one lowest; R9: how many, in its low byte (what is above is what
// subtracting whole entries leaves there); R10, R11: first tables of literals
// and of distances; R14, R15: how many bits those take. AX: the entry of the
// next literal or length; R13: that after the one at hand. BX, CX, R12: for a
// moment. On the stack: the last places of SI and DI.
#define LASTIN 0(SP)
#define LASTOUT 8(SP)

// The layout of an entry is told in codes.go.
// REFILL makes at least 56 bits available.
#define REFILL \
	MOVQ (SI), R12        \
	SHLXQ R9, R12, R12    \
	ORQ R12, R8           \
	MOVL R9, R12          \
	SHRL $3, R12          \
	ANDL $7, R12          \
	ADDQ $7, SI           \
	SUBQ R12, SI          \
	ORL $56, R9

// LOOK finds the entry for the next bits in the first table of literals.
#define LOOK(entry) \
	BZHIQ R14, R8, R12    \
	MOVL (R10)(R12*4), entry

// LITERAL writes the literal of the entry in AX.
#define LITERAL \
	SHRXQ AX, R8, R8      \
	SUBL AX, R9           \
	SHRL $16, AX          \
	MOVB AX, (DI)         \
	INCQ DI

// VALUE takes a length or a distance with its extra bits.
#define VALUE(entry) \
	MOVQ R8, BX           \
	SHRXQ entry, R8, R8   \
	SUBL entry, R9        \
	BZHIQ entry, BX, BX   \
	MOVL entry, R12       \
	SHRL $8, R12          \
	SHRXQ R12, BX, BX     \
	SHRL $16, entry       \
	ADDQ BX, entry

// SECOND follows the entry to a second table.
#define SECOND(entry, table, bits) \
	MOVL entry, R12       \
	SHRL $8, R12          \
	ANDL $15, R12         \
	SHRXQ bits, R8, BX    \
	BZHIQ R12, BX, BX     \
	SHRL $16, entry       \
	ADDQ BX, entry        \
	MOVL (table)(entry*4), entry

// func decodeBMI2(s *state)
TEXT ·decodeBMI2(SB), NOSPLIT, $16-8
	MOVQ s+0(FP), AX
	MOVQ state_in(AX), SI
	MOVQ state_end(AX), BX
	ADDQ SI, BX
	MOVQ BX, LASTIN
	ADDQ state_pos(AX), SI
	MOVQ state_out(AX), DX
	MOVQ DX, DI
	ADDQ state_at(AX), DI
	MOVQ state_size(AX), BX
	ADDQ DX, BX
	MOVQ BX, LASTOUT
	MOVQ state_buf(AX), R8
	MOVQ state_have(AX), R9
	MOVQ state_lit(AX), R10
	MOVQ state_dist(AX), R11
	MOVQ $const_litBits, R14
	MOVQ $const_distBits, R15
	REFILL
	LOOK(AX)

step: // 56 bits are there, and AX; up to three literals take 33
	TESTL AX, AX
	JNS coded
	LITERAL
	LOOK(AX)
	TESTL AX, AX
	JNS coded
	LITERAL
	LOOK(AX)
	TESTL AX, AX
	JNS coded
	LITERAL

again:
	REFILL
	LOOK(AX)
	CMPQ DI, LASTOUT
	JA pause
	CMPQ SI, LASTIN
	JBE step

pause:
	MOVQ $const_paused, CX
	JMP out

coded: // two literals took 22 bits, a length takes 20; 14 are there
	TESTL $const_entSpecial, AX
	JNZ special

length:
	VALUE(AX)
	BZHIQ R15, R8, CX
	MOVL (R11)(CX*4), CX
	REFILL
	TESTL $const_entSpecial, CX
	JNZ farspecial

distance: // takes 28 of 56 bits
	VALUE(CX)
	LOOK(R13)
	MOVQ DI, BX
	SUBQ CX, BX
	CMPQ BX, DX
	JB bad
	REFILL
	ADDQ DI, AX // where the match ends
	CMPQ CX, $16
	JB near
	MOVOU (BX), X0
	MOVOU X0, (DI)
	ADDQ $16, DI
	CMPQ DI, AX
	JAE copied

copy:
	ADDQ $16, BX
	MOVOU (BX), X0
	MOVOU X0, (DI)
	ADDQ $16, DI
	CMPQ DI, AX
	JB copy

copied:
	MOVQ AX, DI
	MOVL R13, AX
	CMPQ DI, LASTOUT
	JA pause
	CMPQ SI, LASTIN
	JBE step
	JMP pause

near: // what is copied begins with what is written
	CMPQ CX, $8
	JAE words
	CMPQ CX, $1
	JEQ ones
	CMPQ CX, $2
	JEQ twos
	MOVQ (BX), BX

overlap: // of what is stored the first CX bytes are right
	MOVQ BX, (DI)
	ADDQ CX, DI
	CMPQ DI, AX
	JB overlap
	JMP copied

words:
	MOVQ (BX), R12
	MOVQ R12, (DI)
	ADDQ $8, BX
	ADDQ $8, DI
	CMPQ DI, AX
	JB words
	JMP copied

ones:
	MOVBQZX (BX), BX
	MOVQ $0x0101010101010101, R12
	IMULQ R12, BX
	JMP pattern

twos:
	MOVWQZX (BX), BX
	MOVQ $0x0001000100010001, R12
	IMULQ R12, BX

pattern:
	MOVQ BX, (DI)
	ADDQ $8, DI
	CMPQ DI, AX
	JB pattern
	JMP copied

special:
	TESTL $const_entSub, AX
	JZ endmark
	SECOND(AX, R10, R14)
	TESTL AX, AX
	JNS notliteral
	LITERAL
	JMP again

notliteral:
	TESTL $const_entSpecial, AX
	JZ length

endmark:
	TESTL $const_entEnd, AX
	JZ bad
	SHRXQ AX, R8, R8
	SUBL AX, R9
	MOVQ $const_ended, CX
	JMP out

farspecial:
	TESTL $const_entSub, CX
	JZ bad
	SECOND(CX, R11, R15)
	TESTL $const_entSpecial, CX
	JZ distance

bad:
	MOVQ $const_broken, CX

out:
	MOVQ s+0(FP), AX
	SUBQ state_in(AX), SI
	MOVQ SI, state_pos(AX)
	SUBQ DX, DI
	MOVQ DI, state_at(AX)
	ANDL $63, R9
	MOVQ R8, state_buf(AX)
	MOVQ R9, state_have(AX)
	MOVQ CX, state_status(AX)
	RET
