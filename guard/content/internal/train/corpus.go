package main

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/prodailabs/prodai/internal/sentence"
)

// An example is a text with its label: 1 for toxic.
type example struct {
	text   string
	label  int
	source string
	kind   string // what HateCheck tests
}

// The sources, as the folders of the corpus.
const (
	civil     = "toxic_spans"
	wikipedia = "context_toxicity"
	wikiOld   = "unintended-ml-bias-analysis"
	templates = "templates"
	tweets    = "hate-speech-and-offensive-language"
	social    = "toxicity"
	checks    = "hatecheck-data"
	prompts   = "moderation-api-release"
)

// A table is a file with a header, as a map from a column to its cell for each row.
func table(dir, name string) ([]map[string]string, error) {
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read from
	r := csv.NewReader(bufio.NewReader(f))
	r.LazyQuotes, r.FieldsPerRecord = true, -1
	header, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	header[0] = strings.TrimPrefix(header[0], "\ufeff")
	var out []map[string]string
	for {
		row, err := r.Read()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		cells := map[string]string{}
		for i, c := range row[:min(len(row), len(header))] {
			cells[header[i]] = c
		}
		out = append(out, cells)
	}
}

// readAll reads the sources that are trained on, and those that only measure.
func readAll(dir string) (trained, unseen []example, err error) {
	for _, read := range []func(string) ([]example, error){readCivil, readWikipedia, readTemplates, readTweets} {
		rows, err := read(dir)
		if err != nil {
			return nil, nil, err
		}
		trained = append(trained, rows...)
	}
	for _, read := range []func(string) ([]example, error){readSocial, readChecks, readPrompts} {
		rows, err := read(dir)
		if err != nil {
			return nil, nil, err
		}
		unseen = append(unseen, rows...)
	}
	return trained, unseen, nil
}

var spans = regexp.MustCompile(`\d+`)

// readCivil reads posts in which readers marked what is toxic. A sentence with a mark is
// toxic; the other sentences of such a post are not. Posts without a mark are left out:
// some of them are toxic as a whole.
func readCivil(dir string) ([]example, error) {
	var out []example
	for _, name := range []string{"tsd_train.csv", "tsd_trial.csv", "tsd_test.csv"} {
		rows, err := table(dir, filepath.Join(civil, "SemEval2021", "data", name))
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			marked := map[string]bool{}
			for _, n := range spans.FindAllString(r["spans"], -1) {
				marked[n] = true
			}
			if len(marked) < 3 {
				continue
			}
			runes := 0
			at := 0
			for _, s := range sentence.Split(r["text"]) {
				runes += len([]rune(r["text"][at:s.Start]))
				label := 0
				for range r["text"][s.Start:s.End] {
					if marked[fmt.Sprint(runes)] {
						label = 1
					}
					runes++
				}
				at = s.End
				out = append(out, example{text: r["text"][s.Start:s.End], label: label, source: civil})
			}
		}
	}
	return out, nil
}

// readWikipedia reads comments of Wikipedia's talk pages.
func readWikipedia(dir string) ([]example, error) {
	var out []example
	for _, f := range []struct{ name, text, label, toxic string }{
		{wikipedia + "/data/CAT_LARGE/gc.csv", "text", "label", "1"},
		{wikipedia + "/data/CAT_LARGE/gn.csv", "text", "label", "1"},
		{wikipedia + "/data/CAT_SMALL/cat_small.csv", "text", "label_oc", "1"},
		{wikiOld + "/archive/unintended_ml_bias/eval_datasets/toxicity_nonfuzzed_testset.csv", "comment", "toxic", "True"},
	} {
		rows, err := table(dir, f.name)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			label := 0
			if r[f.label] == f.toxic {
				label = 1
			}
			out = append(out, example{text: r[f.text], label: label, source: wikipedia})
		}
	}
	return out, nil
}

// readTemplates reads sentences that are made of templates with the names of groups, so
// that a name alone is in as many harmless sentences as toxic ones.
func readTemplates(dir string) ([]example, error) {
	rows, err := table(dir, wikiOld+"/archive/unintended_ml_bias/eval_datasets/bias_madlibs_77k.csv")
	if err != nil {
		return nil, err
	}
	var out []example
	for i, r := range rows {
		if r["Template"] == "name_adj" && i%15 != 0 { // most are of one template
			continue
		}
		label := 0
		if r["Label"] == "BAD" {
			label = 1
		}
		out = append(out, example{text: r["Text"], label: label, source: templates})
	}
	return out, nil
}

var tweetNoise = regexp.MustCompile(`(?i)^[!"\s]*(?:RT\b)?[\s:"]*|@\w+:?|https?://\S+|&#\d+;`)

// readTweets reads tweets. Those that are offensive and not hateful are left out: the
// label depends on the author, and its annotators flagged African American English.
func readTweets(dir string) ([]example, error) {
	rows, err := table(dir, tweets+"/data/labeled_data.csv")
	if err != nil {
		return nil, err
	}
	var out []example
	for _, r := range rows {
		text := strings.TrimSpace(html.UnescapeString(tweetNoise.ReplaceAllString(r["tweet"], " ")))
		switch r["class"] {
		case "0":
			out = append(out, example{text: text, label: 1, source: tweets})
		case "2":
			out = append(out, example{text: text, source: tweets})
		}
	}
	return out, nil
}

func readSocial(dir string) ([]example, error) {
	rows, err := table(dir, social+"/toxicity_en.csv")
	if err != nil {
		return nil, err
	}
	var out []example
	for _, r := range rows {
		label := 0
		if r["is_toxic"] == "Toxic" {
			label = 1
		}
		out = append(out, example{text: r["text"], label: label, source: social})
	}
	return out, nil
}

func readChecks(dir string) ([]example, error) {
	rows, err := table(dir, checks+"/test_suite_cases.csv")
	if err != nil {
		return nil, err
	}
	var out []example
	for _, r := range rows {
		label := 0
		if r["label_gold"] == "hateful" {
			label = 1
		}
		out = append(out, example{text: r["test_case"], label: label, source: checks, kind: r["functionality"]})
	}
	return out, nil
}

// readPrompts reads texts that were sent to a model. Toxic are hate, harassment and
// threats of violence against a group; sexual texts and self-harm are left out.
func readPrompts(dir string) ([]example, error) {
	f, err := os.Open(filepath.Join(dir, prompts, "data", "samples-1680.jsonl.gz"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read from
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	var out []example
	d := json.NewDecoder(z)
	for {
		var r map[string]any
		if err := d.Decode(&r); err == io.EOF {
			return out, nil
		} else if err != nil {
			return nil, err
		}
		is := func(keys ...string) bool {
			for _, k := range keys {
				if v, _ := r[k].(float64); v == 1 {
					return true
				}
			}
			return false
		}
		text, _ := r["prompt"].(string)
		switch {
		case is("H", "H2", "HR"):
			out = append(out, example{text: text, label: 1, source: prompts})
		case !is("S", "S3", "SH", "V", "V2"):
			out = append(out, example{text: text, source: prompts})
		}
	}
}
