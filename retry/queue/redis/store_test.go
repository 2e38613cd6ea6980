package redis_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/retry/queue"
	queueredis "github.com/prodailabs/prodai/retry/queue/redis"
	"github.com/prodailabs/prodai/retry/queue/storetest"
)

// server starts a Redis of its own that puts each command on the disk before it
// answers. restart kills it and starts it again on the same files.
func server(t *testing.T) (client *redis.Client, restart func()) {
	t.Helper()
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("no redis-server in PATH")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	require.NoError(t, l.Close())
	client = redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + port, MaxRetries: -1})
	t.Cleanup(func() { _ = client.Close() })
	dir := t.TempDir()
	var cmd *exec.Cmd
	stop := func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	start := func() {
		cmd = exec.Command(binary, "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--appendfsync", "always", "--dir", dir)
		require.NoError(t, cmd.Start())
		require.Eventually(t, func() bool { return client.Ping(context.Background()).Err() == nil }, 10*time.Second, 20*time.Millisecond)
	}
	start()
	t.Cleanup(func() { stop() })
	return client, func() { stop(); start() }
}

func TestStore(t *testing.T) {
	client, _ := server(t)
	n := 0
	storetest.Run(t, func(t *testing.T) storetest.Subject {
		n++
		s, err := queueredis.New(client, &queueredis.Options{Prefix: fmt.Sprintf("{t%d}:", n)})
		require.NoError(t, err)
		return storetest.Subject{Store: s, Now: time.Now, Pass: time.Sleep}
	})
	_, err := queueredis.New(nil, nil)
	require.ErrorIs(t, err, queueredis.ErrOption)
}

// A proxy is a network between a client and Redis that can be cut.
type proxy struct {
	listener net.Listener
	mu       sync.Mutex
	open     []net.Conn
}

func newProxy(t *testing.T, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{listener: l}
	t.Cleanup(func() {
		_ = l.Close()
		p.cut()
	})
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", to)
			if err != nil {
				_ = client.Close()
				continue
			}
			p.mu.Lock()
			p.open = append(p.open, client, server)
			p.mu.Unlock()
			go func() { _, _ = io.Copy(server, client) }()
			go func() { _, _ = io.Copy(client, server) }()
		}
	}()
	return p
}

// cut closes all connections, in the middle of what they carry.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.open {
		_ = c.Close()
	}
	p.open = nil
}

// The network is cut again and again while jobs are stored and done. No job that was
// acknowledged is lost, and each slot is free at the end.
func TestNetworkCuts(t *testing.T) {
	direct, _ := server(t)
	p := newProxy(t, direct.Options().Addr)
	client := redis.NewClient(&redis.Options{Addr: p.listener.Addr().String(), MaxRetries: -1})
	t.Cleanup(func() { _ = client.Close() })
	s, err := queueredis.New(client, nil)
	require.NoError(t, err)
	q, err := queue.New(s, nil)
	require.NoError(t, err)
	k, err := queue.NewKind[string, string]("work", nil)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var ran sync.Map
	w, err := queue.NewWorker(q, []queue.Handler{k.Handler(func(_ context.Context, in string) (string, error) {
		ran.Store(in, true)
		return in, nil
	})}, &queue.WorkerOptions{Lease: time.Second, Concurrency: 2})
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	var acked []string
	for n := range 200 {
		id := fmt.Sprint(n)
		if _, err := k.Enqueue(ctx, q, id, &queue.JobOptions{ID: id}); err == nil {
			acked = append(acked, id)
		}
		if n%20 == 10 {
			p.cut()
		}
	}
	require.Greater(t, len(acked), 100)
	require.Eventually(t, func() bool {
		stats, err := q.Stats(ctx)
		return err == nil && stats[0].Ready+stats[0].Scheduled+stats[0].Running == 0
	}, 30*time.Second, 20*time.Millisecond)
	cancel()
	require.NoError(t, <-ended)
	require.Zero(t, w.Running())
	for _, id := range acked {
		_, ok := ran.Load(id)
		require.True(t, ok, "job %s is lost", id)
	}
}

// Several workers go on through restarts of Redis. No job that was acknowledged is
// lost.
func TestRedisRestarts(t *testing.T) {
	client, restart := server(t)
	s, err := queueredis.New(client, nil)
	require.NoError(t, err)
	q, err := queue.New(s, nil)
	require.NoError(t, err)
	k, err := queue.NewKind[string, string]("work", nil)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var mu sync.Mutex
	ran := map[string]int{}
	var all sync.WaitGroup
	for range 3 {
		w, err := queue.NewWorker(q, []queue.Handler{k.Handler(func(_ context.Context, in string) (string, error) {
			mu.Lock()
			defer mu.Unlock()
			ran[in]++
			return in, nil
		})}, &queue.WorkerOptions{Lease: time.Second, Concurrency: 4})
		require.NoError(t, err)
		all.Go(func() {
			if err := w.Run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	var acked []string
	for i := range 3 {
		for n := range 40 {
			id := fmt.Sprintf("%d-%d", i, n)
			if _, err := k.Enqueue(ctx, q, id, &queue.JobOptions{ID: id}); err == nil {
				acked = append(acked, id)
			}
			if n == 20 {
				restart()
			}
		}
	}
	require.Greater(t, len(acked), 100)
	require.Eventually(t, func() bool {
		stats, err := q.Stats(ctx)
		return err == nil && stats[0].Ready+stats[0].Scheduled+stats[0].Running == 0
	}, 30*time.Second, 20*time.Millisecond)
	cancel()
	all.Wait()
	for _, id := range acked {
		require.Positive(t, ran[id], "job %s is lost", id)
	}
}
