package eval

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/golden"
)

func TestGoldenTokenizers(t *testing.T) {
	golden.Rows(t, "eval", "tokenize.jsonl", func(row struct {
		In    string `json:"in"`
		T13a  string `json:"13a"`
		Intl  string `json:"intl"`
		Zh    string `json:"zh"`
		Char  string `json:"char"`
		None  string `json:"none"`
		Norm  string `json:"ter_norm"`
		Asian string `json:"ter_norm_asian_nopunct"`
	}) error {
		for name, want := range map[string]string{"13a": row.T13a, "intl": row.Intl, "zh": row.Zh,
			"char": joined(strings.FieldsFunc(row.Char, isSpace)), "none": joined(strings.FieldsFunc(row.None, isSpace))} {
			tok, err := NewTokenizer(name)
			if err != nil {
				return err
			}
			if err := same(name, joined(tok.Tokens(row.In)), want); err != nil {
				return err
			}
		}
		for _, o := range []struct {
			want string
			ter  *TER
		}{{row.Norm, must(NewTER(&TEROptions{Normalize: true}))}, {row.Asian, must(NewTER(&TEROptions{Normalize: true, NoPunctuation: true, Asian: true}))}} {
			text := o.ter.normalize(appendLower(nil, row.In))
			if err := same("ter", joined(strings.FieldsFunc(string(text), isSpace)), o.want); err != nil {
				return err
			}
		}
		return nil
	})
}

func newBLEU(tok, smooth string, value *float64, eff, lc bool, order int) (*BLEU, error) {
	t, err := NewTokenizer(tok)
	if err != nil {
		return nil, err
	}
	o := &BLEUOptions{Tokenizer: t, Smooth: Smoothing(smooth), EffectiveOrder: eff, Lowercase: lc, Order: order}
	if value != nil {
		o.SmoothValue = *value
	}
	return NewBLEU(o)
}

func TestGoldenBLEUSentence(t *testing.T) {
	golden.Rows(t, "eval", "bleu_sentence.jsonl", func(row struct {
		Hyp         string
		Refs        []string
		Tok, Smooth string
		SmoothValue *float64 `json:"smooth_value"`
		Eff, LC     bool
		Order       int
		Score       float64
		Counts      []float64
		Totals      []float64
		Precisions  []float64
		BP          float64
		SysLen      int `json:"sys_len"`
		RefLen      int `json:"ref_len"`
		Sig         string
	}) error {
		b, err := newBLEU(row.Tok, row.Smooth, row.SmoothValue, row.Eff, row.LC, row.Order)
		if err != nil {
			return err
		}
		got, err := b.Score(row.Hyp, row.Refs...)
		if err != nil {
			return err
		}
		sig := b.Signature()
		sig.Refs = len(row.Refs)
		return first(
			near("score", got.Value, row.Score),
			nears("counts", got.Counts, row.Counts),
			nears("totals", got.Totals, row.Totals),
			nears("precisions", got.Precisions, row.Precisions),
			near("bp", got.BrevityPenalty, row.BP),
			same("sys_len", got.OutputLength, row.SysLen),
			same("ref_len", got.ReferenceLength, row.RefLen),
			same("sig", sig.String(), row.Sig),
		)
	})
}

type corpusResult struct {
	Metric, Tok, Smooth string
	SmoothValue         *float64 `json:"smooth_value"`
	LC                  bool
	Order               int
	CharOrder           int `json:"char_order"`
	WordOrder           int `json:"word_order"`
	Norm, Nopunct, Case bool
	Asian               bool
	Score               float64
	Counts, Totals      []float64
	Precisions          []float64
	BP                  float64
	SysLen              int     `json:"sys_len"`
	RefLen              float64 `json:"ref_len"`
	Sig                 string
	ShortSig            string `json:"short_sig"`
	Text                string
}

func TestGoldenCorpus(t *testing.T) {
	golden.Rows(t, "eval", "corpus.jsonl", func(row struct {
		Hyps    []string
		Refs    [][]*string
		Results []corpusResult
	}) error {
		refs := make([][]string, len(row.Refs))
		for i, list := range row.Refs {
			for _, r := range list {
				if r != nil {
					refs[i] = append(refs[i], *r)
				}
			}
		}
		for i, want := range row.Results {
			if err := checkCorpus(row.Hyps, refs, want); err != nil {
				return fmt.Errorf("result %d, %s: %w", i, want.Metric, err)
			}
		}
		return nil
	})
}

