// Package vec computes distances between vectors, fast.
//
// Each kernel exists three times: as plain Go, which is the reference, as
// assembly for amd64 with AVX2 and FMA (popcount for [Hamming]), and as assembly
// for arm64 with NEON. Which one runs is decided once, when the program starts,
// by what the processor can do. The build tag purego leaves the assembly out.
//
// Each kernel has three forms: one pair of vectors ([Dot]), one query against
// rows that follow one another in memory ([DotRows]), and one query against rows
// named by their numbers ([DotAt]). The last one asks for the next rows from
// memory while it works on the current one, which is what the search in a graph
// needs: it waits for memory most of the time.
//
// A matrix of codes, [Blocks], is multiplied by vectors of codes, [Codes]: the products of
// a language model. Its kernels are plain Go, AVX2 and AVX-512 with VNNI; [BlockKernel]
// names the one that runs. [AddRows], [ExpSum] and [SwiGLU] are the other steps that take
// a model's time; they have AVX2.
//
// # Accuracy
//
// The kernels differ in the order of the additions and, with FMA, in one
// rounding fewer for each product. For n finite elements, each result is within
//
//	(n + 2) · 2^-24 · Σ|a[i]·b[i]|
//
// of the exact sum for [Dot], and within (n + 4) · 2^-24 · Σ(a[i]-b[i])² for
// [L2], if nothing overflows and no product is subnormal. Integer kernels are
// exact. A row's result is the same, to the last bit, in all three forms of a
// kernel.
//
// NaN in an element that is used makes the result NaN. An infinite element gives
// what IEEE 754 gives for the sum in some order: an infinity, or NaN where two
// infinities of different sign meet or an infinity meets 0. A sum near the
// largest float32 may overflow in one kernel and not in another.
package vec
