package model

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
)

// The table of a document's weights is smaller than that of a text's: an element is
// short. The first three parts take the same features, folded; the last one takes
// what is known of an element from its document.
const (
	docWordBits    = 16
	docCharBits    = 15
	docConceptBits = 13
	docContext     = 1 << 10
	docCharBase    = 1 << docWordBits
	docConceptBase = docCharBase + 1<<docCharBits
	docContextBase = docConceptBase + 1<<docConceptBits
	DocBuckets     = docContextBase + docContext
)

// DocBounds are the ends of the parts of the table.
var DocBounds = [4]uint32{docCharBase, docConceptBase, docContextBase, DocBuckets}

// fold maps a feature of a text to its place in the smaller table.
func fold(i uint32) uint32 {
	switch {
	case i < charBase:
		return i & (1<<docWordBits - 1)
	case i < conceptBase:
		return docCharBase + (i-charBase)&(1<<docCharBits-1)
	}
	return docConceptBase + (i-conceptBase)&(1<<docConceptBits-1)
}

// A DocVector is the features of an element, folded, with the value by part.
type DocVector struct {
	Index []uint32
	Scale [4]float32
	Words int
}

// FewestWords is how many words an element needs to be judged: fewer address no one.
const FewestWords = 4

// VisitElements computes the features of a document's elements, one after the other, and
// calls a function with them, which must not keep them. Tokens are those of the text.
func (e *Extractor) VisitElements(text string, tokens []Token, elements []Element, use func(i int, v DocVector)) {
	type part struct{ from, to int }
	parts := make([]part, len(elements))
	at := 0
	counts := map[uint64]int32{}
	for _, t := range tokens {
		counts[t.hash]++
	}
	var shapes [shapeCount]int
	for i, el := range elements {
		for at < len(tokens) && tokens[at].Start < el.Start {
			at++
		}
		from := at
		for at < len(tokens) && tokens[at].End <= el.End {
			at++
		}
		parts[i] = part{from, at}
		shapes[shapeOf(text[el.Start:el.End], at-from)]++
	}
	index := make([]uint32, 0, 256)
	for i, el := range elements {
		p := parts[i]
		s := e.pool.Get().(*set)
		s.addWords(tokens[p.from:p.to])
		s.addChars(text, tokens[p.from:p.to])
		s.addConcepts(text[el.Start:el.End], tokens[p.from:p.to])
		index = index[:0]
		for _, m := range s.members {
			index = append(index, fold(m))
		}
		v := DocVector{Words: p.to - p.from}
		for g := range s.counts {
			v.Scale[g] = float32(1 / math.Sqrt(float64(s.counts[g])+damping[g]))
		}
		for _, m := range s.members {
			s.bits[m/64] = 0
		}
		s.members, s.counts = s.members[:0], [3]int{}
		e.pool.Put(s)
		index = appendContext(index, text, tokens[p.from:p.to], counts, elements, i, shapes)
		v.Index, v.Scale[3] = index, contextScale
		use(i, v)
	}
}

// contextScale is the value of a feature of the last part.
const contextScale = .5

// The shapes of elements: one that has another shape than those around it is odd.
const (
	shapeEmpty = iota
	shapeWord
	shapePhrase
	shapeSentence
	shapeCode
	shapeCount
)

func shapeOf(s string, words int) int {
	punct := 0
	for i := range len(s) {
		switch s[i] {
		case '(', ')', '{', '}', '[', ']', '=', ';', '_', '<', '>', '\\', '/', '#', '|', '*':
			punct++
		}
	}
	switch {
	case words == 0:
		return shapeEmpty
	case punct*6 > len(s) || punct > 2 && punct*12 > len(s):
		return shapeCode
	case words < 3:
		return shapeWord
	case words < 6 && !strings.ContainsAny(s[len(s)-1:], ".!?"):
		return shapePhrase
	}
	return shapeSentence
}

