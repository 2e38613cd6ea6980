// Package token measures the counting of tokens beside tiktoken-go.
//
//	go test ./token -run Compare -compare -v      # a table, interleaved
//	go test ./token -bench .                      # the same as benchmarks
//
// Peers in other languages: chunk/token/testdata/peers.
package token

import (
	"flag"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/pkoukk/tiktoken-go"
	loader "github.com/pkoukk/tiktoken-go-loader"

	"github.com/prodailabs/prodai/chunk/token"
	"github.com/prodailabs/prodai/chunk/token/cl100k"
	"github.com/prodailabs/prodai/chunk/token/o200k"
	"github.com/prodailabs/prodai/internal/bench/token/texts"
)

var compare = flag.Bool("compare", false, "print the table of speeds")

// peerBytes is how much of a text the peer gets: it would take minutes for the
// whole. It is quadratic in the length of a piece, so the one-letter text is
// cut shorter still, in its favor.
func peerBytes(name string) int {
	if name == "letter" {
		return 8 << 10
	}
	return 128 << 10
}

func peers(tb testing.TB, name string) (ours func(string) int, theirs func(string) int) {
	tiktoken.SetBpeLoader(loader.NewOfflineLoader())
	peer, err := tiktoken.GetEncoding(name)
	if err != nil {
		tb.Fatal(err)
	}
	e := o200k.Encoding()
	if name == "cl100k_base" {
		e = cl100k.Encoding()
	}
	return e.Count, func(s string) int { return len(peer.EncodeOrdinary(s)) }
}

// TestCompare measures in turns and reports the best of each.
func TestCompare(t *testing.T) {
	if !*compare {
		t.Skip("run with -compare")
	}
	all, err := texts.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"o200k_base", "cl100k_base"} {
		ours, theirs := peers(t, name)
		for _, text := range all {
			short := strings.ToValidUTF8(text.Text[:min(len(text.Text), peerBytes(text.Name))], "")
			var a, b float64
			var n, m int
			for range 5 {
				n = ours(text.Text)
				start := time.Now()
				ours(text.Text)
				a = max(a, float64(len(text.Text))/1e6/time.Since(start).Seconds())
				start = time.Now()
				m = theirs(short)
				b = max(b, float64(len(short))/1e6/time.Since(start).Seconds())
			}
			t.Logf("%-12s %-8s prodai %8.2f MB/s (%d tokens)   tiktoken-go %7.3f MB/s   ratio %7.1f", name, text.Name, a, n, b, a/b)
			if d := ours(short) - m; d != 0 {
				t.Logf("%-12s %-8s tiktoken-go counts %d tokens, %d off", name, text.Name, m, -d)
			}
		}
	}
}

// TestTheirLoaderIsOurs reads ranks through tiktoken-go's loader.
func TestTheirLoaderIsOurs(t *testing.T) {
	r, err := token.LoadRanks(loader.NewOfflineLoader(), "https://openaipublic.blob.core.windows.net/encodings/cl100k_base.tiktoken")
	if err != nil {
		t.Fatal(err)
	}
	e, err := token.New(r, &token.Options{Pattern: token.PatternCL100K})
	if err != nil {
		t.Fatal(err)
	}
	text := "The ranks are the same, whoever loads them: 日本語 🧑‍🚀"
	if got, want := e.Count(text), cl100k.Encoding().Count(text); got != want {
		t.Fatalf("%d tokens, want %d", got, want)
	}
}

// TestEstimate holds the estimate to the count.
func TestEstimate(t *testing.T) {
	if !*compare {
		t.Skip("run with -compare")
	}
	all, err := texts.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range all {
		t.Logf("%-8s estimate/count %.2f", text.Name, float64(token.Estimate(text.Text))/float64(o200k.Encoding().Count(text.Text)))
	}
}

// TestLoad reports what an encoding costs once.
func TestLoad(t *testing.T) {
	if !*compare {
		t.Skip("run with -compare")
	}
	packed, err := o200k.Encoding().Ranks().MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := time.Now()
	r, err := token.UnmarshalRanks(packed)
	if err != nil {
		t.Fatal(err)
	}
	e, err := token.New(r, &token.Options{Special: o200k.Encoding().Special()})
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(start)
	runtime.GC()
	runtime.ReadMemStats(&after)
	t.Logf("o200k_base: %v to load, %.1f MiB of heap", took, float64(after.HeapAlloc-before.HeapAlloc)/(1<<20))
	runtime.KeepAlive(e)
}

func BenchmarkCount(b *testing.B) {
	all, err := texts.All()
	if err != nil {
		b.Fatal(err)
	}
	ours, theirs := peers(b, "o200k_base")
	for _, text := range all {
		b.Run(text.Name+"/prodai", func(b *testing.B) {
			b.SetBytes(int64(len(text.Text)))
			b.ReportAllocs()
			for b.Loop() {
				ours(text.Text)
			}
		})
		short := strings.ToValidUTF8(text.Text[:min(len(text.Text), peerBytes(text.Name))], "")
		b.Run(text.Name+"/tiktoken-go", func(b *testing.B) {
			b.SetBytes(int64(len(short)))
			b.ReportAllocs()
			for b.Loop() {
				theirs(short)
			}
		})
	}
}
