package llama

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/prodailabs/prodai/cache/engine/llama/weights"
)

// A Tokenizer turns text into a model's tokens and back, as its GGUF file says. Its
// methods may be called from several goroutines.
type Tokenizer struct {
	tokens  []string // the bytes of each token
	ids     map[string]int32
	kinds   []tokenKind
	special [256][]special // by first byte, longest first
	merges  map[[2]string]int
	scores  []float32
	pre     pretokenizer
	spm     bool
	prefix  bool // SentencePiece puts a space before the text
	bytes   [256]int32
	bos     int32
	eos     int32
	addBOS  bool
	ends    map[int32]bool
	unknown int32
	display []string // the strings of the file
}

type tokenKind int32

// The kinds of tokens, with GGUF's numbers.
const (
	kindNormal      tokenKind = 1
	kindUnknown     tokenKind = 2
	kindControl     tokenKind = 3
	kindUserDefined tokenKind = 4
	kindUnused      tokenKind = 5
	kindByte        tokenKind = 6
)

type special struct {
	text    string
	id      int32
	control bool
}

// maxSpecial bounds the tokens that are looked for at every place of a text.
const maxSpecial = 1 << 14

// ReadTokenizer reads a GGUF file's vocabulary. It knows the byte-level BPE of GPT-2,
// SmolLM, Llama 3 and Qwen, and SentencePiece's BPE of Llama 2.
func ReadTokenizer(f *weights.File) (*Tokenizer, error) {
	if f == nil {
		return nil, fmt.Errorf("%w: no file", ErrOption)
	}
	texts, _ := f.Value("tokenizer.ggml.tokens").([]string)
	if len(texts) == 0 || len(texts) > limit {
		return nil, fmt.Errorf("%w: a vocabulary of %d tokens", ErrModel, len(texts))
	}
	t := &Tokenizer{display: texts, ids: make(map[string]int32, len(texts)), kinds: make([]tokenKind, len(texts)), ends: map[int32]bool{}}
	kinds, _ := f.Value("tokenizer.ggml.token_type").([]int32)
	for i := range t.kinds {
		t.kinds[i] = kindNormal
		if i < len(kinds) {
			t.kinds[i] = tokenKind(kinds[i])
		}
		if t.kinds[i] == kindUserDefined && isMark(texts[i]) {
			t.kinds[i] = kindControl
		}
	}
	for i, s := range texts {
		if _, twice := t.ids[s]; !twice { // the first of equal tokens is the one that is used
			t.ids[s] = int32(i)
		}
	}
	var err error
	switch model := f.Text("tokenizer.ggml.model"); model {
	case "gpt2":
		err = t.readBPE(f)
	case "llama":
		err = t.readSPM(f)
	default:
		err = fmt.Errorf("%w: the tokenizer %q: this package knows gpt2 and llama", ErrModel, model)
	}
	if err != nil {
		return nil, err
	}
	return t, t.readSpecial(f)
}

func (t *Tokenizer) readBPE(f *weights.File) error {
	pre := f.Text("tokenizer.ggml.pre")
	var ok bool
	if t.pre, ok = pretokenizers[pre]; !ok {
		return fmt.Errorf("%w: tokenizer.ggml.pre is %q, which this package doesn't know", ErrModel, pre)
	}
	t.addBOS = t.pre.llama3
	merges, _ := f.Value("tokenizer.ggml.merges").([]string)
	t.merges = make(map[[2]string]int, len(merges))
	for i, m := range merges {
		// The space parts the two; a token itself has none but may begin the pair.
		cut := strings.IndexByte(m[min(1, len(m)):], ' ') + 1
		if cut < 1 {
			return fmt.Errorf("%w: merge %d is %q", ErrModel, i, m)
		}
		if _, twice := t.merges[[2]string{m[:cut], m[cut+1:]}]; !twice {
			t.merges[[2]string{m[:cut], m[cut+1:]}] = i
		}
	}
	for b := range t.bytes {
		id, ok := t.ids[byteLetters[b]]
		if !ok {
			id = -1
		}
		t.bytes[b] = id
	}
	t.tokens = make([]string, len(t.display))
	for i, s := range t.display {
		t.tokens[i] = s
		if t.kinds[i] == kindNormal {
			t.tokens[i] = fromLetters(s)
		}
	}
	return nil
}

