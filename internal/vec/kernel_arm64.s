//go:build !purego

#include "textflag.h"

// Registers of every kernel:
//	R0 query     R1 rows      R2 dim       R3 ids or 0
//	R4 out       R5 n         R6 bytes of a row
//	R7 the row's place        R8 the place of the next row to ask from memory
//	R9 the row   R10 the query  R11 elements left, while a row is computed
#define ARGS(shift) \
	MOVD q+0(FP), R0     \
	MOVD rows+8(FP), R1  \
	MOVD dim+16(FP), R2  \
	MOVD ids+24(FP), R3  \
	MOVD out+32(FP), R4  \
	MOVD n+40(FP), R5    \
	LSL  $shift, R2, R6  \
	MOVD ZR, R7          \
	MOVD ZR, R8

// NEXT sets R9 to the next row's address, R10 to the query's, R11 to dim. With
// ids, it first asks for the rows up to eight places ahead, at most 1 KB of each.
#define NEXT \
next:                         \
	CMP  R5, R7               \
	BGE  done                 \
	CBZ  R3, sequential       \
ahead:                        \
	ADD  $8, R7, R12          \
	CMP  R12, R8              \
	BGE  fetched              \
	CMP  R5, R8               \
	BGE  fetched              \
	MOVWU (R3)(R8<<2), R9     \
	MADD R6, R1, R9, R9       \
	MOVD $1024, R10           \
	CMP  R10, R6              \
	CSEL LT, R6, R10, R10     \
	ADD  R9, R10, R10         \
line:                         \
	PRFM (R9), PLDL1KEEP      \
	ADD  $64, R9              \
	CMP  R10, R9              \
	BLT  line                 \
	ADD  $1, R8               \
	JMP  ahead                \
fetched:                      \
	MOVWU (R3)(R7<<2), R9     \
	MADD R6, R1, R9, R9       \
	JMP  row                  \
sequential:                   \
	MOVD R1, R9               \
	ADD  R6, R1               \
row:                          \
	MOVD R0, R10              \
	MOVD R2, R11

// ZERO clears the four sums and sets each lane of V20 to 1.
#define ZERO \
	VEOR  V0.B16, V0.B16, V0.B16 \
	VEOR  V1.B16, V1.B16, V1.B16 \
	VEOR  V2.B16, V2.B16, V2.B16 \
	VEOR  V3.B16, V3.B16, V3.B16 \
	FMOVS ZR, F24                \
	FMOVS $1.0, F20              \
	VDUP  V20.S[0], V20.S4

// STORE adds the lanes of V0 to V3, and F24, and stores the float32 sum. The
// assembler has no addition of float vectors; a multiplication by 1 rounds
// nothing.
#define STORE \
	VFMLA V20.S4, V1.S4, V0.S4 \
	VFMLA V20.S4, V3.S4, V2.S4 \
	VFMLA V20.S4, V2.S4, V0.S4 \
	VMOV  V0.S[1], V21.S[0]    \
	VMOV  V0.S[2], V22.S[0]    \
	VMOV  V0.S[3], V23.S[0]    \
	FADDS F21, F0, F0          \
	FADDS F23, F22, F22        \
	FADDS F22, F0, F0          \
	FADDS F24, F0, F0          \
	FMOVS F0, (R4)(R7<<2)      \
	ADD   $1, R7               \
	JMP   next

// func dotNEON(q, rows *float32, dim int, ids *uint32, out *float32, n int)
TEXT ·dotNEON(SB), NOSPLIT, $0-48
	ARGS(2)
	NEXT
	ZERO

by16:
	SUBS $16, R11
	BLT  by4
	VLD1.P 64(R10), [V4.S4, V5.S4, V6.S4, V7.S4]
	VLD1.P 64(R9), [V16.S4, V17.S4, V18.S4, V19.S4]
	VFMLA V4.S4, V16.S4, V0.S4
	VFMLA V5.S4, V17.S4, V1.S4
	VFMLA V6.S4, V18.S4, V2.S4
	VFMLA V7.S4, V19.S4, V3.S4
	JMP  by16

