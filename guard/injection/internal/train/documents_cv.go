package main

import (
	"os"
	"slices"
	"strings"

	"github.com/prodailabs/prodai/guard/injection"
	"github.com/prodailabs/prodai/guard/internal/fit"
	"github.com/prodailabs/prodai/guard/internal/model"
)

// A documentFold is kinds of documents that are left out together. A kind is named by
// how it begins.
type documentFold struct {
	kinds []string
	// talk marks documents about assistants, and programs that are named like them.
	// They are reported, and don't set the threshold: left out, they are a subject
	// that the weights have never met.
	talk bool
}

var documentFolds = []documentFold{
	{kinds: []string{"mail", "calendar"}}, {kinds: []string{"page", "news"}}, {kinds: []string{"html"}}, {kinds: []string{"resume", "chat"}},
	{kinds: []string{"code", "program"}}, {kinds: []string{"tool", "data", "table"}}, {kinds: []string{"instructions"}},
	{kinds: []string{"readme", "ticket", "bug"}, talk: true}, {kinds: []string{"course"}, talk: true},
}

func inFold(d *document, fold []string) bool {
	return slices.ContainsFunc(fold, func(kind string) bool { return strings.HasPrefix(d.kind, kind) })
}

// checkDocuments trains without each fold of documents, reports what the document mode
// makes of them, and returns the threshold: the lowest margin at which the documents
// outside have at most documentFPR of the clean ones flagged, and the folds at most
// foldFPR in the mean. The documents outside are of a source that is never trained on.
func checkDocuments(ex *model.Extractor, weights string, all []document, outside []example) (float64, error) {
	left, err := tryAll(len(documentFolds), func(i int) ([]fit.Scored, error) {
		var kept, out []document
		for _, d := range all {
			if inFold(&d, documentFolds[i].kinds) {
				out = append(out, d)
			} else {
				kept = append(kept, d)
			}
		}
		return detectDocuments(trainDocuments(ex, kept), weights, out)
	})
	if err != nil {
		return 0, err
	}
	var binding [][]fit.Scored
	for i, x := range left {
		if !documentFolds[i].talk {
			binding = append(binding, x)
		}
	}
	var foreign []document
	for _, e := range outside {
		d := document{text: e.Text}
		if e.Label == 1 {
			d.request = e.Kind
		}
		foreign = append(foreign, d)
	}
	x, err := detectDocuments(trainDocuments(ex, all), weights, foreign)
	if err != nil {
		return 0, err
	}
	threshold := max(fit.Lowest(binding, foldFPR, 1), fit.ThresholdFor(x, documentFPR))
	for i, f := range documentFolds {
		fit.Report(os.Stdout, "documents without "+strings.Join(f.kinds, ", "), left[i], threshold)
	}
	fit.Report(os.Stdout, "documents of BIPIA/train, never trained on", x, threshold)
	return threshold, nil
}

// detectDocuments scores documents as the detector with these weights does. The
// classifier's weights are those that were just trained.
func detectDocuments(w []float64, weights string, all []document) ([]fit.Scored, error) {
	d, err := injection.New(&injection.Options{Weights: weights, DocumentWeights: string(model.EncodeDoc(w, w[model.DocBuckets], 0))})
	if err != nil {
		return nil, err
	}
	return inParallel(len(all), func(i int) fit.Scored {
		label := 0
		if all[i].request != "" {
			label = 1
		}
		return fit.Scored{Margin: max(logit(d.InspectDocument(all[i].text).Score), -20), Label: label}
	}), nil
}
