//go:build !purego

#include "textflag.h"

// Eight full and eight empty lanes: loaded so that the first rem lanes are full,
// they mask the last, incomplete group of a row.
DATA lanes<>+0(SB)/8, $-1
DATA lanes<>+8(SB)/8, $-1
DATA lanes<>+16(SB)/8, $-1
DATA lanes<>+24(SB)/8, $-1
DATA lanes<>+32(SB)/8, $0
DATA lanes<>+40(SB)/8, $0
DATA lanes<>+48(SB)/8, $0
DATA lanes<>+56(SB)/8, $0
GLOBL lanes<>(SB), RODATA|NOPTR, $64

// Registers of every kernel:
//	DI query    SI rows    DX dim     R8 bytes of a row
//	R9 ids or 0 R10 out    R11 n      R12 the row's place
//	R13 the place of the next row to ask from memory
//	AX the row  BX the query  CX elements left, while a row is computed
#define ARGS(shift) \
	MOVQ q+0(FP), DI     \
	MOVQ rows+8(FP), SI  \
	MOVQ dim+16(FP), DX  \
	MOVQ ids+24(FP), R9  \
	MOVQ out+32(FP), R10 \
	MOVQ n+40(FP), R11   \
	MOVQ DX, R8          \
	SHLQ $shift, R8      \
	XORQ R12, R12        \
	XORQ R13, R13

// NEXT sets AX to the next row's address, BX to the query's, CX to dim. With ids,
// it first asks for the rows up to eight places ahead, at most 1 KB of each: the
// processor itself asks for the rest of a longer row.
#define NEXT \
next:                       \
	CMPQ R12, R11           \
	JGE  done               \
	TESTQ R9, R9            \
	JZ   sequential         \
ahead:                      \
	LEAQ 8(R12), CX         \
	CMPQ R13, CX            \
	JGE  fetched            \
	CMPQ R13, R11           \
	JGE  fetched            \
	MOVL (R9)(R13*4), AX    \
	IMULQ R8, AX            \
	ADDQ SI, AX             \
	MOVQ $1024, BX          \
	CMPQ R8, BX             \
	CMOVQLT R8, BX          \
	ADDQ AX, BX             \
line:                       \
	PREFETCHT0 (AX)         \
	ADDQ $64, AX            \
	CMPQ AX, BX             \
	JLT  line               \
	INCQ R13                \
	JMP  ahead              \
fetched:                    \
	MOVL (R9)(R12*4), AX    \
	IMULQ R8, AX            \
	ADDQ SI, AX             \
	JMP  row                \
sequential:                 \
	MOVQ SI, AX             \
	ADDQ R8, SI             \
row:                        \
	MOVQ DI, BX             \
	MOVQ DX, CX

// A kernel that needs R13 sets it to R12+8 at the row's end: those rows were asked
// for.

// MASK sets Y8 to the mask of the last CX lanes of a row, and clobbers R14.
#define MASK \
	LEAQ lanes<>+32(SB), R14 \
	SHLQ $2, CX              \
	SUBQ CX, R14             \
	VMOVUPS (R14), Y8

// STORE adds the lanes of Y0 to Y3 and stores the float32 sum.
#define STORE \
	VADDPS Y1, Y0, Y0       \
	VADDPS Y3, Y2, Y2       \
	VADDPS Y2, Y0, Y0       \
	VEXTRACTF128 $1, Y0, X1 \
	VADDPS X1, X0, X0       \
	VMOVHLPS X0, X0, X1     \
	VADDPS X1, X0, X0       \
	VMOVSHDUP X0, X1        \
	VADDSS X1, X0, X0       \
	VMOVSS X0, (R10)(R12*4) \
	INCQ R12                \
	JMP  next

// func dotAVX2(q, rows *float32, dim int, ids *uint32, out *float32, n int)
TEXT ·dotAVX2(SB), NOSPLIT, $0-48
	ARGS(2)
	NEXT
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3

