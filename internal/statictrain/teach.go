package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/prodailabs/prodai/retrieve/embed/bert"
)

// teachCommand writes the teacher's vectors of all texts: of A and then B of each pair, or
// of the texts that "eval -texts" wrote, as float32 in little endian. A run that was
// interrupted goes on where it stopped.
func teachCommand(ctx context.Context, args []string, out io.Writer) error {
	f := flag.NewFlagSet("teach", flag.ContinueOnError)
	in := f.String("pairs", "pairs.jsonl", "the pairs")
	list := f.String("texts", "", "a list of texts in place of pairs")
	folder := f.String("teacher", "", "the teacher's folder: all-MiniLM-L6-v2 as on Hugging Face")
	file := f.String("out", "teacher.f32", "the file to write")
	workers := f.Int("workers", 1, "goroutines")
	if err := f.Parse(args); err != nil {
		return err
	}
	texts, err := readTexts(*list, *in)
	if err != nil {
		return err
	}
	teacher, err := bert.NewEmbedder(*folder, &bert.Options{Precision: bert.PrecisionInt8, Workers: *workers})
	if err != nil {
		return err
	}
	w, err := os.OpenFile(*file, os.O_CREATE|os.O_RDWR, 0o644) //nolint:gosec // the path is the user's, the file no secret
	if err != nil {
		return err
	}
	defer func() { _ = w.Close() }()
	size, err := w.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	one := int64(4 * teacher.Dimensions())
	done := int(size / one)
	if _, err := w.Seek(int64(done)*one, io.SeekStart); err != nil {
		return err
	}
	const batch = 128
	for from := min(done, len(texts)); from < len(texts); from += batch {
		vectors, err := teacher.EmbedDocuments(ctx, texts[from:min(from+batch, len(texts))])
		if err != nil {
			return err
		}
		var b []byte
		for _, v := range vectors {
			b = appendFloats(b, v)
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "%d texts, %d numbers each\n", len(texts), teacher.Dimensions())
	return w.Close()
}

func readTexts(list, pairsFile string) (out []string, err error) {
	if list != "" {
		data, err := os.ReadFile(list) //nolint:gosec // the path is the user's
		if err != nil {
			return nil, err
		}
		err = json.Unmarshal(data, &out)
		return out, err
	}
	pairs, err := readPairs(pairsFile)
	for _, p := range pairs {
		out = append(out, p.A, p.B)
	}
	return out, err
}

func readPairs(path string) (out []pair, err error) {
	err = lines(path, func(line []byte) error {
		var p pair
		if err := json.Unmarshal(line, &p); err != nil {
			return err
		}
		out = append(out, p)
		return nil
	})
	return out, err
}

// readTeacher reads the vectors of the first pairs: a teacher may have stopped early.
func readTeacher(path string, dim int) (a, b [][]float32, err error) {
	data, err := os.ReadFile(path) //nolint:gosec // the path is the user's
	if err != nil {
		return nil, nil, err
	}
	for one := 4 * dim; len(data) >= 2*one; data = data[2*one:] {
		a, b = append(a, floats(data[:one])), append(b, floats(data[one:2*one]))
	}
	return a, b, nil
}
