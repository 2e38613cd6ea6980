package pii

import (
	"encoding/binary"
	"math/bits"
)

// keccak256 is the hash function of Ethereum. Its padding is that of the submission to the
// SHA-3 competition, and differs from that of the standard in crypto/sha3. The text must
// be shorter than one block of 136 bytes.
func keccak256(text string) [32]byte {
	var block [200]byte
	copy(block[:], text)
	block[len(text)] = 0x01
	block[135] |= 0x80
	var a [25]uint64
	for i := range a {
		a[i] = binary.LittleEndian.Uint64(block[8*i:])
	}
	keccakF(&a)
	var out [32]byte
	for i := range 4 {
		binary.LittleEndian.PutUint64(out[8*i:], a[i])
	}
	return out
}

// keccakF is the permutation Keccak-f[1600] (FIPS 202, 3.3).
func keccakF(a *[25]uint64) {
	lfsr := byte(1)
	for range 24 {
		// theta
		var c [5]uint64
		for x := range 5 {
			c[x] = a[x] ^ a[x+5] ^ a[x+10] ^ a[x+15] ^ a[x+20]
		}
		for x := range 5 {
			d := c[(x+4)%5] ^ bits.RotateLeft64(c[(x+1)%5], 1)
			for y := 0; y < 25; y += 5 {
				a[x+y] ^= d
			}
		}
		// rho and pi
		x, y, last := 1, 0, a[1]
		for t := range 24 {
			x, y = y, (2*x+3*y)%5
			a[x+5*y], last = bits.RotateLeft64(last, (t+1)*(t+2)/2%64), a[x+5*y]
		}
		// chi
		for y := 0; y < 25; y += 5 {
			row := [5]uint64(a[y : y+5])
			for x := range 5 {
				a[x+y] = row[x] ^ ^row[(x+1)%5]&row[(x+2)%5]
			}
		}
		// iota: the round's constant comes from a shift register
		for j := range 7 {
			if lfsr&1 == 1 {
				a[0] ^= 1 << (1<<j - 1)
			}
			lfsr = lfsr<<1 ^ lfsr>>7*0x71
		}
	}
}