by32:
	SUBQ $32, CX
	JLT  by8
	VMOVUPS (BX), Y4
	VMOVUPS 32(BX), Y5
	VMOVUPS 64(BX), Y6
	VMOVUPS 96(BX), Y7
	VFMADD231PS (AX), Y4, Y0
	VFMADD231PS 32(AX), Y5, Y1
	VFMADD231PS 64(AX), Y6, Y2
	VFMADD231PS 96(AX), Y7, Y3
	ADDQ $128, AX
	ADDQ $128, BX
	JMP  by32

by8:
	ADDQ $32, CX

by8loop:
	SUBQ $8, CX
	JLT  tail
	VMOVUPS (BX), Y4
	VFMADD231PS (AX), Y4, Y0
	ADDQ $32, AX
	ADDQ $32, BX
	JMP  by8loop

tail:
	ADDQ $8, CX
	JZ   sum
	MASK
	VMASKMOVPS (BX), Y8, Y4
	VMASKMOVPS (AX), Y8, Y5
	VFMADD231PS Y4, Y5, Y1

sum:
	STORE

done:
	VZEROUPPER
	RET

// func l2AVX2(q, rows *float32, dim int, ids *uint32, out *float32, n int)
TEXT ·l2AVX2(SB), NOSPLIT, $0-48
	ARGS(2)
	NEXT
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3

by32:
	SUBQ $32, CX
	JLT  by8
	VMOVUPS (BX), Y4
	VMOVUPS 32(BX), Y5
	VMOVUPS 64(BX), Y6
	VMOVUPS 96(BX), Y7
	VSUBPS (AX), Y4, Y4
	VSUBPS 32(AX), Y5, Y5
	VSUBPS 64(AX), Y6, Y6
	VSUBPS 96(AX), Y7, Y7
	VFMADD231PS Y4, Y4, Y0
	VFMADD231PS Y5, Y5, Y1
	VFMADD231PS Y6, Y6, Y2
	VFMADD231PS Y7, Y7, Y3
	ADDQ $128, AX
	ADDQ $128, BX
	JMP  by32

by8:
	ADDQ $32, CX

by8loop:
	SUBQ $8, CX
	JLT  tail
	VMOVUPS (BX), Y4
	VSUBPS (AX), Y4, Y4
	VFMADD231PS Y4, Y4, Y0
	ADDQ $32, AX
	ADDQ $32, BX
	JMP  by8loop

tail:
	ADDQ $8, CX
	JZ   sum
	MASK
	VMASKMOVPS (BX), Y8, Y4
	VMASKMOVPS (AX), Y8, Y5
	VSUBPS Y5, Y4, Y4
	VFMADD231PS Y4, Y4, Y1

sum:
	STORE

done:
	VZEROUPPER
	RET

// func dotInt8AVX2(q, rows *int8, dim int, ids *uint32, out *int32, n int)
TEXT ·dotInt8AVX2(SB), NOSPLIT, $0-48
	ARGS(0)
	NEXT
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1

by32:
	SUBQ $32, CX
	JLT  by16
	VPMOVSXBW (BX), Y4
	VPMOVSXBW 16(BX), Y5
	VPMOVSXBW (AX), Y6
	VPMOVSXBW 16(AX), Y7
	VPMADDWD Y4, Y6, Y6
	VPMADDWD Y5, Y7, Y7
	VPADDD Y6, Y0, Y0
	VPADDD Y7, Y1, Y1
	ADDQ $32, AX
	ADDQ $32, BX
	JMP  by32

by16:
	ADDQ $32, CX
	SUBQ $16, CX
	JLT  by8
	VPMOVSXBW (BX), Y4
	VPMOVSXBW (AX), Y6
	VPMADDWD Y4, Y6, Y6
	VPADDD Y6, Y0, Y0
	ADDQ $16, AX
	ADDQ $16, BX
	SUBQ $16, CX

