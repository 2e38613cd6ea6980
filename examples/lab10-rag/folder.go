package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/prodailabs/prodai/chunk"
	"github.com/prodailabs/prodai/retrieve/load"
	"github.com/prodailabs/prodai/retrieve/load/docx"
	"github.com/prodailabs/prodai/retrieve/load/html"
	"github.com/prodailabs/prodai/retrieve/load/markdown"
	"github.com/prodailabs/prodai/retrieve/load/pdf"
	"github.com/prodailabs/prodai/retrieve/rag"
)

// answerFromFolder answers the question from the files of a folder, and says where in which
// file each passage is.
func (l *lab) answerFromFolder(ctx context.Context, out io.Writer) error {
	if err := l.empty(); err != nil {
		return err
	}
	defer func() { _ = errors.Join(l.dense.Close(), l.hybrid.Close()) }() // they are in memory only
	loaders := map[string]load.Loader{
		".txt": load.Text, ".csv": load.CSV, ".md": markdown.Load, ".html": html.Load, ".htm": html.Load, ".docx": docx.Load, ".pdf": pdf.Load,
	}
	files := 0
	for d, err := range load.Files(ctx, os.DirFS(l.docs), loaders, nil) {
		if err != nil {
			fmt.Fprintln(out, "left out:", err)
			continue
		}
		chunks, err := l.cutter.Chunk(ctx, d.Text)
		if err != nil {
			return err
		}
		passages := chunk.Documents(d.Source, d.Meta, chunks)
		d.Locate(passages)
		if _, err := l.hybrid.Sync(ctx, d.Source, passages); err != nil {
			return err
		}
		files++
	}
	fmt.Fprintf(out, "%d files, %d passages\n\n", files, l.hybrid.Len())
	a, err := rag.Ask(ctx, l.hybrid, l.extractive, l.ask)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s\n\n%s\n\n", l.ask, a.Text)
	for i, p := range a.Passages {
		fmt.Fprintf(out, "[%d] %s", i+1, p.Metadata[chunk.KeySource])
		for _, key := range []string{load.KeyPage, load.KeyLine, load.KeyRow, load.KeyParagraph} {
			if n, ok := chunk.MetaInt(p.Metadata, key); ok {
				fmt.Fprintf(out, ", %s %d", key, n)
			}
		}
		fmt.Fprintln(out)
	}
	return nil
}
