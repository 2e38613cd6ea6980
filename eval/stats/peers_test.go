package stats

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var peersFolder = flag.String("peers", "", "folder that testdata/peers/compare.py wrote its statistics to")

// TestPeers runs the tests of corpora on the same statistics as sacreBLEU.
// testdata/peers/compare.py starts it, checks that the p-values are equal, and
// compares the times.
func TestPeers(t *testing.T) {
	if *peersFolder == "" {
		t.Skip("testdata/peers/compare.py runs this test beside sacreBLEU")
	}
	read := func(name string, v any) {
		data, err := os.ReadFile(filepath.Join(*peersFolder, name))
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(data, v))
	}
	var peers []struct {
		Metric, Test string
		P            float64
	}
	read("peer.json", &peers)
	require.NotEmpty(t, peers)
	type timing struct {
		Metric string  `json:"metric"`
		Test   string  `json:"test"`
		One    float64 `json:"one"`
		Two    float64 `json:"two"`
		P      float64 `json:"p"`
	}
	metrics := corpusMetrics(t)
	var out []timing
	for _, peer := range peers {
		var corpus struct {
			Width            int
			Baseline, System []float64
		}
		read(peer.Metric+".json", &corpus)
		run := PairedBootstrap
		if peer.Test == "ar" {
			run = ApproximateRandomization
		}
		row := timing{Metric: peer.Metric, Test: peer.Test}
		for workers, seconds := range []*float64{1: &row.One, 2: &row.Two} {
			if seconds == nil {
				continue
			}
			for range 5 { // the best of five: the machine may have other work
				start := time.Now()
				res, err := run(corpus.Baseline, corpus.System, corpus.Width, metrics[peer.Metric].Value,
					&CorpusOptions{Resamples: 1000, Workers: workers})
				require.NoError(t, err)
				if took := time.Since(start).Seconds(); *seconds == 0 || took < *seconds {
					*seconds = took
				}
				require.Equal(t, peer.P, res.P, "%s %s", peer.Metric, peer.Test)
				row.P = res.P
			}
		}
		out = append(out, row)
	}
	data, err := json.Marshal(out)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(*peersFolder, "go.json"), data, 0o644))
}
