package stats

import (
	"math/big"
	"math/bits"
)

// A Generator yields the random stream of NumPy's default_rng(seed), so that a
// resampling test gives the same p-value here as in Python. It isn't safe for
// concurrent use and isn't meant for secrets.
//
// The pieces: SeedSequence spreads the seed over 256 bits; PCG64 (O'Neill, "PCG: A
// Family of Simple Fast Space-Efficient Statistically Good Algorithms", 2014) steps
// a 128-bit linear congruence and permutes it by XSL-RR; bounded integers are
// Lemire's multiply-and-reject ("Fast Random Integer Generation in an Interval",
// 2019) on 32-bit halves, low half first. The PCG of math/rand/v2 permutes its
// state differently and gives another stream.
type Generator struct {
	hi, lo       uint64 // state
	incHi, incLo uint64
	half         uint32 // the unused high half of the last word
	hasHalf      bool
}

// NewGenerator returns the stream of default_rng(seed).
func NewGenerator(seed uint64) *Generator {
	words := []uint32{uint32(seed)}
	if seed>>32 != 0 {
		words = append(words, uint32(seed>>32))
	}
	return newGenerator(words)
}

// NewGeneratorBig is [NewGenerator] for a seed of any size. A negative one is an
// error, as in NumPy.
func NewGeneratorBig(seed *big.Int) (*Generator, error) {
	if seed == nil || seed.Sign() < 0 {
		return nil, fail("NewGeneratorBig", ErrOption, "the seed is %v: want 0 or more", seed)
	}
	words := []uint32{}
	rest := new(big.Int).Set(seed)
	mask := big.NewInt(1<<32 - 1)
	for {
		words = append(words, uint32(new(big.Int).And(rest, mask).Uint64()))
		if rest.Rsh(rest, 32); rest.Sign() == 0 {
			return newGenerator(words), nil
		}
	}
}

func newGenerator(entropy []uint32) *Generator {
	w := seedSequence(entropy)
	word := func(i int) uint64 { return uint64(w[2*i]) | uint64(w[2*i+1])<<32 }
	g := &Generator{incHi: word(2)<<1 | word(3)>>63, incLo: word(3)<<1 | 1}
	g.step() // from zero: the state is now the increment
	var carry uint64
	g.lo, carry = bits.Add64(g.lo, word(1), 0)
	g.hi, _ = bits.Add64(g.hi, word(0), carry)
	g.step()
	return g
}

// seedSequence is NumPy's SeedSequence: a pool of four words that every word of
// entropy is mixed into, then hashed out to the eight that PCG64 needs.
func seedSequence(entropy []uint32) (out [8]uint32) {
	hash := uint32(0x43b0d7e5)
	mixIn := func(v uint32) uint32 {
		v ^= hash
		hash *= 0x931e8875
		v *= hash
		return v ^ v>>16
	}
	mix := func(x, y uint32) uint32 {
		r := 0xca01f9dd*x - 0x4973f715*y
		return r ^ r>>16
	}
	var pool [4]uint32
	for i := range pool {
		v := uint32(0)
		if i < len(entropy) {
			v = entropy[i]
		}
		pool[i] = mixIn(v)
	}
	for i := range pool {
		for j := range pool {
			if i != j {
				pool[j] = mix(pool[j], mixIn(pool[i]))
			}
		}
	}
	for _, v := range entropy[min(4, len(entropy)):] {
		for j := range pool {
			pool[j] = mix(pool[j], mixIn(v))
		}
	}
	hash = 0x8b51f9dd
	for i := range out {
		v := pool[i%4] ^ hash
		hash *= 0x58f38ded
		v *= hash
		out[i] = v ^ v>>16
	}
	return out
}

// The multiplier of PCG64's congruence.
const mulHi, mulLo = 0x2360ed051fc65da4, 0x4385df649fccf645

func (g *Generator) step() {
	g.hi, g.lo = madd128(g.hi, g.lo, mulHi, mulLo, g.incHi, g.incLo)
}

// output is the permutation XSL-RR: both halves xored, rotated by the top bits.
func output(hi, lo uint64) uint64 {
	return bits.RotateLeft64(hi^lo, -int(hi>>58))
}

// Uint64 returns the next 64 random bits. With it a Generator is a
// math/rand/v2 Source.
func (g *Generator) Uint64() uint64 {
	g.step()
	return output(g.hi, g.lo)
}

// Uint32 returns the next 32 random bits: the halves of a word, low one first.
func (g *Generator) Uint32() uint32 {
	if g.hasHalf {
		g.hasHalf = false
		return g.half
	}
	v := g.Uint64()
	g.half, g.hasHalf = uint32(v>>32), true
	return uint32(v)
}

// Float64 returns a float in [0, 1), as Generator.random does.
func (g *Generator) Float64() float64 {
	return float64(g.Uint64()>>11) * 0x1p-53
}

// Integers fills dst with integers in [0, n), as Generator.integers and
// Generator.choice with replacement do. It fills with zeros when n is 0 or 1.
func (g *Generator) Integers(dst []int64, n uint64) {
	for i := range dst {
		dst[i] = int64(g.integer(n))
	}
}

