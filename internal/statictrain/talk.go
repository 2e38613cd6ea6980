package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// services reads dialogues with services: what both say, as one text.
func services(folder string) (out []pair, err error) {
	err = files(folder, ".json", func(data []byte) error {
		var dialogues []struct{ Turns []struct{ Utterance string } }
		if err := json.Unmarshal(data, &dialogues); err != nil {
			return err
		}
		for _, d := range dialogues {
			var text []string
			for _, t := range d.Turns {
				text = append(text, t.Utterance)
			}
			out = append(out, insides(strings.Join(text, " "))...)
		}
		return nil
	})
	return out, err
}

var speaker = regexp.MustCompile(`(?m)^User [12]: `)

// chatter reads conversations of two people: what they are like and what they say, and
// the insides of what they say.
func chatter(folder string) (out []pair, err error) {
	err = files(folder, ".csv", func(data []byte) error {
		rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
		if err != nil {
			return err
		}
		for _, r := range rows[min(1, len(rows)):] {
			if len(r) < 3 {
				continue
			}
			talk := speaker.ReplaceAllString(r[2], "")
			for _, person := range r[:2] {
				out = with(out, person, talk)
			}
			out = append(out, insides(talk)...)
		}
		return nil
	})
	return out, err
}

// squad reads questions and paragraphs in SQuAD's form.
func squad(path string) (out []pair, err error) {
	data, err := os.ReadFile(path) //nolint:gosec // the path is the user's
	if err != nil {
		return nil, err
	}
	var d struct {
		Data []struct {
			Paragraphs []struct {
				Context string
				Qas     []struct{ Question string }
			}
		}
	}
	if err := json.Unmarshal(data, &d); err != nil {
		return nil, err
	}
	for _, article := range d.Data {
		for _, p := range article.Paragraphs {
			for _, q := range p.Qas {
				out = with(out, q.Question, p.Context)
			}
		}
	}
	return out, nil
}

// quotes reads QuoteSum: a question and each of the passages that answer it in part.
func quotes(path string) (out []pair, err error) {
	err = lines(path, func(line []byte) error {
		var r struct{ Question, Source1, Source2, Source3, Source4 string }
		if err := json.Unmarshal(line, &r); err != nil {
			return err
		}
		for _, s := range []string{r.Source1, r.Source2, r.Source3, r.Source4} {
			out = with(out, r.Question, s)
		}
		return nil
	})
	return once(out), err
}

// splits reads WikiSplit: the second half of a sentence that was cut in two, and the first.
func splits(folder string) (out []pair, err error) {
	for _, name := range []string{"tune.tsv", "validation.tsv", "test.tsv"} {
		err := lines(filepath.Join(folder, name), func(line []byte) error {
			_, parts, _ := strings.Cut(string(line), "\t")
			b, a, _ := strings.Cut(parts, " <::::> ")
			out = with(out, plain(a), plain(b))
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// plain takes back the spaces that a tokenizer put before punctuation.
func plain(s string) string {
	return strings.NewReplacer(" .", ".", " ,", ",", " ''", `"`, "`` ", `"`, " '", "'").Replace(s)
}
