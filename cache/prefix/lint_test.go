package prefix

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tmc/langchaingo/llms"
)

// prompts makes requests a minute apart from texts with names.
func prompts(rows ...[]string) (out []Request) {
	for i, row := range rows {
		q := Request{At: time.Duration(i) * time.Minute}
		for _, r := range row {
			name, text, _ := strings.Cut(r, "=")
			q.Segments = append(q.Segments, segment(name, text, func(s string) int { return len(s) }))
		}
		out = append(out, q)
	}
	return out
}

func TestLint(t *testing.T) {
	long := strings.Repeat("word ", 2200)
	auto, err := Named("openai")
	require.NoError(t, err)
	for _, c := range []struct {
		kind        Kind
		before, now string
		lost        int
		rows        [][]string
	}{
		{KindTimestamp, "12:03:07", "12:04:09", 11000, [][]string{{"system=Time: 12:03:07. " + long, "user=a"}, {"system=Time: 12:04:09. " + long, "user=b"}}},
		{KindTimestamp, "2026-11-30T12:03:07Z", "2026-12-01T12:03:08Z", 11000, [][]string{{"time=2026-11-30T12:03:07Z", "system=" + long, "user=a"}, {"time=2026-12-01T12:03:08Z", "system=" + long, "user=b"}}},
		{KindID, "req_8f3a91c2", "req_77b1d0e4", 11000, [][]string{{"system=id req_8f3a91c2 " + long, "user=a"}, {"system=id req_77b1d0e4 " + long, "user=b"}}},
		{KindNumber, "17", "18", 11000, [][]string{{"system=visits: 17 " + long, "user=a"}, {"system=visits: 18 " + long, "user=b"}}},
		{KindOrder, "", "", 2201, [][]string{{"tool=" + long[:1100], "tool=" + long[:1101], "user=a"}, {"tool=" + long[:1101], "tool=" + long[:1100], "user=a"}}},
		{KindKeys, "", "", 1108, [][]string{{`tool={"a":1,"b":"` + long[:1093] + `"}`, "user=a"}, {`tool={"b":"` + long[:1093] + `","a":1}`, "user=b"}}},
		{KindTrimmed, "", "", 3300, [][]string{{"system=" + long, "turn=1" + long[:1099], "turn=2" + long[:1099], "turn=3" + long[:1099], "turn=4" + long[:1099]},
			{"system=" + long, "turn=2" + long[:1099], "turn=3" + long[:1099], "turn=4" + long[:1099], "turn=5"}}},
		{KindText, "Ann", "Bob", 11000, [][]string{{"user name=Ann", "system=" + long, "user=a"}, {"user name=Bob", "system=" + long, "user=b"}}},
	} {
		found, err := auto.Lint(prompts(c.rows...))
		require.NoError(t, err)
		require.Len(t, found, 1, c.kind)
		w := found[0]
		require.Equal(t, c.kind, w.Kind, w)
		require.Equal(t, c.before, w.Before)
		require.Equal(t, c.now, w.Now)
		require.InDelta(t, c.lost, w.Lost, 3, w)
		require.Contains(t, w.String(), fmt.Sprint("costs ", w.Lost, " cached tokens a call"))
	}
	// A good conversation has no warnings: only its end changes or grows.
	good, err := auto.Lint(prompts([]string{"system=" + long, "user=a"}, []string{"system=" + long, "user=b at 12:03"}, []string{"system=" + long, "user=b at 12:03", "ai=c"}))
	require.NoError(t, err)
	require.Empty(t, good)
	_, err = Rule{}.Lint(nil)
	require.ErrorIs(t, err, ErrOption)
}

