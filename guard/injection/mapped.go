package injection

// A mapped is a text that was made from another one. It knows for each of its bytes
// which bytes of the original it was made from.
type mapped struct {
	text string
	// from and to hold the original range of each byte. Both nil: byte i is
	// byte base+i of the original.
	from, to []int32
	base     int32
}

// origin returns the original range of text[start:end].
func (m *mapped) origin(start, end int) (int, int) {
	if start < 0 || end > len(m.text) || start >= end {
		return 0, 0
	}
	if m.from == nil {
		return int(m.base) + start, int(m.base) + end
	}
	lo, hi := m.from[start], m.to[start]
	for i := start + 1; i < end; i++ {
		lo, hi = min(lo, m.from[i]), max(hi, m.to[i])
	}
	return int(lo), int(hi)
}

// A builder makes a mapped text out of pieces of its parent.
type builder struct {
	parent   *mapped
	out      []byte
	from, to []int32
}

func newBuilder(parent *mapped, size int) *builder {
	return &builder{parent, make([]byte, 0, size), make([]int32, 0, size), make([]int32, 0, size)}
}

// add appends s, which was made from parent.text[start:end].
func (b *builder) add(s string, start, end int) {
	if s == "" {
		return
	}
	from, to := b.parent.origin(start, end)
	for range len(s) {
		b.from = append(b.from, int32(from))
		b.to = append(b.to, int32(to))
	}
	b.out = append(b.out, s...)
}

// keep appends parent.text[start:end] as it is.
func (b *builder) keep(start, end int) {
	if start >= end {
		return
	}
	b.out = append(b.out, b.parent.text[start:end]...)
	if b.parent.from != nil {
		b.from = append(b.from, b.parent.from[start:end]...)
		b.to = append(b.to, b.parent.to[start:end]...)
		return
	}
	for i := start; i < end; i++ {
		b.from = append(b.from, b.parent.base+int32(i))
		b.to = append(b.to, b.parent.base+int32(i)+1)
	}
}

func (b *builder) mapped() mapped { return mapped{text: string(b.out), from: b.from, to: b.to} }

// part returns text[start:end] as a mapped text of its own.
func (m *mapped) part(start, end int) mapped {
	p := mapped{text: m.text[start:end], base: m.base + int32(start)}
	if m.from != nil {
		p.from, p.to = m.from[start:end], m.to[start:end]
	}
	return p
}
