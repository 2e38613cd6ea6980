package storetest

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/retrieve"
	"github.com/prodailabs/prodai/retrieve/store"
)

// answers is a server that gives its answers in order, and then the last one forever.
type answers []string

// RoundTrip returns the next answer.
func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	body := (*a)[0]
	if len(*a) > 1 {
		*a = (*a)[1:]
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// FuzzAnswers gives a database's package any text as the answer of its server: first the
// answers that opening it takes, then the text, for each call. It must not panic, nor
// return a record without metadata.
func FuzzAnswers(f *testing.F, opening []string, open func(c *http.Client) (store.Database, error), seeds ...string) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a := append(append(answers{}, opening...), text)
		db, err := open(&http.Client{Transport: &a})
		if err != nil {
			t.Fatal(err)
		}
		ctx := context.Background()
		check := func(records []retrieve.Record, err error) {
			for _, r := range records {
				if err == nil && r.Metadata == nil {
					t.Fatalf("a record without metadata: %+v", r)
				}
			}
		}
		v := make([]float32, Dim)
		v[0] = 1
		check(db.Get(ctx, []string{"a", "b"}))
		check(db.Search(ctx, v, 3, nil))
		records, _, err := db.Scan(ctx, "", 3)
		check(records, err)
		_, _ = db.Delete(ctx, []string{"a"}) // only a panic counts
		_ = db.Upsert(ctx, []retrieve.Record{{Document: schema.Document{PageContent: "x", Metadata: map[string]any{"id": "a"}}, Vector: v}})
	})
}
