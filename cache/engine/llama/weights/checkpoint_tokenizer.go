package weights

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// tokenizerFile is what a vocabulary needs of tokenizer.json.
type tokenizerFile struct {
	Added []struct {
		ID      int    `json:"id"`
		Content string `json:"content"`
		Special bool   `json:"special"`
	} `json:"added_tokens"`
	Normalizer    *pipelineStep `json:"normalizer"`
	PreTokenizer  *pipelineStep `json:"pre_tokenizer"`
	PostProcessor *pipelineStep `json:"post_processor"`
	Model         struct {
		Type         string            `json:"type"`
		Vocabulary   map[string]int    `json:"vocab"`
		Merges       []json.RawMessage `json:"merges"`
		ByteFallback bool              `json:"byte_fallback"`
		Prefix       string            `json:"continuing_subword_prefix"`
		Suffix       string            `json:"end_of_word_suffix"`
	} `json:"model"`
}

// A pipelineStep is a normalizer, pre-tokenizer or post-processor, of any kind.
type pipelineStep struct {
	Type          string         `json:"type"`
	Normalizers   []pipelineStep `json:"normalizers"`
	PreTokenizers []pipelineStep `json:"pretokenizers"`
	Processors    []pipelineStep `json:"processors"`
	PrefixSpace   bool           `json:"add_prefix_space"`
	UseRegex      *bool          `json:"use_regex"` // of ByteLevel; true if it isn't there
	Digits        bool           `json:"individual_digits"`
	Behavior      string         `json:"behavior"`
	Invert        bool           `json:"invert"`
	Pattern       struct {
		Regex string `json:"Regex"`
	} `json:"pattern"`
	Single []struct {
		Special *struct {
			ID string `json:"id"`
		} `json:"SpecialToken"`
	} `json:"single"`
}

