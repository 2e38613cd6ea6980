//go:build !purego

#include "textflag.h"

// Each constant fills 32 bytes.
#define FILL(name, value) \
	DATA name<>+0(SB)/8, value  \
	DATA name<>+8(SB)/8, value  \
	DATA name<>+16(SB)/8, value \
	DATA name<>+24(SB)/8, value \
	GLOBL name<>(SB), RODATA|NOPTR, $32

FILL(upperA, $0x4141414141414141)
FILL(lowerA, $0x6161616161616161)
FILL(zero, $0x3030303030303030)
FILL(tab, $0x0909090909090909)
FILL(below26, $0x1919191919191919)
FILL(below10, $0x0909090909090909)
FILL(below5, $0x0404040404040404)
FILL(blank, $0x2020202020202020)
FILL(lf, $0x0A0A0A0A0A0A0A0A)
FILL(cr, $0x0D0D0D0D0D0D0D0D)
FILL(quote, $0x2727272727272727)
FILL(slash, $0x2F2F2F2F2F2F2F2F)

// RANGE sets out to the plane of the bytes of which byte - first is at most last.
#define RANGE(first, last, out) \
	VPSUBB first<>(SB), Y0, Y2 \
	VPSUBB first<>(SB), Y1, Y3 \
	VPMINUB last<>(SB), Y2, Y4 \
	VPMINUB last<>(SB), Y3, Y5 \
	VPCMPEQB Y2, Y4, Y4        \
	VPCMPEQB Y3, Y5, Y5        \
	VPMOVMSKB Y4, out          \
	VPMOVMSKB Y5, AX           \
	SHLQ $32, AX               \
	ORQ AX, out

// EQUAL sets out to the plane of one byte.
#define EQUAL(value, out) \
	VPCMPEQB value<>(SB), Y0, Y4 \
	VPCMPEQB value<>(SB), Y1, Y5 \
	VPMOVMSKB Y4, out            \
	VPMOVMSKB Y5, AX             \
	SHLQ $32, AX                 \
	ORQ AX, out

// func bitRowsAVX2(text *byte, rows *[8]uint64)
TEXT ·bitRowsAVX2(SB), NOSPLIT, $0-16
	MOVQ text+0(FP), SI
	MOVQ rows+8(FP), DI
	VMOVDQU (SI), Y0
	VMOVDQU 32(SI), Y1

	RANGE(upperA, below26, R8)
	RANGE(lowerA, below26, R9)
	RANGE(zero, below10, R10)
	RANGE(tab, below5, R11)
	EQUAL(blank, R12)
	EQUAL(lf, R13)
	EQUAL(cr, CX)
	EQUAL(quote, DX)
	EQUAL(slash, BX)
	VPMOVMSKB Y0, SI
	VPMOVMSKB Y1, AX
	VZEROUPPER
	SHLQ $32, AX
	ORQ  AX, SI

	MOVQ R8, 0(DI)
	MOVQ R9, 8(DI)
	MOVQ R10, 16(DI)
	ORQ  CX, R13     // line breaks
	MOVQ R13, 32(DI)
	MOVQ BX, 56(DI)
	ORQ  R11, R12    // white space
	MOVQ R12, 24(DI)
	ORQ  R8, SI
	ORQ  R9, R10
	ORQ  R12, SI
	ORQ  R10, SI
	NOTQ SI
	MOVQ SI, 40(DI)
	NOTQ R13
	ANDQ R13, R11    // white space that is neither a space nor a line break
	ORQ  DX, R11
	MOVQ R11, 48(DI)
	RET
