package retrieve

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/schema"

	"github.com/prodailabs/prodai/internal/docmeta"
	"github.com/prodailabs/prodai/retrieve/bm25"
)

// writerEnv makes the test binary a process that writes to a collection until it is
// killed.
const writerEnv = "PRODAI_RETRIEVE_WRITER"

// killsEnv is the number of processes that TestKilledWriters kills. Default: 50.
const killsEnv = "PRODAI_KILLS"

// TestMain runs the writer, in the child process.
func TestMain(m *testing.M) {
	if path := os.Getenv(writerEnv); path != "" {
		if err := write(path); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

func openWithWords(path string) (*Collection, error) {
	x, err := bm25.New(nil)
	if err != nil {
		return nil, err
	}
	return open300(path, randomVectors{12}, &Options{Words: x})
}

// write changes a collection, and prints each change when it is acknowledged. Passage
// i has the text of its last version.
func write(path string) error {
	c, err := openWithWords(path)
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(uint64(os.Getpid()), 1))
	fmt.Println("open")
	for version := 1; ; version++ {
		var docs []schema.Document
		var line strings.Builder
		for range 1 + rng.IntN(40) {
			i := rng.IntN(500)
			docs = append(docs, schema.Document{PageContent: fmt.Sprint(version), Metadata: map[string]any{docmeta.ID: fmt.Sprint("p", i)}})
			fmt.Fprintf(&line, " %d=%d", i, version)
		}
		// The line says what will be tried, the next one that it is done.
		fmt.Println("try" + line.String())
		if _, err := c.Upsert(context.Background(), docs); err != nil {
			return err
		}
		fmt.Println("done")
		if rng.IntN(3) == 0 {
			i := rng.IntN(500)
			fmt.Printf("try %d=0\n", i)
			if _, err := c.Delete(context.Background(), fmt.Sprint("p", i)); err != nil {
				return err
			}
			fmt.Println("done")
		}
		if rng.IntN(40) == 0 { // close, with the index, and open
			if err := c.Close(); err != nil {
				return err
			}
			if c, err = openWithWords(path); err != nil {
				return err
			}
		}
	}
}

// TestKilledWriters kills processes while they write to one collection, at random
// moments: what was acknowledged is there, what was tried last is there whole or not at
// all, and nothing is damaged.
func TestKilledWriters(t *testing.T) {
	kills := 50
	if n, err := strconv.Atoi(os.Getenv(killsEnv)); err == nil {
		kills = n
	}
	path := filepath.Join(t.TempDir(), "c")
	state := map[int]int{} // passage → version
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 2))
	acknowledged, graphs := 0, 0
	for round := range kills {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^$")
		cmd.Env = append(os.Environ(), writerEnv+"="+path)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		lines := bufio.NewScanner(out)
		lines.Buffer(nil, 1<<20)
		require.True(t, lines.Scan())
		require.Equal(t, "open", lines.Text())
		kill := func() {
			time.AfterFunc(time.Duration(rng.IntN(60_000))*time.Microsecond, func() { _ = cmd.Process.Kill() })
		}
		first := round%2 == 0 // at any moment, or after a change, which a busy machine may need long for
		if first {
			kill()
		}
		var tried map[int]int
		for lines.Scan() {
			kind, rest, _ := strings.Cut(lines.Text(), " ")
			switch kind {
			case "try":
				tried = parseTried(rest)
			case "done":
				acknowledged++
				merge(state, tried)
				tried = nil
				if !first {
					first = true
					kill()
				}
			default:
				t.Fatal(lines.Text())
			}
		}
		require.Error(t, cmd.Wait(), "it was killed")

		c, err := openWithWords(path)
		require.NoError(t, err)
		require.Equal(t, c.Len(), c.o.Words.(StoredWords).Len())
		got := map[int]int{}
		for id, p := range c.passages {
			version, err := strconv.Atoi(p.Text)
			require.NoError(t, err)
			got[atoi(id)] = version
		}
		if tried != nil {
			after := map[int]int{}
			merge(after, state)
			merge(after, tried)
			if fmt.Sprint(got) == fmt.Sprint(after) {
				state = after
			}
		}
		require.Equal(t, state, got)
		if c.index != nil {
			require.Equal(t, len(got), c.index.Len())
		}
		if isGraph(c) {
			graphs++
		}
		for id, p := range c.passages { // one is enough: it searches all
			hits, err := c.nearest(p.vector(), 1000, nil)
			require.NoError(t, err)
			require.NotEmpty(t, hits)
			require.Contains(t, hits, Ranked[string]{id, hits[0].Score})
			break
		}
		require.NoError(t, c.Close())
	}
	t.Logf("%d kills, %d acknowledged changes, %d times with a graph", kills, acknowledged, graphs)
	require.Positive(t, acknowledged)
}

func parseTried(line string) map[int]int {
	out := map[int]int{}
	for field := range strings.FieldsSeq(line) {
		var i, version int
		if _, err := fmt.Sscanf(field, "%d=%d", &i, &version); err != nil {
			return nil
		}
		out[i] = version
	}
	return out
}

// merge makes changes; version 0 removes.
func merge(state, changes map[int]int) {
	for i, version := range changes {
		if version == 0 {
			delete(state, i)
		} else {
			state[i] = version
		}
	}
}