func TestLintOfTheRule(t *testing.T) {
	long := strings.Repeat("x", 5000)
	rule := Anthropic(1024, false)
	rule.MaxMarks = 4
	kinds := func(q []Request) (out []Kind) {
		found, err := rule.Lint(q)
		require.NoError(t, err)
		for _, w := range found {
			out = append(out, w.Kind)
			require.NotEmpty(t, w.String())
		}
		return out
	}
	q := prompts([]string{"system=" + long, "user=a"}, []string{"system=" + long, "user=b"})
	require.Equal(t, []Kind{KindMarks}, kinds(q), "none")
	for i := range q {
		q[i].Segments[0].Breakpoint = true
	}
	require.Empty(t, kinds(q))
	q[1].At = 6 * time.Minute
	require.Equal(t, []Kind{KindApart}, kinds(q))
	many := prompts([]string{"a=" + long, "b=1", "c=1", "d=1", "e=1"})
	for i := range many[0].Segments {
		many[0].Segments[i].Breakpoint = true
	}
	require.Equal(t, []Kind{KindMarks}, kinds(many))
	require.Equal(t, []Kind{KindShort}, kinds(prompts([]string{"a=short"})))
}

// The plan of a bad order is cheaper under every rule, and has the marks that a rule asks
// for.
func TestPlan(t *testing.T) {
	rules, err := Rules()
	require.NoError(t, err)
	for _, rule := range append(rules, OpenAI(.5), Anthropic(1024, true)) {
		bad := talk(true)
		plan, err := rule.PlanOf(bad)
		require.NoError(t, err)
		require.Equal(t, []string{"system", "documents", "time", "question"}, plan.Order)
		var good []Request
		for _, q := range bad {
			good = append(good, plan.Apply(q))
		}
		units := func(q []Request) (sum float64) {
			bills, err := rule.Bill(q)
			require.NoError(t, err)
			for _, b := range bills {
				sum += b.Units
			}
			return sum
		}
		require.Less(t, units(good), .75*units(bad), rule.Name)
		if rule.Step == 0 {
			require.Equal(t, []string{"documents"}, plan.Marks)
		} else {
			require.Empty(t, plan.Marks)
		}
	}
	// A history that grows comes between what never changes and what does.
	var talks []Request
	for i := range 4 {
		q := Request{Segments: []Segment{{Name: "question", ID: fmt.Sprint("q", i), Tokens: 9}}}
		for k := range i {
			q.Segments = append(q.Segments, Segment{Name: "history", ID: fmt.Sprint(k), Tokens: 900})
		}
		q.Segments = append(q.Segments, Segment{Name: "system", ID: "s", Tokens: 3000})
		talks = append(talks, q)
	}
	plan, err := Anthropic(1024, false).PlanOf(talks)
	require.NoError(t, err)
	require.Equal(t, Plan{Order: []string{"system", "history", "question"}, Marks: []string{"system", "history"}}, plan)
	extra := plan.Apply(Request{Segments: []Segment{{Name: "new", ID: "n", Breakpoint: true}, {Name: "system", ID: "s"}}})
	require.Equal(t, []Segment{{Name: "system", ID: "s", Breakpoint: true}, {Name: "new", ID: "n"}}, extra.Segments)
	_, err = Rule{}.PlanOf(nil)
	require.ErrorIs(t, err, ErrOption)
}

func TestSegments(t *testing.T) {
	got := Segments([]llms.MessageContent{
		{Role: llms.ChatMessageTypeSystem, Parts: []llms.ContentPart{llms.WithCacheControl(llms.TextPart("rules"), &llms.CacheControl{Type: "ephemeral"})}},
		{Role: llms.ChatMessageTypeHuman, Parts: []llms.ContentPart{llms.TextPart("q"), llms.ImageURLPart("https://x/y.png")}},
	}, []llms.Tool{{Type: "function", Function: &llms.FunctionDefinition{Name: "f", Parameters: map[string]any{"b": 1, "a": 2}}}, {}}, func(s string) int { return len(s) })
	var names []string
	for _, s := range got {
		names = append(names, s.Name)
		require.Len(t, s.ID, 64)
		require.Equal(t, len(s.Text), s.Tokens)
	}
	require.Equal(t, []string{"tool f", "tool", "system", "human", "human"}, names)
	require.True(t, got[2].Breakpoint)
	require.False(t, got[3].Breakpoint)
	require.Equal(t, 2, Segments([]llms.MessageContent{llms.TextParts("human", "12345")}, nil, nil)[0].Tokens)
}