by8:
	ADDQ $16, CX
	VPADDD Y1, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPADDD X1, X0, X0
	SUBQ $8, CX
	JLT  lanes4
	VPMOVSXBW (BX), X4
	VPMOVSXBW (AX), X6
	VPMADDWD X4, X6, X6
	VPADDD X6, X0, X0
	ADDQ $8, AX
	ADDQ $8, BX
	SUBQ $8, CX

lanes4:
	ADDQ $8, CX
	VPSHUFD $0x4e, X0, X1
	VPADDD X1, X0, X0
	VPSHUFD $0xb1, X0, X1
	VPADDD X1, X0, X0
	VMOVD X0, R13

tail:
	SUBQ $1, CX
	JLT  sum
	MOVBLSX (AX)(CX*1), R14
	MOVBLSX (BX)(CX*1), R8
	IMULL R8, R14
	ADDL R14, R13
	JMP  tail

sum:
	MOVL R13, (R10)(R12*4)
	MOVQ DX, R8
	LEAQ 8(R12), R13
	INCQ R12
	JMP  next

done:
	VZEROUPPER
	RET

// func dotFloatInt8AVX2(q *float32, rows *int8, dim int, ids *uint32, out *float32, n int)
TEXT ·dotFloatInt8AVX2(SB), NOSPLIT, $0-48
	ARGS(0)
	NEXT
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3

by16:
	SUBQ $16, CX
	JLT  by8
	VPMOVSXBD (AX), Y4
	VPMOVSXBD 8(AX), Y5
	VCVTDQ2PS Y4, Y4
	VCVTDQ2PS Y5, Y5
	VFMADD231PS (BX), Y4, Y0
	VFMADD231PS 32(BX), Y5, Y1
	ADDQ $16, AX
	ADDQ $64, BX
	JMP  by16

by8:
	ADDQ $16, CX
	SUBQ $8, CX
	JLT  tail
	VPMOVSXBD (AX), Y4
	VCVTDQ2PS Y4, Y4
	VFMADD231PS (BX), Y4, Y2
	ADDQ $8, AX
	ADDQ $32, BX
	SUBQ $8, CX

tail:
	ADDQ $8, CX

tailloop:
	SUBQ $1, CX
	JLT  sum
	MOVBLSX (AX)(CX*1), R14
	VXORPS X4, X4, X4
	VCVTSI2SSL R14, X4, X4
	VMOVSS (BX)(CX*4), X5
	VFMADD231PS X5, X4, X3
	JMP  tailloop

sum:
	STORE

done:
	VZEROUPPER
	RET

// func hammingPOPCNT(q, rows *byte, dim int, ids *uint32, out *int32, n int)
TEXT ·hammingPOPCNT(SB), NOSPLIT, $0-48
	ARGS(0)
	NEXT
	XORL R13, R13

by16:
	SUBQ $16, CX
	JLT  by8
	MOVQ (BX), R14
	XORQ (AX), R14
	POPCNTQ R14, R14
	ADDL R14, R13
	MOVQ 8(BX), R14
	XORQ 8(AX), R14
	POPCNTQ R14, R14
	ADDL R14, R13
	ADDQ $16, AX
	ADDQ $16, BX
	JMP  by16

by8:
	ADDQ $16, CX
	SUBQ $8, CX
	JLT  tail
	MOVQ (BX), R14
	XORQ (AX), R14
	POPCNTQ R14, R14
	ADDL R14, R13
	ADDQ $8, AX
	ADDQ $8, BX
	SUBQ $8, CX

tail:
	ADDQ $8, CX

tailloop:
	SUBQ $1, CX
	JLT  sum
	MOVBLZX (BX)(CX*1), R14
	MOVBLZX (AX)(CX*1), R8
	XORL R8, R14
	POPCNTL R14, R14
	ADDL R14, R13
	JMP  tailloop

