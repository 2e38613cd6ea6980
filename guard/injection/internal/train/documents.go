package main

import (
	_ "embed"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/prodailabs/prodai/guard/internal/fit"
	"github.com/prodailabs/prodai/guard/internal/model"
)

//go:embed documents.txt
var documentGrammar string

//go:embed requests.txt
var requestGrammar string

// A document is a text with or without a sentence that addresses the assistant
// that reads it.
type document struct {
	text     string
	kind     string // of the document
	request  string // the kind of the sentence, "" without one
	from, to int    // where the sentence is
}

// documents returns the training data of the document mode: each harmless document
// as it is, and some with a sentence put into it.
func documents() []document {
	rng := rand.New(rand.NewPCG(6, 20261124))
	var hosts []document
	for _, e := range expand(documentGrammar, 0, "") {
		hosts = append(hosts, document{text: e.Text, kind: e.Kind})
	}
	for _, e := range records() {
		if strings.Count(e.Text, "\n") > 1 || len(e.Text) > 80 {
			hosts = append(hosts, document{text: e.Text, kind: e.Kind})
		}
	}
	// Some of the news have a question to the assistant above or below.
	asks := []string{"ummar", "Condense", "Question:", "Answer:", "What "}
	for _, e := range expand(benignGrammar, 0, "") {
		if e.Kind == "documents" && !slices.ContainsFunc(asks, func(s string) bool { return strings.Contains(e.Text, s) }) {
			hosts = append(hosts, document{text: e.Text, kind: "news"})
		}
	}
	for _, e := range expand(harmlessGrammar, 0, "") {
		if strings.HasPrefix(e.Kind, "instructions for people") || strings.HasPrefix(e.Kind, "course") || strings.HasPrefix(e.Kind, "bug") {
			hosts = append(hosts, document{text: e.Text, kind: e.Kind})
		}
	}
	var requests []example
	requests = append(requests, expand(requestGrammar, 1, "")...)
	for i, e := range slices.Concat(expand(attackGrammar, 1, ""), written(), multilingual()) {
		if e.Label == 1 && len(e.Text) < 400 && i%3 == 0 {
			e.Kind = "attack"
			requests = append(requests, e)
		}
	}
	all := slices.Clone(hosts)
	for i, r := range requests {
		for range 2 {
			all = append(all, insert(rng, hosts[rng.IntN(len(hosts))], r))
		}
		if i%12 == 0 { // what was decoded or cut out of a document is alone
			all = append(all, document{text: r.Text, kind: "alone", request: r.Kind, to: len(r.Text)})
		}
	}
	return all
}

// insert puts a sentence into a document: before, after, between two lines or
// sentences, into a cell, a string, a comment or a hidden part.
func insert(rng *rand.Rand, d document, e example) document {
	s := e.Text
	before, after := "", ""
	at := []int{0, len(d.text)}
	for i := range len(d.text) {
		if d.text[i] == '\n' || i > 0 && d.text[i] == ' ' && strings.IndexByte(".!?", d.text[i-1]) >= 0 {
			at = append(at, i+1)
		}
	}
	i := at[rng.IntN(len(at))]
	if rng.IntN(3) == 0 {
		i = at[rng.IntN(2)]
	}
	flat := strings.ReplaceAll(s, "\n", " ")
	switch {
	case d.kind == "html" && rng.IntN(2) == 0:
		s = flat
		wrap := pickOf(rng, `<!-- | -->~<div style="display:none">|</div>~<span style="font-size:0">|</span>~<p hidden>|</p>~<img src="b.png" alt="|">~<p style="color:#ffffff">|</p>~<p>|</p>~<td>|</td>`, "~")
		before, after, _ = strings.Cut(wrap, "|")
		s = strings.ReplaceAll(s, `"`, "'")
	case d.kind == "tool" || d.kind == "data":
		if k := strings.LastIndex(d.text, `":"`); k >= 0 && rng.IntN(4) > 0 {
			i = k + 3
			s, after = strings.ReplaceAll(flat, `"`, "'"), " "
		}
	case d.kind == "code" || d.kind == "program":
		if rng.IntN(2) == 0 {
			s, before = flat, pick(rng, "// |# |/* ")
		}
	}
	if before == "" && after == "" {
		sep := "\n"
		if rng.IntN(3) == 0 {
			sep = " "
		}
		if i > 0 && d.text[i-1] != '\n' {
			before = sep
		}
		if i < len(d.text) {
			after = sep
		}
	} else if i < len(d.text) && !strings.HasSuffix(after, " ") {
		after += "\n"
	}
	d.request = e.Kind
	d.from = i + len(before)
	d.to = d.from + len(s)
	d.text = d.text[:i] + before + s + after + d.text[i:]
	return d
}

// docRows returns a row for each element of the documents.
func docRows(ex *model.Extractor, all []document) []fit.Row {
	var rows []fit.Row
	var elements []model.Element
	for _, d := range all {
		tokens := ex.Tokens(d.text)
		elements = model.AppendElements(elements[:0], d.text)
		ex.VisitElements(d.text, tokens, elements, func(i int, v model.DocVector) {
			el := elements[i]
			if v.Words < model.FewestWords {
				return
			}
			r := fit.Row{Index: slices.Clone(v.Index), Value: v.Scale, Weight: 1}
			if d.request != "" {
				common := min(el.End, d.to) - max(el.Start, d.from)
				switch {
				case common*2 > el.End-el.Start:
					r.Label = 1
				case common > 0:
					return // some of both
				}
			}
			rows = append(rows, r)
		})
	}
	return rows
}

// trainDocuments fits the weights of the document mode. Elements that address the assistant
// and others weigh the same in total.
func trainDocuments(ex *model.Extractor, all []document) []float64 {
	rows := docRows(ex, all)
	var n [2]float64
	for _, r := range rows {
		n[int(r.Label)]++
	}
	for i := range rows {
		rows[i].Weight = float64(len(rows)) / 2 / n[int(rows[i].Label)]
	}
	p := &fit.Problem{Rows: rows, Lambda: docLambda, Bias: model.DocBuckets, N: model.DocBuckets + 1, Bounds: model.DocBounds}
	return p.Minimize(80)
}