func (t *Tokenizer) readSPM(f *weights.File) error {
	t.spm, t.prefix = true, true
	if v, ok := f.Value("tokenizer.ggml.add_space_prefix").(bool); ok {
		t.prefix = v
	}
	t.scores, _ = f.Value("tokenizer.ggml.scores").([]float32)
	if len(t.scores) != len(t.display) {
		return fmt.Errorf("%w: %d scores for %d tokens", ErrModel, len(t.scores), len(t.display))
	}
	for b := range t.bytes {
		id, ok := t.ids[fmt.Sprintf("<0x%02X>", b)]
		if !ok {
			id = -1
		}
		t.bytes[b] = id
	}
	t.tokens = make([]string, len(t.display))
	for i, s := range t.display {
		t.tokens[i] = strings.ReplaceAll(s, "▁", " ")
		var b byte
		if t.kinds[i] == kindByte {
			if _, err := fmt.Sscanf(s, "<0x%02X>", &b); err != nil {
				return fmt.Errorf("%w: the byte token %q", ErrModel, s)
			}
			t.tokens[i] = string([]byte{b})
		}
	}
	t.addBOS = true
	return nil
}

// endNames are tokens that end a turn, whatever the file's own end token is.
var endNames = []string{"<|im_end|>", "<|eot_id|>", "<|endoftext|>", "<|end_of_text|>", "<|eom_id|>", "</s>", "<end_of_turn>"}

// isMark reports whether a token looks like the begin or the end of a turn. Some files,
// such as DeepSeek's, have these among the tokens that are text, and then a message could
// end its own turn.
func isMark(s string) bool {
	for _, bar := range []string{"|", "｜"} {
		if strings.HasPrefix(s, "<"+bar) && strings.HasSuffix(s, bar+">") {
			return true
		}
	}
	return s == "<start_of_turn>" || slices.Contains(endNames, s)
}

func (t *Tokenizer) readSpecial(f *weights.File) error {
	id := func(key string, otherwise int32) (int32, error) {
		v, ok := f.Int("tokenizer.ggml." + key)
		if !ok {
			return otherwise, nil
		}
		if v < 0 || v >= int64(len(t.tokens)) {
			return 0, fmt.Errorf("%w: tokenizer.ggml.%s is %d of %d tokens", ErrModel, key, v, len(t.tokens))
		}
		return int32(v), nil
	}
	var err error
	if t.bos, err = id("bos_token_id", -1); err != nil {
		return err
	}
	if t.eos, err = id("eos_token_id", -1); err != nil {
		return err
	}
	if t.unknown, err = id("unknown_token_id", -1); err != nil {
		return err
	}
	if v, ok := f.Value("tokenizer.ggml.add_bos_token").(bool); ok {
		t.addBOS = v
	}
	if t.eos >= 0 {
		t.ends[t.eos] = true
	}
	for _, name := range endNames {
		if i, ok := t.ids[name]; ok && t.kinds[i] == kindControl {
			t.ends[i] = true
		}
	}
	count := 0
	for i, k := range t.kinds {
		text := t.display[i]
		if k == kindUserDefined {
			text = t.tokens[i] // with spaces
		}
		if (k == kindControl || k == kindUserDefined) && text != "" {
			t.special[text[0]] = append(t.special[text[0]], special{text, int32(i), k == kindControl})
			count++
		}
	}
	if count > maxSpecial {
		return fmt.Errorf("%w: %d special tokens, at most %d", ErrModel, count, maxSpecial)
	}
	for _, list := range t.special {
		slices.SortStableFunc(list, func(a, b special) int { return len(b.text) - len(a.text) })
	}
	return nil
}

// Size returns the number of tokens.
func (t *Tokenizer) Size() int { return len(t.tokens) }

// IsEnd reports whether a token ends an answer.
func (t *Tokenizer) IsEnd(token int32) bool { return t.ends[token] }

// Bytes returns the bytes of a token, which need not be whole characters: "" for a
// control token, and for one that does not exist.
func (t *Tokenizer) Bytes(token int32) string {
	if token < 0 || int(token) >= len(t.tokens) || t.kinds[token] == kindControl || t.kinds[token] == kindUnused {
		return ""
	}
	return t.tokens[token]
}

// Decode returns the text of tokens. Control tokens have none.
func (t *Tokenizer) Decode(tokens []int32) string {
	var b strings.Builder
	for _, id := range tokens {
		b.WriteString(t.Bytes(id))
	}
	return b.String()
}

// Special says what becomes of the names of control tokens in a text.
type Special uint8

// The choices.
const (
	// SpecialText reads them as any other text: what a user wrote can't end its own turn.
	SpecialText Special = iota + 1
	// SpecialTokens turns them into the tokens: for templates.
	SpecialTokens
)