func (g *Generator) integer(n uint64) uint64 {
	switch {
	case n <= 1:
		return 0
	case n <= 1<<32-1:
		return uint64(g.bounded32(uint32(n)))
	case n == 1<<32:
		return uint64(g.Uint32())
	}
	hi, lo := bits.Mul64(g.Uint64(), n)
	if lo < n {
		for threshold := -n % n; lo < threshold; {
			hi, lo = bits.Mul64(g.Uint64(), n)
		}
	}
	return hi
}

func (g *Generator) bounded32(n uint32) uint32 {
	m := uint64(g.Uint32()) * uint64(n)
	if uint32(m) < n {
		for threshold := -n % n; uint32(m) < threshold; {
			m = uint64(g.Uint32()) * uint64(n)
		}
	}
	return uint32(m >> 32)
}

// countDraws draws len(counts) indices below len(counts) and counts how often
// each came: one bootstrap resample, the same draws as Integers.
//
// A step of the generator waits for the step before it, and that wait is most of
// its time. Here two states take turns. Each takes two steps at once by the squared
// congruence s·M² + (M+1)·c, so that the processor works on both at the same time.
func (g *Generator) countDraws(counts []uint16) {
	n := uint32(len(counts))
	if n == 1 {
		counts[0] = 1 // a range of one value takes nothing from the stream
		return
	}
	left := len(counts)
	if g.hasHalf {
		counts[g.bounded32(n)]++
		left--
	}
	if left >= 4 {
		m2Hi, m2Lo := mul128(mulHi, mulLo, mulHi, mulLo)
		c2Hi, c2Lo := mul128(mulHi, mulLo+1, g.incHi, g.incLo)
		g.step()
		aHi, aLo := g.hi, g.lo
		g.step()
		bHi, bLo := g.hi, g.lo
		threshold := -n % n
		for {
			v, w := output(aHi, aLo), output(bHi, bLo)
			m0, m1 := uint64(uint32(v))*uint64(n), v>>32*uint64(n)
			m2, m3 := uint64(uint32(w))*uint64(n), w>>32*uint64(n)
			if min(uint32(m0), uint32(m1), uint32(m2), uint32(m3)) >= threshold {
				counts[m0>>32]++
				counts[m1>>32]++
				counts[m2>>32]++
				counts[m3>>32]++
				left -= 4
			} else { // Lemire's rejection, about once in 2³²/n draws
				for _, m := range [4]uint64{m0, m1, m2, m3} {
					if uint32(m) >= threshold {
						counts[m>>32]++
						left--
					}
				}
			}
			if left < 4 {
				break
			}
			aHi, aLo = madd128(aHi, aLo, m2Hi, m2Lo, c2Hi, c2Lo)
			bHi, bLo = madd128(bHi, bLo, m2Hi, m2Lo, c2Hi, c2Lo)
		}
		g.hi, g.lo = bHi, bLo
	}
	for range left {
		counts[g.bounded32(n)]++
	}
}

func mul128(aHi, aLo, bHi, bLo uint64) (hi, lo uint64) {
	hi, lo = bits.Mul64(aLo, bLo)
	return hi + aHi*bLo + aLo*bHi, lo
}

func madd128(aHi, aLo, bHi, bLo, cHi, cLo uint64) (hi, lo uint64) {
	hi, lo = mul128(aHi, aLo, bHi, bLo)
	lo, carry := bits.Add64(lo, cLo, 0)
	hi, _ = bits.Add64(hi, cHi, carry)
	return hi, lo
}

// Bools fills dst with fair coin flips, as Generator.integers(2, dtype=bool)
// does: the 32 bits of a word, lowest first. Each call starts a new word.
func (g *Generator) Bools(dst []bool) {
	var word uint32
	for i := range dst {
		if i%32 == 0 {
			word = g.Uint32()
		}
		dst[i] = word&1 == 1
		word >>= 1
	}
}

// Permutation returns the integers 0..n-1 in random order, as
// Generator.permutation(n) does.
func (g *Generator) Permutation(n int) []int {
	return permutation(n, g.Uint32, g.Uint64)
}

// permutation shuffles 0..n-1 from the end, with the draws of masked.
func permutation(n int, u32 func() uint32, u64 func() uint64) []int {
	p := make([]int, n)
	for i := range p {
		p[i] = i
	}
	for i := n - 1; i > 0; i-- {
		j := masked(uint64(i), u32, u64)
		p[i], p[j] = p[j], p[i]
	}
	return p
}

// masked draws an integer in [0, top]: bits under the smallest mask that
// covers top, again until the value fits.
func masked(top uint64, u32 func() uint32, u64 func() uint64) uint64 {
	if top == 0 {
		return 0
	}
	mask := uint64(1)<<bits.Len64(top) - 1
	for {
		var v uint64
		if top <= 1<<32-1 {
			v = uint64(u32()) & mask
		} else {
			v = u64() & mask
		}
		if v <= top {
			return v
		}
	}
}
