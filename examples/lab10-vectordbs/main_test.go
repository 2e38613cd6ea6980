package main

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// clock returns a lab's time, which goes on by a millisecond with each look.
func clock() func() time.Time {
	at := time.Unix(0, 0)
	return func() time.Time {
		at = at.Add(time.Millisecond)
		return at
	}
}

func run(t *testing.T, l lab) string {
	t.Helper()
	var out bytes.Buffer
	l.n, l.now = 600, clock()
	require.NoError(t, l.run(t.Context(), &out))
	return out.String()
}

// check reads the figures of a store.
func check(t *testing.T, out, name string, leastRecall string) {
	t.Helper()
	recall := regexp.MustCompile(` ` + name + `  +([01]\.\d{3}) `).FindStringSubmatch(out)
	require.NotNil(t, recall, "%s\n%s", name, out)
	require.GreaterOrEqual(t, recall[1], leastRecall, name)
	filtered := func(name string) string {
		m := regexp.MustCompile(` ` + name + `  +(10\.0 \| .*)`).FindStringSubmatch(out)
		require.NotNil(t, m, "%s\n%s", name, out)
		return m[1]
	}
	require.Regexp(t, `^10\.0 \| [3-6]\.\d  +(?:[6-9]\.\d|10\.0) \| [01]\.\d  +[12]\.\d \| 0\.\d$`, filtered("collection, exact"), "the store applies the filter, and 1 %% of a third is few")
	after := regexp.MustCompile(` \| \d\.\d`) // of a search without the filter, which may be approximate
	require.Equal(t, after.ReplaceAllString(filtered("collection, exact"), ""), after.ReplaceAllString(filtered(name), ""))
	require.Regexp(t, ` `+name+`  +0 own, 20 public  +[1-9]\d* own, \d+ public  +[1-9]\d* own, \d+ public  +0 own, 20 public\n`, out, "the attack finds what no tenant finds")
}

func TestRunIsTheSameEveryTime(t *testing.T) {
	out := run(t, lab{})
	require.Equal(t, out, run(t, lab{}))
	check(t, out, "collection, exact", "1.000")
	check(t, out, "collection, graph", "0.950")
	require.Contains(t, out, "Moved to another store: 600 of 600 passages, 0 texts embedded again.")
	require.Contains(t, out, "What to notice")
}

// .ci/run starts real databases, and this test asks them the same.
func TestRealDatabasesGiveTheSame(t *testing.T) {
	l := lab{pgvector: os.Getenv("PRODAI_PGVECTOR"), chroma: os.Getenv("PRODAI_CHROMA"), qdrant: os.Getenv("PRODAI_QDRANT"), weaviate: os.Getenv("PRODAI_WEAVIATE")}
	if l.pgvector+l.chroma+l.qdrant+l.weaviate == "" {
		t.Skip("no database is given: .ci/stores go test ./examples/lab10-vectordbs starts some")
	}
	out := run(t, l)
	for name, given := range map[string]string{"pgvector": l.pgvector, "chroma": l.chroma, "qdrant": l.qdrant, "weaviate": l.weaviate} {
		if given != "" {
			check(t, out, name, "0.950")
		}
	}
}

func TestRefusals(t *testing.T) {
	for _, l := range []lab{{n: 1}, {n: 500, chroma: "nowhere"}, {n: 500, pinecone: "index"}} {
		l.now = time.Now
		require.Error(t, l.run(t.Context(), &strings.Builder{}))
	}
}
