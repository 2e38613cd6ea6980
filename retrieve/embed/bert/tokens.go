package bert

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/prodailabs/prodai/internal/wordpiece"
)

// tokens turns texts into the ids that a model reads.
type tokens struct {
	vocab     *wordpiece.Vocab
	cls, sep  int32
	positions int // tokens of an input at most, [CLS] and [SEP] included
}

// tokenizerJSON is what the file tokenizer.json says.
type tokenizerJSON struct {
	Model struct {
		Type   string         `json:"type"`
		Vocab  map[string]int `json:"vocab"`
		Prefix *string        `json:"continuing_subword_prefix"`
		Runes  *int           `json:"max_input_chars_per_word"`
	} `json:"model"`
	Normalizer struct {
		Type      string `json:"type"`
		Lowercase *bool  `json:"lowercase"`
		Accents   *bool  `json:"strip_accents"`
	} `json:"normalizer"`
}

// readTokens reads vocab.txt, or tokenizer.json if there is none.
func readTokens(dir fs.FS, most int) (*tokens, error) {
	var settings struct {
		Lower   *bool `json:"do_lower_case"`
		Accents *bool `json:"strip_accents"`
		Max     any   `json:"model_max_length"` // 10^30 stands for no limit
	}
	if _, err := readJSON(dir, "tokenizer_config.json", maxConfig, &settings); err != nil {
		return nil, err
	}
	if isFalse(settings.Lower) || isFalse(settings.Accents) {
		return nil, fmt.Errorf("%w: a tokenizer that keeps capital letters or accents", ErrUnsupported)
	}
	var vocab *wordpiece.Vocab
	data, err := readFile(dir, "vocab.txt", maxVocabulary)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		vocab, err = readTokenizerJSON(dir, most)
	case err == nil && bytes.Count(data, []byte("\n")) > most:
		err = fmt.Errorf("%w: vocab.txt has more than vocab_size, %d, lines", ErrModel, most)
	case err == nil:
		vocab, err = wordpiece.Read(bytes.NewReader(data))
	}
	if err != nil {
		if !errors.Is(err, ErrModel) && !errors.Is(err, ErrUnsupported) {
			err = fmt.Errorf("%w: %w", ErrModel, err)
		}
		return nil, err
	}
	t := &tokens{vocab: vocab, cls: -1, sep: -1, positions: 1 << 30}
	if n, ok := settings.Max.(float64); ok && n >= 1 && n < 1<<30 {
		t.positions = int(n)
	}
	for id := range int32(vocab.Len()) {
		switch vocab.Token(id) {
		case "[CLS]":
			t.cls = id
		case "[SEP]":
			t.sep = id
		}
	}
	if t.cls < 0 || t.sep < 0 || vocab.Len() > most {
		return nil, fmt.Errorf("%w: a vocabulary of %d tokens, want [CLS] and [SEP] in it and at most vocab_size, %d", ErrModel, vocab.Len(), most)
	}
	return t, nil
}

func isFalse(b *bool) bool { return b != nil && !*b }

func readTokenizerJSON(dir fs.FS, most int) (*wordpiece.Vocab, error) {
	var file tokenizerJSON
	ok, err := readJSON(dir, "tokenizer.json", maxVocabulary, &file)
	if err != nil {
		return nil, err
	}
	m, n := file.Model, file.Normalizer
	switch {
	case !ok:
		return nil, fmt.Errorf("%w: neither vocab.txt nor tokenizer.json", ErrModel)
	case m.Type != "WordPiece" || m.Prefix != nil && *m.Prefix != "##" || m.Runes != nil && *m.Runes != wordpiece.MaxWordRunes:
		return nil, fmt.Errorf("%w: tokenizer.json: want a WordPiece model as BERT's", ErrUnsupported)
	case n.Type != "BertNormalizer" || isFalse(n.Lowercase) || isFalse(n.Accents):
		return nil, fmt.Errorf("%w: tokenizer.json: want a BertNormalizer that lowers", ErrUnsupported)
	case len(m.Vocab) > most:
		return nil, fmt.Errorf("%w: tokenizer.json has %d tokens, more than vocab_size, %d", ErrModel, len(m.Vocab), most)
	}
	list := make([]string, len(m.Vocab))
	seen := make([]bool, len(list))
	for token, id := range m.Vocab {
		if id < 0 || id >= len(list) || seen[id] {
			return nil, fmt.Errorf("%w: tokenizer.json: the id %d of a token is not one of 0 to %d, or has another token", ErrModel, id, len(list)-1)
		}
		list[id], seen[id] = token, true
	}
	return wordpiece.New(list)
}

// ids returns the first most ids of a text. It doesn't read a long text to its end: the
// tokens of a beginning that ends at a space don't depend on what follows.
func (t *tokens) ids(text string, most int) []int32 {
	for size := 16 * (most + 16); size < len(text); size *= 4 {
		end := strings.LastIndexByte(text[:size], ' ')
		if end < 0 {
			continue
		}
		if out := t.vocab.AppendIDs(nil, text[:end]); len(out) >= most {
			return out[:most]
		}
	}
	out := t.vocab.AppendIDs(nil, text)
	return out[:min(most, len(out))]
}

// An input is the ids of one text, or of two.
type input struct {
	ids    []int32
	second int // where the second text begins; len(ids) if there is none
}

// one returns [CLS] text [SEP], the text cut to fit.
func (t *tokens) one(text string) input {
	ids := append([]int32{t.cls}, t.ids(text, t.positions-2)...)
	ids = append(ids, t.sep)
	return input{ids, len(ids)}
}

// two returns [CLS] a [SEP] b [SEP]. The longer text is cut, or both, if they don't fit.
func (t *tokens) two(a []int32, text string) input {
	room := t.positions - 3
	b := t.ids(text, room)
	na, nb := longestFirst(len(a), len(b), room)
	ids := make([]int32, 0, na+nb+3)
	ids = append(ids, t.cls)
	ids = append(append(ids, a[:na]...), t.sep)
	second := len(ids)
	return input{append(append(ids, b[:nb]...), t.sep), second}
}

// longestFirst returns how much of two lists of tokens is kept, as the rule "longest
// first" of the reference tokenizer says.
func longestFirst(a, b, room int) (int, int) {
	if a+b <= room {
		return a, b
	}
	swapped := a > b
	a = min(a, b)
	b = a
	if a <= room {
		b = max(a, room-a)
	}
	if a+b > room {
		a = room / 2
		b = a + room%2
	}
	if swapped {
		a, b = b, a
	}
	return a, b
}
