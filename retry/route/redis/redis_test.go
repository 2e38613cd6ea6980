package redis

import (
	"net"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retry/route"
)

// start runs a redis-server for a test.
func start(t *testing.T) *goredis.Client {
	t.Helper()
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("no redis-server in PATH")
	}
	socket := filepath.Join(t.TempDir(), "redis.sock")
	cmd := exec.Command(binary, "--port", "0", "--unixsocket", socket, "--save", "", "--dir", t.TempDir())
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }) // it may have ended
	require.Eventually(t, func() bool {
		c, err := net.Dial("unix", socket)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	}, 20*time.Second, 20*time.Millisecond)
	client := goredis.NewClient(&goredis.Options{Network: "unix", Addr: socket})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// TestReplicas: four replicas record and synchronize at the same time, and no result
// is lost or counted twice. A rollback by one of them reaches all.
func TestReplicas(t *testing.T) {
	client := start(t)
	store, err := New(client, nil)
	require.NoError(t, err)
	const replicas, results = 4, 200
	var all sync.WaitGroup
	var canaries []*route.Canary
	for range replicas {
		c, err := route.NewCanary(&route.CanaryOptions{Store: store, Interval: time.Hour})
		require.NoError(t, err)
		canaries = append(canaries, c)
	}
	for _, c := range canaries {
		all.Go(func() {
			for i := range results {
				c.Record(route.VersionCanary, route.JudgmentGood, time.Millisecond)
				if i%10 == 0 {
					_ = c.Sync(t.Context()) // another replica may have been faster each time: the next one sends it
				}
			}
		})
	}
	all.Wait()
	for range 2 {
		for _, c := range canaries {
			require.NoError(t, c.Sync(t.Context()))
		}
	}
	for _, c := range canaries {
		require.Equal(t, replicas*results, c.State().Total.Canary.Good)
	}
	canaries[2].Rollback("by hand")
	for range 2 {
		for _, c := range canaries {
			require.NoError(t, c.Sync(t.Context()))
		}
	}
	for _, c := range canaries {
		require.Equal(t, route.PhaseFailed, c.State().Phase)
		require.Equal(t, route.VersionStable, c.Assign(""))
	}
	_, _, err = store.Load(t.Context(), "other")
	require.NoError(t, err)
	require.NoError(t, client.HSet(t.Context(), "route:canary:canary", "revision", "x").Err())
	require.Error(t, canaries[0].Sync(t.Context()))
}

func TestOptions(t *testing.T) {
	_, err := New(nil, nil)
	require.ErrorIs(t, err, ErrOption)
	_, err = New(goredis.NewClient(&goredis.Options{}), &Options{Keep: -1})
	require.ErrorIs(t, err, ErrOption)
}
