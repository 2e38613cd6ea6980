package main

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path"
	"strings"

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai"
)

// passages returns up to n paragraphs of the notes of this course as documents, and others
// as questions.
func passages(n int) (docs []schema.Document, questions []string, err error) {
	var texts []string
	seen := map[string]bool{}
	err = fs.WalkDir(prodai.Notes, ".", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || path.Base(name) != "doc.go" {
			return err
		}
		data, err := fs.ReadFile(prodai.Notes, name)
		if err != nil {
			return err
		}
		comment, _, _ := strings.Cut(string(data), "\npackage ")
		for _, line := range strings.SplitAfter(strings.ReplaceAll(comment, "//", ""), ". ") {
			text := strings.Join(strings.Fields(line), " ")
			if words := strings.Count(text, " ") + 1; words >= 6 && words <= 60 && !seen[text] {
				seen[text] = true
				texts = append(texts, text)
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	rng := rand.New(rand.NewPCG(10, 12))
	rng.Shuffle(len(texts), func(i, j int) { texts[i], texts[j] = texts[j], texts[i] })
	if len(texts) < 2*queries {
		return nil, nil, fmt.Errorf("there are only %d passages", len(texts))
	}
	questions, texts = texts[:queries], texts[queries:]
	for i, text := range texts[:min(n, len(texts))] {
		meta := map[string]any{"id": fmt.Sprintf("p%05d", i), "n": i}
		if owner := []string{"", "blue", "green"}[i%3]; owner != "" {
			meta["tenant"] = owner
		}
		docs = append(docs, schema.Document{PageContent: text, Metadata: meta})
	}
	return docs, questions, nil
}
