package kv

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

// A Key names the content of a full block and of all blocks before it. The zero Key
// means that there is no block before.
type Key [sha256.Size]byte

// String returns the key in lower-case hexadecimal digits, and "" for the zero Key.
func (k Key) String() string {
	if k == (Key{}) {
		return ""
	}
	return hex.EncodeToString(k[:])
}

// Next returns the key of a block: the SHA-256 of the JSON text
// [parent,[tokens],[extra]] without blanks. extra is what else changes the content of
// the cache, for example the version of an adapter's weights, the digest of an image,
// or a salt for each tenant.
func (k Key) Next(tokens []int, extra []string) Key {
	b := make([]byte, 0, 96+8*len(tokens))
	b = append(b, '[')
	b = appendQuoted(b, k.String())
	b = append(b, ",["...)
	for i, t := range tokens {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(t), 10)
	}
	b = append(b, "],["...)
	for i, e := range extra {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendQuoted(b, e)
	}
	return sha256.Sum256(append(b, "]]"...))
}

// appendQuoted writes a JSON text in ASCII. Bytes that are not UTF-8 keep their own
// form, which no valid text has, so two keys that differ stay different.
func appendQuoted(b []byte, s string) []byte {
	if plain(s) {
		return append(append(append(b, '"'), s...), '"')
	}
	if !utf8.ValidString(s) {
		return strconv.AppendQuoteToASCII(b, s)
	}
	var quoted bytes.Buffer
	e := json.NewEncoder(&quoted)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string can always be encoded
	for _, r := range string(bytes.TrimRight(quoted.Bytes(), "\n")) {
		switch {
		case r < 0x80:
			b = append(b, byte(r))
		case r < 0x10000:
			b = appendEscape(b, r)
		default:
			r -= 0x10000
			b = appendEscape(appendEscape(b, 0xD800+r>>10), 0xDC00+r&0x3FF)
		}
	}
	return b
}

func appendEscape(b []byte, r rune) []byte {
	const digits = "0123456789abcdef"
	return append(b, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
}

func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7F || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// Keys returns the keys of the full blocks of a text. The last block has none if it is
// not full.
func Keys(tokens []int, blockSize int, extra []string) []Key {
	if blockSize < 1 {
		return nil
	}
	keys := make([]Key, 0, len(tokens)/blockSize)
	var parent Key
	for len(tokens) >= blockSize {
		parent = parent.Next(tokens[:blockSize], extra)
		keys, tokens = append(keys, parent), tokens[blockSize:]
	}
	return keys
}
