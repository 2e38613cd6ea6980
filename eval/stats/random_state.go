package stats

// A RandomState yields the random stream of NumPy's older generator,
// np.random.seed(seed) or RandomState(seed): the Mersenne Twister MT19937 of
// Matsumoto and Nishimura (1998). rouge-score's bootstrap draws from it. New
// code should use [Generator]. It isn't safe for concurrent use.
type RandomState struct {
	state [624]uint32
	next  int
}

// NewRandomState returns the stream of RandomState(seed).
func NewRandomState(seed uint32) *RandomState {
	r := &RandomState{next: 624}
	for i := range r.state {
		r.state[i] = seed
		seed = 1812433253*(seed^seed>>30) + uint32(i) + 1
	}
	return r
}

func (r *RandomState) twist() {
	const n, m = 624, 397
	for i := range r.state {
		y := r.state[i]&0x80000000 | r.state[(i+1)%n]&0x7fffffff
		v := r.state[(i+m)%n] ^ y>>1
		if y&1 == 1 {
			v ^= 0x9908b0df
		}
		r.state[i] = v
	}
	r.next = 0
}

// Uint32 returns the next 32 random bits.
func (r *RandomState) Uint32() uint32 {
	if r.next == len(r.state) {
		r.twist()
	}
	y := r.state[r.next]
	r.next++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

// Uint64 returns the next 64 random bits, the high half first. With it a
// RandomState is a math/rand/v2 Source.
func (r *RandomState) Uint64() uint64 {
	hi := uint64(r.Uint32())
	return hi<<32 | uint64(r.Uint32())
}

// Float64 returns a float in [0, 1) of 53 random bits, as random_sample does.
func (r *RandomState) Float64() float64 {
	a, b := r.Uint32()>>5, r.Uint32()>>6
	return (float64(a)*(1<<26) + float64(b)) / (1 << 53)
}

// Integers fills dst with integers in [0, n), as RandomState.randint(0, n) and
// RandomState.choice with replacement do: masked rejection, not Lemire's. It
// fills with zeros when n is 0 or 1.
func (r *RandomState) Integers(dst []int64, n uint64) {
	for i := range dst {
		dst[i] = 0
		if n > 1 {
			dst[i] = int64(masked(n-1, r.Uint32, r.Uint64))
		}
	}
}

// Permutation returns the integers 0..n-1 in random order, as
// RandomState.permutation(n) does.
func (r *RandomState) Permutation(n int) []int {
	return permutation(n, r.Uint32, r.Uint64)
}
