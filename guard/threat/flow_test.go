package threat

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func shop() *System {
	return &System{
		Name: "shop",
		Parts: []Part{
			{Name: "customer", Kind: PartUser, Zone: ZoneOutside}, {Name: "gateway", Kind: PartApp, Zone: ZoneInside}, {Name: "model", Kind: PartModel, Zone: ZoneInside},
			{Name: "handbook", Kind: PartDocuments, Zone: ZoneInside}, {Name: "mail", Kind: PartTool, Zone: ZoneInside, Acts: true}, {Name: "page", Kind: PartBrowser, Zone: ZoneOutside}, {Name: "log", Kind: PartLog, Zone: ZoneInside},
		},
		Flows: []Flow{
			{From: "customer", To: "gateway", Data: "the question", Personal: true}, {From: "gateway", To: "model", Data: "the prompt", Personal: true}, {From: "handbook", To: "model", Data: "passages"},
			{From: "model", To: "mail", Data: "a call"}, {From: "model", To: "page", Data: "the answer"}, {From: "gateway", To: "log", Data: "the request", Personal: true},
		},
	}
}

func TestAnalyze(t *testing.T) {
	attacks, err := shop().Analyze()
	require.NoError(t, err)
	has := func(attacks []Attack, from, to, id string) bool {
		return slices.ContainsFunc(attacks, func(a Attack) bool { return a.Flow.From == from && a.Flow.To == to && slices.Contains(a.Threats, id) })
	}
	for _, want := range [][3]string{
		{"customer", "gateway", "LLM01:2025"}, {"customer", "gateway", "LLM10:2025"}, {"gateway", "model", "LLM07:2025"}, {"gateway", "model", "LLM02:2025"},
		{"model", "mail", "LLM06:2025"}, {"model", "mail", "AML.T0086"}, {"model", "page", "LLM05:2025"}, {"gateway", "log", "LLM02:2025"}, {"handbook", "model", "LLM09:2025"},
	} {
		require.True(t, has(attacks, want[0], want[1], want[2]), "%v", want)
	}
	require.False(t, has(attacks, "handbook", "model", "AML.T0051.001"), "only you write the handbook")
	for _, a := range attacks {
		require.Empty(t, a.Answered)
		require.NotEmpty(t, a.Layers)
	}
	require.True(t, attacks[0].Border)

	// If a customer can write into the handbook, its passages may give orders.
	open := shop()
	open.Flows = append(open.Flows, Flow{From: "customer", To: "handbook", Data: "reviews"})
	open.Layers = []string{"guard", "guard/sink"}
	attacks, err = open.Analyze()
	require.NoError(t, err)
	require.True(t, has(attacks, "handbook", "model", "AML.T0051.001"))
	require.True(t, has(attacks, "customer", "handbook", "LLM08:2025"))
	for _, a := range attacks {
		if slices.Contains(a.Threats, "AML.T0077") {
			require.Equal(t, []string{"guard/sink"}, a.Answered)
		}
	}
}

// Every rule can fire, names ids that exist, and layers that are packages or practices.
func TestRules(t *testing.T) {
	for _, r := range rules {
		for id := range strings.FieldsSeq(r.threats) {
			_, ok := Lookup(id)
			require.True(t, ok, id)
		}
		for kind := range strings.FieldsSeq(r.from + " " + r.to) {
			require.Contains(t, partKinds, kind)
		}
		for name := range strings.FieldsSeq(r.layers) {
			require.NotEmpty(t, layerWords[name], name)
			if !strings.HasPrefix(name, "-") {
				_, err := os.Stat(filepath.Join("../..", name))
				require.NoError(t, err)
			}
		}
		from, to := strings.Fields(r.from + " user")[0], strings.Fields(r.to + " app")[0]
		s := System{Parts: []Part{{Name: "a", Kind: from, Zone: ZoneOutside}, {Name: "b", Kind: to, Zone: ZoneInside, Acts: true}}, Flows: []Flow{{From: "a", To: "b", Personal: true}}}
		attacks, err := s.Analyze()
		require.NoError(t, err)
		require.True(t, slices.ContainsFunc(attacks, func(a Attack) bool { return a.How == r.how }), r.how)
	}
	for kind := range All() { // each of OWASP's ten risks is in a rule
		if kind.Kind == "risk" {
			require.True(t, slices.ContainsFunc(rules, func(r rule) bool { return slices.Contains(strings.Fields(r.threats), kind.ID) }), kind.ID)
		}
	}
}

func TestReadSystemRefuses(t *testing.T) {
	const parts = `{"parts":[{"name":"a","kind":"user","zone":"outside"},{"name":"b","kind":"app","zone":"inside"}]`
	s, err := ReadSystem(strings.NewReader(parts + `,"flows":[{"from":"a","to":"b","data":"x"}]}`))
	require.NoError(t, err)
	require.Len(t, s.Parts, 2)
	for _, text := range []string{"", "[]", parts + "}", parts + `,"flows":[{"from":"a","to":"c"}]}`, strings.Replace(parts, "user", "cat", 1) + "}", strings.Replace(parts, "inside", "in", 1) + "}", strings.Replace(parts, `"b"`, `"a"`, 1) + "}", parts + `,"flow":[]}`} {
		_, err := ReadSystem(strings.NewReader(text))
		require.ErrorIs(t, err, ErrSystem, text)
	}
	_, err = ReadSystem(nil)
	require.ErrorIs(t, err, ErrOption)
}

func FuzzReadSystem(f *testing.F) {
	f.Add([]byte(`{"name":"x","parts":[{"name":"a","kind":"user","zone":"outside"},{"name":"b","kind":"model","zone":"inside"}],"flows":[{"from":"a","to":"b","data":"x"},{"from":"b","to":"a","data":"y","personal":true}],"layers":["guard"]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ReadSystem(bytes.NewReader(data))
		if err != nil {
			require.ErrorIs(t, err, ErrSystem)
			return
		}
		_, err = s.Analyze()
		require.NoError(t, err)
	})
}
