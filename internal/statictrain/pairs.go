package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// A pair is two texts that belong together, such as a question and its answer.
type pair struct {
	Source string `json:"source"`
	A      string `json:"a"`
	B      string `json:"b"`
}

const (
	longest  = 600 // bytes of a text: about what a chunk of a document has
	shortest = 40  // bytes of a passage
	stretch  = 32  // neighboring pairs that are taken together, for close negatives
)

// A source is a part of the training texts: a path below the folder of sources, and how
// to read it.
type source struct {
	name, path string
	limit      int // pairs
	read       func(path string) ([]pair, error)
}

var sources = []source{
	{"qed", "qed-dev.jsonl", 4000, func(path string) ([]pair, error) {
		train, _, err := qed(path)
		return train, err
	}},
	{"python", "deb-python3.11-doc/usr/share/doc/python3.11/html", 5000, pages},
	{"debian", "deb-debian-handbook/usr/share/doc/debian-handbook/html/en-US", 2200, pages},
	{"gnome", "deb-gnome-user-docs/usr/share/help/C", 1500, pages},
	{"sqlite", "deb-sqlite3-doc/usr/share/doc/sqlite3", 2500, pages},
	{"speeches", "speeches", 4300, speeches},
	{"wordnet", "deb-wordnet-base/usr/share/wordnet", 8000, wordnet},
	{"cockroach", "cockroach", 6000, markdown},
	{"services", "sgd", 4000, services},
	{"chatter", "persona", 9000, chatter},
	{"xquad", "xquad.en.json", 2000, squad},
	{"quotes", "quotesum-dev.jsonl", 2000, quotes},
	{"splits", "wikisplit", 6000, splits},
}

func pairsCommand(_ context.Context, args []string, out io.Writer) error {
	f := flag.NewFlagSet("pairs", flag.ContinueOnError)
	folder := f.String("sources", "", "the folder with the sources, see README.md")
	file := f.String("out", "pairs.jsonl", "the file to write")
	if err := f.Parse(args); err != nil {
		return err
	}
	var parts [][]pair
	all := slices.Clone(sources)
	for _, b := range books {
		all = append(all, source{b, "openstax/" + b, 10_000, textbook})
	}
	for _, s := range all {
		pairs, err := s.read(filepath.Join(*folder, filepath.FromSlash(s.path)))
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		kept := spread(pairs, s.limit)
		for i := range kept {
			kept[i].Source = s.name
		}
		parts = append(parts, kept)
		fmt.Fprintf(out, "%-10s %6d of %6d pairs\n", s.name, len(kept), len(pairs))
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	for _, p := range interleave(parts) {
		if err := e.Encode(p); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "sha256 %x\n", sha256.Sum256(b.Bytes()))
	return writeFile(*file, b.Bytes())
}

// spread takes at most n pairs, as stretches of neighbors that are evenly spread.
func spread(pairs []pair, n int) []pair {
	if len(pairs) <= n {
		return pairs
	}
	var out []pair
	parts := max(1, n/stretch)
	for i := range parts {
		from := i * len(pairs) / parts
		out = append(out, pairs[from:min(from+stretch, len(pairs))]...)
	}
	return out[:min(n, len(out))]
}

// interleave takes a stretch of each source in turn, so that any beginning of the result
// has all sources: a teacher may stop early.
func interleave(parts [][]pair) (out []pair) {
	for from, more := 0, true; more; from += stretch {
		more = false
		for _, p := range parts {
			if from < len(p) {
				out, more = append(out, p[from:min(from+stretch, len(p))]...), true
			}
		}
	}
	return out
}

// cut returns the beginning of a text, with one space between words.
func cut(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) <= longest {
		return s
	}
	s = s[:longest]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	if i := strings.LastIndexByte(s, ' '); i > 0 {
		s = s[:i]
	}
	return s
}

// kept says which pairs a text can be in: both sides have words, and they differ.
func kept(a, b string) bool { return len(a) >= 3 && len(b) >= shortest && a != b }

// with adds two texts to pairs, cut, if they can be a pair.
func with(pairs []pair, a, b string) []pair {
	if a, b = cut(a), cut(b); kept(a, b) {
		return append(pairs, pair{A: a, B: b})
	}
	return pairs
}

const heldQED = 700

// byHash orders pairs by the hash of A: an order that has nothing to do with the content.
func byHash(pairs []pair) {
	hash := func(p pair) string { h := sha256.Sum256([]byte(p.A)); return hex.EncodeToString(h[:]) }
	slices.SortStableFunc(pairs, func(a, b pair) int { return strings.Compare(hash(a), hash(b)) })
}

