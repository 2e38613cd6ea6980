package load_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/retrieve/load"
)

func read(t testing.TB, l load.Loader, text string) *load.Document {
	t.Helper()
	d, err := l(t.Context(), "f", strings.NewReader(text), nil)
	require.NoError(t, err)
	return d
}

func sections(d *load.Document) []string {
	var out []string
	for _, s := range d.Sections {
		out = append(out, d.Text[s.Start:s.End])
	}
	return out
}

func TestText(t *testing.T) {
	d := read(t, load.Text, "\ufeffOne.\nTwo.\n\nThree\n")
	require.Equal(t, []string{"One.\nTwo.\n\nThree"}, sections(d))
	at := strings.Index(d.Text, "Three")
	p, ok := d.Place(at, at+5)
	require.True(t, ok)
	require.Equal(t, load.Place{Start: at, End: at + 5, Line: 4}, p)
	require.Empty(t, read(t, load.Text, "").Sections)
	require.Empty(t, read(t, load.Text, " \n ").Documents())
}

func TestCSV(t *testing.T) {
	file := "\ufeffname;price;note\r\nToaster;20;\"two\r\nlines\"\r\n\r\nKettle;15;;extra\r\n;;\r\nLamp"
	d := read(t, load.CSV, file)
	require.Equal(t, []string{"name: Toaster\nprice: 20\nnote: two\nlines", "name: Kettle\nprice: 15\ncolumn 4: extra", "name: Lamp"}, sections(d))
	docs := d.Documents()
	for i, want := range []struct {
		row, line int
		bytes     string
	}{{1, 2, "Toaster;20;\"two\r\nlines\""}, {2, 5, "Kettle;15;;extra"}, {4, 7, "Lamp"}} {
		m := docs[i].Metadata
		require.Equal(t, want.row, m["row"])
		require.Equal(t, want.line, m["line"])
		require.Equal(t, want.bytes, file[m["file_start"].(int):m["file_end"].(int)])
		require.Equal(t, docs[i].PageContent, d.Text[m["start"].(int):m["end"].(int)])
		require.Equal(t, "f", m["source"])
	}
	require.Empty(t, read(t, load.CSV, "a,b\n").Documents())
	require.Equal(t, []string{"a: 1\nb: x \"y\" z"}, sections(read(t, load.CSV, "a\tb\n1\tx \"y\" z\n")), "quotes in the middle")
}

func TestLocateMarksPassagesOfAChunker(t *testing.T) {
	d := read(t, load.Text, "One.\nTwo.")
	passages := []schema.Document{
		{PageContent: "Two.", Metadata: map[string]any{"start": 5.0, "end": int64(9)}},
		{PageContent: "x", Metadata: map[string]any{"start": 5, "end": 900}},
		{PageContent: "x"},
	}
	d.Locate(passages)
	require.Equal(t, 2, passages[0].Metadata["line"])
	require.Equal(t, 5, passages[0].Metadata["file_start"])
	require.NotContains(t, passages[1].Metadata, "line")
	require.Nil(t, passages[2].Metadata)
	_, ok := d.Place(100, 200)
	require.False(t, ok)
	_, ok = d.Place(3, 3)
	require.False(t, ok)
}

func TestLimitsAreTyped(t *testing.T) {
	var limit *load.LimitError
	for _, l := range []load.Loader{load.Text, load.CSV} {
		_, err := l(t.Context(), "f", strings.NewReader("a,b\n1,2\n3,4"), &load.Options{MaxBytes: 5})
		require.ErrorAs(t, err, &limit)
		require.Equal(t, "file", limit.What)
		_, err = l(t.Context(), "f", strings.NewReader("a,b\n1,2\n3,4"), &load.Options{MaxText: 5})
		require.ErrorAs(t, err, &limit)
		require.Equal(t, "text", limit.What)
		_, err = l(t.Context(), "f", strings.NewReader("caf\xe9,b\n1,2"), nil)
		require.ErrorIs(t, err, load.ErrEncoding)
		require.ErrorContains(t, err, "byte 3")
		_, err = l(t.Context(), "f", nil, nil)
		require.ErrorIs(t, err, load.ErrOption)
		_, err = l(t.Context(), "f", strings.NewReader(""), &load.Options{MaxDepth: -1})
		require.ErrorIs(t, err, load.ErrOption)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = l(ctx, "f", strings.NewReader(""), nil)
		require.ErrorIs(t, err, context.Canceled)
	}
	// A heading of a thousand bytes, repeated for each of many cells.
	wide := strings.Repeat("h", 10_000) + "\n" + strings.Repeat("x\n", 10_000)
	_, err := load.CSV(t.Context(), "f", strings.NewReader(wide), nil)
	require.ErrorAs(t, err, &limit)
}

func TestFiles(t *testing.T) {
	fsys := fstest.MapFS{
		"b.TXT": {Data: []byte("b")}, "a/x.csv": {Data: []byte("h\nv")}, "a/bad.txt": {Data: []byte("\xff")}, "c.bin": {Data: []byte("c")},
		".git/x.txt": {Data: []byte("no")}, "a/.hidden.txt": {Data: []byte("no")},
	}
	loaders := map[string]load.Loader{".txt": load.Text, ".csv": load.CSV}
	var names []string
	failed := 0
	for d, err := range load.Files(t.Context(), fsys, loaders, nil) {
		if err != nil {
			require.ErrorIs(t, err, load.ErrEncoding)
			require.ErrorContains(t, err, "a/bad.txt")
			failed++
			continue
		}
		names = append(names, d.Source)
	}
	require.Equal(t, []string{"a/x.csv", "b.TXT"}, names)
	require.Equal(t, 1, failed)
	for range load.Files(t.Context(), fsys, loaders, nil) {
		break
	}
	for _, err := range load.Files(t.Context(), nil, nil, nil) {
		require.ErrorIs(t, err, load.ErrOption)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range load.Files(ctx, fsys, loaders, nil) {
		require.ErrorIs(t, err, context.Canceled)
	}
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte("a,b\n1,\"x\ny\"\n\n3"))
	f.Add([]byte("\ufeffa;b\r\n;\"\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := load.CSV(t.Context(), "f", bytes.NewReader(data), &load.Options{MaxText: 1 << 20})
		var limit *load.LimitError
		if err != nil {
			if !errors.Is(err, load.ErrFormat) && !errors.Is(err, load.ErrEncoding) && !errors.As(err, &limit) {
				t.Fatal(err)
			}
			return
		}
		last := 0
		for _, p := range d.Documents() {
			m := p.Metadata
			start, end := m["file_start"].(int), m["file_end"].(int)
			if start < last || end <= start || end > len(data) {
				t.Fatalf("row [%d, %d) after %d of %d", start, end, last, len(data))
			}
			last = end
		}
	})
}
