package redis

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/internal/redistest"
	"github.com/prodailabs/prodai/retry/limit"
)

func open(t *testing.T, server *redistest.Server) *Store {
	t.Helper()
	s, err := New(server.Client())
	require.NoError(t, err)
	return s
}

func TestTakeAndCharge(t *testing.T) {
	s := open(t, redistest.Start(t))
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
	server := redistest.Start(t)
	rate := limit.Rate{N: 3, Per: time.Hour, Burst: 4}
	for name, s := range map[string]limit.Store{"redis": open(t, server), "local": &limit.Memory{}} {
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
		require.InDelta(t, 20, d.Wait.Minutes(), 1, name)
	}
}

// worker is the body of the child processes: it asks as fast as it can for a limit of
// 200 a second and 50 at once. When it has got its part, it takes all that is
// there of a limit that refills by less than one during the test.
func worker(socket string) error {
	c := redis.NewClient(&redis.Options{Network: "unix", Addr: socket, MaxRetries: -1, ReadTimeout: time.Minute})
	defer c.Close()
	s, err := New(c)
	if err != nil {
		return err
	}
	take := func(key string, r limit.Rate) (limit.Decision, error) {
		return s.Take(context.Background(), []limit.Claim{{Key: key, Rate: r, N: 1}}, 0)
	}
	for granted := 0; granted < perWorker; {
		got, err := take("fast", limit.Rate{N: 200, Per: time.Second, Burst: 50})
		switch {
		case err != nil: // Redis restarts
			time.Sleep(time.Millisecond)
		case got.OK:
			if granted++; granted == 1 {
				fmt.Println("begun")
			}
		default:
			time.Sleep(min(got.Wait, time.Millisecond))
		}
	}
	_, _ = io.Copy(io.Discard, os.Stdin) // until Redis has restarted, or won't
	for slow := 0; ; slow++ {
		got, err := take("slow", limit.Rate{N: 333, Per: 1000 * time.Hour})
		if err != nil || !got.OK {
			fmt.Println("slow", slow)
			return err
		}
	}
}

const workers, perWorker = 8, 30

func TestMain(m *testing.M) {
	if socket := os.Getenv("LIMIT_REDIS_WORKER"); socket != "" {
		if err := worker(socket); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// Eight processes share a limit and together get exactly its amount. If Redis is
// restarted, empty, in the middle, they get at most one burst more.
func TestEightProcesses(t *testing.T) {
	for _, restarts := range []bool{false, true} {
		t.Run(fmt.Sprint("restarts=", restarts), func(t *testing.T) {
			server := redistest.Start(t)
			begin := time.Now()
			begun := make(chan struct{}, workers)
			var all sync.WaitGroup
			var slow atomic.Int64
			var inputs []io.Closer
			for range workers {
				cmd := exec.Command(os.Args[0])
				cmd.Env = append(os.Environ(), "LIMIT_REDIS_WORKER="+server.Options().Addr)
				out, err := cmd.StdoutPipe()
				require.NoError(t, err)
				in, err := cmd.StdinPipe()
				require.NoError(t, err)
				inputs = append(inputs, in)
				require.NoError(t, cmd.Start())
				all.Go(func() {
					for lines := bufio.NewScanner(out); lines.Scan(); {
						if lines.Text() == "begun" {
							begun <- struct{}{}
							continue
						}
						var n int64
						if _, err := fmt.Sscanf(lines.Text(), "slow %d", &n); err != nil {
							t.Errorf("a worker said %q", lines.Text())
						}
						slow.Add(n)
					}
					if err := cmd.Wait(); err != nil {
						t.Error(err)
					}
				})
			}
			bursts := 1
			if restarts {
				<-begun
				server.Restart()
				bursts++
			}
			for _, in := range inputs { // what is counted exactly begins
				require.NoError(t, in.Close())
			}
			all.Wait()
			most := float64(50*bursts) + 200*time.Since(begin).Seconds()
			require.LessOrEqual(t, float64(workers*perWorker), most+1)
			require.EqualValues(t, 333, slow.Load())
		})
	}
}

// A patient store waits longer than a limiter does, since the machine may be busy.
type patient struct{ limit.Store }

func (p patient) Take(ctx context.Context, claims []limit.Claim, ahead time.Duration) (limit.Decision, error) {
	return p.Store.Take(context.WithoutCancel(ctx), claims, ahead)
}

// Models of different processes, here with a connection each, share one limit: what
// one has taken, the other can't take.
func TestModelsShareALimit(t *testing.T) {
	server := redistest.Start(t)
	hello := modeltest.Say("hello")
	hello.Times = -1
	passed := 0
	var models []*limit.Model
	for range 3 {
		m, err := limit.New(&modeltest.Script{Turns: []modeltest.Turn{hello}}, &limit.Options{
			Quota: limit.Quota{Requests: limit.Rate{N: 5, Per: time.Hour}}, Store: patient{open(t, server)}, RefuseOnStoreFailure: true,
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
	s, err := New(redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1}))
	require.NoError(t, err)
	_, err = s.Take(t.Context(), []limit.Claim{{Key: "k", Rate: limit.Rate{N: 1, Per: time.Second}, N: 1}}, 0)
	require.Error(t, err)
	_, err = New(nil)
	require.ErrorIs(t, err, ErrOption)
}

// No number is so large that it passes, or fills a bucket that it should empty.
func TestNoSumOverflows(t *testing.T) {
	s := open(t, redistest.Start(t))
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
