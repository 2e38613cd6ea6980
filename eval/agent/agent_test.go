package agent_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/eval"
	"github.com/prodailabs/prodai/eval/agent"
	"github.com/prodailabs/prodai/eval/modeltest"
	"github.com/prodailabs/prodai/internal/golden"
)

func TestGoldenToolCorrectness(t *testing.T) {
	type call struct {
		Name      string
		Arguments json.RawMessage
	}
	type row struct {
		Mode             string
		Arguments        bool
		Expected, Called []call
		Score            float64
	}
	orders := map[string]agent.Order{"default": agent.OrderAny, "order": agent.OrderKept, "exact": agent.OrderExact}
	calls := func(cs []call) (out []eval.Call) {
		for _, c := range cs {
			out = append(out, eval.Call{Name: c.Name, Arguments: string(c.Arguments)})
		}
		return out
	}
	golden.Rows(t, "eval", "deepeval_tools.jsonl", func(r row) error {
		got, err := agent.ToolCorrectness(calls(r.Called), calls(r.Expected), &agent.ToolCorrectnessOptions{Order: orders[r.Mode], Arguments: r.Arguments})
		if err == nil && math.Abs(got-r.Score) > 1e-9 {
			err = fmt.Errorf("%s: got %v, want %v", r.Mode, got, r.Score)
		}
		return err
	})
}

// orders is a shop: a search that fails once, and a purchase.
func orders() (agent.World, error) {
	return agent.NewTools(map[string]string{"stock": "3"},
		agent.Tool{Name: "search", Description: "finds a product", Fail: errors.New("503"), FailTimes: 1, Do: func(string, map[string]string) (string, error) { return "sku-7", nil }},
		agent.Tool{Name: "buy", Do: func(arguments string, state map[string]string) (string, error) {
			if !strings.Contains(arguments, "sku-7") {
				return "", errors.New("no such product")
			}
			state["bought"] += "x"
			return "ok", nil
		}})
}

func solved(w agent.World, _ string) bool { return w.(*agent.Tools).State("bought") == "x" }

var buy = agent.Task{ID: "buy", Request: "Buy a lamp.", New: orders, Solved: solved, Expected: []eval.Call{{Name: "search"}, {Name: "buy", Arguments: `{"sku": "sku-7"}`}}}

func callTool(id, name, arguments string) modeltest.Turn {
	return modeltest.Turn{Choices: []*llms.ContentChoice{{StopReason: "tool_calls", ToolCalls: []llms.ToolCall{{ID: id, Type: "function", FunctionCall: &llms.FunctionCall{Name: name, Arguments: arguments}}}}}, Usage: &modeltest.Usage{Prompt: 10, Completion: 2}}
}

func TestLoopUsesToolsUntilAnAnswer(t *testing.T) {
	s := &modeltest.Script{Turns: []modeltest.Turn{callTool("1", "search", ""), callTool("2", "search", ""), callTool("3", "buy", `{"sku": "sku-7"}`), modeltest.Say("Bought.")}}
	a, err := agent.NewLoop(s, &agent.LoopOptions{System: "You shop.", Cost: func(*llms.ContentResponse) (int64, bool) { return 5, true }})
	require.NoError(t, err)
	r, err := agent.Run(context.Background(), a, []agent.Task{buy}, &agent.Options{Trials: 1})
	require.NoError(t, err)
	trial := r.Tasks[0].Trials[0]
	assert.True(t, trial.Solved)
	assert.Equal(t, "Bought.", trial.Answer)
	require.Len(t, trial.Steps, 3)
	assert.Equal(t, "503", trial.Steps[0].Err)
	assert.Equal(t, "sku-7", trial.Steps[1].Result)
	assert.Equal(t, 4, trial.Usage.ModelCalls)
	assert.Equal(t, int64(30), trial.Usage.InputTokens)
	assert.Equal(t, 1, trial.Usage.TokensUnknown)
	assert.Equal(t, int64(20), r.PicoUSDPerSolved)
	assert.InDelta(t, 1.0/3, r.ToolErrors, 1e-12)
	assert.Zero(t, r.Repeats, "a call that is tried again after an error is no repeat")
	assert.Zero(t, r.Trajectory.Exact)
	assert.Equal(t, 1.0, r.Trajectory.InOrder)
	assert.InDelta(t, 2.0/3, r.Trajectory.Precision, 1e-12)
	assert.Equal(t, 1.0, r.Trajectory.Recall)
	assert.InDelta(t, 0.8, r.Trajectory.F1, 1e-12)

	last := s.Calls()[3]
	require.Len(t, last.Messages, 8)
	assert.Equal(t, llms.ToolCallResponse{ToolCallID: "1", Name: "search", Content: "error: 503"}, last.Messages[3].Parts[0])
	assert.Len(t, last.Options.Tools, 2)
}

