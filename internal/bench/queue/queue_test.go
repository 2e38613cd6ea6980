// Package queue_test measures retry/queue beside asynq, with the same promise: a task
// is on the disk before it is acknowledged. asynq uses a Redis of its own with
// appendfsync always. Run
//
//	cd internal/bench && go test ./queue -run Rates -v -tasks 20000 -rounds 3
//
// The rates of one run compare with one another only. Processor time is that of the
// Go program; Redis' own is printed beside it. If PRODAI_CELERY names a Python that has
// celery[redis], Celery is measured too: one producer, and a worker with ten threads.
package queue_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/prodailabs/prodai/internal/growth"
	"github.com/prodailabs/prodai/retry/queue"
	queueredis "github.com/prodailabs/prodai/retry/queue/redis"
)

var (
	tasks  = flag.Int("tasks", 2000, "tasks in a round")
	rounds = flag.Int("rounds", 1, "rounds, of which the median is printed")
)

const workers = 64

// A measure is one round of a system.
type measure struct {
	enqueue, consume float64       // tasks a second
	cpu              time.Duration // of this program, for a task
	redis            time.Duration // of redis-server, for a task
}

// server starts a Redis that puts each command on the disk before it answers. It tries
// another port if another program has taken the one that was free.
func server(t *testing.T) *redis.Client {
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("no redis-server in PATH")
	}
	for range 5 {
		if c := serverOnce(t, binary); c != nil {
			return c
		}
	}
	t.Fatal("redis did not start")
	return nil
}

func serverOnce(t *testing.T, binary string) *redis.Client {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	_ = l.Close()
	cmd := exec.Command(binary, "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--appendfsync", "always", "--dir", t.TempDir())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + port})
	t.Cleanup(func() {
		_ = client.Close()
		_ = cmd.Process.Kill()
		<-ended
	})
	own := fmt.Sprintf("process_id:%d\r", cmd.Process.Pid)
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if info, err := client.Info(context.Background(), "server").Result(); err == nil && strings.Contains(info, own) {
			return client
		}
		select {
		case <-ended:
			return nil
		default:
		}
	}
	return nil
}

// redisTime is the processor time of a Redis so far.
func redisTime(t *testing.T, c *redis.Client) (d time.Duration) {
	if c == nil {
		return 0
	}
	info, err := c.Info(context.Background(), "cpu").Result()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(info) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if name == "used_cpu_user" || name == "used_cpu_sys" {
			s, err := strconv.ParseFloat(value, 64)
			if err != nil {
				t.Fatal(err)
			}
			d += time.Duration(s * float64(time.Second))
		}
	}
	return d
}