func checkCorpus(hyps []string, refs [][]string, want corpusResult) error {
	switch want.Metric {
	case "bleu":
		b, err := newBLEU(want.Tok, want.Smooth, want.SmoothValue, false, want.LC, want.Order)
		if err != nil {
			return err
		}
		score, err := ScoreCorpus(context.Background(), b, hyps, refs)
		if err != nil {
			return err
		}
		got, err := b.Corpus(hyps, refs)
		if err != nil {
			return err
		}
		return first(
			near("score", score.Value, want.Score), near("score", got.Value, want.Score),
			nears("counts", got.Counts, want.Counts), nears("totals", got.Totals, want.Totals),
			nears("precisions", got.Precisions, want.Precisions), near("bp", got.BrevityPenalty, want.BP),
			same("sys_len", got.OutputLength, want.SysLen), near("ref_len", float64(got.ReferenceLength), want.RefLen),
			same("sig", score.Signature.String(), want.Sig), same("short", score.Signature.Short(), want.ShortSig),
			same("text", got.String(), want.Text),
		)
	case "chrf":
		m, err := NewChrF(&ChrFOptions{CharOrder: want.CharOrder, WordOrder: want.WordOrder, Lowercase: want.LC})
		if err != nil {
			return err
		}
		return corpusScore(m, hyps, refs, want)
	case "ter":
		m := must(NewTER(&TEROptions{Normalize: want.Norm, NoPunctuation: want.Nopunct, Asian: want.Asian, CaseSensitive: want.Case}))
		return corpusScore(m, hyps, refs, want)
	}
	return fmt.Errorf("no metric %q", want.Metric)
}

func corpusScore(m Metric, hyps []string, refs [][]string, want corpusResult) error {
	score, err := ScoreCorpus(context.Background(), m, hyps, refs)
	if err != nil {
		return err
	}
	return first(
		near("score", score.Value, want.Score),
		same("sig", score.Signature.String(), want.Sig), same("short", score.Signature.Short(), want.ShortSig),
		same("text", fmt.Sprintf("%s = %.2f", score.Signature.Metric, score.Value), want.Text),
	)
}

// westernRegexps are mteval's four rules, as sacreBLEU writes them.
var westernRegexps = []struct {
	re *regexp.Regexp
	to string
}{
	{regexp.MustCompile(`([\{-\~\[-\x60 -\&\(-\+\:-\@\/])`), " $1 "},
	{regexp.MustCompile(`([^0-9])([\.,])`), "$1 $2 "},
	{regexp.MustCompile(`([\.,])([^0-9])`), " $1 $2"},
	{regexp.MustCompile(`([0-9])(-)`), "$1 $2 "},
}

var intlRegexps = []struct {
	re *regexp.Regexp
	to string
}{
	{regexp.MustCompile(`(?s)(\PN)(\pP)`), "$1 $2 "},
	{regexp.MustCompile(`(?s)(\pP)(\PN)`), " $1 $2"},
	{regexp.MustCompile(`(\pS)`), " $1 "},
}

func byRegexps(name, line string) string {
	rules := westernRegexps
	switch name {
	case "13a":
		line = strings.ReplaceAll(line, "<skipped>", "")
		line = strings.ReplaceAll(line, "-\n", "")
		line = strings.ReplaceAll(line, "\n", " ")
		line = strings.ReplaceAll(line, "&quot;", `"`)
		line = strings.ReplaceAll(line, "&amp;", "&")
		line = strings.ReplaceAll(line, "&lt;", "<")
		line = strings.ReplaceAll(line, "&gt;", ">")
		line = " " + line + " "
	case "zh":
		var b strings.Builder
		for _, r := range strings.TrimFunc(line, isSpace) {
			if chinese(r) {
				fmt.Fprintf(&b, " %c ", r)
			} else {
				b.WriteRune(r)
			}
		}
		line = b.String()
	case "intl":
		rules = intlRegexps
	}
	for _, r := range rules {
		line = r.re.ReplaceAllString(line, r.to)
	}
	return joined(strings.FieldsFunc(line, isSpace))
}

// FuzzTokenizersAgainstRegexps compares the one-pass scanners with the regular
// expressions that they replace.
func FuzzTokenizersAgainstRegexps(f *testing.F) {
	for _, line := range []string{
		"", ".", "5.", ".5", "..", "1,,2", "1...2", "a..1", "a...1", "1....2", "5-3", "5--3", "-5-", "a-b", "1.-2",
		"&amp;lt;", "<skip<skipped>ped>", "a-\nb", "x\n-y", "\"Hi,\" he said: 3.14, $5-$6 (or so)...", "1,2.3,4.", "，。1.2",
		"中文3.5。文", "½.½", "a.½", "€5.", "1.\u00a02", "–5–", "…", "x\x1cy", "(.,1)", "1.(2)", "٣.٤",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		line = strings.ToValidUTF8(line, "?")
		for _, name := range []string{"13a", "zh", "intl"} {
			tok, err := NewTokenizer(name)
			require.NoError(t, err)
			require.Equal(t, byRegexps(name, line), joined(tok.Tokens(line)), "%s of %q", name, line)
		}
	})
}