func TestAnAgentThatOnlySaysSoFails(t *testing.T) {
	say := modeltest.Say("I bought the lamp.")
	say.Times = -1
	a, err := agent.NewLoop(&modeltest.Script{Turns: []modeltest.Turn{say}}, nil)
	require.NoError(t, err)
	r, err := agent.Run(context.Background(), a, []agent.Task{buy}, nil)
	require.NoError(t, err)
	assert.Zero(t, r.PassAt[3].Value)
	assert.Zero(t, r.Failed)
	assert.Equal(t, int64(-1), r.PicoUSDPerSolved)
	assert.Zero(t, r.Trajectory.Recall)
	assert.Contains(t, r.String(), "unknown")
}

func TestTrialsThatFail(t *testing.T) {
	forever := callTool("1", "search", "{}")
	forever.Times = -1
	loop, err := agent.NewLoop(&modeltest.Script{Turns: []modeltest.Turn{forever}}, &agent.LoopOptions{MaxTurns: 50})
	require.NoError(t, err)
	for name, c := range map[string]struct {
		a    agent.Agent
		want string
	}{
		"steps": {loop, "limit of tool calls: 5"},
		"panic": {func(context.Context, string, *agent.Session) (string, error) { panic("oh") }, "panic: oh"},
		"error": {func(context.Context, string, *agent.Session) (string, error) { return "", errors.New("down") }, "down"},
	} {
		r, err := agent.Run(context.Background(), c.a, []agent.Task{buy}, &agent.Options{Trials: 2, MaxSteps: 5})
		require.NoError(t, err, name)
		assert.Equal(t, 2, r.Failed, name)
		assert.Contains(t, r.Tasks[0].Trials[1].Err, c.want)
		assert.False(t, r.Tasks[0].Trials[1].Solved)
	}
	turns, err := agent.NewLoop(&modeltest.Script{Turns: []modeltest.Turn{forever}}, &agent.LoopOptions{MaxTurns: 3})
	require.NoError(t, err)
	r, err := agent.Run(context.Background(), turns, []agent.Task{buy}, &agent.Options{Trials: 1})
	require.NoError(t, err)
	assert.Contains(t, r.Tasks[0].Trials[0].Err, "3 turns")
	assert.InDelta(t, 1.0/3, r.Repeats, 1e-12, "the second search after one that worked")
}

func TestATrialThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := atomic.Int32{}
		a := func(ctx context.Context, _ string, s *agent.Session) (string, error) {
			if n.Add(1) == 1 {
				<-ctx.Done()
				return "", ctx.Err()
			}
			time.Sleep(time.Second)
			return "done", nil
		}
		task := buy
		task.Solved = func(agent.World, string) bool { return true }
		r, err := agent.Run(context.Background(), a, []agent.Task{task}, &agent.Options{Trials: 3, Timeout: 5 * time.Second})
		require.NoError(t, err)
		assert.Equal(t, 1, r.Failed)
		assert.Equal(t, time.Second, r.P50)
		assert.InDelta(t, 2.0/3, r.PassAt[0].Value, 1e-12)
		assert.InDelta(t, 0, r.PassHat[2].Value, 1e-12)

		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		n.Store(0)
		_, err = agent.Run(ctx, a, []agent.Task{task}, &agent.Options{Trials: 3})
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

// TestPassHat: an agent that solves each trial with a known chance for each task.
func TestPassHat(t *testing.T) {
	chances := []float64{1, 0.9, 0.5, 0}
	var tasks []agent.Task
	for i := range 400 {
		tasks = append(tasks, agent.Task{ID: fmt.Sprint(i), Request: fmt.Sprint(chances[i%4]), New: orders, Solved: func(_ agent.World, answer string) bool { return answer == "ok" }})
	}
	random := rand.New(rand.NewPCG(6, 1))
	a := func(_ context.Context, request string, _ *agent.Session) (string, error) {
		var p float64
		fmt.Sscan(request, &p)
		if random.Float64() < p {
			return "ok", nil
		}
		return "", nil
	}
	r, err := agent.Run(context.Background(), a, tasks, &agent.Options{Trials: 8})
	require.NoError(t, err)
	for k := 1; k <= 8; k++ {
		hat, at := 0.0, 0.0
		for _, p := range chances {
			hat += math.Pow(p, float64(k)) / 4
			at += (1 - math.Pow(1-p, float64(k))) / 4
		}
		assert.InDelta(t, hat, r.PassHat[k-1].Value, 0.03)
		assert.InDelta(t, at, r.PassAt[k-1].Value, 0.03)
		assert.True(t, r.PassHat[k-1].Interval.Contains(hat), k)
	}
	assert.Zero(t, r.Trajectory.Tasks, "a task without expected calls has no trajectory")
}

