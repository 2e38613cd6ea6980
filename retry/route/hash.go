package route

import "hash/fnv"

// Hash returns the 64-bit FNV-1a hash of a key, on which [JumpHash] and [Bucket]
// are built: the same number in every process and every version.
func Hash(key string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(key)) // it can't fail
	return h.Sum64()
}

// JumpHash puts a hash into one of n buckets, so that of n+1 buckets only about one
// key in n+1 is in another one than before (Lamping and Veach, "A Fast, Minimal
// Memory, Consistent Hash Algorithm", 2014). It is 0 for n below 2. It can lose only
// the last bucket, so it suits shares of traffic and shards, and not targets, of
// which any may fail: those are chosen by rendezvous hashing.
func JumpHash(hash uint64, n int) int {
	b, j := int64(0), int64(0)
	for j < int64(n) {
		b = j
		hash = hash*2862933555777941757 + 1
		j = int64(float64(b+1) * (float64(int64(1)<<31) / float64((hash>>33)+1)))
	}
	return int(b)
}

// Buckets is how many buckets [Bucket] has: one is a hundredth of a percent.
const Buckets = 10000

// Bucket returns the bucket of a user in an experiment, 0 to Buckets-1. A canary of
// weight w % has the buckets below 100·w, so a user who has the canary keeps it
// when the weight grows. Another salt divides the users in another way.
func Bucket(salt, key string) int { return JumpHash(Hash(salt+":"+key), Buckets) }

// mix makes a key's hash and a target's into the weight of rendezvous hashing. It
// is the finalizer of MurmurHash3.
func mix(a, b uint64) uint64 {
	h := a ^ b
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
