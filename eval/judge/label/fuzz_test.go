package label_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/prodailabs/prodai/eval/judge/label"
)

// FuzzPage: no file of labels and no form panics, a file of another kind is not
// changed, and a label that was taken is there again.
func FuzzPage(f *testing.F) {
	f.Add([]byte(""), "Anna", "i0", "right")
	f.Add([]byte(`{"person":"a","item":"i0","label":"wrong"}`+"\n"+`{"pers`), "b\x00", "i1", "wrong")
	f.Add([]byte("notes"), "a", "", "")
	f.Fuzz(func(t *testing.T, text []byte, person, item, choice string) {
		path := filepath.Join(t.TempDir(), "labels")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := label.New(items(2), &label.Options{Path: path})
		if err != nil {
			if kept, _ := os.ReadFile(path); !bytes.Equal(kept, text) || !errors.Is(err, label.ErrFormat) {
				t.Fatalf("%q became %q, %v", text, kept, err)
			}
			return
		}
		code := post(p, url.Values{"person": {person}, "item": {item}, "label": {choice}}).Code
		for _, target := range []string{"/?person=" + url.QueryEscape(person) + "&item=" + url.QueryEscape(item), "/labels.jsonl"} {
			p.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "http://localhost"+target, nil))
		}
		before, labels := p.Labels()
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		if code != http.StatusSeeOther || item == "" {
			return
		}
		p, err = label.New(items(2), &label.Options{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		after, again := p.Labels()
		if len(before) != len(after) || len(labels) != len(again) || labels[0][0] != again[0][0] || labels[1][0] != again[1][0] {
			t.Fatalf("%v %v, then %v %v", before, labels, after, again)
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