// appendContext appends what is known of element i from its document.
func appendContext(index []uint32, text string, tokens []Token, counts map[uint64]int32, elements []Element, i int, shapes [shapeCount]int) []uint32 {
	el := elements[i]
	add := func(block, value int) { index = append(index, uint32(docContextBase+block*64+value&63)) }
	shape := shapeOf(text[el.Start:el.End], len(tokens))
	kind := int(el.Kind)
	add(0, kind)
	add(1, shape)
	add(2, kind*shapeCount+shape)
	place := 1
	if i == 0 {
		place = 0
	} else if i == len(elements)-1 {
		place = 2
	}
	add(3, place*shapeCount+shape)
	share := 4 * shapes[shape] / len(elements)
	add(4, shape*5+share)
	known, content := 0, 0
	for _, t := range tokens {
		if t.End-t.Start > 3 {
			content++
			if counts[t.hash] > 1 {
				known++
			}
		}
	}
	add(5, min(7, 8*known/max(content, 1)))
	add(6, shape*8+min(7, 8*known/max(content, 1)))
	length := 0
	for n := len(tokens); n > 0; n /= 2 {
		length++
	}
	add(7, length)
	add(8, min(length, 7)*8+place)
	last := text[el.End-1]
	ending := 0
	switch last {
	case '?':
		ending = 1
	case '.', '!':
		ending = 2
	case ':', ',':
		ending = 3
	}
	add(9, ending*shapeCount+shape)
	size := 0
	for n := len(elements); n > 0; n /= 2 {
		size++
	}
	add(10, min(size, 9))
	if alone(text, el) {
		add(11, shape)
	}
	return index
}

// alone reports whether an element is a whole line.
func alone(text string, el Element) bool {
	return (el.Start == 0 || text[el.Start-1] == '\n') && (el.End == len(text) || text[el.End] == '\n')
}

// DocWeights are the weights of the elements of documents: as [Weights], with four
// parts.
type DocWeights struct {
	table     string
	value     [4][256]float32
	bias      float32
	Threshold float32
}

const (
	docMagic  = "PDD1"
	docHeader = len(docMagic) + 6*4
)

// LoadDoc reads weights that [EncodeDoc] wrote. It keeps data and copies nothing.
func LoadDoc(data string) (*DocWeights, error) {
	if len(data) != docHeader+DocBuckets || data[:len(docMagic)] != docMagic {
		return nil, fmt.Errorf("model: %d bytes are not document weights of this version: want %d", len(data), docHeader+DocBuckets)
	}
	number := func(i int) float32 {
		return math.Float32frombits(binary.LittleEndian.Uint32([]byte(data[len(docMagic)+4*i:])[:4]))
	}
	w := &DocWeights{table: data[docHeader:], bias: number(4), Threshold: number(5)}
	for g := range w.value {
		for q := -127; q <= 127; q++ {
			v := float32(q) / 127
			w.value[g][uint8(int8(q))] = v * float32(math.Abs(float64(v))) * number(g)
		}
	}
	return w, nil
}

// EncodeDoc rounds weights to bytes, as [Encode] does.
func EncodeDoc(w []float64, bias, threshold float64) []byte {
	out := []byte(docMagic)
	var scale [4]float64
	for i, v := range w[:DocBuckets] {
		g := docGroup(uint32(i))
		scale[g] = max(scale[g], math.Abs(v))
	}
	for _, s := range scale {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(float32(s)))
	}
	out = binary.LittleEndian.AppendUint32(out, math.Float32bits(float32(bias)))
	out = binary.LittleEndian.AppendUint32(out, math.Float32bits(float32(threshold)))
	for i, v := range w[:DocBuckets] {
		q := 0.0
		if s := scale[docGroup(uint32(i))]; s > 0 {
			q = math.Copysign(math.Round(127*math.Sqrt(math.Abs(v)/s)), v)
		}
		out = append(out, byte(int8(q)))
	}
	return out
}

func docGroup(i uint32) int {
	g := 0
	for i >= DocBounds[g] {
		g++
	}
	return g
}

// Margin returns the sum of the weights of an element's features.
func (w *DocWeights) Margin(v DocVector) float64 {
	var sum [4]float32
	for _, i := range v.Index {
		g := docGroup(i)
		sum[g] += w.value[g][w.table[i]]
	}
	z := float64(w.bias)
	for g, s := range sum {
		z += float64(s) * float64(v.Scale[g])
	}
	return z
}
