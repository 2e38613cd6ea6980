package judge_test

import (
	"context"
	"errors"
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