func TestRules(t *testing.T) {
	rules, err := Rules()
	require.NoError(t, err)
	for _, r := range rules {
		require.NotEmpty(t, r.Source, r.Name)
		require.NotEmpty(t, r.AsOf)
	}
	for _, provider := range []string{"openai", "openai gpt-5.6", "anthropic 5m", "anthropic 1h", "bedrock claude", "gemini flash", "gemini explicit", "mistral"} {
		_, err := Named(provider)
		require.NoError(t, err)
	}
	_, err = Named("none")
	require.ErrorIs(t, err, ErrOption)
	hour, err := Named("anthropic 1h")
	require.NoError(t, err)
	want := Anthropic(1024, true)
	require.Equal(t, []any{want.Min, want.Read, want.Write, want.TTL, want.Lookback}, []any{hour.Min, hour.Read, hour.Write, hour.TTL, hour.Lookback})
	for _, bad := range []string{"", "{}", "[{}]", `[{"name":"a","as_of":"x"}]`, `[{"name":"a","as_of":"2026-11"}]`, `[{"name":"a","as_of":"2026-11","step":1,"read":-1}]`,
		`[{"name":"a","as_of":"2026-11","step":1,"unknown":1}]`, `[{"name":"a","as_of":"2026-11","ttl":"x"}]`,
		`[{"name":"a","as_of":"2026-11","step":1},{"name":"a","as_of":"2026-11","step":1}]`, strings.Repeat(" ", maxTable+1)} {
		_, err := LoadRules(strings.NewReader(bad))
		require.ErrorIs(t, err, ErrRules, bad)
	}
	require.InDelta(t, 2000, Rule{Storage: 4}.Keep(1000, 30*time.Minute), 1e-9)
}

// Since GPT-5.6 a write costs, and the end of each request is a breakpoint without a mark.
func TestImplicitBreakpoint(t *testing.T) {
	rule, err := Named("openai gpt-5.6")
	require.NoError(t, err)
	system := Segment{ID: "s", Tokens: 2000}
	bills, err := rule.Bill([]Request{
		{Segments: []Segment{system, {ID: "a", Tokens: 10}}},
		{At: time.Minute, Segments: []Segment{system, {ID: "a", Tokens: 10}, {ID: "b", Tokens: 20}}},
		{At: 2 * time.Minute, Segments: []Segment{system, {ID: "x", Tokens: 10}}},
	})
	require.NoError(t, err)
	require.Equal(t, []int{0, 2010, 0}, []int{bills[0].Read, bills[1].Read, bills[2].Read})
	require.Equal(t, []int{2010, 20, 2010}, []int{bills[0].Written, bills[1].Written, bills[2].Written}, "no shorter prefix without a mark")
}

func FuzzLoadRules(f *testing.F) {
	f.Add(string(defaultRules))
	f.Add(`[{"name":"a","as_of":"2026-11","step":1,"ttl":"5m"}]`)
	f.Fuzz(func(t *testing.T, s string) {
		rules, err := LoadRules(strings.NewReader(s))
		if err != nil {
			require.ErrorIs(t, err, ErrRules)
			return
		}
		for _, r := range rules {
			_, err := r.Bill(talk(true))
			require.NoError(t, err)
		}
	})
}

func FuzzLint(f *testing.F) {
	f.Add("Time: 12:03 rest", "Time: 12:04 rest")
	f.Add(`{"a":1,"b":2}`, `{"b":2,"a":1}`)
	f.Add("\xff", "é")
	f.Fuzz(func(t *testing.T, a, b string) {
		found, err := OpenAI(.5).Lint(prompts([]string{"s=" + a, "t=x"}, []string{"s=" + b, "t=x"}))
		require.NoError(t, err)
		for _, w := range found {
			require.NotEmpty(t, w.String())
			require.LessOrEqual(t, w.Lost, len(b)+1)
		}
	})
}