by4:
	ADD  $16, R11

by4loop:
	SUBS $4, R11
	BLT  tail
	VLD1.P 16(R10), [V4.S4]
	VLD1.P 16(R9), [V16.S4]
	VFMLA V4.S4, V16.S4, V0.S4
	JMP  by4loop

tail:
	ADD  $4, R11

tailloop:
	SUBS $1, R11
	BLT  sum
	FMOVS.P 4(R10), F4
	FMOVS.P 4(R9), F16
	FMULS F4, F16, F4
	FADDS F4, F24, F24
	JMP  tailloop

sum:
	STORE

done:
	RET

// func l2NEON(q, rows *float32, dim int, ids *uint32, out *float32, n int)
TEXT ·l2NEON(SB), NOSPLIT, $0-48
	ARGS(2)
	NEXT
	ZERO

by16:
	SUBS $16, R11
	BLT  by4
	VLD1.P 64(R10), [V4.S4, V5.S4, V6.S4, V7.S4]
	VLD1.P 64(R9), [V16.S4, V17.S4, V18.S4, V19.S4]
	VFMLS V20.S4, V16.S4, V4.S4
	VFMLS V20.S4, V17.S4, V5.S4
	VFMLS V20.S4, V18.S4, V6.S4
	VFMLS V20.S4, V19.S4, V7.S4
	VFMLA V4.S4, V4.S4, V0.S4
	VFMLA V5.S4, V5.S4, V1.S4
	VFMLA V6.S4, V6.S4, V2.S4
	VFMLA V7.S4, V7.S4, V3.S4
	JMP  by16

by4:
	ADD  $16, R11

by4loop:
	SUBS $4, R11
	BLT  tail
	VLD1.P 16(R10), [V4.S4]
	VLD1.P 16(R9), [V16.S4]
	VFMLS V20.S4, V16.S4, V4.S4
	VFMLA V4.S4, V4.S4, V0.S4
	JMP  by4loop

tail:
	ADD  $4, R11

tailloop:
	SUBS $1, R11
	BLT  sum
	FMOVS.P 4(R10), F4
	FMOVS.P 4(R9), F16
	FSUBS F16, F4, F4
	FMULS F4, F4, F4
	FADDS F4, F24, F24
	JMP  tailloop

sum:
	STORE

done:
	RET

// The assembler lacks these. SMULL and SMULL2 multiply the lower and the upper
// eight bytes to int16, which has room for every product; SADALP adds pairs to int32.
#define SMULL(m, n, d)  WORD $(0x0e20c000 | m<<16 | n<<5 | d)
#define SMULL2(m, n, d) WORD $(0x4e20c000 | m<<16 | n<<5 | d)
#define SADALP(n, d)    WORD $(0x4e606800 | n<<5 | d)

// func dotInt8NEON(q, rows *int8, dim int, ids *uint32, out *int32, n int)
TEXT ·dotInt8NEON(SB), NOSPLIT, $0-48
	ARGS(0)
	NEXT
	VEOR V0.B16, V0.B16, V0.B16
	VEOR V1.B16, V1.B16, V1.B16

by16:
	SUBS $16, R11
	BLT  sum16
	VLD1.P 16(R10), [V4.B16]
	VLD1.P 16(R9), [V16.B16]
	SMULL(16, 4, 5)
	SMULL2(16, 4, 6)
	SADALP(5, 0)
	SADALP(6, 1)
	JMP  by16

sum16:
	ADD   $16, R11
	VADD  V1.S4, V0.S4, V0.S4
	VADDV V0.S4, V0
	VMOV  V0.S[0], R12

tail:
	SUBS $1, R11
	BLT  sum
	MOVB.P 1(R10), R13
	MOVB.P 1(R9), R14
	MULW R13, R14, R14
	ADDW R14, R12, R12
	JMP  tail

sum:
	MOVW R12, (R4)(R7<<2)
	ADD  $1, R7
	JMP  next

done:
	RET
