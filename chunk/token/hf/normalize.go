package hf

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/prodailabs/prodai/internal/norm"
)

// A normalizer changes a text before it is encoded; nil leaves it as it is.
type normalizer func(string) string

func newNormalizer(raw json.RawMessage) (normalizer, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var n struct {
		Type    string            `json:"type"`
		Steps   []json.RawMessage `json:"normalizers"`
		Prepend string            `json:"prepend"`
		Left    bool              `json:"strip_left"`
		Right   bool              `json:"strip_right"`
		Content string            `json:"content"`
		Map     string            `json:"precompiled_charsmap"`
		Pattern struct {
			String *string
			Regex  *string
		} `json:"pattern"`
	}
	if err := json.Unmarshal(raw, &n); err != nil {
		return nil, fmt.Errorf("hf: tokenizer.json: normalizer: %w", err)
	}
	switch n.Type {
	case "Sequence":
		return sequence(n.Steps)
	case "NFC":
		return norm.NFC.String, nil
	case "NFD":
		return norm.NFD.String, nil
	case "NFKC":
		return norm.NFKC.String, nil
	case "NFKD":
		return norm.NFKD.String, nil
	case "Precompiled":
		return newPrecompiled(n.Map)
	case "Strip":
		return func(s string) string {
			if n.Left {
				s = strings.TrimLeftFunc(s, unicode.IsSpace)
			}
			if n.Right {
				s = strings.TrimRightFunc(s, unicode.IsSpace)
			}
			return s
		}, nil
	case "Prepend":
		return func(s string) string { return n.Prepend + s }, nil
	case "Replace":
		switch p := n.Pattern; {
		case p.String != nil && *p.String != "":
			return func(s string) string { return strings.ReplaceAll(s, *p.String, n.Content) }, nil
		case p.Regex != nil && *p.Regex == " {2,}": // written by the conversion from SentencePiece
			re := regexp.MustCompile(" {2,}")
			return func(s string) string { return re.ReplaceAllLiteralString(s, n.Content) }, nil
		}
		return nil, &UnsupportedError{"normalizer", "Replace of a regular expression"}
	}
	return nil, &UnsupportedError{"normalizer", fmt.Sprintf("the type %q", n.Type)}
}

func sequence(steps []json.RawMessage) (normalizer, error) {
	var all []normalizer
	for _, s := range steps {
		f, err := newNormalizer(s)
		if err != nil {
			return nil, err
		}
		if f != nil {
			all = append(all, f)
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	return func(s string) string {
		for _, f := range all {
			s = f(s)
		}
		return s
	}, nil
}
