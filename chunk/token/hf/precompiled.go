package hf

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"
)

// charsMap is SentencePiece's compiled character map: a double-array trie
// (darts-clone's units of 32 bits) from texts to places in a list of
// replacements, each ended by a zero byte.
type charsMap struct {
	units        []uint32
	replacements string
}

func newPrecompiled(encoded string) (normalizer, error) {
	data, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, fmt.Errorf("hf: tokenizer.json: precompiled_charsmap: %w", err)
	}
	if len(data) < 4 || uint64(binary.LittleEndian.Uint32(data)) > uint64(len(data)-4) || binary.LittleEndian.Uint32(data)%4 != 0 {
		return nil, fmt.Errorf("hf: tokenizer.json: precompiled_charsmap: damaged")
	}
	size := binary.LittleEndian.Uint32(data)
	m := &charsMap{replacements: string(data[4+size:])}
	for i := 4; i < int(4+size); i += 4 {
		m.units = append(m.units, binary.LittleEndian.Uint32(data[i:]))
	}
	return m.normalize, nil
}

// normalize replaces graphemes of up to five bytes, else single characters, as
// the reference does.
func (m *charsMap) normalize(text string) string {
	var b strings.Builder
	for g := graphemes.FromString(text); g.Next(); {
		cluster := g.Value()
		if len(cluster) < 6 {
			if r, ok := m.find(cluster); ok {
				b.WriteString(r)
				continue
			}
		}
		for cluster != "" {
			_, size := utf8.DecodeRuneInString(cluster)
			if r, ok := m.find(cluster[:size]); ok {
				b.WriteString(r)
			} else {
				b.WriteString(cluster[:size])
			}
			cluster = cluster[size:]
		}
	}
	return b.String()
}

// find returns the replacement of the shortest entry that s begins with: the
// reference takes the shortest, not the longest.
func (m *charsMap) find(s string) (string, bool) {
	unit, ok := m.unit(0)
	pos := offset(unit)
	for i := 0; ok && i < len(s) && s[i] != 0; i++ {
		pos ^= uint32(s[i])
		if unit, ok = m.unit(pos); !ok || unit&(1<<31|0xFF) != uint32(s[i]) {
			return "", false
		}
		pos ^= offset(unit)
		if unit>>8&1 == 1 { // an entry ends here
			leaf, ok := m.unit(pos)
			at := leaf &^ (1 << 31)
			if !ok || int64(at) > int64(len(m.replacements)) {
				return "", false
			}
			r, _, _ := strings.Cut(m.replacements[at:], "\x00")
			return r, true
		}
	}
	return "", false
}

func (m *charsMap) unit(i uint32) (uint32, bool) {
	if int64(i) >= int64(len(m.units)) {
		return 0, false
	}
	return m.units[i], true
}

func offset(unit uint32) uint32 { return unit >> 10 << (unit & (1 << 9) >> 6) }