// The expressions that cut a text into words, with the names that GGUF has for them. Only
// the number of digits differs.
const cl100kWords = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`

var wordExpressions = map[string]string{
	fmt.Sprintf(cl100kWords, `\p{N}{1,3}`): "llama-bpe",
	fmt.Sprintf(cl100kWords, `\p{N}`):      "qwen2",
}

// preTokenizer returns GGUF's name of the rules by which a text is cut into words.
func (t *tokenizerFile) preTokenizer() (string, error) {
	var steps []pipelineStep
	if t.PreTokenizer != nil {
		steps = []pipelineStep{*t.PreTokenizer}
		if t.PreTokenizer.Type == "Sequence" {
			steps = t.PreTokenizer.PreTokenizers
		}
	}
	var kinds []string
	for _, s := range steps {
		kinds = append(kinds, s.Type)
	}
	fail := fmt.Errorf("%w: tokenizer.json: the pre-tokenizer %q: this package knows those of GPT-2, SmolLM2, Llama 3 and Qwen", ErrUnsupported, kinds)
	if len(steps) == 0 || len(steps) > 2 {
		return "", fail
	}
	last := steps[len(steps)-1]
	if last.Type != "ByteLevel" || last.PrefixSpace {
		return "", fail
	}
	itself := last.UseRegex == nil || *last.UseRegex
	switch first := steps[0]; {
	case len(steps) == 1 && itself:
		return "gpt-2", nil
	case len(steps) == 2 && itself && first.Type == "Digits" && first.Digits:
		return "smollm", nil
	case len(steps) == 2 && !itself && first.Type == "Split" && first.Behavior == "Isolated" && !first.Invert:
		if name, ok := wordExpressions[first.Pattern.Regex]; ok {
			return name, nil
		}
		return "", fmt.Errorf("%w: tokenizer.json: words are cut by %q", ErrUnsupported, first.Pattern.Regex)
	}
	return "", fail
}

// begins reports whether the post-processor puts a token before the text.
func (s *pipelineStep) begins() bool {
	if s == nil {
		return false
	}
	for i := range s.Processors {
		if s.Processors[i].begins() {
			return true
		}
	}
	return s.Type == "TemplateProcessing" && len(s.Single) > 0 && s.Single[0].Special != nil
}

func (t *tokenizerFile) check() error {
	m := &t.Model
	switch {
	case m.Type != "BPE" || m.ByteFallback || m.Prefix != "" || m.Suffix != "":
		return fmt.Errorf("%w: tokenizer.json: a model %q: this package reads byte-level BPE alone; take the model's GGUF file", ErrUnsupported, m.Type)
	case t.Normalizer != nil && t.Normalizer.Type != "NFC" && !(t.Normalizer.Type == "Sequence" && len(t.Normalizer.Normalizers) == 0):
		// NFC itself is left out, as in llama.cpp: text is nearly always in that form.
		return fmt.Errorf("%w: tokenizer.json: the normalizer %q", ErrUnsupported, t.Normalizer.Type)
	}
	return nil
}

// The kinds of tokens, with GGUF's numbers.
const (
	tokenNormal      int32 = 1
	tokenControl     int32 = 3
	tokenUserDefined int32 = 4
	tokenUnused      int32 = 5
)

// vocabulary returns the tokens by number, and their kinds. A number without a token gets
// a name that no text contains. rows is how many the embedding has.
func (t *tokenizerFile) vocabulary(rows int) (tokens []string, kinds []int32, err error) {
	size := 0
	place := func(s string, id int) error {
		if id < 0 || id >= rows {
			return fmt.Errorf("%w: tokenizer.json: token %.60q has the number %d, the embedding has %d rows", ErrFormat, s, id, rows)
		}
		size = max(size, id+1)
		return nil
	}
	for s, id := range t.Model.Vocabulary {
		if err := place(s, id); err != nil {
			return nil, nil, err
		}
	}
	for _, a := range t.Added {
		if err := place(a.Content, a.ID); err != nil {
			return nil, nil, err
		}
	}
	tokens, kinds = make([]string, size), make([]int32, size)
	for s, id := range t.Model.Vocabulary {
		if kinds[id] != 0 {
			return nil, nil, fmt.Errorf("%w: tokenizer.json: two tokens have the number %d", ErrFormat, id)
		}
		tokens[id], kinds[id] = s, tokenNormal
	}
	for _, a := range t.Added {
		tokens[a.ID], kinds[a.ID] = a.Content, tokenUserDefined
		if a.Special {
			kinds[a.ID] = tokenControl
		}
	}
	for i, k := range kinds {
		if k == 0 {
			tokens[i], kinds[i] = fmt.Sprintf("[PAD%d]", i), tokenUnused
		}
	}
	return tokens, kinds, nil
}

// merges returns them as GGUF writes them. Older files have "a b", newer ones ["a","b"].
func (t *tokenizerFile) merges() ([]string, error) {
	out := make([]string, len(t.Model.Merges))
	for i, raw := range t.Model.Merges {
		var pair []string
		if err := json.Unmarshal(raw, &out[i]); err == nil {
			pair = strings.Split(out[i], " ")
		} else if err := json.Unmarshal(raw, &pair); err != nil {
			return nil, fmt.Errorf("%w: tokenizer.json: merge %d is %.60s", ErrFormat, i, raw)
		}
		if len(pair) != 2 || pair[0] == "" || pair[1] == "" || strings.Contains(pair[0]+pair[1], " ") {
			return nil, fmt.Errorf("%w: tokenizer.json: merge %d is %.60s", ErrFormat, i, raw)
		}
		out[i] = pair[0] + " " + pair[1]
	}
	return out, nil
}

// tokenizerConfig is what tokenizer_config.json adds.
type tokenizerConfig struct {
	AddBegin *bool           `json:"add_bos_token"`
	Begin    json.RawMessage `json:"bos_token"`
	End      json.RawMessage `json:"eos_token"`
	Template json.RawMessage `json:"chat_template"`
}

// readTokenizer writes the vocabulary and the chat template as GGUF's metadata.
func (f *File) readTokenizer(dir fs.FS, c *checkpointConfig) error {
	var t tokenizerFile
	if err := readJSON(dir, "tokenizer.json", &t); err != nil {
		return err
	}
	if err := t.check(); err != nil {
		return err
	}
	pre, err := t.preTokenizer()
	if err != nil {
		return err
	}
	embed, ok := f.Tensor("token_embd.weight")
	if !ok || len(embed.Shape) != 2 {
		return fmt.Errorf("%w: model.embed_tokens.weight", ErrMissing)
	}
	tokens, kinds, err := t.vocabulary(embed.Shape[0])
	if err != nil {
		return err
	}
	merges, err := t.merges()
	if err != nil {
		return err
	}
	var more tokenizerConfig
	if err := readJSON(dir, "tokenizer_config.json", &more); err != nil && !errors.Is(err, ErrMissing) {
		return err
	}
	f.set("tokenizer.ggml.model", "gpt2")
	f.set("tokenizer.ggml.pre", pre)
	f.set("tokenizer.ggml.tokens", tokens)
	f.set("tokenizer.ggml.token_type", kinds)
	f.set("tokenizer.ggml.merges", merges)
	add := t.PostProcessor.begins()
	if more.AddBegin != nil {
		add = *more.AddBegin
	}
	f.set("tokenizer.ggml.add_bos_token", add)
	for _, special := range []struct {
		key          string
		text, number json.RawMessage
	}{{"bos_token_id", more.Begin, c.Begin}, {"eos_token_id", more.End, c.End}} {
		if id := specialID(tokens, special.text, special.number); id >= 0 {
			f.set("tokenizer.ggml."+special.key, uint32(id))
		}
	}
	return f.readTemplate(dir, more.Template)
}

// specialID returns the number of a token that is given as its text, as an object with
// the text, or as a number or a list of numbers; -1: none.
func specialID(tokens []string, text, number json.RawMessage) int {
	var s string
	if json.Unmarshal(text, &s) != nil {
		var object struct {
			Content string `json:"content"`
		}
		_ = json.Unmarshal(text, &object) // null, or missing
		s = object.Content
	}
	if s != "" {
		return slices.Index(tokens, s)
	}
	var n int
	var list []int
	switch {
	case json.Unmarshal(number, &list) == nil && len(list) > 0:
		n = list[0]
	case len(number) == 0 || string(number) == "null" || json.Unmarshal(number, &n) != nil:
		return -1
	}
	if n >= len(tokens) {
		return -1
	}
	return n
}

// readTemplate takes chat_template.jinja, or else the template of tokenizer_config.json:
// a text, or a list of named ones.
func (f *File) readTemplate(dir fs.FS, inline json.RawMessage) error {
	data, err := readSmall(dir, "chat_template.jinja")
	if err != nil && !errors.Is(err, ErrMissing) {
		return err
	}
	text := string(data)
	if err != nil && json.Unmarshal(inline, &text) != nil {
		var named []struct {
			Name     string `json:"name"`
			Template string `json:"template"`
		}
		_ = json.Unmarshal(inline, &named) // a model without a template has none
		for _, n := range named {
			if n.Name == "default" {
				text = n.Template
			}
		}
	}
	if text != "" {
		f.set("tokenizer.chat_template", text)
	}
	return nil
}