// round times n calls of enqueue by many goroutines, and then consume.
func round(t *testing.T, c *redis.Client, enqueue func(i int) error, consume func(done func())) measure {
	cpu, server := growth.ProcessorTime(), redisTime(t, c)
	n := *tasks
	var next atomic.Int64
	var all sync.WaitGroup
	start := time.Now()
	for range workers {
		all.Go(func() {
			for i := int(next.Add(1)); i <= n; i = int(next.Add(1)) {
				if err := enqueue(i); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	m := measure{enqueue: float64(n) / time.Since(start).Seconds()}
	start = time.Now()
	var left atomic.Int64
	left.Store(int64(n))
	ended := make(chan struct{})
	go consume(func() {
		if left.Add(-1) == 0 {
			close(ended)
		}
	})
	<-ended
	m.consume = float64(n) / time.Since(start).Seconds()
	m.cpu, m.redis = (growth.ProcessorTime()-cpu)/time.Duration(n), (redisTime(t, c)-server)/time.Duration(n)
	return m
}

type payload struct{ Document, Model string }

func body(i int) payload {
	return payload{fmt.Sprintf("documents/%d.md", i), "text-embedding-3-small"}
}

// ours measures retry/queue on a store.
func ours(t *testing.T, store queue.Store, c *redis.Client) measure {
	q, err := queue.New(store, nil)
	if err != nil {
		t.Fatal(err)
	}
	k, err := queue.NewKind[payload, int]("embed", &queue.KindOptions{Keep: -1})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	m := round(t, c, func(i int) error {
		_, err := k.Enqueue(ctx, q, body(i), nil)
		return err
	}, func(done func()) {
		defer close(stopped)
		w, err := queue.NewWorker(q, []queue.Handler{k.Handler(func(context.Context, payload) (int, error) {
			done()
			return 0, nil
		})}, &queue.WorkerOptions{Concurrency: workers})
		if err == nil {
			err = w.Run(ctx)
		}
		if err != nil {
			t.Error(err)
		}
	})
	cancel()
	<-stopped
	return m
}

// peer measures asynq.
func peer(t *testing.T) measure {
	c := server(t)
	address := asynq.RedisClientOpt{Addr: c.Options().Addr}
	client := asynq.NewClient(address)
	defer client.Close()
	srv := asynq.NewServer(address, asynq.Config{Concurrency: workers, LogLevel: asynq.FatalLevel})
	m := round(t, c, func(i int) error {
		data, err := json.Marshal(body(i))
		if err != nil {
			return err
		}
		_, err = client.Enqueue(asynq.NewTask("embed", data))
		return err
	}, func(done func()) {
		mux := asynq.NewServeMux()
		mux.HandleFunc("embed", func(_ context.Context, task *asynq.Task) error {
			var p payload
			if err := json.Unmarshal(task.Payload(), &p); err != nil {
				return err
			}
			done()
			return nil
		})
		if err := srv.Start(mux); err != nil {
			t.Error(err)
		}
	})
	srv.Shutdown()
	return m
}

// celery measures Celery. What its programs need to start is not counted.
func celery(t *testing.T, python string) measure {
	c := server(t)
	ctx := context.Background()
	command := func(args ...string) *exec.Cmd {
		cmd := exec.Command(python, args...)
		cmd.Env = append(os.Environ(), "PEER_REDIS=redis://"+c.Options().Addr+"/0", "PYTHONPATH=testdata")
		return cmd
	}
	used := func(cmd *exec.Cmd) time.Duration { return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime() }
	produce := func(n int) (time.Duration, time.Duration) {
		cmd := command("testdata/peer.py", strconv.Itoa(n))
		start := time.Now()
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return time.Since(start), used(cmd)
	}
	left := func() int64 { return c.LLen(ctx, "celery").Val() + c.HLen(ctx, "unacked").Val() }
	// work runs a worker until it has done what is there, and at least one task.
	work := func() (took, cpu time.Duration) {
		cmd := command("-m", "celery", "-A", "peer", "worker", "-P", "threads", "-c", "10", "-l", "ERROR")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		all := left()
		for left() == all {
			time.Sleep(time.Millisecond)
		}
		start := time.Now()
		for left() > 0 {
			time.Sleep(time.Millisecond)
		}
		took = time.Since(start)
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		return took, used(cmd)
	}
	idleTook, idleProducer := produce(1)
	_, idleWorker := work()
	server := redisTime(t, c)
	took, producer := produce(*tasks)
	worked, worker := work()
	n := time.Duration(*tasks)
	return measure{
		enqueue: float64(*tasks) / max(took-idleTook, time.Millisecond).Seconds(), consume: float64(*tasks) / worked.Seconds(),
		cpu: (producer - idleProducer + worker - idleWorker) / n, redis: (redisTime(t, c) - server) / n,
	}
}

// TestRates prints the medians. Only the ratio of processor times is checked: it
// depends little on what else the machine does.
func TestRates(t *testing.T) {
	systems := []struct {
		name string
		run  func() measure
	}{
		{"retry/queue, journal", func() measure {
			j, err := queue.Open(t.TempDir(), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer j.Close()
			return ours(t, j, nil)
		}},
		{"retry/queue/redis", func() measure {
			c := server(t)
			s, err := queueredis.New(c, nil)
			if err != nil {
				t.Fatal(err)
			}
			return ours(t, s, c)
		}},
		{"asynq", func() measure { return peer(t) }},
	}
	python := os.Getenv("PRODAI_CELERY")
	if python != "" {
		systems = append(systems, struct {
			name string
			run  func() measure
		}{"Celery", func() measure { return celery(t, python) }})
	}
	all := make([][]measure, len(systems))
	for range *rounds {
		for i, s := range systems { // in turn, so that a busy machine disturbs all alike
			all[i] = append(all[i], s.run())
		}
	}
	median := func(ms []measure, of func(measure) float64) float64 {
		values := make([]float64, len(ms))
		for i, m := range ms {
			values[i] = of(m)
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	cpu := make([]float64, len(systems))
	for i, s := range systems {
		cpu[i] = median(all[i], func(m measure) float64 { return float64(m.cpu.Microseconds()) })
		t.Logf("%-22s %8.0f enqueued/s %8.0f consumed/s %5.0f us of processor time a task, and %4.0f us of redis-server", s.name,
			median(all[i], func(m measure) float64 { return m.enqueue }), median(all[i], func(m measure) float64 { return m.consume }), cpu[i],
			median(all[i], func(m measure) float64 { return float64(m.redis.Microseconds()) }))
	}
	if cpu[0] > cpu[2]/2 {
		t.Errorf("a task costs %.0f us, and asynq's %.0f: want at most half", cpu[0], cpu[2])
	}
	if python != "" && cpu[0] > cpu[3]/10 {
		t.Errorf("a task costs %.0f us, and Celery's %.0f: want at most a tenth", cpu[0], cpu[3])
	}
}