sum:
	MOVL R13, (R10)(R12*4)
	MOVQ DX, R8
	LEAQ 8(R12), R13
	INCQ R12
	JMP  next

done:
	RET

// func hammingAVX512(q, rows *byte, dim int, out *int32, fours int)
TEXT ·hammingAVX512(SB), NOSPLIT, $0-40
	MOVQ q+0(FP), DI
	MOVQ rows+8(FP), SI
	MOVQ dim+16(FP), DX
	MOVQ out+24(FP), R10
	MOVQ fours+32(FP), R11
	MOVQ DX, R12
	ANDQ $~63, R12    // the bytes of the whole blocks of 64
	MOVQ $-1, AX
	MOVQ DX, CX
	ANDQ $63, CX
	BZHIQ CX, AX, AX
	KMOVQ AX, K1      // those of the last block

four:
	TESTQ R11, R11
	JZ   done
	LEAQ (SI)(DX*1), R8
	LEAQ (R8)(DX*1), R9
	LEAQ (R9)(DX*1), R13
	VPXORQ Z0, Z0, Z0
	VPXORQ Z1, Z1, Z1
	VPXORQ Z2, Z2, Z2
	VPXORQ Z3, Z3, Z3
	XORL CX, CX

block:
	CMPQ CX, R12
	JGE  tail
	VMOVDQU64 (DI)(CX*1), Z4
	VPXORQ (SI)(CX*1), Z4, Z5
	VPXORQ (R8)(CX*1), Z4, Z6
	VPXORQ (R9)(CX*1), Z4, Z7
	VPXORQ (R13)(CX*1), Z4, Z8
	VPOPCNTQ Z5, Z5
	VPOPCNTQ Z6, Z6
	VPOPCNTQ Z7, Z7
	VPOPCNTQ Z8, Z8
	VPADDQ Z5, Z0, Z0
	VPADDQ Z6, Z1, Z1
	VPADDQ Z7, Z2, Z2
	VPADDQ Z8, Z3, Z3
	ADDQ $64, CX
	JMP  block

tail:
	CMPQ CX, DX
	JGE  sum
	VMOVDQU8.Z (DI)(CX*1), K1, Z4
	VMOVDQU8.Z (SI)(CX*1), K1, Z5
	VMOVDQU8.Z (R8)(CX*1), K1, Z6
	VMOVDQU8.Z (R9)(CX*1), K1, Z7
	VMOVDQU8.Z (R13)(CX*1), K1, Z8
	VPXORQ Z4, Z5, Z5
	VPXORQ Z4, Z6, Z6
	VPXORQ Z4, Z7, Z7
	VPXORQ Z4, Z8, Z8
	VPOPCNTQ Z5, Z5
	VPOPCNTQ Z6, Z6
	VPOPCNTQ Z7, Z7
	VPOPCNTQ Z8, Z8
	VPADDQ Z5, Z0, Z0
	VPADDQ Z6, Z1, Z1
	VPADDQ Z7, Z2, Z2
	VPADDQ Z8, Z3, Z3

sum:
	// The sum of a row is below 1<<16, so one lane has the sums of four rows.
	VPSLLQ $16, Z1, Z1
	VPSLLQ $32, Z2, Z2
	VPSLLQ $48, Z3, Z3
	VPADDQ Z1, Z0, Z0
	VPADDQ Z3, Z2, Z2
	VPADDQ Z2, Z0, Z0
	VEXTRACTI64X4 $1, Z0, Y1
	VPADDQ Y1, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPADDQ X1, X0, X0
	VPSHUFD $0x4e, X0, X1
	VPADDQ X1, X0, X0
	VPMOVZXWD X0, X0
	VMOVDQU X0, (R10)
	ADDQ $16, R10
	LEAQ (SI)(DX*4), SI
	DECQ R11
	JMP  four

done:
	VZEROUPPER
	RET
