package judge_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval/judge"
	"github.com/prodailabs/prodai/eval/modeltest"
)

// FuzzReplies: no reply panics, a rating is on its scale, and a grade exists only
// with the check word and every criterion.
func FuzzReplies(f *testing.F) {
	for _, reply := range []string{"", "[[A]]", "8/10", `{"score": "3"}`, `{"score": 1, "score": 2}`, "<think>", "{\"", `{` + check + `, "grades": {"correct": 5, "polite": 1}}`, `{` + check + `, "grades": [`, "{{{{", `{"grades": null}`} {
		f.Add(reply)
	}
	f.Fuzz(func(t *testing.T, reply string) {
		v, err := judge.ParseRating(reply, judge.Range{Min: 1, Max: 5})
		if err == nil && !(v >= 1 && v <= 5) || err != nil && !errors.Is(err, judge.ErrParse) {
			t.Fatalf("rating %v, %v", v, err)
		}
		verdict, err := judge.ParseVerdict(reply)
		if (err == nil) != (verdict != judge.VerdictUnset) {
			t.Fatalf("verdict %v, %v", verdict, err)
		}
		turn := modeltest.Turn{Choices: []*llms.ContentChoice{{Content: reply, StopReason: "stop"}}}
		j, err := once(turn)
		if err != nil {
			t.Fatal(err)
		}
		r, err := j.Grade(context.Background(), judge.Item{Output: "x"})
		if err != nil {
			t.Fatal(err)
		}
		if r.Outcome == judge.OutcomeScored {
			if len(r.Grades) != 2 || !(r.Score >= 0 && r.Score <= 1) || !strings.Contains(reply, "ok") {
				t.Fatalf("%+v", r)
			}
		} else if r.Score != 0 || r.Grades != nil {
			t.Fatalf("a score without the outcome: %+v", r)
		}
	})
}

func once(turn modeltest.Turn) (*judge.Judge, error) {
	return judge.New(&modeltest.Script{Turns: []modeltest.Turn{turn}}, "m", rubric, &judge.Options{Nonce: fixed, ReAsks: -1})
}

// FuzzFileCache: no file panics, one of another kind is not changed, and what is put
// in is there after the file is opened again.
func FuzzFileCache(f *testing.F) {
	for _, text := range []string{"", `{"key":"a","value":"MQ=="}` + "\n", `{"key":"a","value":"MQ=="}` + "\n" + `{"ke`, "notes\n", "notes", "{}\n", "\n"} {
		f.Add([]byte(text), []byte("v"))
	}
	f.Fuzz(func(t *testing.T, text, value []byte) {
		path := filepath.Join(t.TempDir(), "cache")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := judge.OpenFileCache(path)
		if err != nil {
			if kept, _ := os.ReadFile(path); !bytes.Equal(kept, text) {
				t.Fatalf("%q became %q", text, kept)
			}
			return
		}
		if err := errors.Join(c.Put(context.Background(), "k", value), c.Close()); err != nil {
			t.Fatal(err)
		}
		c, err = judge.OpenFileCache(path)
		if err != nil {
			t.Fatal(err)
		}
		got, ok, err := c.Get(context.Background(), "k")
		if err != nil || !ok || !bytes.Equal(got, value) {
			t.Fatalf("%q, %v, %v", got, ok, err)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