// qed reads question and paragraph of each line. The 700 questions with the lowest hash
// are kept out for the evaluation, and so are training pairs with their paragraphs.
func qed(path string) (train, held []pair, err error) {
	var all []pair
	err = lines(path, func(line []byte) error {
		var r struct {
			Question  string `json:"question_text"`
			Paragraph string `json:"paragraph_text"`
		}
		if err := json.Unmarshal(line, &r); err != nil {
			return err
		}
		all = append(all, pair{A: r.Question, B: strings.Join(strings.Fields(r.Paragraph), " ")})
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	byHash(all)
	seen := map[string]bool{}
	for _, p := range all {
		switch {
		case len(held) < heldQED && !seen[p.B]:
			seen[p.B] = true
			held = append(held, p)
		case len(held) >= heldQED && !seen[p.B]:
			train = append(train, pair{A: p.A, B: cut(p.B)})
		}
	}
	if len(held) < heldQED {
		return nil, nil, fmt.Errorf("%d questions, want more than %d", len(all), heldQED)
	}
	return train, held, nil
}

// medquad reads questions and answers. None of them is trained on.
func medquad(folder string) (out []pair, err error) {
	err = files(folder, ".xml", func(data []byte) error {
		var d struct {
			Pairs []struct {
				Question string
				Answer   string
			} `xml:"QAPairs>QAPair"`
		}
		if err := xml.Unmarshal(data, &d); err != nil {
			return err
		}
		for _, p := range d.Pairs {
			out = with(out, p.Question, p.Answer)
		}
		return nil
	})
	return out, err
}

// wordnet reads the words of each synonym set and what they mean.
func wordnet(folder string) (out []pair, err error) {
	for _, part := range []string{"data.noun", "data.verb", "data.adj"} {
		err := lines(filepath.Join(folder, part), func(line []byte) error {
			facts, gloss, ok := strings.Cut(string(line), " | ")
			f := strings.Fields(facts)
			if !ok || len(f) < 6 || line[0] == ' ' {
				return nil
			}
			var n int
			if _, err := fmt.Sscanf(f[3], "%x", &n); err != nil || len(f) < 4+2*n {
				return fmt.Errorf("not a synonym set: %.60s", line)
			}
			var words []string
			for i := range n {
				words = append(words, strings.ReplaceAll(f[4+2*i], "_", " "))
			}
			if a, b := strings.Join(words, ", "), cut(gloss); kept(a, b) {
				out = append(out, pair{A: a, B: b})
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// speeches reads paragraphs of plain text: a sentence and the rest.
func speeches(folder string) (out []pair, err error) {
	err = files(folder, ".txt", func(data []byte) error {
		text := strings.ReplaceAll(strings.ToValidUTF8(string(data), " "), "\r", "")
		out = append(out, insides(text)...)
		return nil
	})
	return out, err
}

// insides cuts a text into passages and pairs a sentence of each with the rest.
func insides(text string) (out []pair) {
	var passage []string
	n := 0
	flush := func() {
		if len(passage) >= 3 {
			at := (len(out)*7 + 1) % len(passage)
			rest := slices.Concat(passage[:at], passage[at+1:])
			if a, b := cut(passage[at]), cut(strings.Join(rest, " ")); len(a) >= 25 && kept(a, b) {
				out = append(out, pair{A: a, B: b})
			}
		}
		passage, n = passage[:0], 0
	}
	for _, s := range sentences(text) {
		passage = append(passage, s)
		if n += len(s); n > longest-100 {
			flush()
		}
	}
	flush()
	return out
}

// sentences cuts after a full stop, a question or an exclamation mark before a space.
func sentences(text string) (out []string) {
	text = strings.Join(strings.Fields(text), " ")
	for len(text) > 0 {
		end := len(text)
		for i := 20; i+1 < len(text); i++ {
			if strings.IndexByte(".?!", text[i]) >= 0 && text[i+1] == ' ' {
				end = i + 1
				break
			}
		}
		out = append(out, strings.TrimSpace(text[:end]))
		text = strings.TrimSpace(text[end:])
	}
	return out
}

func lines(path string, f func(line []byte) error) error {
	file, err := os.Open(path) //nolint:gosec // the path is the user's
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	s := bufio.NewScanner(file)
	s.Buffer(nil, 1<<24)
	for s.Scan() {
		if err := f(s.Bytes()); err != nil {
			return err
		}
	}
	return s.Err()
}

// files calls f for each file below a folder with the ending, in the order of names.
func files(folder, ending string, f func(data []byte) error) error {
	found := 0
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ending {
			return err
		}
		data, err := os.ReadFile(path) //nolint:gosec // the path is the user's
		if err != nil {
			return err
		}
		found++
		if err := f(data); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	})
	if err == nil && found == 0 {
		err = errors.New("no file " + filepath.Join(folder, "*"+ending))
	}
	return err
}
