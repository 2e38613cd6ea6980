package pii

import (
	"crypto/sha256"
	"math/big"
	"strings"

	"github.com/prodailabs/prodai/guard/detect"
)

var (
	base58Bytes = detect.NewClass("1-9A-HJ-NP-Za-km-z")
	bech32Bytes = detect.NewClass("ac-hj-np-z02-9")
	alnumBytes  = detect.NewClass("A-Za-z0-9")
)

const base58Digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// base58Rule finds addresses whose checksum is a double SHA-256. They begin with 1 or 3
// (Bitcoin), L or M (Litecoin), D (Dogecoin) or T (Tron).
func base58Rule() detect.Rule {
	return detect.Rule{
		Kind: KindCryptoWallet, Score: .95, Reason: "checksum of a wallet's address", Threats: threats(),
		Starts: "13LMDT", Max: 36 + 2,
		Match: func(text string, at int, atEOF bool) int {
			end := base58Bytes.Run(text, at, 36)
			if end == len(text) && end-at < 36 && !atEOF {
				return detect.NeedMore
			}
			if n := end - at; n < 26 || n > 35 || end < len(text) && detect.Word[text[end]] || !validBase58(text[at:end]) {
				return 0
			}
			return end - at
		},
	}
}

// validBase58 decodes the address and checks it: a version, 20 bytes, and the first four
// bytes of the hash of both.
func validBase58(s string) bool {
	n, base := new(big.Int), big.NewInt(58)
	for i := range len(s) {
		n.Mul(n, base).Add(n, big.NewInt(int64(strings.IndexByte(base58Digits, s[i]))))
	}
	if n.BitLen() > 25*8 {
		return false
	}
	var b [25]byte
	n.FillBytes(b[:])
	switch b[0] {
	case 0x00, 0x05, 0x30, 0x32, 0x1e, 0x41:
	default:
		return false
	}
	first := sha256.Sum256(b[:21])
	second := sha256.Sum256(first[:])
	return string(second[:4]) == string(b[21:])
}

// bech32Rule finds the addresses of BIP 173 and 350, which begin with bc1 or ltc1.
func bech32Rule() detect.Rule {
	return detect.Rule{
		Kind: KindCryptoWallet, Score: .95, Reason: "checksum of a wallet's address", Threats: threats(),
		Starts: "bl", Max: 4 + 72 + 2,
		Match: func(text string, at int, atEOF bool) int {
			for _, hrp := range []string{"bc", "ltc"} {
				n := detect.Literal(text, at, hrp+"1", atEOF)
				if n == detect.NeedMore {
					return n
				}
				if n == 0 {
					continue
				}
				end := bech32Bytes.Run(text, at+n, 73)
				if end == len(text) && end-at-n < 73 && !atEOF {
					return detect.NeedMore
				}
				if size := end - at - n; size < 38 || size > 72 || end < len(text) && detect.Word[text[end]] || !validBech32(hrp, text[at+n:end]) {
					return 0
				}
				return end - at
			}
			return 0
		},
	}
}

// validBech32 checks the checksum in the last six characters: a code of Bose, Chaudhuri
// and Hocquenghem over 32 symbols.
func validBech32(hrp, data string) bool {
	const symbols = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	sum := uint32(1)
	step := func(v byte) {
		top := sum >> 25
		sum = sum&0x1ffffff<<5 ^ uint32(v)
		for i, g := range [5]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
			if top>>i&1 == 1 {
				sum ^= g
			}
		}
	}
	for i := range len(hrp) {
		step(hrp[i] >> 5)
	}
	step(0)
	for i := range len(hrp) {
		step(hrp[i] & 31)
	}
	for i := range len(data) {
		step(byte(strings.IndexByte(symbols, data[i])))
	}
	if data[0] == 'q' { // version 0
		return sum == 1
	}
	return sum == 0x2bc830a3
}

// ethereumRule finds 0x and 40 hexadecimal digits. If the address has capital and small
// letters, the case of each letter is a part of a checksum (EIP-55).
func ethereumRule() detect.Rule {
	return detect.Rule{
		Kind: KindCryptoWallet, Score: .9, Reason: "form and checksum of a wallet's address", Threats: threats(),
		Prefix: "0x", Max: 2 + 40 + 2,
		Match: func(text string, at int, atEOF bool) int {
			end := hexDigits.Run(text, at+2, 41)
			if end == len(text) && end-at-2 < 41 && !atEOF {
				return detect.NeedMore
			}
			if end-at-2 != 40 || end < len(text) && detect.Word[text[end]] || !validEIP55(text[at+2:end]) {
				return 0
			}
			return end - at
		},
	}
}

func validEIP55(s string) bool {
	lower := strings.ToLower(s)
	distinct := 0
	for _, digit := range "0123456789abcdef" {
		if strings.ContainsRune(lower, digit) {
			distinct++
		}
	}
	if distinct < 6 {
		return false // zero, a precompiled contract, a round number
	}
	if s == lower {
		return true
	}
	hash := keccak256(lower)
	for i := range len(s) {
		nibble := hash[i/2] >> (4 * (1 - i%2)) & 15
		if letters[s[i]] && (s[i] < 'a') != (nibble >= 8) {
			return false
		}
	}
	return true
}
