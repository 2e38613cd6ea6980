package main

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/examples/capstone/internal/service"
)

// TestIndependentQuestions holds the answers to what readers judged useful. The notes
// change: passages that no reader has judged are counted apart, and if there are many,
// the questions have to be judged anew.
func TestIndependentQuestions(t *testing.T) {
	if slow {
		t.Skip("one goroutine, slow under the race detector")
	}
	svc, err := service.New(t.Context(), service.Options{Tenant: evalTenant})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, svc.Close(context.Background())) })
	questions, err := (&settings{}).questions()
	require.NoError(t, err)
	results, err := independent(t.Context(), svc, questions, nil)
	require.NoError(t, err)
	require.Len(t, results, 420)
	var out strings.Builder
	_, _, err = report(&out, results)
	require.NoError(t, err)
	t.Log(out.String())
	var known, useful, wrong, unjudged, refuse, answered, refused, near int
	for _, r := range results {
		if r.question.Refuse {
			refuse++
			if r.verdict != verdictRefused {
				answered++
			}
			continue
		}
		if r.verdict == verdictUnjudged {
			unjudged++
		}
		if !r.answerable {
			continue
		}
		known++
		switch r.verdict {
		case verdictUseful:
			useful++
		case verdictWrong:
			wrong++
		case verdictRefused:
			refused++
			if r.near {
				near++
			}
		}
	}
	require.Equal(t, 102, refuse)
	require.Less(t, unjudged, 40, "judge the new passages, see testdata/questions/README.md")
	require.Greater(t, float64(useful), 0.6*float64(known-unjudged))
	require.Less(t, float64(wrong), 0.1*float64(known))
	require.LessOrEqual(t, answered, 8)
	require.GreaterOrEqual(t, float64(near), 0.9*float64(refused))

	questions, err = (&settings{set: "translated"}).questions()
	require.NoError(t, err)
	results, err = independent(t.Context(), svc, questions, nil)
	require.NoError(t, err)
	out.Reset()
	_, _, err = report(&out, results)
	require.NoError(t, err)
	t.Log("in other languages\n", out.String())
	lost := 0
	for _, r := range results {
		if r.answerable && r.verdict != verdictUseful && !r.near {
			lost++
		}
	}
	require.LessOrEqual(t, lost, 6, "neither a useful answer nor the right package, of 31")
}

// TestQuestionSets: an id names one question, and a follow-up has what it follows.
func TestQuestionSets(t *testing.T) {
	ids := map[string]string{}
	for _, set := range append(slices.Clone(questionSets), "aspects") {
		questions, err := (&settings{set: set}).questions()
		require.NoError(t, err)
		for _, q := range questions {
			require.Empty(t, ids[q.ID], "%s is in %s too", q.ID, set)
			ids[q.ID] = set
			require.Equal(t, strings.HasPrefix(q.Kind, "refuse-"), q.Refuse, q.ID)
			require.Equal(t, q.Kind == "followup", len(q.history()) > 0, q.ID)
		}
	}
	judgments, err := readLines[judgment]("judged.jsonl")
	require.NoError(t, err)
	for _, j := range judgments {
		require.NotEmpty(t, ids[j.Question], j.Question)
		require.Contains(t, []string{"yes", "partly", "no"}, j.Label)
	}
}

func TestCompareRuns(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cache", "last.json")
	run := func(v verdict) string {
		var out strings.Builder
		require.NoError(t, compare(&out, file, []result{{question: question{ID: "a", Question: "why?"}, verdict: v}}))
		return out.String()
	}
	require.Contains(t, run(verdictWrong), "no run before")
	require.Contains(t, run(verdictWrong), "nothing changed")
	require.Contains(t, run(verdictUseful), "wrong → useful  why?")
}