// Encode returns the tokens of a text, without a begin token. Tokens that the model's
// authors defined beside the merges, such as Gemma's runs of spaces, are found either way.
func (t *Tokenizer) Encode(text string, s Special) []int32 {
	var out []int32
	first := true
	for text != "" {
		part, found := t.nextSpecial(text, func(x *special) bool { return s == SpecialTokens || !x.control })
		if part != "" {
			out = t.encodePlain(out, part, first)
		}
		text = text[len(part):]
		if found != nil {
			out = append(out, found.id)
			text = text[len(found.text):]
			// llama.cpp writes the prefix space after a special token again.
			first = true
			continue
		}
		first = false
	}
	return out
}

// nextSpecial returns the text before the first special token that is allowed, and the
// token: nil if there is none.
func (t *Tokenizer) nextSpecial(text string, allowed func(*special) bool) (before string, found *special) {
	for i := range len(text) {
		list := t.special[text[i]]
		for j := range list {
			if s := &list[j]; strings.HasPrefix(text[i:], s.text) && allowed(s) {
				return text[:i], s
			}
		}
	}
	return text, nil
}

// Prompt is Encode with the begin token before the text, if the model has one.
func (t *Tokenizer) Prompt(text string, s Special) []int32 {
	ids := t.Encode(text, s)
	if t.addBOS && t.bos >= 0 && (len(ids) == 0 || ids[0] != t.bos) {
		ids = append([]int32{t.bos}, ids...)
	}
	return ids
}

func (t *Tokenizer) encodePlain(out []int32, text string, first bool) []int32 {
	if t.spm {
		return t.encodeSPM(out, text, first)
	}
	t.pre.words(text, func(word string) {
		letters := make([]string, len(word))
		for i := range len(word) {
			letters[i] = byteLetters[word[i]]
		}
		if t.pre.llama3 {
			if id, ok := t.ids[strings.Join(letters, "")]; ok {
				out = append(out, id)
				return
			}
		}
		for _, s := range mergeAll(letters, t.rank) {
			out = t.appendBPE(out, s)
		}
	})
	return out
}

func (t *Tokenizer) rank(a, b string) (float64, bool) {
	r, ok := t.merges[[2]string{a, b}]
	return float64(r), ok
}

func (t *Tokenizer) appendBPE(out []int32, s string) []int32 {
	if id, ok := t.ids[s]; ok {
		return append(out, id)
	}
	for _, b := range []byte(fromLetters(s)) {
		if id := t.bytes[b]; id >= 0 {
			out = append(out, id)
		} else if t.unknown >= 0 {
			out = append(out, t.unknown)
		}
	}
	return out
}

func (t *Tokenizer) encodeSPM(out []int32, text string, first bool) []int32 {
	if first && t.prefix {
		text = " " + text
	}
	text = strings.ReplaceAll(text, " ", "▁")
	pieces := make([]string, 0, len(text))
	for len(text) > 0 {
		_, n := utf8.DecodeRuneInString(text)
		pieces = append(pieces, text[:n])
		text = text[n:]
	}
	rank := func(a, b string) (float64, bool) {
		id, ok := t.ids[a+b]
		if !ok {
			return 0, false
		}
		s := -float64(t.scores[id])
		return s, !math.IsNaN(s)
	}
	for _, s := range mergeAll(pieces, rank) {
		if id, ok := t.ids[s]; ok {
			out = append(out, id)
			continue
		}
		for _, b := range []byte(s) {
			if id := t.bytes[b]; id >= 0 {
				out = append(out, id)
			} else if t.unknown >= 0 {
				out = append(out, t.unknown)
			}
		}
	}
	return out
}

// byteLetters are GPT-2's printable stand-ins for the 256 bytes, and letterBytes the way
// back.
var byteLetters, letterBytes = func() (out [256]string, back map[rune]byte) {
	back = map[rune]byte{}
	extra := rune(256)
	for b := range 256 {
		r := rune(b)
		if b < 33 || b == 127 || b > 127 && b < 161 || b == 173 {
			r = extra
			extra++
		}
		out[b] = string(r)
		back[r] = byte(b)
	}
	return out, back
}()

// fromLetters turns stand-ins into bytes; what is none stays as it is.
func fromLetters(s string) string {
	var b strings.Builder
	for _, r := range s {
		if c, ok := letterBytes[r]; ok {
			b.WriteByte(c)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
