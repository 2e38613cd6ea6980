package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/retry/limit"
)

// server starts a Redis of its own on a free port; restart ends it and starts
// an empty one on the same port.
func server(t *testing.T) (addr string, restart func()) {
	t.Helper()
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("no redis-server in PATH")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := l.Addr().(*net.TCPAddr).Port
	require.NoError(t, l.Close())
	addr = "127.0.0.1:" + strconv.Itoa(port)
	var cmd *exec.Cmd
	stop := func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	start := func() {
		cmd = exec.Command(binary, "--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
		require.NoError(t, cmd.Start())
		require.Eventually(t, func() bool {
			c, err := net.Dial("tcp", addr)
			if err == nil {
				_ = c.Close()
			}
			return err == nil
		}, 5*time.Second, 10*time.Millisecond)
	}
	start()
	t.Cleanup(func() { stop() })
	return addr, func() { stop(); start() }
}

func open(t *testing.T, addr string) *Store {
	c := redis.NewClient(&redis.Options{Addr: addr, MaxRetries: -1, DialTimeout: time.Second})
	t.Cleanup(func() { _ = c.Close() })
	s, err := New(c)
	require.NoError(t, err)
	return s
}

func TestTakeAndCharge(t *testing.T) {
	addr, _ := server(t)
	s := open(t, addr)
	rate := limit.Rate{N: 2, Per: time.Hour}
	claim := func(n float64) []limit.Claim { return []limit.Claim{{Key: "k", Rate: rate, N: n}} }
	take := func(n float64, ahead time.Duration) limit.Decision {
		d, err := s.Take(t.Context(), claim(n), ahead)
		require.NoError(t, err)
		return d
	}
	require.Equal(t, limit.Never, take(3, time.Hour).Wait)
	require.True(t, take(2, 0).OK)
	d := take(1, 0)
	require.False(t, d.OK)
	require.InDelta(t, 30, d.Wait.Minutes(), 1)
	require.NoError(t, s.Charge(t.Context(), claim(-1)))
	require.True(t, take(1, 0).OK)
	require.NoError(t, s.Charge(t.Context(), claim(2))) // a debt
	require.InDelta(t, 90, take(1, 0).Wait.Minutes(), 1)
	d = take(1, 2*time.Hour) // reserved
	require.True(t, d.OK)
	require.InDelta(t, 90, d.Wait.Minutes(), 1)

	// All or none: the second claim is refused, the first isn't taken.
	both := []limit.Claim{{Key: "fresh", Rate: rate, N: 2}, {Key: "k", Rate: rate, N: 1}}
	d, err := s.Take(t.Context(), both, 0)
	require.NoError(t, err)
	require.False(t, d.OK)
	require.Equal(t, 1, d.Claim)
	d, err = s.Take(t.Context(), both[:1], 0)
	require.NoError(t, err)
	require.True(t, d.OK)
}

// A look takes nothing and has the result of limit.Memory's. The rest is in whole
// units also where the refill of one is not a whole number of ticks.
func TestLook(t *testing.T) {
	addr, _ := server(t)
	rate := limit.Rate{N: 3, Per: time.Hour, Burst: 4}
	for name, s := range map[string]limit.Store{"redis": open(t, addr), "local": &limit.Memory{}} {
		take := func(n float64) limit.Decision {
			d, err := s.Take(t.Context(), []limit.Claim{{Key: "look", Rate: rate, N: n}}, 0)
			require.NoError(t, err)
			return d
		}
		d := take(0)
		require.Equal(t, limit.Decision{OK: true, Limit: 4, Remaining: 4}, d, name)
		require.InDelta(t, 2, take(2).Remaining, 1e-3, name)
		require.InDelta(t, 2, take(0).Remaining, 1e-3, name)
		require.InDelta(t, 0, take(2).Remaining, 1e-3, name)
		d = take(0)
		require.True(t, d.OK, name)
		require.InDelta(t, 20, d.Wait.Minutes(), 0.1, name)
	}
}

// worker is the body of the child processes: it asks for d as fast as it can
// and prints how much it got.
func worker(addr string, d time.Duration) {
	c := redis.NewClient(&redis.Options{Addr: addr, MaxRetries: -1, DialTimeout: time.Second})
	defer c.Close()
	s, err := New(c)
	if err != nil {
		panic(err)
	}
	granted := 0
	for end := time.Now().Add(d); time.Now().Before(end); {
		got, err := s.Take(context.Background(), []limit.Claim{{Key: "shared", Rate: limit.Rate{N: 200, Per: time.Second, Burst: 50}, N: 1}}, 0)
		switch {
		case err != nil:
			time.Sleep(5 * time.Millisecond)
		case got.OK:
			granted++
		default:
			time.Sleep(min(got.Wait, time.Millisecond))
		}
	}
	fmt.Println("granted", granted)
}

func TestMain(m *testing.M) {
	if addr := os.Getenv("LIMIT_REDIS_WORKER"); addr != "" {
		worker(addr, 1500*time.Millisecond)
		return
	}
	os.Exit(m.Run())
}

// Eight processes share a limit and together get exactly its amount. If Redis is
// restarted, empty, in the middle, they get at most one burst more.
func TestEightProcesses(t *testing.T) {
	for _, restarts := range []bool{false, true} {
		t.Run(fmt.Sprint("restarts=", restarts), func(t *testing.T) {
			addr, restart := server(t)
			begin := time.Now()
			var wg sync.WaitGroup
			var mu sync.Mutex
			total := 0
			for range 8 {
				wg.Go(func() {
					cmd := exec.Command(os.Args[0])
					cmd.Env = append(os.Environ(), "LIMIT_REDIS_WORKER="+addr)
					out, err := cmd.Output()
					_, number, _ := strings.Cut(strings.TrimSpace(string(out)), "granted ")
					n, err2 := strconv.Atoi(number)
					mu.Lock()
					defer mu.Unlock()
					if err != nil || err2 != nil {
						t.Errorf("worker: %v, %q", err, out)
					}
					total += n
				})
			}
			if restarts {
				time.Sleep(700 * time.Millisecond)
				restart()
			}
			wg.Wait()
			most := 50 + 200*time.Since(begin).Seconds()
			least := 0.99 * (50 + 200*1.5)
			if restarts {
				most += 50
				least = 0.7 * (50 + 200*1.5) // less what was down
			}
			require.LessOrEqual(t, float64(total), most+1)
			require.GreaterOrEqual(t, float64(total), least)
		})
	}
}

// Models of different processes, here with a connection each, share one limit: what
// one has taken, the other can't take.
func TestModelsShareALimit(t *testing.T) {
	addr, _ := server(t)
	hello := modeltest.Say("hello")
	hello.Times = -1
	passed := 0
	var models []*limit.Model
	for range 3 {
		m, err := limit.New(&modeltest.Script{Turns: []modeltest.Turn{hello}}, &limit.Options{
			Quota: limit.Quota{Requests: limit.Rate{N: 5, Per: time.Hour}}, Store: open(t, addr), RefuseOnStoreFailure: true,
		})
		require.NoError(t, err)
		models = append(models, m)
	}
	for i := range 12 {
		_, err := models[i%3].Call(t.Context(), "q")
		var e *limit.Error
		if errors.As(err, &e) {
			require.Equal(t, "requests", e.Dimension)
			require.InDelta(t, 12, e.Delay.Minutes(), 1)
			continue
		}
		require.NoError(t, err)
		passed++
	}
	require.Equal(t, 5, passed)
}

func TestDownIsAnError(t *testing.T) {
	s := open(t, "127.0.0.1:1")
	_, err := s.Take(t.Context(), []limit.Claim{{Key: "k", Rate: limit.Rate{N: 1, Per: time.Second}, N: 1}}, 0)
	require.Error(t, err)
	_, err = New(nil)
	require.ErrorIs(t, err, ErrOption)
}

// No number is so large that it passes, or fills a bucket that it should empty.
func TestNoSumOverflows(t *testing.T) {
	addr, _ := server(t)
	s := open(t, addr)
	day := limit.Rate{N: 1000, Per: 24 * time.Hour}
	for i, n := range []float64{1001, 1e8, 2e8, 1e12} {
		claims := func(n float64) []limit.Claim { return []limit.Claim{{Key: strconv.Itoa(i), Rate: day, N: n}} }
		d, err := s.Take(t.Context(), claims(n), 1<<63-1)
		require.NoError(t, err)
		require.False(t, d.OK, n)
		require.Equal(t, limit.Never, d.Wait, n)
		for range 4 { // debts add up
			require.NoError(t, s.Charge(t.Context(), claims(n)))
			d, err = s.Take(t.Context(), claims(1), 0)
			require.NoError(t, err)
			require.False(t, d.OK, n)
			require.Positive(t, d.Wait, n)
		}
	}
}