func TestRunsAtATime(t *testing.T) {
	var now, most atomic.Int32
	a := func(_ context.Context, _ string, s *agent.Session) (string, error) {
		if n := now.Add(1); n > most.Load() {
			most.Store(n)
		}
		defer now.Add(-1)
		time.Sleep(time.Millisecond)
		_, err := s.Call(context.Background(), eval.Call{Name: "search"})
		_ = err
		s.Spend(agent.Usage{ModelCalls: 1})
		return "", nil
	}
	r, err := agent.Run(context.Background(), a, []agent.Task{buy}, &agent.Options{Trials: 30, Concurrency: 3})
	require.NoError(t, err)
	assert.LessOrEqual(t, most.Load(), int32(3))
	assert.Equal(t, 30, r.Usage.ModelCalls)
}

func TestWhatCannotRun(t *testing.T) {
	ok := func(context.Context, string, *agent.Session) (string, error) { return "", nil }
	for _, c := range []struct {
		a     agent.Agent
		tasks []agent.Task
		o     agent.Options
	}{
		{nil, []agent.Task{buy}, agent.Options{}}, {ok, nil, agent.Options{}}, {ok, []agent.Task{buy, buy}, agent.Options{}}, {ok, []agent.Task{{ID: "x"}}, agent.Options{}},
		{ok, []agent.Task{buy}, agent.Options{Trials: -1}}, {ok, []agent.Task{buy}, agent.Options{MaxSteps: -1}}, {ok, []agent.Task{buy}, agent.Options{Concurrency: -1}}, {ok, []agent.Task{buy}, agent.Options{Timeout: -1}},
	} {
		_, err := agent.Run(context.Background(), c.a, c.tasks, &c.o)
		require.ErrorIs(t, err, agent.ErrOption)
	}
	broken := buy
	broken.New = func() (agent.World, error) { return nil, nil }
	_, err := agent.Run(context.Background(), ok, []agent.Task{broken}, nil)
	require.ErrorContains(t, err, "world is nil")
	_, err = agent.NewLoop(nil, nil)
	require.ErrorIs(t, err, agent.ErrOption)
	_, err = agent.NewLoop(&modeltest.Script{}, &agent.LoopOptions{MaxTurns: -1})
	require.ErrorIs(t, err, agent.ErrOption)
	_, err = agent.NewTools(nil, agent.Tool{Name: "x"})
	require.ErrorIs(t, err, agent.ErrOption)
	_, err = agent.ToolCorrectness([]eval.Call{{Name: "x", Arguments: "["}}, nil, nil)
	require.ErrorIs(t, err, agent.ErrOption)
	_, err = agent.ToolCorrectness(nil, nil, &agent.ToolCorrectnessOptions{Order: 9})
	require.ErrorIs(t, err, agent.ErrOption)
	w, err := orders()
	require.NoError(t, err)
	_, err = w.Call(context.Background(), eval.Call{Name: "fly"})
	require.ErrorContains(t, err, "fly")

	for _, bad := range []modeltest.Turn{{NilResponse: true}, {Choices: []*llms.ContentChoice{}}, {Choices: []*llms.ContentChoice{{ToolCalls: []llms.ToolCall{{ID: "1"}}}}}, {Err: errors.New("down")}} {
		a, err := agent.NewLoop(&modeltest.Script{Turns: []modeltest.Turn{bad}}, nil)
		require.NoError(t, err)
		r, err := agent.Run(context.Background(), a, []agent.Task{buy}, &agent.Options{Trials: 1})
		require.NoError(t, err)
		assert.Equal(t, 1, r.Failed)
	}
}

func ExampleRun() {
	task := agent.Task{
		ID: "cancel", Request: "Cancel order 12.",
		New: func() (agent.World, error) {
			return agent.NewTools(map[string]string{"12": "open"}, agent.Tool{Name: "cancel", Do: func(order string, state map[string]string) (string, error) {
				state[order] = "cancelled"
				return "done", nil
			}})
		},
		Solved: func(w agent.World, _ string) bool { return w.(*agent.Tools).State("12") == "cancelled" },
	}
	n := 0
	flaky := func(ctx context.Context, _ string, s *agent.Session) (string, error) {
		if n++; n%4 == 0 {
			return "I have cancelled it.", nil
		}
		_, err := s.Call(ctx, eval.Call{Name: "cancel", Arguments: "12"})
		return "Done.", err
	}
	r, err := agent.Run(context.Background(), flaky, []agent.Task{task}, &agent.Options{Trials: 8})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("pass@1 %.2f, pass^4 %.2f\n", r.PassAt[0].Value, r.PassHat[3].Value)
	// Output: pass@1 0.75, pass^4 0.21
}
