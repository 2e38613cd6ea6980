package redis_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/internal/redistest"
	"github.com/prodailabs/prodai/retry/queue"
	queueredis "github.com/prodailabs/prodai/retry/queue/redis"
	"github.com/prodailabs/prodai/retry/queue/storetest"
)

// server starts a Redis of its own that puts each command on the disk before it
// answers.
func server(t *testing.T) *redistest.Server {
	t.Helper()
	return redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
}

// A clock gives the scripts of a client its own time in place of Redis' time, so that a
// lease ends when a check lets time pass, and not when the machine is busy.
type clock struct{ at atomic.Int64 } // in Unix nanoseconds

func (c *clock) now() time.Time       { return time.Unix(0, c.at.Load()) }
func (c *clock) pass(d time.Duration) { c.at.Add(int64(d)) }

// noScript makes the client send the script itself.
type noScript struct{ error }

func (noScript) RedisError() {}

func (c *clock) DialHook(next redis.DialHook) redis.DialHook { return next }
func (c *clock) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (c *clock) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		switch cmd.Name() {
		case "evalsha":
			err := noScript{errors.New("NOSCRIPT here")}
			cmd.SetErr(err)
			return err
		case "eval":
			at := c.now()
			script := cmd.Args()[1].(string)
			cmd.Args()[1] = strings.Replace(script, "redis.call('TIME')", fmt.Sprintf("{%d, %d}", at.Unix(), at.Nanosecond()/1000), 1)
			if cmd.Args()[1] == script {
				return errors.New("a script that does not ask for the time")
			}
		}
		return next(ctx, cmd)
	}
}

func TestStore(t *testing.T) {
	client := server(t).Client()
	c := &clock{}
	c.at.Store(time.Now().UnixNano())
	client.AddHook(c)
	n := 0
	storetest.Run(t, func(t *testing.T) storetest.Subject {
		n++
		s, err := queueredis.New(client, &queueredis.Options{Prefix: fmt.Sprintf("{t%d}:", n)})
		require.NoError(t, err)
		return storetest.Subject{Store: s, Now: c.now, Pass: c.pass}
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

func newProxy(t *testing.T, to *redis.Options) *proxy {
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
			server, err := net.Dial(to.Network, to.Addr)
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
	p := newProxy(t, server(t).Options())
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
	}, 2*time.Minute, 20*time.Millisecond)
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
	server := server(t)
	s, err := queueredis.New(server.Client(), nil)
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
				server.Restart()
			}
		}
	}
	require.Greater(t, len(acked), 60)
	require.Eventually(t, func() bool {
		stats, err := q.Stats(ctx)
		return err == nil && stats[0].Ready+stats[0].Scheduled+stats[0].Running == 0
	}, 2*time.Minute, 20*time.Millisecond)
	cancel()
	all.Wait()
	for _, id := range acked {
		require.Positive(t, ran[id], "job %s is lost", id)
	}
}
